#include "people/device.h"

#include "unit.h"

#include <sodium.h>

static const struct bytes alice = {(const uint8_t *)"Alice", 5},
                          bob = {(const uint8_t *)"bob", 3};

static struct public_key key_of(uint8_t number, uint8_t seed[DEVICE_SEED_BYTES])
{
    struct public_key key;
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    memset(seed, number, DEVICE_SEED_BYTES);
    crypto_sign_seed_keypair(key.bytes, secret, seed);
    return key;
}

static void test_a_signature_says_one_thing(void **state)
{
    uint8_t seed[DEVICE_SEED_BYTES], other_seed[DEVICE_SEED_BYTES];
    struct public_key old = key_of(1, seed), fresh = key_of(2, other_seed);
    struct signature s = device_sign(alice, seed, &fresh);
    assert_true(device_is_vouched_for(alice, &old, &fresh, &s));
    assert_true(device_is_vouched_for(bytes_from_str("aLICE"), &old, &fresh, &s));
    assert_false(device_is_vouched_for(bob, &old, &fresh, &s));
    assert_false(device_is_vouched_for(alice, &old, &old, &s));
    assert_false(device_is_vouched_for(alice, &fresh, &fresh, &s));
    assert_false(device_is_vouched_for(alice, &fresh, &old, &s));
    s.bytes[5] ^= 1;
    assert_false(device_is_vouched_for(alice, &old, &fresh, &s));
}

/* The bytes that are signed are as the header says: another program can make them. */
static void test_what_is_signed(void **state)
{
    uint8_t seed[DEVICE_SEED_BYTES], other_seed[DEVICE_SEED_BYTES], message[128];
    struct public_key old = key_of(1, seed), fresh = key_of(2, other_seed);
    struct signature s = device_sign(alice, seed, &fresh);
    static const char head[] = "kith device 1\0alice";
    memcpy(message, head, sizeof head);
    memcpy(message + sizeof head, old.bytes, 32);
    memcpy(message + sizeof head + 32, fresh.bytes, 32);
    assert_int_equal(crypto_sign_verify_detached(s.bytes, message, sizeof head + 64, old.bytes),
                     0);
}

enum { DEVICES = 4 };

/* Each signed by the one before it. */
static void make_chain(struct device devices[DEVICES])
{
    uint8_t seed[DEVICE_SEED_BYTES], before[DEVICE_SEED_BYTES];
    for (uint8_t i = 0; i < DEVICES; i++) {
        devices[i] = (struct device){.key = key_of((uint8_t)(i + 1), seed)};
        if (i > 0) {
            devices[i].is_signed = true;
            devices[i].signer = fingerprint_of(&devices[i - 1].key);
            devices[i].signature = device_sign(alice, before, &devices[i].key);
        }
        memcpy(before, seed, sizeof before);
    }
}

static bool is_believed(const struct device *devices, size_t known, size_t which)
{
    struct fingerprint f = fingerprint_of(&devices[known].key);
    return device_is_believed(alice, devices, DEVICES, &f, &devices[which].key);
}

static void test_a_chain_is_followed(void **state)
{
    struct device devices[DEVICES];
    make_chain(devices);
    for (size_t known = 0; known < DEVICES; known++)
        for (size_t which = 0; which < DEVICES; which++)
            assert_int_equal(is_believed(devices, known, which), which >= known);
}

static void test_a_broken_chain_is_not(void **state)
{
    struct device devices[DEVICES];
    make_chain(devices);
    devices[2].signature.bytes[0] ^= 1;
    assert_true(is_believed(devices, 0, 1));
    assert_false(is_believed(devices, 0, 2));
    assert_false(is_believed(devices, 0, 3));
    assert_true(is_believed(devices, 2, 3));
}

/* Two that sign each other vouch for nobody, and do not go round for ever. */
static void test_a_circle_is_no_chain(void **state)
{
    struct device devices[DEVICES];
    uint8_t seed[DEVICE_SEED_BYTES];
    make_chain(devices);
    key_of(4, seed);
    devices[2].signer = fingerprint_of(&devices[3].key);
    devices[2].signature = device_sign(alice, seed, &devices[2].key);
    assert_false(is_believed(devices, 0, 3));
}

static void test_a_device_that_is_not_listed_is_not_believed(void **state)
{
    struct device devices[DEVICES];
    uint8_t seed[DEVICE_SEED_BYTES];
    struct public_key stranger = key_of(99, seed);
    make_chain(devices);
    struct fingerprint known = fingerprint_of(&devices[0].key);
    assert_false(device_is_believed(alice, devices, DEVICES, &known, &stranger));
}

static void test_its_own_word_is_none(void **state)
{
    struct device devices[DEVICES];
    make_chain(devices);
    assert_false(device_has_word(&devices[0]));
    assert_true(device_has_word(&devices[1]));
    devices[1].signer = fingerprint_of(&devices[1].key);
    assert_false(device_has_word(&devices[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_signature_says_one_thing),
        cmocka_unit_test(test_what_is_signed),
        cmocka_unit_test(test_a_chain_is_followed),
        cmocka_unit_test(test_a_broken_chain_is_not),
        cmocka_unit_test(test_a_circle_is_no_chain),
        cmocka_unit_test(test_a_device_that_is_not_listed_is_not_believed),
        cmocka_unit_test(test_its_own_word_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

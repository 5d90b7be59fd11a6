#include "client/known_peer.h"

#include "unit.h"

#include <sodium.h>

static const struct bytes bob = {(const uint8_t *)"Bob", 3};
static const struct walltime now = {1700000000000};

enum { ONE, TWO, THREE, HUBS, KEYS };

static struct public_key key_of(int number, uint8_t seed[DEVICE_SEED_BYTES])
{
    struct public_key key;
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    memset(seed, number + 1, DEVICE_SEED_BYTES);
    crypto_sign_seed_keypair(key.bytes, secret, seed);
    return key;
}

static struct public_key key(int number)
{
    uint8_t seed[DEVICE_SEED_BYTES];
    return key_of(number, seed);
}

static struct known_device known(int number, enum known_how how)
{
    struct public_key k = key(number);
    return (struct known_device){
        .print = fingerprint_of(&k), .how = how, .since = {1}, .has_key = true, .key = k};
}

static struct device unsigned_device(int number)
{
    return (struct device){.key = key(number)};
}

static struct device signed_device(int number, int signer)
{
    uint8_t seed[DEVICE_SEED_BYTES];
    struct public_key by = key_of(signer, seed);
    struct device d = {.key = key(number), .is_signed = true, .signer = fingerprint_of(&by)};
    d.signature = device_sign(bob, seed, &d.key);
    return d;
}

static enum known_verdict judge(const struct known_peer *p, int number, struct device *devices,
                                size_t n, struct known_device *ret)
{
    struct public_key k = key(number);
    return known_peer_judge(p, bob, &k, devices, n, now, ret);
}

static void expect_new(const struct known_device *d, int number, enum known_how how)
{
    struct public_key k = key(number);
    struct fingerprint print = fingerprint_of(&k);
    assert_true(fingerprint_equal(&d->print, &print));
    assert_true(d->has_key);
    assert_memory_equal(&d->key, &k, sizeof k);
    assert_int_equal(d->how, how);
}

static void test_the_first_is_believed(void **state)
{
    struct known_peer nobody = {.count = 0};
    struct known_device d;
    assert_int_equal(judge(&nobody, ONE, NULL, 0, &d), KNOWN_NEW);
    expect_new(&d, ONE, KNOWN_MET);
    assert_int_equal(d.since.ms, now.ms);
}

static void test_a_known_one(void **state)
{
    struct known_peer p = {.count = 1, .devices = {known(ONE, KNOWN_WORDS)}};
    struct known_device d;
    assert_int_equal(judge(&p, ONE, NULL, 0, &d), KNOWN_BELIEVED);
    expect_new(&d, ONE, KNOWN_WORDS);
    assert_int_equal(d.since.ms, 1);
    p.devices[0].how = KNOWN_DOUBTED;
    assert_int_equal(judge(&p, ONE, NULL, 0, &d), KNOWN_REFUSED);
}

/* Of an older kith's, the key is learned. */
static void test_a_known_one_without_its_key(void **state)
{
    struct known_peer p = {.count = 1, .devices = {known(ONE, KNOWN_MET)}};
    struct known_device d;
    p.devices[0].has_key = false;
    assert_int_equal(judge(&p, ONE, NULL, 0, &d), KNOWN_NEW);
    expect_new(&d, ONE, KNOWN_MET);
    assert_int_equal(d.since.ms, 1);
}

static void test_another_one_needs_the_list(void **state)
{
    struct known_peer p = {.count = 1, .devices = {known(ONE, KNOWN_MET)}};
    struct device list[2] = {unsigned_device(ONE), unsigned_device(TWO)};
    struct known_device d;
    assert_int_equal(judge(&p, TWO, NULL, 0, &d), KNOWN_UNSURE);
    assert_int_equal(judge(&p, TWO, list, 0, &d), KNOWN_STRANGE);
    assert_int_equal(judge(&p, TWO, list, 2, &d), KNOWN_STRANGE);
}

static void test_a_chain_is_followed(void **state)
{
    struct known_peer p = {.count = 1, .devices = {known(ONE, KNOWN_MET)}};
    struct device list[3] = {unsigned_device(ONE), signed_device(TWO, ONE),
                             signed_device(THREE, TWO)};
    struct known_device d;
    assert_int_equal(judge(&p, TWO, list, 3, &d), KNOWN_NEW);
    expect_new(&d, TWO, KNOWN_SIGNED);
    assert_int_equal(judge(&p, THREE, list, 3, &d), KNOWN_NEW);
    expect_new(&d, THREE, KNOWN_SIGNED);
    p.devices[0].how = KNOWN_WORDS;
    assert_int_equal(judge(&p, THREE, list, 3, &d), KNOWN_NEW);
    expect_new(&d, THREE, KNOWN_VOUCHED);
}

/* Of somebody verified, a word of a verified device counts, wherever that stands. */
static void test_of_two_who_vouch(void **state)
{
    struct known_peer p = {.count = 2,
                           .devices = {known(ONE, KNOWN_MET), known(TWO, KNOWN_WORDS)}};
    struct device list[3] = {unsigned_device(ONE), unsigned_device(TWO),
                             signed_device(THREE, ONE)};
    struct known_device d;
    assert_int_equal(judge(&p, THREE, list, 3, &d), KNOWN_STRANGE); /* he is verified */
    list[2] = signed_device(THREE, TWO);
    assert_int_equal(judge(&p, THREE, list, 3, &d), KNOWN_NEW);
    expect_new(&d, THREE, KNOWN_VOUCHED);
    p.devices[1].how = KNOWN_SIGNED;
    assert_int_equal(judge(&p, THREE, list, 3, &d), KNOWN_NEW);
    expect_new(&d, THREE, KNOWN_SIGNED);
}

/* What a lying hub may try. */
static void test_a_list_that_lies(void **state)
{
    struct known_peer p = {.count = 1, .devices = {known(ONE, KNOWN_WORDS)}};
    struct device wrong = signed_device(HUBS, ONE), other = signed_device(TWO, ONE);
    struct known_device d;
    wrong.signature.bytes[7] ^= 1;
    struct device borrowed = unsigned_device(HUBS); /* a word about another device */
    borrowed.is_signed = true;
    borrowed.signer = other.signer;
    borrowed.signature = other.signature;
    struct device renamed = signed_device(HUBS, HUBS); /* its own word, in another's name */
    renamed.signer = other.signer;
    struct device lists[][2] = {{unsigned_device(ONE), unsigned_device(HUBS)},
                                {unsigned_device(ONE), signed_device(HUBS, HUBS)},
                                {unsigned_device(ONE), wrong},
                                {unsigned_device(ONE), borrowed},
                                {unsigned_device(ONE), renamed},
                                {signed_device(ONE, HUBS), unsigned_device(HUBS)}};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        assert_int_equal(judge(&p, HUBS, lists[i], 2, &d), KNOWN_STRANGE);
}

static void test_who_is_doubted_vouches_for_nobody(void **state)
{
    struct known_peer p = {.count = 2,
                           .devices = {known(ONE, KNOWN_MET), known(TWO, KNOWN_DOUBTED)}};
    struct device list[3] = {unsigned_device(ONE), signed_device(TWO, ONE),
                             signed_device(THREE, TWO)};
    struct known_device d;
    assert_int_equal(judge(&p, THREE, list, 3, &d), KNOWN_STRANGE);
    list[2] = signed_device(THREE, ONE);
    assert_int_equal(judge(&p, THREE, list, 3, &d), KNOWN_NEW);
    p.devices[0].how = KNOWN_DOUBTED; /* nobody is left to be believed */
    assert_int_equal(judge(&p, THREE, list, 3, &d), KNOWN_STRANGE);
}

/* A device that has left the account has still signed what it has signed. */
static void test_one_that_is_no_longer_there(void **state)
{
    struct known_peer p = {.count = 1, .devices = {known(ONE, KNOWN_MET)}};
    struct device list[1] = {signed_device(TWO, ONE)};
    struct known_device d;
    assert_int_equal(judge(&p, TWO, list, 1, &d), KNOWN_NEW);
    p.devices[0].has_key = false;
    assert_int_equal(judge(&p, TWO, list, 1, &d), KNOWN_STRANGE);
}

static void test_no_more_than_can_be_remembered(void **state)
{
    struct known_peer p = {.count = LIMIT_KNOWN_DEVICES};
    struct device list[LIMIT_ACCOUNT_DEVICES];
    struct known_device d;
    for (size_t i = 0; i < LIMIT_KNOWN_DEVICES; i++)
        p.devices[i] = known(KEYS + (int)i, KNOWN_MET);
    for (size_t i = 0; i < LIMIT_ACCOUNT_DEVICES; i++)
        list[i] = signed_device(i == 0 ? TWO : KEYS + (int)i, KEYS + (int)i);
    assert_int_equal(judge(&p, TWO, list, LIMIT_ACCOUNT_DEVICES, &d), KNOWN_TOO_MANY);
    p.count--;
    assert_int_equal(judge(&p, TWO, list, LIMIT_ACCOUNT_DEVICES, &d), KNOWN_NEW);
}

static void test_who_is_verified(void **state)
{
    struct known_peer p = {.count = 2,
                           .devices = {known(ONE, KNOWN_MET), known(TWO, KNOWN_SIGNED)}};
    assert_false(known_peer_is_verified(&p));
    p.devices[1].how = KNOWN_VOUCHED;
    assert_true(known_peer_is_verified(&p));
    p.devices[1].how = KNOWN_DOUBTED;
    assert_false(known_peer_is_verified(&p));
}

static void test_words_for_it(void **state)
{
    enum known_how how;
    for (enum known_how i = KNOWN_DOUBTED; i <= KNOWN_WORDS; i++) {
        assert_true(known_how_read(bytes_from_str(known_how_word(i)), &how));
        assert_int_equal(how, i);
    }
    assert_false(known_how_read(BYTES("verified"), &how));
    assert_false(known_how_read(BYTES(""), &how));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_is_believed),
        cmocka_unit_test(test_a_known_one),
        cmocka_unit_test(test_a_known_one_without_its_key),
        cmocka_unit_test(test_another_one_needs_the_list),
        cmocka_unit_test(test_a_chain_is_followed),
        cmocka_unit_test(test_of_two_who_vouch),
        cmocka_unit_test(test_a_list_that_lies),
        cmocka_unit_test(test_who_is_doubted_vouches_for_nobody),
        cmocka_unit_test(test_one_that_is_no_longer_there),
        cmocka_unit_test(test_no_more_than_can_be_remembered),
        cmocka_unit_test(test_who_is_verified),
        cmocka_unit_test(test_words_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

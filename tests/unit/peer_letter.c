#include "peer/peer_letter.h"

#include "unit.h"

#include <sodium.h>

static const uint8_t anna_seed[32] = {1}, bob_seed[32] = {2}, eve_seed[32] = {3},
                     entropy[32] = {4};

static struct public_key key_of(const uint8_t seed[32])
{
    struct public_key k;
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(k.bytes, secret, seed);
    return k;
}

static struct pair anna_to_bob(void)
{
    struct pair p;
    struct random_id id = {.bytes = {5}};
    struct public_key anna = key_of(anna_seed), bob = key_of(bob_seed);
    assert_int_equal(pair_init(&p, &id, BYTES("Anna"), &anna, BYTES("bob"), &bob), 0);
    return p;
}

static void seal(struct buffer *out)
{
    struct pair p = anna_to_bob();
    buffer_init(out, LIMIT_MIB);
    assert_int_equal(
        peer_letter_seal(&p, (struct walltime){123}, BYTES("see you"), anna_seed, entropy, out),
        0);
}

static void test_sealed_and_opened(void **state)
{
    struct buffer sealed, plain;
    struct peer_letter l;
    struct public_key anna = key_of(anna_seed);
    seal(&sealed);
    buffer_init(&plain, LIMIT_MIB);
    assert_null(memmem(sealed.data, sealed.end, "see you", 7));
    assert_null(memmem(sealed.data, sealed.end, "anna", 4));
    assert_int_equal(peer_letter_open(buffer_view(&sealed), BYTES("Bob"), bob_seed, &plain, &l),
                     0);
    assert_string_equal(l.from.name, "anna");
    assert_memory_equal(&l.from.key, &anna, sizeof anna);
    assert_int_equal(l.written.ms, 123);
    assert_int_equal(l.id.bytes[0], 5);
    assert_bytes(l.text, BYTES("see you"));
    buffer_fini(&sealed);
    buffer_fini(&plain);
}

static void test_for_somebody_else(void **state)
{
    struct buffer sealed, plain;
    struct peer_letter l;
    seal(&sealed);
    buffer_init(&plain, LIMIT_MIB);
    assert_int_equal(peer_letter_open(buffer_view(&sealed), BYTES("bob"), eve_seed, &plain, &l),
                     PEER_LETTER_WRONG);
    assert_int_equal(peer_letter_open(buffer_view(&sealed), BYTES("eve"), bob_seed, &plain, &l),
                     PEER_LETTER_WRONG);
    buffer_fini(&sealed);
    buffer_fini(&plain);
}

static void test_damage(void **state)
{
    struct buffer sealed, plain;
    struct peer_letter l;
    seal(&sealed);
    buffer_init(&plain, LIMIT_MIB);
    for (size_t i = 0; i < buffer_len(&sealed); i++) {
        struct bytes in = unit_copy(bytes_first(buffer_view(&sealed), i));
        assert_int_equal(peer_letter_open(in, BYTES("bob"), bob_seed, &plain, &l),
                         PEER_LETTER_WRONG);
        unit_free(in);
        sealed.data[i] ^= 1;
        assert_int_equal(
            peer_letter_open(buffer_view(&sealed), BYTES("bob"), bob_seed, &plain, &l),
            PEER_LETTER_WRONG);
        sealed.data[i] ^= 1;
    }
    buffer_fini(&sealed);
    buffer_fini(&plain);
}

/* Bob passes Anna's letter on to Eve: opened, and sealed again as it is. Nor can he change it.
 */
static void test_it_cannot_be_passed_on(void **state)
{
    struct buffer sealed, plain;
    struct peer_letter l;
    struct public_key eve = key_of(eve_seed), bob = key_of(bob_seed);
    struct public_key to[] = {eve, bob};
    uint8_t box_key[crypto_box_PUBLICKEYBYTES], again[1000];
    seal(&sealed);
    buffer_init(&plain, LIMIT_MIB);
    assert_int_equal(peer_letter_open(buffer_view(&sealed), BYTES("bob"), bob_seed, &plain, &l),
                     0);
    size_t len = buffer_len(&plain);
    uint8_t copy[500];
    memcpy(copy, buffer_view(&plain).data, len);
    for (int i = 0; i < 2; i++) {
        copy[len - 1] ^= (uint8_t)i;
        assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(box_key, to[i].bytes), 0);
        crypto_box_seal(again, copy, len, box_key);
        assert_int_equal(peer_letter_open(bytes_make(again, len + crypto_box_SEALBYTES),
                                          i ? BYTES("bob") : BYTES("eve"),
                                          i ? bob_seed : eve_seed, &plain, &l),
                         PEER_LETTER_WRONG);
    }
    buffer_fini(&sealed);
    buffer_fini(&plain);
}

static void test_what_cannot_be_sealed(void **state)
{
    struct buffer out;
    struct pair p = anna_to_bob();
    struct walltime at = {1};
    buffer_init(&out, LIMIT_MIB);
    assert_int_equal(peer_letter_seal(&p, at, BYTES(""), anna_seed, entropy, &out),
                     PEER_LETTER_INVALID);
    assert_int_equal(peer_letter_seal(&p, at, BYTES("\xff"), anna_seed, entropy, &out),
                     PEER_LETTER_INVALID);
    assert_int_equal(peer_letter_seal(&p, at, BYTES("x"), eve_seed, entropy, &out),
                     PEER_LETTER_INVALID);
    memset(&p.other.key, 0, sizeof p.other.key);
    assert_int_equal(peer_letter_seal(&p, at, BYTES("x"), anna_seed, entropy, &out),
                     PEER_LETTER_INVALID);
    assert_int_equal(buffer_len(&out), 0);
    buffer_fini(&out);
}

/* The longest text makes a letter that a hub keeps, one byte more none. */
static void test_the_longest(void **state)
{
    struct buffer out;
    struct pair p = anna_to_bob();
    uint8_t *text = malloc(PEER_LETTER_TEXT_BYTES + 1);
    assert_non_null(text);
    memset(text, 'x', PEER_LETTER_TEXT_BYTES + 1);
    memset(p.own.name, 'n', PAIR_NAME_BYTES);
    memset(p.other.name, 'm', PAIR_NAME_BYTES);
    buffer_init(&out, LIMIT_MIB);
    for (size_t more = 0; more < 2; more++)
        assert_int_equal(peer_letter_seal(&p, (struct walltime){1},
                                          bytes_make(text, PEER_LETTER_TEXT_BYTES + more),
                                          anna_seed, entropy, &out),
                         more ? PEER_LETTER_INVALID : 0);
    assert_int_equal(buffer_len(&out), LIMIT_LETTER_BYTES);
    free(text);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealed_and_opened),
        cmocka_unit_test(test_for_somebody_else),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_it_cannot_be_passed_on),
        cmocka_unit_test(test_what_cannot_be_sealed),
        cmocka_unit_test(test_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

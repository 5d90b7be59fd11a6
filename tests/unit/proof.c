#include "peer/proof.h"

#include "unit.h"

static const struct random_id id = {.bytes = {1}}, other_id = {.bytes = {2}};
static const struct public_key anna = {.bytes = {1}}, bob = {.bytes = {2}},
                               eve = {.bytes = {3}};
static const uint8_t exporter[32] = {1}, other_exporter[32] = {2};

static struct pair pair(const struct random_id *of, const char *own,
                        const struct public_key *own_key, const char *other,
                        const struct public_key *other_key)
{
    struct pair p;
    assert_int_equal(
        pair_init(&p, of, bytes_from_str(own), own_key, bytes_from_str(other), other_key), 0);
    return p;
}

static bool check(const struct pair *p, enum proof_role own, const uint8_t *e,
                  struct proof sent)
{
    return proof_check(p, own, e, bytes_make(sent.bytes, sizeof sent.bytes));
}

static void test_both_ways(void **state)
{
    struct pair a = pair(&id, "Anna", &anna, "BOB", &bob),
                b = pair(&id, "bob", &bob, "anna", &anna);
    assert_true(check(&b, PROOF_ANSWERS, exporter, proof_make(&a, PROOF_DIALS, exporter)));
    assert_true(check(&a, PROOF_DIALS, exporter, proof_make(&b, PROOF_ANSWERS, exporter)));
}

/* Whatever differs makes another proof. */
static void test_it_binds(void **state)
{
    struct pair b = pair(&id, "bob", &bob, "anna", &anna),
                a = pair(&id, "anna", &anna, "bob", &bob);
    struct pair wrong[] = {
        pair(&other_id, "anna", &anna, "bob", &bob), pair(&id, "ann", &anna, "bob", &bob),
        pair(&id, "anna", &anna, "bo", &bob),        pair(&id, "anna", &eve, "bob", &bob),
        pair(&id, "anna", &anna, "bob", &eve),       pair(&id, "bob", &anna, "anna", &bob),
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(
            check(&b, PROOF_ANSWERS, exporter, proof_make(&wrong[i], PROOF_DIALS, exporter)));
    assert_false(
        check(&b, PROOF_ANSWERS, exporter, proof_make(&a, PROOF_DIALS, other_exporter)));
    assert_false(check(&b, PROOF_ANSWERS, exporter, proof_make(&a, PROOF_ANSWERS, exporter)));
    assert_false(check(&b, PROOF_ANSWERS, exporter, proof_make(&b, PROOF_ANSWERS, exporter)));
}

static void test_it_is_read_strictly(void **state)
{
    struct pair b = pair(&id, "bob", &bob, "anna", &anna),
                a = pair(&id, "anna", &anna, "bob", &bob);
    struct proof right = proof_make(&a, PROOF_DIALS, exporter);
    for (size_t i = 0; i < PROOF_BYTES; i++) {
        struct bytes in = unit_copy(bytes_make(right.bytes, i));
        assert_false(proof_check(&b, PROOF_ANSWERS, exporter, in));
        unit_free(in);
        struct proof wrong = right;
        wrong.bytes[i] ^= 0x10;
        assert_false(check(&b, PROOF_ANSWERS, exporter, wrong));
    }
}

static void test_who_is_no_pair(void **state)
{
    struct pair p;
    const char *long_name = "abcdefghijklmnopqrstuvwxyz0123456";
    assert_int_equal(pair_init(&p, &id, BYTES("a"), &anna, BYTES("b"), &anna), PAIR_INVALID);
    assert_int_equal(pair_init(&p, &id, BYTES(""), &anna, BYTES("b"), &bob), PAIR_INVALID);
    assert_int_equal(pair_init(&p, &id, BYTES("a"), &anna, bytes_from_str(long_name), &bob),
                     PAIR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_it_binds),
        cmocka_unit_test(test_it_is_read_strictly),
        cmocka_unit_test(test_who_is_no_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

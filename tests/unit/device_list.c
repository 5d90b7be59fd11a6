#include "client/device_list.h"

#include "base/limits.h"
#include "unit.h"

enum { VALUES = 7 };

struct answer {
    struct resp_value values[1 + (LIMIT_ACCOUNT_DEVICES + 1) * VALUES];
    char prints[LIMIT_ACCOUNT_DEVICES + 1][FINGERPRINT_TEXT_LEN + 1];
    struct public_key keys[LIMIT_ACCOUNT_DEVICES + 1];
    size_t count;
};

static const uint8_t signature[SIGNATURE_BYTES] = {1, 2, 3};

static struct resp_value bulk(struct bytes text)
{
    return (struct resp_value){.kind = RESP_BULK, .text = text};
}

static void write_answer(struct answer *a, size_t n)
{
    a->values[0] = (struct resp_value){.kind = RESP_ARRAY, .number = (int64_t)n};
    for (size_t i = 0; i < n; i++) {
        struct resp_value *v = &a->values[1 + i * VALUES];
        memset(&a->keys[i], (int)i, sizeof a->keys[i]);
        struct fingerprint print = fingerprint_of(&a->keys[i]);
        fingerprint_write(a->prints[i], &print);
        v[0] = (struct resp_value){.kind = RESP_ARRAY, .number = VALUES - 1};
        v[1] = bulk(bytes_from_str(a->prints[i]));
        v[2] = bulk(bytes_make(&a->keys[i], sizeof a->keys[i]));
        v[3] = bulk(BYTES("desk"));
        v[4] = (struct resp_value){.kind = RESP_INTEGER, .number = 7};
        v[5] = i == 0 ? (struct resp_value){.kind = RESP_NULL}
                      : bulk(bytes_from_str(a->prints[0]));
        v[6] = i == 0 ? (struct resp_value){.kind = RESP_NULL}
                      : bulk(bytes_make(signature, sizeof signature));
    }
    a->count = 1 + n * VALUES;
}

static bool reads(const struct answer *a)
{
    struct device list[LIMIT_ACCOUNT_DEVICES];
    size_t n;
    return device_list_read(a->values, a->count, list, &n);
}

static void test_a_list(void **state)
{
    struct answer a;
    struct device list[LIMIT_ACCOUNT_DEVICES];
    size_t n = 99;
    write_answer(&a, 2);
    assert_true(device_list_read(a.values, a.count, list, &n));
    assert_int_equal(n, 2);
    assert_memory_equal(&list[1].key, &a.keys[1], sizeof a.keys[1]);
    assert_string_equal(list[1].label, "desk");
    assert_int_equal(list[1].since.ms, 7000);
    assert_false(list[0].is_signed);
    assert_true(list[1].is_signed);
    struct fingerprint first = fingerprint_of(&a.keys[0]);
    assert_true(fingerprint_equal(&list[1].signer, &first));
    assert_memory_equal(list[1].signature.bytes, signature, sizeof signature);
    write_answer(&a, 0);
    assert_true(device_list_read(a.values, a.count, list, &n));
    assert_int_equal(n, 0);
}

static void test_no_more_than_an_account_has(void **state)
{
    struct answer a;
    write_answer(&a, LIMIT_ACCOUNT_DEVICES);
    assert_true(reads(&a));
    write_answer(&a, LIMIT_ACCOUNT_DEVICES + 1);
    assert_false(reads(&a));
}

/* Each value but labels, in turn, is something else. */
static void test_what_is_no_list(void **state)
{
    const struct resp_value others[] = {{.kind = RESP_FAILURE, .text = BYTES("ERR no")},
                                        bulk(BYTES("x\x1b")),
                                        {.kind = RESP_INTEGER, .number = -1},
                                        {.kind = RESP_MAP, .number = VALUES - 1},
                                        {.kind = RESP_ARRAY, .number = -1},
                                        {.kind = RESP_ARRAY, .number = 3}};
    struct answer a;
    for (size_t o = 0; o < COUNT_OF(others); o++) {
        for (size_t i = 0; i < 1 + 2 * VALUES; i++) {
            write_answer(&a, 2);
            a.values[i] = others[o];
            assert_false(reads(&a));
        }
    }
    for (size_t count = 0; count < 1 + 2 * VALUES; count++) {
        write_answer(&a, 2);
        a.count = count;
        assert_false(reads(&a));
    }
}

static void test_a_fingerprint_that_is_not_the_keys(void **state)
{
    struct answer a;
    write_answer(&a, 2);
    a.values[2].text = bytes_from_str(a.prints[1]);
    assert_false(reads(&a));
}

static void test_half_a_signature(void **state)
{
    struct answer a;
    write_answer(&a, 2);
    a.values[1 + VALUES + 5] = (struct resp_value){.kind = RESP_NULL};
    assert_false(reads(&a));
    write_answer(&a, 2);
    a.values[1 + VALUES + 6] = (struct resp_value){.kind = RESP_NULL};
    assert_false(reads(&a));
    write_answer(&a, 2);
    a.values[1 + VALUES + 6].text.len--;
    assert_false(reads(&a));
}

/* A device's own word about itself is none: whatever an old store has, or a hub makes up. */
static void test_one_that_signs_itself_is_unsigned(void **state)
{
    struct answer a;
    struct device list[LIMIT_ACCOUNT_DEVICES];
    size_t n;
    write_answer(&a, 2);
    assert_true(device_list_read(a.values, a.count, list, &n));
    assert_false(device_list_is_unsigned(list, n, &a.keys[1]));
    a.values[1 + VALUES + 5] = bulk(bytes_from_str(a.prints[1]));
    assert_true(device_list_read(a.values, a.count, list, &n));
    assert_false(list[1].is_signed);
    assert_true(device_list_is_unsigned(list, n, &a.keys[1]));
    assert_false(device_list_is_unsigned(list, n, &a.keys[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list),
        cmocka_unit_test(test_no_more_than_an_account_has),
        cmocka_unit_test(test_what_is_no_list),
        cmocka_unit_test(test_a_fingerprint_that_is_not_the_keys),
        cmocka_unit_test(test_half_a_signature),
        cmocka_unit_test(test_one_that_signs_itself_is_unsigned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "people/account.h"

#include "unit.h"

#include <stdlib.h>

static struct account make(size_t devices, size_t tokens)
{
    struct account a = {.name = "Alice",
                        .admin = true,
                        .generation = 0x0123456789abcdef,
                        .since = {1700000000000},
                        .password = {.cost = password_cost_default, .salt = {1}, .hash = {2}}};
    for (size_t i = 0; i < devices; i++) {
        struct device d = {.key = {{(uint8_t)i, 1}}, .since = {5}, .label = "a laptop"};
        d.is_signed = i % 2 == 1;
        memset(&d.signer, d.is_signed ? 7 : 0, sizeof d.signer);
        memset(&d.signature, d.is_signed ? 8 : 0, sizeof d.signature);
        assert_true(account_add_device(&a, &d));
    }
    for (size_t i = 0; i < tokens; i++) {
        struct token t = {.ticket = {{(uint8_t)i, 2}}, .since = {6}, .expires = {(int64_t)i}};
        t.label[0] = (char)('0' + i);
        assert_true(account_add_token(&a, &t));
    }
    return a;
}

static struct bytes encode(const struct account *a, struct buffer *out)
{
    buffer_init(out, ACCOUNT_RECORD_BYTES_MAX);
    assert_int_equal(account_encode(a, out), 0);
    return buffer_view(out);
}

static void test_what_is_written_is_read(void **state)
{
    struct account a = make(3, 2), b = {.admin = false};
    struct buffer out;
    assert_true(account_decode(encode(&a, &out), &b));
    assert_string_equal(b.name, "Alice");
    assert_true(b.admin);
    assert_int_equal(b.generation, a.generation);
    assert_int_equal(b.since.ms, a.since.ms);
    assert_memory_equal(&b.password, &a.password, sizeof a.password);
    assert_int_equal(b.device_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(&b.devices[i].key, &a.devices[i].key, sizeof a.devices[i].key);
        assert_int_equal(b.devices[i].is_signed, i % 2);
        assert_int_equal(b.devices[i].signature.bytes[63], i % 2 ? 8 : 0);
        assert_string_equal(b.devices[i].label, "a laptop");
    }
    assert_int_equal(b.token_count, 2);
    assert_int_equal(b.tokens[1].expires.ms, 1);
    assert_string_equal(b.tokens[1].label, "1");
    buffer_fini(&out);
}

static void test_a_full_one_fits(void **state)
{
    struct account a = make(LIMIT_ACCOUNT_DEVICES, LIMIT_ACCOUNT_TOKENS), b = {.admin = false};
    struct buffer out;
    assert_true(account_decode(encode(&a, &out), &b));
    assert_false(account_add_device(&b, &a.devices[0]));
    assert_false(account_add_token(&b, &a.tokens[0]));
    buffer_fini(&out);
}

static void test_a_part_is_none(void **state)
{
    struct account a = make(2, 2), b = {.admin = false};
    struct buffer out;
    struct bytes whole = encode(&a, &out);
    for (size_t n = 0; n < whole.len; n++) {
        uint8_t *part = malloc(n ? n : 1); /* its own, so that a byte too far is seen */
        memcpy(part, whole.data, n);
        assert_false(account_decode(bytes_make(part, n), &b));
        free(part);
    }
    assert_int_equal(buffer_append(&out, "x", 1), 0);
    assert_false(account_decode(buffer_view(&out), &b));
    buffer_fini(&out);
}

/* Where in a record with a name of five letters and one device something stands. */
enum {
    AT_VERSION = 0,
    AT_FLAGS = 1,
    AT_SINCE = 17,
    AT_PASSES = 18,
    AT_MEMORY = 25,
    AT_NAME_LEN = 74,
    AT_NAME = 75,
    AT_DEVICES = 80,
    AT_LABEL_LEN = 121,
    AT_LABEL = 122,
    AT_SIGNED = 130,
    AT_TOKENS = 131
};

static void test_a_wrong_one_is_none(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {
        {AT_VERSION, 0},   {AT_VERSION, 2},    {AT_FLAGS, 2},     {AT_SINCE, 0x80},
        {AT_PASSES, 0},    {AT_PASSES, 99},    {AT_MEMORY, 0xff}, {AT_NAME_LEN, 0},
        {AT_NAME_LEN, 33}, {AT_NAME, '/'},     {AT_DEVICES, 0},   {AT_DEVICES, 33},
        {AT_LABEL, 0x1b},  {AT_SIGNED, 2},     {AT_SIGNED, 1},    {AT_TOKENS, 65},
        {AT_TOKENS, 1},    {AT_LABEL_LEN, 65},
    };
    struct account a = make(1, 0), b = {.admin = false};
    struct buffer out;
    struct bytes whole = encode(&a, &out);
    assert_int_equal(whole.len, AT_TOKENS + 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        uint8_t *changed = out.data + out.start + wrong[i].at, before = *changed;
        *changed = wrong[i].value;
        if (account_decode(buffer_view(&out), &b))
            fail_msg("%zu: %u was read", wrong[i].at, wrong[i].value);
        *changed = before;
    }
    assert_true(account_decode(buffer_view(&out), &b));
    buffer_fini(&out);
}

static void test_what_belongs_to_it(void **state)
{
    struct account a = make(3, 3);
    struct fingerprint f = fingerprint_of(&a.devices[1].key);
    struct public_key last = a.devices[2].key;
    struct ticket t = a.tokens[0].ticket;
    assert_ptr_equal(account_device(&a, &f), &a.devices[1]);
    account_remove_device(&a, &a.devices[1]);
    assert_int_equal(a.device_count, 2);
    assert_null(account_device(&a, &f));
    assert_memory_equal(&a.devices[1].key, &last, sizeof last);
    assert_ptr_equal(account_token(&a, &t), &a.tokens[0]);
    assert_ptr_equal(account_token_labelled(&a, bytes_from_str("2")), &a.tokens[2]);
    assert_null(account_token_labelled(&a, bytes_from_str("3")));
    account_remove_token(&a, &a.tokens[0]);
    assert_null(account_token(&a, &t));
    assert_ptr_equal(account_token_labelled(&a, bytes_from_str("2")), &a.tokens[1]);
}

static void test_tokens_end(void **state)
{
    struct token never = {.since = {1}}, once = {.expires = {100}};
    assert_false(token_is_over(&never, (struct walltime){INT64_MAX}));
    assert_false(token_is_over(&once, (struct walltime){99}));
    assert_true(token_is_over(&once, (struct walltime){100}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a_full_one_fits),
        cmocka_unit_test(test_a_part_is_none),
        cmocka_unit_test(test_a_wrong_one_is_none),
        cmocka_unit_test(test_what_belongs_to_it),
        cmocka_unit_test(test_tokens_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

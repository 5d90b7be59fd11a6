#include "client/notice.h"

#include "unit.h"

static const struct public_key his = {{5}};

/* An introduction, its texts in memory that goes. */
static struct notice introduced(struct resp_value values[10], char texts[3][64],
                                size_t candidates)
{
    static char key[PUBLIC_KEY_TEXT_LEN + 1], print[FINGERPRINT_TEXT_LEN + 1];
    struct fingerprint f = fingerprint_of(&his);
    struct notice n;
    public_key_write(key, &his);
    fingerprint_write(print, &f);
    const char *words[] = {
        "introduced", "AAAAAAAAAAAAAAAAAAAAAA", "bob", print, key, "dials", texts[0], texts[1],
        texts[2]};
    size_t count = 7 + candidates;
    values[0] = (struct resp_value){.kind = RESP_PUSH, .number = (int64_t)count};
    for (size_t i = 0; i < count; i++)
        values[1 + i] =
            (struct resp_value){.kind = RESP_BULK, .text = bytes_from_str(words[i])};
    assert_true(notice_parse(values, 1 + count, &n));
    return n;
}

static void test_one_is_kept(void **state)
{
    struct resp_value values[10];
    char texts[3][64] = {"10.0.0.1", "10.0.0.2:4000", "[fe80::1]:4001"};
    struct notice n = introduced(values, texts, 2);
    struct notice_kept *k = malloc(sizeof *k);
    assert_non_null(k);
    notice_keep(k, &n);
    memset(texts, 'x', sizeof texts);
    assert_int_equal(k->notice.kind, NOTICE_INTRODUCED);
    assert_bytes(k->notice.name, BYTES("bob"));
    assert_bytes(k->notice.id, BYTES("AAAAAAAAAAAAAAAAAAAAAA"));
    assert_bytes(k->notice.seen, BYTES("10.0.0.1"));
    assert_int_equal(k->notice.candidate_count, 2);
    assert_bytes(k->notice.candidates[0], BYTES("10.0.0.2:4000"));
    assert_bytes(k->notice.candidates[1], BYTES("[fe80::1]:4001"));
    assert_memory_equal(&k->notice.key, &his, sizeof his);
    assert_true(k->notice.dials);
    free(k);
}

/* The largest there can be. */
static void test_there_is_room(void **state)
{
    char longest[NOTICE_ADDRESS_BYTES];
    memset(longest, '1', sizeof longest);
    struct bytes address = bytes_make(longest, sizeof longest);
    struct notice n = {.kind = NOTICE_INTRODUCED,
                       .name = bytes_make(longest, ACCOUNT_NAME_BYTES),
                       .id = bytes_make(longest, RANDOM_ID_TEXT_LEN),
                       .seen = address,
                       .candidate_count = NOTICE_CANDIDATES};
    struct notice_kept *k = malloc(sizeof *k);
    assert_non_null(k);
    for (size_t i = 0; i < NOTICE_CANDIDATES; i++)
        n.candidates[i] = address;
    notice_keep(k, &n);
    assert_bytes(k->notice.candidates[NOTICE_CANDIDATES - 1], address);
    assert_true(k->notice.candidates[0].data != address.data);
    free(k);
}

static bool parse(const char *const *words, size_t count, struct notice *ret)
{
    struct resp_value values[8] = {{.kind = RESP_PUSH, .number = (int64_t)count}};
    for (size_t i = 0; i < count; i++)
        values[1 + i] =
            (struct resp_value){.kind = RESP_BULK, .text = bytes_from_str(words[i])};
    return notice_parse(values, 1 + count, ret);
}

static void test_of_devices(void **state)
{
    char key[PUBLIC_KEY_TEXT_LEN + 1], print[FINGERPRINT_TEXT_LEN + 1], longest[66];
    struct fingerprint f = fingerprint_of(&his);
    struct notice n;
    public_key_write(key, &his);
    fingerprint_write(print, &f);
    memset(longest, 'a', sizeof longest - 1);
    longest[65] = '\0';
    const char *revoked[] = {"revoked", "bob", print, key, "more"};
    const char *added[] = {"added", print, "bobs", "old", "laptop"};
    const char *hostile[] = {"added", print, "\x1b[2J"}, *large[] = {"added", print, longest};
    assert_true(parse(revoked, 4, &n) && n.kind == NOTICE_REVOKED);
    assert_bytes(n.name, BYTES("bob"));
    assert_memory_equal(&n.key, &his, sizeof his);
    assert_false(parse(revoked, 3, &n) || parse(revoked, 5, &n));
    assert_true(parse(added, 5, &n) && n.kind == NOTICE_ADDED);
    assert_string_equal(n.label, "bobs old laptop");
    assert_true(fingerprint_equal(&n.print, &f));
    assert_true(parse(added, 2, &n));
    assert_string_equal(n.label, "");
    assert_false(parse(added, 1, &n) || parse(hostile, 3, &n) || parse(large, 3, &n));
    key[0] = key[0] == 'A' ? 'B' : 'A'; /* no more the fingerprint's */
    assert_false(parse(revoked, 4, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_is_kept),
        cmocka_unit_test(test_there_is_room),
        cmocka_unit_test(test_of_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "client/said.h"

#include "unit.h"

static struct said written(const char *text)
{
    return (struct said){.when = {1234},
                         .from = BYTES("bob"),
                         .to = BYTES("alice"),
                         .text = bytes_from_str(text)};
}

static void test_there_and_back(void **state)
{
    struct buffer line;
    struct said_reader *reader;
    assert_int_equal(said_reader_new(&reader), 0);
    for (int flags = 0; flags < 4; flags++) {
        struct said s = written("a \"quoted\"\nline \xe2\x80\xae \xe2\x82\xac"), got;
        s.letter = flags & 1;
        s.undelivered = flags & 2;
        buffer_init(&line, 4096);
        assert_int_equal(said_write(&line, &s), 0);
        assert_int_equal(bytes_find(buffer_view(&line), '\n'), buffer_len(&line) - 1);
        assert_true(
            said_read(reader, bytes_first(buffer_view(&line), buffer_len(&line) - 1), &got));
        assert_int_equal(got.when.ms, 1234);
        assert_bytes(got.from, s.from);
        assert_bytes(got.to, s.to);
        assert_bytes(got.text, s.text);
        assert_int_equal(got.letter, s.letter);
        assert_int_equal(got.undelivered, s.undelivered);
        /* However much of it is missing, it is no line. */
        for (size_t n = 0; n + 1 < buffer_len(&line); n++) {
            struct bytes cut = unit_copy(bytes_first(buffer_view(&line), n));
            assert_false(said_read(reader, cut, &got));
            unit_free(cut);
        }
        buffer_fini(&line);
    }
    said_reader_free(reader);
}

static void test_what_is_none(void **state)
{
    static const char *const lines[] = {
        "",
        "[]",
        "null",
        "{}",
        "17",
        "{\"when_ms\":1,\"from\":\"a\",\"to\":\"b\"}",
        "{\"when_ms\":\"1\",\"from\":\"a\",\"to\":\"b\",\"text\":\"c\"}",
        "{\"when_ms\":1,\"from\":\"../a\",\"to\":\"b\",\"text\":\"c\"}",
        "{\"when_ms\":1,\"from\":\"a\",\"to\":\"\",\"text\":\"c\"}",
        "{\"when_ms\":1,\"from\":\"a\",\"to\":\"b\",\"text\":7}",
    };
    struct said_reader *reader;
    struct said got;
    assert_int_equal(said_reader_new(&reader), 0);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_false(said_read(reader, bytes_from_str(lines[i]), &got));
    said_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "wire/instruction.h"

#include "unit.h"

struct row {
    const char *message;
    size_t count; /* 0: no instruction */
    const char *words[3];
};

static const struct row rows[] = {
    {"GET_CLIENT_LIST", 1, {"GET_CLIENT_LIST"}},
    {"WHO", 1, {"WHO"}},
    {"GET_CLIENT_INFO bob", 2, {"GET_CLIENT_INFO", "bob"}},
    {"GET_CLIENT_INFO<bob>", 2, {"GET_CLIENT_INFO", "bob"}},
    {"GET_CLIENT_INFO< bob >", 2, {"GET_CLIENT_INFO", "bob"}},
    {"MEET \t bob  1.2.3.4:5000", 3, {"MEET", "bob", "1.2.3.4:5000"}},
    {"MEET<bob 1.2.3.4:5000>", 3, {"MEET", "bob", "1.2.3.4:5000"}},
    {"DISCONNECT_CLIENT<>", 1, {"DISCONNECT_CLIENT"}},
    {"MEET <bob>", 2, {"MEET", "<bob>"}},
    {"MEET<bob", 0, {0}},
    {"MEET<bob> x", 0, {0}},
    {"meet bob", 0, {0}},
    {"MEETING bob", 0, {0}},
    {"LETTER bob", 0, {0}},
    {"<WHO>", 0, {0}},
    {"", 0, {0}},
    {"MEET 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18", 0, {0}},
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes message = unit_copy(bytes_from_str(rows[i].message));
        struct instruction in = {.count = 0};
        bool parsed = instruction_parse(message, &in);
        if (parsed != (rows[i].count > 0))
            print_error("%s\n", rows[i].message);
        assert_int_equal(parsed, rows[i].count > 0);
        for (size_t w = 0; parsed && w < rows[i].count; w++)
            assert_bytes(in.words[w], bytes_from_str(rows[i].words[w]));
        if (parsed)
            assert_int_equal(in.count, rows[i].count);
        unit_free(message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

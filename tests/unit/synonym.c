#include "base/synonym.h"

#include "unit.h"

static void test_only_a_whole_name_is_one(void **state)
{
    static const struct synonym all[] = {{"--port", "--listen :PORT"}, {"-p", "--other"}};
    assert_string_equal(synonym_find(all, 2, BYTES("--port")), "--listen :PORT");
    assert_string_equal(synonym_find(all, 2, bytes_make("-px", 2)), "--other");
    assert_null(synonym_find(all, 2, BYTES("--por")));
    assert_null(synonym_find(all, 2, BYTES("--ports")));
    assert_null(synonym_find(all, 2, BYTES("--PORT")));
    assert_null(synonym_find(all, 2, BYTES("")));
    assert_null(synonym_find(all, 1, BYTES("-p")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_a_whole_name_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

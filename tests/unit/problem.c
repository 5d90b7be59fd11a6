#include "io/problem.h"

#include "unit.h"

#include <errno.h>
#include <uv.h>

static void test_words_of_our_own(void **state)
{
    assert_string_equal(problem_text(-ENOENT), "no such file or folder");
    assert_string_equal(problem_text(-ENOSPC), "the disk is full");
    assert_string_equal(problem_text(UV_EAI_NONAME), "no such host");
}

static void test_any_other_error_has_words(void **state)
{
    assert_string_equal(problem_text(-EXDEV), "Invalid cross-device link");
    assert_string_equal(problem_text(-100000), "an unknown error");
    assert_string_equal(problem_text(1), "an unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_of_our_own),
        cmocka_unit_test(test_any_other_error_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

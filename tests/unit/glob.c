#include "base/glob.h"

#include "unit.h"

static void test_patterns(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool nocase, matches;
    } cases[] = {
        {"", "", false, true},
        {"", "a", false, false},
        {"*", "", false, true},
        {"*", "anything", false, true},
        {"a*c", "abbbc", false, true},
        {"a*c", "abbbd", false, false},
        {"a*b*c", "aXbYbZc", false, true},
        {"**", "x", false, true},
        {"?", "", false, false},
        {"?", "x", false, true},
        {"a?c", "abc", false, true},
        {"[abc]", "b", false, true},
        {"[abc]", "d", false, false},
        {"[^abc]", "d", false, true},
        {"[^abc]", "a", false, false},
        {"[a-c]x", "bx", false, true},
        {"[c-a]x", "bx", false, true},
        {"[a-c]", "d", false, false},
        {"[a-]", "-", false, true},
        {"[\\]]", "]", false, true},
        {"[abc", "c", false, true},
        {"[", "[", false, false},
        {"\\*", "*", false, true},
        {"\\*", "a", false, false},
        {"\\", "\\", false, true},
        {"SAVE", "save", false, false},
        {"SAVE", "save", true, true},
        {"s[A-B]VE", "save", true, true},
        {"abc*", "ab", false, false},
        {"*abc", "ababc", false, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool matches = glob_matches(bytes_from_str(cases[i].pattern),
                                    bytes_from_str(cases[i].text), cases[i].nocase);
        if (matches != cases[i].matches)
            fail_msg("%s against %s", cases[i].pattern, cases[i].text);
    }
}

/* Time is at most pattern times text: this would not end if stars were tried in all ways. */
static void test_many_stars(void **state)
{
    char pattern[201], text[2001];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < 100; i++)
        memcpy(pattern + 2 * i, "*a", 2);
    pattern[200] = 'b';
    assert_false(glob_matches(bytes_make(pattern, 201), bytes_make(text, 2001), false));
    assert_true(glob_matches(bytes_make(pattern, 200), bytes_make(text, 2001), false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_many_stars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

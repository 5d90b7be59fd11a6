#include "base/list.h"

#include "unit.h"

struct item {
    char name;
    struct list link;
};

static void assert_list(const struct list *head, const char *want)
{
    size_t n = 0;
    list_foreach (at, head) {
        assert_int_equal(list_entry(at, struct item, link)->name, want[n++]);
        assert_ptr_equal(at->prev->next, at);
        assert_true(list_is_linked(at));
    }
    assert_int_equal(n, strlen(want));
    assert_int_equal(list_is_empty(head), n == 0);
}

static void test_list(void **state)
{
    struct item items[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    struct list head, other;
    list_init(&head);
    list_init(&other);
    assert_list(&head, "");
    assert_null(list_pop(&head));
    list_remove(&items[0].link);
    for (size_t i = 0; i < COUNT_OF(items); i++)
        list_append(&head, &items[i].link);
    assert_list(&head, "abcd");
    list_remove(&items[1].link);
    assert_false(list_is_linked(&items[1].link));
    list_remove(&items[1].link);
    assert_list(&head, "acd");
    assert_ptr_equal(list_pop(&head), &items[0].link);
    assert_false(list_is_linked(&items[0].link));
    list_append(&other, &items[0].link);
    list_append(&other, &items[1].link);
    list_splice(&other, &head);
    assert_list(&other, "abcd");
    assert_list(&head, "");
    list_splice(&other, &head);
    assert_list(&other, "abcd");
    list_splice(&head, &other);
    assert_list(&head, "abcd");
    assert_list(&other, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

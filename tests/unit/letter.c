#include "people/letter.h"

#include "unit.h"

#include <stdio.h>

static struct random_id id_of(unsigned n)
{
    return (struct random_id){{(uint8_t)n, (uint8_t)(n >> 8)}};
}

static void test_a_letter_comes_back_as_it_was(void **state)
{
    struct letter l = {.since = {-5},
                       .from = {{1, 2}},
                       .from_name = BYTES("Bob"),
                       .sealed = BYTES("\0sealed")};
    struct letter back;
    struct buffer out;
    buffer_init(&out, 4096);
    assert_int_equal(letter_encode(&l, &out), 0);
    struct bytes record = unit_copy(buffer_view(&out));
    assert_true(letter_decode(record, &back));
    assert_int_equal(back.since.ms, -5);
    assert_memory_equal(&back.from, &l.from, sizeof l.from);
    assert_bytes(back.from_name, l.from_name);
    assert_bytes(back.sealed, l.sealed);
    for (size_t n = 0; n < record.len - l.sealed.len + 1; n++) {
        struct bytes cut = unit_copy(bytes_first(record, n));
        assert_false(letter_decode(cut, &back));
        unit_free(cut);
    }
    unit_free(record);
    out.data[out.start] = 2;
    assert_false(letter_decode(buffer_view(&out), &back));
    buffer_fini(&out);
}

static void test_a_letter_is_known_when_it_comes_again(void **state)
{
    struct letterbox *b = calloc(1, sizeof *b);
    struct random_id one = id_of(1), two = id_of(2);
    assert_int_equal(letterbox_add(b, &one, (struct walltime){5}, 10, "bob"), 0);
    assert_int_equal(letterbox_add(b, &one, (struct walltime){5}, 10, "bob"), LETTERBOX_KNOWN);
    assert_int_equal(letterbox_add(b, &two, (struct walltime){6}, 10, "bob"), 0);
    assert_int_equal(letterbox_waiting(b), 2);
    assert_true(letterbox_take(b, &one));
    assert_false(letterbox_take(b, &one));
    assert_int_equal(letterbox_add(b, &one, (struct walltime){7}, 10, "bob"), LETTERBOX_KNOWN);
    assert_int_equal(letterbox_waiting(b), 1);
    struct buffer out;
    buffer_init(&out, 64 * 1024);
    assert_int_equal(letterbox_encode(b, &out), 0);
    struct letterbox *back = calloc(1, sizeof *back);
    struct bytes record = unit_copy(buffer_view(&out));
    assert_true(letterbox_decode(record, back));
    assert_int_equal(back->count, 2);
    assert_int_equal(letterbox_waiting(back), 1);
    assert_false(letterbox_take(back, &one));
    letterbox_tidy(back, (struct walltime){4 + (int64_t)LIMIT_LETTER_MS});
    assert_int_equal(back->count, 2);
    letterbox_tidy(back, (struct walltime){5 + (int64_t)LIMIT_LETTER_MS});
    assert_int_equal(back->count, 1);
    assert_true(letterbox_take(back, &two));
    assert_false(letterbox_decode(bytes_first(record, record.len - 1), back));
    assert_false(letterbox_decode(bytes_first(record, 0), back));
    unit_free(record);
    buffer_fini(&out);
    free(back);
    free(b);
}

static void test_a_box_has_limits(void **state)
{
    struct letterbox *b = calloc(1, sizeof *b);
    unsigned n = 0;
    struct random_id id;
    char sender[16];
    for (size_t i = 0; i < LIMIT_LETTERS_OF_SENDER; i++) {
        id = id_of(++n);
        assert_int_equal(letterbox_add(b, &id, (struct walltime){5}, 1, "bob"), 0);
    }
    id = id_of(++n);
    assert_int_equal(letterbox_add(b, &id, (struct walltime){5}, 1, "bob"), LETTERBOX_FULL);
    size_t left = LIMIT_LETTERS_BYTES - LIMIT_LETTERS_OF_SENDER;
    assert_int_equal(letterbox_add(b, &id, (struct walltime){5}, left + 1, "al"),
                     LETTERBOX_FULL);
    assert_int_equal(letterbox_add(b, &id, (struct walltime){5}, left, "al"), 0);
    assert_true(letterbox_take(b, &id));
    while (letterbox_waiting(b) < LIMIT_LETTERS) {
        snprintf(sender, sizeof sender, "m%u", ++n);
        id = id_of(n);
        assert_int_equal(letterbox_add(b, &id, (struct walltime){5}, 1, sender), 0);
    }
    id = id_of(++n);
    assert_int_equal(letterbox_add(b, &id, (struct walltime){5}, 1, "al"), LETTERBOX_FULL);
    free(b);
}

static void test_so_many_taken_are_remembered(void **state)
{
    struct letterbox *b = calloc(1, sizeof *b);
    struct random_id id, first = id_of(1), second = id_of(2);
    for (unsigned n = 1; n <= LIMIT_LETTERS_TAKEN + 1; n++) {
        id = id_of(n);
        assert_int_equal(letterbox_add(b, &id, (struct walltime){5}, 1, "bob"), 0);
        assert_true(letterbox_take(b, &id));
    }
    assert_int_equal(b->count, LIMIT_LETTERS_TAKEN);
    assert_int_equal(letterbox_add(b, &second, (struct walltime){5}, 1, "bob"),
                     LETTERBOX_KNOWN);
    assert_int_equal(letterbox_add(b, &first, (struct walltime){5}, 1, "bob"), 0);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_letter_comes_back_as_it_was),
        cmocka_unit_test(test_a_letter_is_known_when_it_comes_again),
        cmocka_unit_test(test_a_box_has_limits),
        cmocka_unit_test(test_so_many_taken_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

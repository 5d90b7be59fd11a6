#include "peer/transfer_reason.h"

#include "unit.h"

static void test_each_has_words_of_its_own(void **state)
{
    for (int i = 0; i < TRANSFER_REASONS; i++) {
        assert_non_null(transfer_reason_text((enum transfer_reason)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(transfer_reason_text((enum transfer_reason)i),
                                    transfer_reason_text((enum transfer_reason)j));
    }
}

static void test_what_is_none(void **state)
{
    assert_string_equal(transfer_reason_text(TRANSFER_REASONS),
                        "for a reason of a later version");
    assert_string_equal(transfer_reason_text((enum transfer_reason)255),
                        "for a reason of a later version");
    assert_false(transfer_reason_passes((enum transfer_reason)255));
}

static void test_which_pass(void **state)
{
    assert_true(transfer_reason_passes(TRANSFER_NO_ROOM));
    assert_false(transfer_reason_passes(TRANSFER_PAUSED));
    assert_false(transfer_reason_is_final(TRANSFER_PAUSED));
    assert_true(transfer_reason_is_final(TRANSFER_CANCELLED));
    assert_false(transfer_reason_is_final((enum transfer_reason)255));
    assert_true(transfer_reason_passes(TRANSFER_BUSY));
    assert_false(transfer_reason_passes(TRANSFER_REASON_NONE));
    assert_false(transfer_reason_passes(TRANSFER_CANCELLED));
    assert_false(transfer_reason_passes(TRANSFER_BROKEN));
    assert_false(transfer_reason_passes(TRANSFER_NAME_TAKEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_has_words_of_its_own),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_which_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

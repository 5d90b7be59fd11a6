#include "peer/transfer_note.h"

#include "peer/transfer_message.h"
#include "unit.h"

static const struct transfer_note offer = {
    .type = TRANSFER_NOTE_OFFER,
    .id = {{1, 2, 3}},
    .token = {{4, 5}},
    .secret = {6, 7},
    .flags = TRANSFER_GOES_ON | TRANSFER_WITH_SHA256,
    .entries = 3,
    .bytes = TRANSFER_SIZE_UNKNOWN,
    .tops = 2,
    .name = {(const uint8_t *)"a b", 3},
};

static size_t write_note(const struct transfer_note *n, uint8_t out[TRANSFER_NOTE_BYTES + 1])
{
    return transfer_note_write(out, n);
}

static void test_an_offer_comes_back(void **state)
{
    uint8_t out[TRANSFER_NOTE_BYTES + 1];
    struct transfer_note n;
    size_t len = write_note(&offer, out);
    assert_int_equal(len, 90 + 3);
    assert_true(transfer_note_is(bytes_make(out, len)));
    assert_int_equal(transfer_note_read(bytes_make(out, len), &n), 0);
    assert_int_equal(n.type, offer.type);
    assert_memory_equal(&n.id, &offer.id, sizeof n.id);
    assert_memory_equal(&n.token, &offer.token, sizeof n.token);
    assert_memory_equal(n.secret, offer.secret, sizeof n.secret);
    assert_int_equal(n.flags, offer.flags);
    assert_int_equal(n.entries, 3);
    assert_int_equal(n.bytes, TRANSFER_SIZE_UNKNOWN);
    assert_int_equal(n.tops, 2);
    assert_bytes(n.name, BYTES("a b"));
}

static void test_short_notes_come_back(void **state)
{
    static const struct transfer_note notes[] = {
        {.type = TRANSFER_NOTE_ACCEPT, .id = {{9}}, .token = {{8}}, .flags = 2},
        {.type = TRANSFER_NOTE_CALL, .id = {{9}}, .token = {{8}}},
        {.type = TRANSFER_NOTE_OVER, .id = {{9}}, .reason = TRANSFER_CANCELLED}};
    uint8_t out[TRANSFER_NOTE_BYTES + 1];
    for (size_t i = 0; i < COUNT_OF(notes); i++) {
        struct transfer_note n;
        size_t len = write_note(&notes[i], out);
        assert_int_equal(transfer_note_read(bytes_make(out, len), &n), 0);
        assert_int_equal(n.type, notes[i].type);
        assert_memory_equal(&n.id, &notes[i].id, sizeof n.id);
        assert_memory_equal(&n.token, &notes[i].token, sizeof n.token);
        assert_int_equal(n.flags, notes[i].flags);
        assert_int_equal(n.reason, notes[i].reason);
        out[len] = 0;
        assert_int_equal(transfer_note_read(bytes_make(out, len + 1), &n),
                         TRANSFER_NOTE_MALFORMED);
    }
}

static void test_what_is_cut_is_none(void **state)
{
    uint8_t out[TRANSFER_NOTE_BYTES + 1];
    struct transfer_note n;
    for (unsigned type = TRANSFER_NOTE_OFFER; type <= TRANSFER_NOTE_OVER; type++) {
        struct transfer_note one = offer;
        one.type = (uint8_t)type;
        one.name = bytes_first(offer.name, 1);
        size_t len = write_note(&one, out);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(transfer_note_read(bytes_make(out, i), &n),
                             TRANSFER_NOTE_MALFORMED);
    }
}

static void refuse(const struct transfer_note *n)
{
    uint8_t out[TRANSFER_NOTE_BYTES + 1];
    struct transfer_note read;
    size_t len = write_note(n, out);
    assert_int_equal(transfer_note_read(bytes_make(out, len), &read), TRANSFER_NOTE_MALFORMED);
}

static void test_absurd_offers_are_none(void **state)
{
    struct transfer_note n = offer;
    n.tops = 0;
    refuse(&n);
    n = offer;
    n.entries = (uint64_t)INT64_MAX + 1;
    refuse(&n);
    n = offer;
    n.bytes = UINT64_MAX - 1;
    refuse(&n);
}

static void test_names_are_of_files(void **state)
{
    static const uint8_t bad[] = {'/', '\0'};
    uint8_t out[TRANSFER_NOTE_BYTES + 1];
    struct transfer_note n;
    size_t len = write_note(&offer, out);
    for (size_t i = 0; i < sizeof bad; i++) {
        out[len - 1] = bad[i];
        assert_int_equal(transfer_note_read(bytes_make(out, len), &n), TRANSFER_NOTE_MALFORMED);
    }
}

static void test_other_messages_are_none(void **state)
{
    assert_false(transfer_note_is(BYTES("")));
    assert_false(transfer_note_is(BYTES("\x1f")));
    assert_false(transfer_note_is(BYTES("\x24")));
    assert_true(transfer_note_is(BYTES("\x20")));
    assert_true(transfer_note_is(BYTES("\x23")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_offer_comes_back),
        cmocka_unit_test(test_short_notes_come_back),
        cmocka_unit_test(test_what_is_cut_is_none),
        cmocka_unit_test(test_absurd_offers_are_none),
        cmocka_unit_test(test_names_are_of_files),
        cmocka_unit_test(test_other_messages_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

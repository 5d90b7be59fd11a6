#include "io/inbox_behind.h"

#include "unit.h"

#include <errno.h>
#include <stdlib.h>

enum { CALLS_MAX = 4096 };

/* What was called below, in its order. */
struct below {
    struct inbox inbox; /* first */
    struct {
        char what;
        uint64_t at;
        uint8_t first, last; /* of what was written */
        size_t len;
    } calls[CALLS_MAX];
    size_t count;
    size_t fails_at; /* this call fails; SIZE_MAX: none does */
    uint64_t journal_len;
};

static int note(struct inbox *i, char what, uint64_t at, struct bytes data)
{
    struct below *b = (struct below *)i;
    assert_true(b->count < CALLS_MAX);
    b->calls[b->count].what = what;
    b->calls[b->count].at = at;
    b->calls[b->count].len = data.len;
    b->calls[b->count].first = data.len > 0 ? data.data[0] : 0;
    b->calls[b->count].last = data.len > 0 ? data.data[data.len - 1] : 0;
    return b->count++ == b->fails_at ? -ENOSPC : 0;
}

static int stage(struct inbox *i, uint64_t number, bool fresh)
{
    return note(i, fresh ? 'S' : 's', number, bytes_make(NULL, 0));
}

static int write_at(struct inbox *i, uint64_t offset, struct bytes data)
{
    return note(i, 'w', offset, data);
}

static int complete(struct inbox *i, const struct transfer_entry *entry, uint64_t size)
{
    assert_int_equal(entry->seconds, 77);
    return note(i, 'c', size, bytes_make(NULL, 0));
}

static int sync_all(struct inbox *i)
{
    return note(i, 'y', 0, bytes_make(NULL, 0));
}

static int drop(struct inbox *i, uint64_t number)
{
    return note(i, 'd', number, bytes_make(NULL, 0));
}

static int journal_append(struct inbox *i, struct bytes data)
{
    ((struct below *)i)->journal_len += data.len;
    return 0;
}

static int journal_cut(struct inbox *i, uint64_t len)
{
    ((struct below *)i)->journal_len = len;
    return 0;
}

static const struct inbox_ops ops = {
    .stage = stage,
    .write = write_at,
    .complete = complete,
    .sync = sync_all,
    .drop = drop,
    .journal_append = journal_append,
    .journal_cut = journal_cut,
};

static struct below below;
static struct inbox_behind behind;

static struct inbox *open_behind(size_t fails_at)
{
    below = (struct below){.inbox = {&ops}, .fails_at = fails_at};
    assert_int_equal(inbox_behind_open(&behind, &below.inbox), 0);
    return &behind.inbox;
}

static void test_all_is_done_in_its_order(void **state)
{
    static const struct transfer_entry entry = {.seconds = 77};
    struct inbox *i = open_behind(SIZE_MAX);
    uint8_t piece[3] = {1, 2, 3};
    assert_int_equal(i->ops->stage(i, 5, true), 0);
    assert_int_equal(i->ops->write(i, 0, bytes_make(piece, 3)), 0);
    piece[0] = piece[2] = 9; /* it was copied */
    assert_int_equal(i->ops->complete(i, &entry, 3), 0);
    assert_int_equal(i->ops->drop(i, 4), 0); /* after all of that */
    assert_int_equal(below.count, 4);
    assert_int_equal(below.calls[0].what, 'S');
    assert_int_equal(below.calls[0].at, 5);
    assert_int_equal(below.calls[1].what, 'w');
    assert_int_equal(below.calls[1].first, 1);
    assert_int_equal(below.calls[1].last, 3);
    assert_int_equal(below.calls[2].what, 'c');
    assert_int_equal(below.calls[2].at, 3);
    assert_int_equal(below.calls[3].what, 'd');
    inbox_behind_close(&behind);
}

static uint8_t mark(size_t n)
{
    return (uint8_t)(n * 7 + 1);
}

/* More than there is room for at once, in pieces that do not fit into the ring evenly. */
static void test_much_comes_through_whole(void **state)
{
    struct inbox *i = open_behind(SIZE_MAX);
    static uint8_t piece[TRANSFER_CHUNK_BYTES];
    for (size_t n = 0; n < 2000; n++) {
        size_t len = 1 + n * 7919 % TRANSFER_CHUNK_BYTES;
        piece[0] = piece[len - 1] = mark(n);
        assert_int_equal(i->ops->write(i, n, bytes_make(piece, len)), 0);
    }
    assert_int_equal(i->ops->sync(i), 0);
    assert_int_equal(below.count, 2001);
    for (size_t n = 0; n < 2000; n++) {
        assert_int_equal(below.calls[n].at, n);
        assert_int_equal(below.calls[n].len, 1 + n * 7919 % TRANSFER_CHUNK_BYTES);
        assert_int_equal(below.calls[n].first, mark(n));
        assert_int_equal(below.calls[n].last, mark(n));
    }
    inbox_behind_close(&behind);
}

static void test_many_small_ones(void **state)
{
    struct inbox *i = open_behind(SIZE_MAX);
    for (size_t n = 0; n < 3000; n++)
        assert_int_equal(i->ops->stage(i, n, false), 0);
    inbox_behind_close(&behind); /* what waits is still done */
    assert_int_equal(below.count, 3000);
    for (size_t n = 0; n < 3000; n++)
        assert_int_equal(below.calls[n].at, n);
}

/* What was not written is in no journal, and nothing is written after it. */
static void test_an_error_is_told_by_what_comes_next(void **state)
{
    struct inbox *i = open_behind(2);
    assert_int_equal(i->ops->journal_cut(i, 10), 0);
    assert_int_equal(i->ops->stage(i, 1, true), 0);
    assert_int_equal(i->ops->journal_append(i, BYTES("abc")), 0);
    assert_int_equal(i->ops->sync(i), 0);
    assert_int_equal(below.journal_len, 13);
    assert_int_equal(i->ops->journal_append(i, BYTES("defg")), 0);
    i->ops->write(i, 0, BYTES("x")); /* fails, now or later */
    i->ops->write(i, 1, BYTES("y"));
    assert_int_equal(i->ops->sync(i), -ENOSPC);
    assert_int_equal(below.journal_len, 13);
    assert_int_equal(below.count, 3);
    assert_int_equal(i->ops->stage(i, 2, true), -ENOSPC);
    assert_int_equal(i->ops->sync(i), -ENOSPC);
    assert_int_equal(below.count, 3);
    inbox_behind_close(&behind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_done_in_its_order),
        cmocka_unit_test(test_much_comes_through_whole),
        cmocka_unit_test(test_many_small_ones),
        cmocka_unit_test(test_an_error_is_told_by_what_comes_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

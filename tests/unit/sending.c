#include "peer/sending.h"

#include "base/sum.h"
#include "support/changing_outbox.h"

#include "unit.h"

enum { CHUNK = TRANSFER_CHUNK_BYTES };

static const struct random_id id = {{1, 2, 3}};

struct scene {
    struct changing_outbox source;
    struct sending s;
    struct buffer out;
};

static void begin(struct scene *c, bool sha256)
{
    changing_outbox_init(&c->source, 1);
    sending_init(&c->s, &c->source.outbox, &id, sha256);
    buffer_init(&c->out, 2 * SENDING_ROOM_BYTES);
}

static void end(struct scene *c)
{
    sending_fini(&c->s);
    buffer_fini(&c->out);
    changing_outbox_fini(&c->source);
}

static void hear(struct scene *c, struct transfer_message m)
{
    struct buffer b;
    struct peer_frame f;
    size_t n;
    buffer_init(&b, 1024);
    assert_int_equal(transfer_message_write(&b, &m), 0);
    assert_int_equal(peer_frame_parse(buffer_view(&b), 1024, &n, &f), 0);
    sending_hear(&c->s, &f);
    buffer_fini(&b);
}

static void place(struct scene *c, uint64_t number, bool within, uint64_t offset)
{
    hear(c, (struct transfer_message){
                .type = TRANSFER_PLACE, .number = number, .within = within, .offset = offset});
}

/* The next message; its data holds until the one after it. */
static struct transfer_message next(struct scene *c)
{
    static struct buffer frame;
    struct peer_frame f;
    struct transfer_message m;
    size_t n;
    if (buffer_len(&c->out) == 0)
        assert_int_equal(sending_next(&c->s, &c->out), 0);
    assert_int_equal(peer_frame_parse(buffer_view(&c->out), LIMIT_PEER_FRAME_BYTES, &n, &f), 0);
    buffer_fini(&frame);
    buffer_init(&frame, 2 * CHUNK);
    assert_int_equal(buffer_append(&frame, buffer_view(&c->out).data, n), 0);
    buffer_consume(&c->out, n);
    assert_int_equal(peer_frame_parse(buffer_view(&frame), LIMIT_PEER_FRAME_BYTES, &n, &f), 0);
    assert_int_equal(transfer_message_read(&f, &m), 0);
    return m;
}

static void expect(struct scene *c, enum transfer_message_type type, uint64_t number,
                   uint64_t offset)
{
    struct transfer_message m = next(c);
    assert_int_equal(m.type, type);
    assert_int_equal(m.number, number);
    assert_int_equal(m.offset, offset);
}

static void expect_stop(struct scene *c, enum transfer_reason reason)
{
    struct transfer_message m = next(c);
    assert_int_equal(m.type, TRANSFER_STOP);
    assert_int_equal(m.reason, reason);
    assert_int_equal(sending_next(&c->s, &c->out), SENDING_OVER);
}

static void test_all_in_order(void **state)
{
    struct scene c;
    uint8_t sum[SUM_BYTES];
    begin(&c, false);
    changing_outbox_add(&c.source, TRANSFER_FOLDER, 0, "d", 0);
    changing_outbox_add(&c.source, TRANSFER_FILE, 1, "f", CHUNK + 5);
    changing_outbox_add(&c.source, TRANSFER_FILE, 0, "empty", 0);
    assert_int_equal(sending_next(&c.s, &c.out), SENDING_WAITS);
    place(&c, 0, false, 0);
    expect(&c, TRANSFER_ENTRY, 0, 0);
    expect(&c, TRANSFER_ENTRY, 1, 0);
    struct transfer_message m = next(&c);
    assert_int_equal(m.type, TRANSFER_CHUNK);
    assert_int_equal(m.length, CHUNK);
    sum_bytes(m.data, 0x0102030000000000, sum);
    assert_memory_equal(m.sum, sum, SUM_BYTES);
    expect(&c, TRANSFER_CHUNK, 1, CHUNK);
    assert_int_equal(next(&c).length, CHUNK + 5);
    expect(&c, TRANSFER_ENTRY, 2, 0);
    assert_bytes(sending_path(&c.s), BYTES("empty"));
    expect(&c, TRANSFER_WHOLE, 2, 0);
    expect(&c, TRANSFER_END, 3, CHUNK + 5);
    assert_int_equal(c.s.bytes, CHUNK + 5);
    assert_int_equal(sending_next(&c.s, &c.out), SENDING_WAITS);
    hear(&c, (struct transfer_message){.type = TRANSFER_DONE});
    assert_int_equal(sending_next(&c.s, &c.out), SENDING_OVER);
    assert_int_equal(c.s.reason, TRANSFER_REASON_NONE);
    end(&c);
}

static void test_many_small_ones_at_once(void **state)
{
    struct scene c;
    begin(&c, false);
    for (int i = 0; i < 30; i++)
        changing_outbox_add(&c.source, TRANSFER_FILE, 0, "f", 4096);
    place(&c, 0, false, 0);
    assert_int_equal(sending_next(&c.s, &c.out), 0);
    assert_in_range(c.s.number, 15, 16);
    assert_in_range(buffer_len(&c.out), SENDING_FILL_BYTES, SENDING_FILL_BYTES + 5000);
    end(&c);
}

static void test_from_a_place(void **state)
{
    struct scene c;
    begin(&c, true);
    changing_outbox_add(&c.source, TRANSFER_FOLDER, 0, "d", 0);
    changing_outbox_add(&c.source, TRANSFER_FILE, 1, "f", CHUNK + 5);
    place(&c, 1, true, CHUNK);
    expect(&c, TRANSFER_CHUNK, 1, CHUNK);
    assert_bytes(sending_path(&c.s), BYTES("d/f"));
    struct transfer_message m = next(&c);
    struct sha256 h = {0};
    uint8_t hash[SHA256_BYTES];
    assert_int_equal(sha256_begin(&h), 0);
    assert_int_equal(sha256_take(&h, changing_outbox_content(&c.source, 1, 0)), 0);
    assert_int_equal(sha256_end(&h, hash), 0);
    sha256_fini(&h);
    assert_true(m.has_sha256);
    assert_memory_equal(m.sha256, hash, sizeof hash); /* of what was not said now, too */
    expect(&c, TRANSFER_END, 2, 5);
    assert_int_equal(c.s.bytes, CHUNK + 5);
    end(&c);
}

static void test_holes_as_chunks_go(void **state)
{
    struct scene c;
    begin(&c, false);
    struct changing_file *f =
        changing_outbox_add(&c.source, TRANSFER_FILE, 0, "f", 3 * CHUNK - 7);
    f->sparse = true;
    place(&c, 0, false, 0);
    expect(&c, TRANSFER_ENTRY, 0, 0);
    uint64_t at = 0, holes = 0;
    struct bytes all = changing_outbox_content(&c.source, 0, 0);
    for (struct transfer_message m = next(&c); m.type != TRANSFER_WHOLE; m = next(&c)) {
        assert_int_equal(m.offset, at);
        bool hole = m.type == TRANSFER_HOLE;
        assert_true(hole || m.length == CHUNK || at + m.length == all.len);
        for (uint64_t i = 0; hole && i < m.length; i++)
            assert_int_equal(all.data[at + i], 0);
        holes += hole;
        at += m.length;
    }
    assert_int_equal(at, all.len);
    assert_true(holes > 0);
    end(&c);
}

static void test_changed_before_it_is_said(void **state)
{
    struct scene c;
    begin(&c, false);
    struct changing_file *f = changing_outbox_add(&c.source, TRANSFER_FILE, 0, "f", 100);
    changing_outbox_change(f);
    place(&c, 0, false, 0);
    expect(&c, TRANSFER_ENTRY, 0, 0);
    struct transfer_message m = next(&c);
    assert_int_equal(m.type, TRANSFER_AFRESH);
    assert_int_equal(m.entry.seconds, 1);
    assert_int_equal(m.entry.size, changing_outbox_content(&c.source, 0, 1).len);
    end(&c);
}

static void test_changes_all_the_time(void **state)
{
    struct scene c;
    unsigned afresh = 0;
    begin(&c, false);
    changing_outbox_add(&c.source, TRANSFER_FILE, 0, "f", 100);
    c.source.change_in = 1;
    place(&c, 0, false, 0);
    struct transfer_message m = next(&c);
    for (; m.type != TRANSFER_DROPPED; m = next(&c))
        afresh += m.type == TRANSFER_AFRESH;
    assert_int_equal(afresh, LIMIT_TRANSFER_AGAIN);
    assert_int_equal(m.reason, TRANSFER_SOURCE_CHANGED);
    assert_int_equal(next(&c).type, TRANSFER_END);
    assert_int_equal(c.s.bytes, 0);
    end(&c);
}

static void test_gone_and_unreadable(void **state)
{
    struct scene c;
    begin(&c, false);
    changing_outbox_add(&c.source, TRANSFER_FILE, 0, "gone", 5)->gone = true;
    place(&c, 0, false, 0);
    expect(&c, TRANSFER_ENTRY, 0, 0);
    struct transfer_message m = next(&c);
    assert_int_equal(m.type, TRANSFER_DROPPED);
    assert_int_equal(m.reason, TRANSFER_SOURCE_GONE);
    end(&c);
    begin(&c, false);
    changing_outbox_add(&c.source, TRANSFER_FILE, 0, "f", 5);
    c.source.fail_in = 1;
    place(&c, 0, false, 0);
    expect(&c, TRANSFER_ENTRY, 0, 0);
    m = next(&c);
    assert_int_equal(m.type, TRANSFER_DROPPED);
    assert_int_equal(m.reason, TRANSFER_SOURCE_FAILED);
    end(&c);
}

static void ask(struct scene *c, uint64_t number, uint64_t offset)
{
    hear(c,
         (struct transfer_message){.type = TRANSFER_AGAIN, .number = number, .offset = offset});
}

static void test_a_chunk_again(void **state)
{
    struct scene c;
    begin(&c, false);
    struct changing_file *f = changing_outbox_add(&c.source, TRANSFER_FILE, 0, "f", CHUNK + 5);
    place(&c, 1, false, 0);
    expect(&c, TRANSFER_END, 1, 0);
    ask(&c, 0, CHUNK);
    struct transfer_message m = next(&c);
    assert_int_equal(m.type, TRANSFER_CHUNK);
    assert_bytes(m.data, bytes_from(changing_outbox_content(&c.source, 0, 0), CHUNK));
    do
        changing_outbox_change(f);
    while (changing_outbox_content(&c.source, 0, f->version).len < f->size);
    ask(&c, 0, 0);
    m = next(&c);
    assert_int_equal(m.type, TRANSFER_DROPPED);
    assert_int_equal(m.reason, TRANSFER_SOURCE_CHANGED);
    f->version = 0;
    ask(&c, 0, 2 * (uint64_t)CHUNK);
    assert_int_equal(next(&c).type, TRANSFER_DROPPED);
    ask(&c, 0, 0);
    ask(&c, 0, 0); /* before the first was answered */
    expect_stop(&c, TRANSFER_BROKEN);
    end(&c);
}

static void test_what_breaks_it(void **state)
{
    static const struct transfer_message wrong[] = {
        {.type = TRANSFER_DONE},
        {.type = TRANSFER_AGAIN},
        {.type = TRANSFER_END},
        {.type = TRANSFER_KEPT, .number = 1},
        {.type = TRANSFER_PLACE, .number = 2},
        {.type = TRANSFER_PLACE, .within = true, .offset = 6},
        {.type = TRANSFER_PLACE, .number = 1, .within = true},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct scene c;
        begin(&c, false);
        changing_outbox_add(&c.source, TRANSFER_FILE, 0, "f", 5);
        hear(&c, wrong[i]);
        expect_stop(&c, TRANSFER_BROKEN);
        end(&c);
    }
}

static void test_kept(void **state)
{
    struct scene c;
    begin(&c, false);
    changing_outbox_add(&c.source, TRANSFER_FILE, 0, "f", 5);
    place(&c, 0, false, 0);
    expect(&c, TRANSFER_ENTRY, 0, 0);
    hear(&c, (struct transfer_message){.type = TRANSFER_KEPT, .number = 1, .length = 5});
    assert_int_equal(c.s.bytes_kept, 5);
    hear(&c, (struct transfer_message){.type = TRANSFER_KEPT, .number = 2, .length = 5});
    assert_int_equal(c.s.state, SENDING_STOPPING);
    assert_int_equal(c.s.reason, TRANSFER_BROKEN);
    end(&c);
}

static void test_stops(void **state)
{
    struct scene c;
    begin(&c, false);
    sending_stop(&c.s, TRANSFER_CANCELLED);
    sending_stop(&c.s, TRANSFER_BROKEN);
    expect_stop(&c, TRANSFER_CANCELLED);
    end(&c);
    begin(&c, false);
    hear(&c, (struct transfer_message){.type = TRANSFER_STOP, .reason = TRANSFER_NO_ROOM});
    assert_int_equal(sending_next(&c.s, &c.out), SENDING_OVER);
    assert_int_equal(c.s.reason, TRANSFER_NO_ROOM);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_in_order),
        cmocka_unit_test(test_many_small_ones_at_once),
        cmocka_unit_test(test_from_a_place),
        cmocka_unit_test(test_holes_as_chunks_go),
        cmocka_unit_test(test_changed_before_it_is_said),
        cmocka_unit_test(test_changes_all_the_time),
        cmocka_unit_test(test_gone_and_unreadable),
        cmocka_unit_test(test_a_chunk_again),
        cmocka_unit_test(test_what_breaks_it),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

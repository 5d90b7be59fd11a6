#include "peer/receiving.h"

#include "base/sum.h"
#include "support/faulty_inbox.h"

#include "unit.h"

#include <errno.h>

static const struct receiving_terms plain = {.id = {{1, 2, 3}},
                                             .cap = UINT64_MAX,
                                             .bytes = TRANSFER_SIZE_UNKNOWN,
                                             .entries = TRANSFER_SIZE_UNKNOWN};

struct scene {
    struct faulty_inbox *inbox;
    struct receiving r;
    struct buffer out;
};

static void connect(struct scene *c, const struct receiving_terms *terms)
{
    receiving_init(&c->r, faulty_inbox(c->inbox), terms, NULL);
    buffer_init(&c->out, 1024);
    assert_int_equal(receiving_begin(&c->r, &c->out), 0);
}

static void cut(struct scene *c)
{
    receiving_fini(&c->r);
    buffer_fini(&c->out);
}

static void begin(struct scene *c, const struct receiving_terms *terms)
{
    c->inbox = faulty_inbox_new();
    connect(c, terms);
}

static void end(struct scene *c)
{
    cut(c);
    faulty_inbox_free(c->inbox);
}

static void say(struct scene *c, struct transfer_message m)
{
    struct buffer b;
    struct peer_frame f;
    size_t n;
    buffer_init(&b, LIMIT_MIB);
    assert_int_equal(transfer_message_write(&b, &m), 0);
    assert_int_equal(peer_frame_parse(buffer_view(&b), LIMIT_MIB, &n, &f), 0);
    assert_int_equal(receiving_take(&c->r, &f, &c->out), 0);
    buffer_fini(&b);
}

static void say_entry(struct scene *c, uint64_t number, const char *name, uint64_t size)
{
    say(c, (struct transfer_message){.type = TRANSFER_ENTRY,
                                     .entry = {.number = number,
                                               .kind = TRANSFER_FILE,
                                               .size = size,
                                               .name = bytes_from_str(name)}});
}

static void say_chunk(struct scene *c, uint64_t number, const char *text)
{
    struct transfer_message m = {
        .type = TRANSFER_CHUNK, .number = number, .data = bytes_from_str(text)};
    sum_bytes(m.data, 0x0102030000000000, m.sum);
    say(c, m);
}

static void say_whole(struct scene *c, uint64_t number, uint64_t size)
{
    say(c, (struct transfer_message){.type = TRANSFER_WHOLE, .number = number, .length = size});
}

static void say_end(struct scene *c, uint64_t entries, uint64_t bytes)
{
    say(c, (struct transfer_message){.type = TRANSFER_END, .number = entries, .offset = bytes});
}

static void say_file(struct scene *c, uint64_t number, const char *name, const char *text)
{
    say_entry(c, number, name, strlen(text));
    say_chunk(c, number, text);
    say_whole(c, number, strlen(text));
}

static void work(struct scene *c)
{
    int r = 0;
    while (r == 0)
        r = receiving_work(&c->r, &c->out);
    assert_int_equal(r, RECEIVING_WAITS);
}

static struct transfer_message heard(struct scene *c)
{
    struct peer_frame f;
    struct transfer_message m;
    size_t n;
    assert_int_equal(peer_frame_parse(buffer_view(&c->out), 64, &n, &f), 0);
    assert_int_equal(transfer_message_read(&f, &m), 0);
    buffer_consume(&c->out, n);
    return m;
}

static void expect_place(struct scene *c, uint64_t number, bool within, uint64_t offset)
{
    struct transfer_message m = heard(c);
    assert_int_equal(m.type, TRANSFER_PLACE);
    assert_int_equal(m.number, number);
    assert_int_equal(m.within, within);
    assert_int_equal(m.offset, offset);
}

static void expect_stop(struct scene *c, enum transfer_reason reason)
{
    struct transfer_message m = heard(c);
    assert_int_equal(m.type, TRANSFER_STOP);
    assert_int_equal(m.reason, reason);
    assert_int_equal(c->r.state, RECEIVING_STOPPED);
    assert_int_equal(c->r.reason, reason);
    assert_int_equal(faulty_inbox_published(c->inbox), 0);
}

static void expect_published(struct scene *c, const char *path, const char *text)
{
    struct faulty_inbox_found got;
    assert_true(faulty_inbox_find(c->inbox, bytes_from_str(path), &got));
    assert_bytes(got.data, bytes_from_str(text));
}

static void test_a_file(void **state)
{
    struct scene c;
    begin(&c, &plain);
    expect_place(&c, 0, false, 0);
    say_file(&c, 0, "f", "hello");
    assert_int_equal(c.r.unkept_bytes, 5 + LIMIT_TRANSFER_ENTRY_BYTES);
    assert_int_equal(receiving_sync(&c.r, &c.out), 0);
    struct transfer_message m = heard(&c);
    assert_int_equal(m.type, TRANSFER_KEPT);
    assert_int_equal(m.number, 1);
    assert_int_equal(m.length, 5);
    assert_int_equal(receiving_sync(&c.r, &c.out), 0); /* nothing new */
    assert_int_equal(buffer_len(&c.out), 0);
    say_end(&c, 1, 5);
    work(&c);
    assert_int_equal(heard(&c).type, TRANSFER_DONE);
    assert_int_equal(c.r.state, RECEIVING_PUBLISHED);
    assert_true(faulty_inbox_is_cleared(c.inbox));
    expect_published(&c, "f", "hello");
    end(&c);
}

static void test_goes_on(void **state)
{
    struct scene c;
    begin(&c, &plain);
    say_file(&c, 0, "f", "hello");
    say_entry(&c, 1, "g", 5);
    say_chunk(&c, 1, "world");
    assert_int_equal(receiving_sync(&c.r, &c.out), 0);
    cut(&c);
    connect(&c, &plain);
    expect_place(&c, 1, true, 5);
    assert_int_equal(c.r.course.bytes, 10);
    say_whole(&c, 1, 5);
    say_end(&c, 2, 0);
    work(&c);
    assert_int_equal(heard(&c).type, TRANSFER_DONE);
    expect_published(&c, "f", "hello");
    expect_published(&c, "g", "world");
    end(&c);
}

/* Two connections; the second finds that a bit of "hello" has turned, and asks for it. */
static void begin_rotten(struct scene *c)
{
    begin(c, &plain);
    say_file(c, 0, "f", "hello");
    assert_int_equal(receiving_sync(&c->r, &c->out), 0);
    cut(c);
    faulty_inbox_rot(c->inbox, 1);
    connect(c, &plain);
    expect_place(c, 1, false, 0);
    say_end(c, 1, 0);
    work(c);
    assert_int_equal(heard(c).type, TRANSFER_AGAIN);
}

static void test_rot_is_asked_for_again(void **state)
{
    struct scene c;
    begin_rotten(&c);
    say_chunk(&c, 0, "hello");
    work(&c);
    assert_int_equal(heard(&c).type, TRANSFER_DONE);
    expect_published(&c, "f", "hello");
    end(&c);
}

static void test_another_chunk_is_not_the_same(void **state)
{
    struct scene c;
    begin_rotten(&c);
    for (unsigned i = 1; i < LIMIT_TRANSFER_AGAIN; i++) {
        say_chunk(&c, 0, i % 2 ? "jello" : "hell");
        work(&c);
        assert_int_equal(heard(&c).type, TRANSFER_AGAIN);
    }
    say_chunk(&c, 0, "jello");
    work(&c);
    expect_stop(&c, TRANSFER_DIFFERS);
    end(&c);
}

static void test_rotten_and_gone(void **state)
{
    struct scene c;
    begin_rotten(&c);
    say(&c,
        (struct transfer_message){.type = TRANSFER_DROPPED, .reason = TRANSFER_SOURCE_GONE});
    work(&c);
    assert_int_equal(heard(&c).type, TRANSFER_DONE);
    assert_int_equal(faulty_inbox_published(c.inbox), 0);
    end(&c);
}

static void test_said_afresh_begins_anew(void **state)
{
    struct scene c;
    begin(&c, &plain);
    say_entry(&c, 0, "f", 5);
    say(&c, (struct transfer_message){
                .type = TRANSFER_AFRESH,
                .entry = {.kind = TRANSFER_FILE, .size = 6, .name = BYTES("f")}});
    say_chunk(&c, 0, "hello!");
    assert_int_equal(receiving_sync(&c.r, &c.out), 0);
    cut(&c);
    connect(&c, &plain);
    expect_place(&c, 0, false, 0);
    say_file(&c, 0, "f", "hello");
    say_end(&c, 1, 5);
    work(&c);
    expect_published(&c, "f", "hello");
    end(&c);
}

static void test_journal_of_another(void **state)
{
    struct receiving_terms other = plain;
    struct scene c;
    other.id.bytes[15] = 1;
    begin(&c, &plain);
    say_file(&c, 0, "f", "hello");
    assert_int_equal(receiving_sync(&c.r, &c.out), 0);
    cut(&c);
    connect(&c, &other);
    expect_place(&c, 0, false, 0);
    end(&c);
}

static void test_journal_breaks_the_rules(void **state)
{
    struct receiving_terms less = plain;
    struct scene c;
    less.entries = 0;
    begin(&c, &plain);
    say_file(&c, 0, "f", "hello");
    assert_int_equal(receiving_sync(&c.r, &c.out), 0);
    cut(&c);
    connect(&c, &less);
    expect_place(&c, 0, false, 0);
    assert_int_equal(c.r.course.bytes, 0);
    assert_int_equal(buffer_len(faulty_inbox_journal(c.inbox)), 0);
    end(&c);
}

static void test_names(void **state)
{
    struct scene c;
    begin(&c, &plain);
    expect_place(&c, 0, false, 0);
    faulty_inbox_set_taken(c.inbox, "f");
    say_entry(&c, 0, "f", 5);
    expect_stop(&c, TRANSFER_NAME_TAKEN);
    end(&c);
    begin(&c, &plain);
    expect_place(&c, 0, false, 0);
    say_file(&c, 0, "f", "hello");
    say_file(&c, 1, "f", "other");
    say_end(&c, 2, 10);
    work(&c);
    expect_stop(&c, TRANSFER_NAME_REFUSED);
    end(&c);
}

static void test_room(void **state)
{
    struct receiving_terms terms = plain;
    struct scene c = {.inbox = faulty_inbox_new()};
    terms.bytes = 1000;
    faulty_inbox_set_room(c.inbox, 999);
    connect(&c, &terms);
    expect_stop(&c, TRANSFER_NO_ROOM);
    cut(&c);
    faulty_inbox_set_room(c.inbox,
                          LIMIT_TRANSFER_RESERVE_BYTES + LIMIT_TRANSFER_UNKEPT_BYTES - 1);
    connect(&c, &plain);
    expect_stop(&c, TRANSFER_NO_ROOM);
    cut(&c);
    faulty_inbox_set_room(c.inbox, LIMIT_TRANSFER_RESERVE_BYTES + LIMIT_TRANSFER_UNKEPT_BYTES);
    connect(&c, &plain);
    expect_place(&c, 0, false, 0);
    faulty_inbox_set_room(c.inbox,
                          LIMIT_TRANSFER_RESERVE_BYTES + LIMIT_TRANSFER_UNKEPT_BYTES - 1);
    say_file(&c, 0, "f", "hello");
    assert_int_equal(receiving_sync(&c.r, &c.out), 0);
    assert_int_equal(heard(&c).type, TRANSFER_KEPT);
    expect_stop(&c, TRANSFER_NO_ROOM);
    end(&c);
}

static void test_errors_of_the_disk(void **state)
{
    static const struct {
        int error;
        enum transfer_reason reason;
    } table[] = {{-ENOSPC, TRANSFER_NO_ROOM},
                 {-EDQUOT, TRANSFER_NO_ROOM},
                 {-ENAMETOOLONG, TRANSFER_NAME_REFUSED},
                 {-EIO, TRANSFER_DISK_FAILED}};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct scene c;
        begin(&c, &plain);
        expect_place(&c, 0, false, 0);
        faulty_inbox_fail(c.inbox, 0, table[i].error);
        say_entry(&c, 0, "f", 5);
        expect_stop(&c, table[i].reason);
        end(&c);
    }
}

static void test_what_breaks_it(void **state)
{
    static const struct transfer_message wrong[] = {
        {.type = TRANSFER_CHUNK, .data = {(const uint8_t *)"hello", 5}}, /* another sum */
        {.type = TRANSFER_END, .number = 1},
        {.type = TRANSFER_WHOLE, .length = 4},
        {.type = TRANSFER_DONE},
        {.type = TRANSFER_KEPT},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct scene c;
        begin(&c, &plain);
        expect_place(&c, 0, false, 0);
        say_entry(&c, 0, "f", 5);
        say(&c, wrong[i]);
        expect_stop(&c, TRANSFER_BROKEN);
        end(&c);
    }
}

static void test_end_counts(void **state)
{
    struct scene c;
    begin(&c, &plain);
    expect_place(&c, 0, false, 0);
    say_file(&c, 0, "f", "hello");
    say_end(&c, 1, 6);
    expect_stop(&c, TRANSFER_BROKEN);
    end(&c);
}

static void test_afresh_without_end(void **state)
{
    struct scene c;
    struct transfer_message m = {
        .type = TRANSFER_AFRESH,
        .entry = {.kind = TRANSFER_FILE, .size = 5, .name = BYTES("f")}};
    begin(&c, &plain);
    expect_place(&c, 0, false, 0);
    say_entry(&c, 0, "f", 5);
    for (unsigned i = 0; i < LIMIT_TRANSFER_AGAIN; i++)
        say(&c, m);
    assert_int_equal(c.r.state, RECEIVING_TAKING);
    say(&c, m);
    expect_stop(&c, TRANSFER_BROKEN);
    end(&c);
}

static void test_sha256(void **state)
{
    struct receiving_terms terms = plain;
    struct transfer_message whole = {.type = TRANSFER_WHOLE, .length = 5, .has_sha256 = true};
    terms.sha256 = true;
    for (int cuts = 0; cuts < 2; cuts++) { /* a wrong one; of one connection, of two */
        struct scene c;
        begin(&c, &terms);
        expect_place(&c, 0, false, 0);
        say_entry(&c, 0, "f", 5);
        say_chunk(&c, 0, "hello");
        if (cuts) {
            assert_int_equal(receiving_sync(&c.r, &c.out), 0);
            cut(&c);
            connect(&c, &terms);
            expect_place(&c, 0, true, 5);
        }
        say(&c, whole);
        if (cuts)
            say_end(&c, 1, 0);
        work(&c);
        expect_stop(&c, TRANSFER_DIFFERS);
        end(&c);
    }
}

/* Entries count, too: here all of them are folders. */
static void test_wants_sync(void **state)
{
    struct transfer_message m = {.type = TRANSFER_ENTRY,
                                 .entry = {.kind = TRANSFER_FOLDER, .name = BYTES("d")}};
    struct scene c;
    begin(&c, &plain);
    while (!receiving_wants_sync(&c.r)) {
        m.entry.number = c.r.course.number;
        say(&c, m);
        assert_int_equal(c.r.state, RECEIVING_TAKING);
    }
    assert_int_equal(c.r.course.number,
                     LIMIT_TRANSFER_UNKEPT_BYTES / LIMIT_TRANSFER_ENTRY_BYTES);
    assert_int_equal(receiving_sync(&c.r, &c.out), 0);
    assert_false(receiving_wants_sync(&c.r));
    end(&c);
}

static void test_stops(void **state)
{
    struct scene c;
    begin(&c, &plain);
    expect_place(&c, 0, false, 0);
    assert_int_equal(receiving_stop(&c.r, TRANSFER_CANCELLED, &c.out), 0);
    expect_stop(&c, TRANSFER_CANCELLED);
    assert_int_equal(receiving_stop(&c.r, TRANSFER_PAUSED, &c.out), 0);
    assert_int_equal(buffer_len(&c.out), 0);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_rot_is_asked_for_again),
        cmocka_unit_test(test_another_chunk_is_not_the_same),
        cmocka_unit_test(test_rotten_and_gone),
        cmocka_unit_test(test_said_afresh_begins_anew),
        cmocka_unit_test(test_journal_of_another),
        cmocka_unit_test(test_journal_breaks_the_rules),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_errors_of_the_disk),
        cmocka_unit_test(test_what_breaks_it),
        cmocka_unit_test(test_end_counts),
        cmocka_unit_test(test_afresh_without_end),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_wants_sync),
        cmocka_unit_test(test_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

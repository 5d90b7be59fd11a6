#include "meet/sluice.h"

#include "base/limits.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A sluice; the carrier's end of its socket, which does not block here; and what it says. */

struct scene {
    uv_loop_t loop;
    struct sluice *sluice;
    int carrier;
    int answer;        /* of say */
    uint64_t data;     /* bytes of DATA said */
    uint64_t taken;    /* as TAKEN said last */
    unsigned takens;   /* how often */
    unsigned ends;     /* END */
    struct buffer all; /* the content of DATA */
};

static const struct random_id token = {{4, 7, 11}};

static int on_say(struct sluice *s, struct bytes message)
{
    struct scene *scene = s->owner;
    struct bulk_message m;
    if (scene->answer != 0)
        return scene->answer;
    assert_int_equal(bulk_message_read(message, &m), 0);
    assert_true(random_id_equal(&m.token, &token));
    assert_int_equal(scene->ends, 0);
    if (m.type == BULK_DATA) {
        scene->data += m.data.len;
        assert_int_equal(buffer_append_bytes(&scene->all, m.data), 0);
    } else if (m.type == BULK_TAKEN) {
        scene->taken = m.taken;
        scene->takens++;
    } else {
        scene->ends++;
    }
    return 0;
}

static const struct sluice_handler handler = {.say = on_say};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    buffer_init(&s->all, SIZE_MAX);
    assert_int_equal(uv_loop_init(&s->loop), 0);
    assert_int_equal(sluice_new(&s->sluice, &s->loop, &token, &handler, s, &s->carrier), 0);
    assert_int_equal(fcntl(s->carrier, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(s->carrier, F_SETFL, O_NONBLOCK), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    sluice_free(s->sluice);
    if (s->carrier >= 0)
        close(s->carrier);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    buffer_fini(&s->all);
    free(s);
    return 0;
}

static void turn(struct scene *s)
{
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void leave(struct scene *s)
{
    close(s->carrier);
    s->carrier = -1;
}

/* The carrier writes so much, all of it, or until nothing is taken any more. */
static size_t carrier_writes(struct scene *s, size_t n)
{
    static uint8_t data[64 * 1024];
    size_t done = 0;
    for (unsigned idle = 0; done < n && idle < 100;) {
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)((done + i) % 251);
        size_t some = n - done < sizeof data ? n - done : sizeof data;
        ssize_t w = send(s->carrier, data, some, MSG_NOSIGNAL);
        idle = w > 0 ? 0 : idle + 1;
        done += w > 0 ? (size_t)w : 0;
        turn(s);
    }
    for (int i = 0; i < 100; i++)
        turn(s);
    return done;
}

static size_t carrier_reads(struct scene *s, size_t n)
{
    static uint8_t data[64 * 1024];
    size_t done = 0;
    for (unsigned idle = 0; done < n && idle < 100;) {
        ssize_t r = recv(s->carrier, data, n - done < sizeof data ? n - done : sizeof data, 0);
        idle = r > 0 ? 0 : idle + 1;
        done += r > 0 ? (size_t)r : 0;
        turn(s);
    }
    return done;
}

static int hear(struct scene *s, enum bulk_message_type type, size_t len, uint64_t taken)
{
    static uint8_t data[BULK_DATA_BYTES];
    return sluice_take(s->sluice, &(struct bulk_message){.type = type,
                                                         .token = token,
                                                         .data = bytes_make(data, len),
                                                         .taken = taken});
}

/* ---- what the carrier writes ---- */

static void test_no_more_than_the_window_is_said(void **state)
{
    struct scene *s = *state;
    size_t much = 4 * LIMIT_TRANSFER_RELAYED_BYTES;
    size_t written = carrier_writes(s, much);
    assert_int_equal(s->data, LIMIT_TRANSFER_RELAYED_BYTES);
    assert_true(written < much); /* the carrier waits */
    assert_int_equal(hear(s, BULK_TAKEN, 0, 1000), 0);
    carrier_writes(s, 1);
    assert_int_equal(s->data, LIMIT_TRANSFER_RELAYED_BYTES + 1000);
    for (size_t i = 0; i < s->data; i++) /* in order */
        assert_int_equal(buffer_view(&s->all).data[i], i % 251);
}

static void test_what_was_never_said_is_not_taken(void **state)
{
    struct scene *s = *state;
    carrier_writes(s, 1000);
    assert_int_equal(hear(s, BULK_TAKEN, 0, 1001), SLUICE_BROKEN);
    assert_int_equal(hear(s, BULK_TAKEN, 0, 1000), 0);
    assert_int_equal(hear(s, BULK_TAKEN, 0, 999), SLUICE_BROKEN);
}

static void test_a_full_channel_is_waited_for(void **state)
{
    struct scene *s = *state;
    s->answer = SLUICE_FULL;
    carrier_writes(s, 100 * 1000);
    leave(s);
    carrier_reads(s, 0);
    assert_int_equal(s->data, 0);
    s->answer = 0;
    sluice_room(s->sluice);
    while (s->ends == 0)
        turn(s);
    assert_int_equal(s->data, 100 * 1000); /* nothing is lost, nor said twice */
    assert_true(sluice_is_done(s->sluice));
}

static void test_an_end_that_has_no_room_is_said_later(void **state)
{
    struct scene *s = *state;
    s->answer = SLUICE_FULL;
    leave(s);
    while (s->sluice->state == SLUICE_OPEN)
        turn(s);
    assert_false(sluice_is_done(s->sluice));
    s->answer = 0;
    sluice_room(s->sluice);
    assert_int_equal(s->ends, 1);
    assert_true(sluice_is_done(s->sluice));
}

static void test_what_was_written_is_said_at_the_end(void **state)
{
    struct scene *s = *state;
    assert_int_equal(send(s->carrier, "last words", 10, MSG_NOSIGNAL), 10);
    leave(s);
    sluice_leave(s->sluice);
    assert_int_equal(s->data, 10);
    assert_int_equal(s->ends, 1);
    assert_true(sluice_is_done(s->sluice));
}

/* Who takes nothing keeps nothing here alive. */
static void test_the_end_waits_for_no_window(void **state)
{
    struct scene *s = *state;
    carrier_writes(s, 4 * LIMIT_TRANSFER_RELAYED_BYTES);
    leave(s);
    assert_int_equal(s->ends, 0);
    sluice_leave(s->sluice);
    assert_int_equal(s->data, LIMIT_TRANSFER_RELAYED_BYTES);
    assert_int_equal(s->ends, 1);
    assert_true(sluice_is_done(s->sluice));
}

static void test_a_channel_that_is_gone(void **state)
{
    struct scene *s = *state;
    uint8_t byte;
    s->answer = -ENOMEM;
    assert_int_equal(send(s->carrier, "x", 1, MSG_NOSIGNAL), 1);
    while (s->sluice->state != SLUICE_LOST)
        turn(s);
    assert_int_equal(recv(s->carrier, &byte, 1, 0), 0);
    assert_int_equal(send(s->carrier, "x", 1, MSG_NOSIGNAL), -1);
    assert_true(sluice_is_done(s->sluice));
}

/* ---- what is heard ---- */

static void test_who_says_more_than_the_window(void **state)
{
    struct scene *s = *state;
    size_t said = 0;
    while (said + BULK_DATA_BYTES <= LIMIT_TRANSFER_RELAYED_BYTES && s->takens == 0) {
        assert_int_equal(hear(s, BULK_DATA, BULK_DATA_BYTES, 0), 0);
        said += BULK_DATA_BYTES;
    }
    size_t rest = s->taken + LIMIT_TRANSFER_RELAYED_BYTES - said;
    while (rest > BULK_DATA_BYTES) {
        assert_int_equal(hear(s, BULK_DATA, BULK_DATA_BYTES, 0), 0);
        said += BULK_DATA_BYTES;
        rest = s->taken + LIMIT_TRANSFER_RELAYED_BYTES - said;
    }
    assert_int_equal(hear(s, BULK_DATA, rest + 1, 0), SLUICE_BROKEN);
    assert_int_equal(hear(s, BULK_DATA, rest, 0), 0);
    assert_int_equal(hear(s, BULK_DATA, 1, 0), SLUICE_BROKEN);
    assert_int_equal(carrier_reads(s, said + rest), said + rest);
    assert_true(s->taken + LIMIT_TRANSFER_RELAYED_BYTES / 4 > said + rest);
    assert_true(s->taken <= said + rest);
    assert_int_equal(hear(s, BULK_DATA, BULK_DATA_BYTES, 0), 0);
}

static void test_the_end_comes_behind_what_was_heard(void **state)
{
    struct scene *s = *state;
    uint8_t byte;
    for (int i = 0; i < 10; i++)
        assert_int_equal(hear(s, BULK_DATA, BULK_DATA_BYTES, 0), 0);
    assert_int_equal(hear(s, BULK_END, 0, 0), 0);
    assert_int_equal(hear(s, BULK_DATA, 1, 0), SLUICE_BROKEN);
    assert_int_equal(carrier_reads(s, 10 * BULK_DATA_BYTES), 10 * BULK_DATA_BYTES);
    assert_int_equal(recv(s->carrier, &byte, 1, 0), 0);
    size_t much = 4 * LIMIT_TRANSFER_RELAYED_BYTES; /* and what is written now goes nowhere */
    assert_int_equal(carrier_writes(s, much), much);
    assert_int_equal(s->data, 0);
    leave(s);
    while (!sluice_is_done(s->sluice))
        turn(s);
    assert_int_equal(s->ends, 0); /* there is nobody to tell */
}

static void test_what_nobody_reads_any_more(void **state)
{
    struct scene *s = *state;
    leave(s);
    for (int i = 0; i < 100 && s->ends == 0; i++)
        assert_int_equal(hear(s, BULK_DATA, 1000, 0), 0);
    while (!sluice_is_done(s->sluice))
        turn(s);
    assert_int_equal(buffer_len(&s->sluice->unread), 0);
}

static void test_it_is_cut(void **state)
{
    struct scene *s = *state;
    uint8_t byte;
    sluice_cut(s->sluice);
    while (s->ends == 0)
        turn(s);
    assert_int_equal(recv(s->carrier, &byte, 1, 0), 0);
    assert_true(sluice_is_done(s->sluice));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_more_than_the_window_is_said),
        TEST(test_what_was_never_said_is_not_taken),
        TEST(test_a_full_channel_is_waited_for),
        TEST(test_an_end_that_has_no_room_is_said_later),
        TEST(test_what_was_written_is_said_at_the_end),
        TEST(test_the_end_waits_for_no_window),
        TEST(test_a_channel_that_is_gone),
        TEST(test_who_says_more_than_the_window),
        TEST(test_the_end_comes_behind_what_was_heard),
        TEST(test_what_nobody_reads_any_more),
        TEST(test_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

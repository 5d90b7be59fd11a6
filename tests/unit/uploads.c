#include "store/uploads.h"

#include "base/limits.h"
#include "store/record.h"
#include "store/segment.h"

#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Uploads into a log that nobody keeps. */

enum { PART = 64, VALUE = 3 * PART, RECORD = 64 };

static struct wal *make_log(void)
{
    struct wal_config config = {.secret = 1,
                                .segment_first_bytes = (uint64_t)1 << 40,
                                .segment_bytes_max = (uint64_t)1 << 40,
                                .buffered_bytes_max = 1 << 20};
    struct wal_position at = {.next_lsn = 1,
                              .segment = 1,
                              .offset = SEGMENT_HEADER_BYTES,
                              .bytes = (uint64_t)1 << 40};
    struct wal *w;
    assert_int_equal(wal_new(&w, &config, &at), 0);
    return w;
}

static void drain(struct wal *w)
{
    struct wal_chunk chunk;
    struct instant deadline, now = {1};
    while (wal_take(w, now, &chunk, &deadline) == 0)
        wal_done(w, &chunk, 0, now);
}

static struct blob *make_value(struct bytes *ret)
{
    uint8_t bytes[VALUE] = {0};
    struct blob *blob = blob_copy(bytes_make(bytes, sizeof bytes), NULL);
    assert_non_null(blob);
    *ret = bytes_make(blob->memory, VALUE);
    return blob;
}

/* The record that puts a value; its LSN. */
static uint64_t put(struct wal *w)
{
    uint8_t *to;
    uint64_t lsn;
    assert_int_equal(wal_begin(w, RECORD, (struct walltime){1}, false, &to, &lsn), 0);
    memset(to, 0, RECORD);
    wal_end(w);
    return lsn;
}

static uint64_t send_all_for(const void *taker, struct uploads *u, struct wal *w,
                             struct bytes value, struct blob *blob)
{
    uint64_t id = 0;
    int r;
    while ((r = uploads_send(u, w, value, blob, (struct walltime){1}, taker, &id)) == WAL_BUSY)
        drain(w);
    assert_int_equal(r, 0);
    return id;
}

static uint64_t send_all(struct uploads *u, struct wal *w, struct bytes value,
                         struct blob *blob)
{
    return send_all_for(u, u, w, value, blob);
}

static void test_parts_are_needed_until_their_value_is_put(void **state)
{
    struct wal *w = make_log();
    struct uploads u;
    struct bytes value;
    struct blob *blob = make_value(&value);
    uint64_t last;
    uploads_init(&u, PART);
    put(w);
    assert_true(uploads_first_lsn(&u, w, &last) == UINT64_MAX);
    assert_int_equal(last, 1);
    assert_true(uploads_wants(&u, value, blob));
    uint64_t id = send_all(&u, w, value, blob);
    assert_int_equal(id, 2);
    assert_int_equal(uploads_first_lsn(&u, w, &last), 2);
    assert_int_equal(last, 4);
    put(w);
    assert_int_equal(uploads_first_lsn(&u, w, &last), 2);
    uploads_end(&u, id);
    assert_true(uploads_first_lsn(&u, w, &last) == UINT64_MAX);
    assert_int_equal(last, 5);
    blob_unref(blob);
    uploads_fini(&u);
    wal_free(w);
}

static void test_a_whole_upload_is_its_takers(void **state)
{
    struct wal *w = make_log();
    struct uploads u;
    struct bytes value;
    struct blob *blob = make_value(&value);
    int one, other;
    uploads_init(&u, PART);
    uint64_t first = send_all_for(&one, &u, w, value, blob);
    assert_int_equal(send_all_for(&one, &u, w, value, blob), first);
    uint64_t second = send_all_for(&other, &u, w, value, blob);
    assert_int_not_equal(second, first);
    uploads_give_back(&u, &one);
    assert_int_equal(send_all_for(&other, &u, w, value, blob), second);
    uploads_end(&u, second);
    uploads_end(&u, second);
    assert_int_equal(send_all_for(&other, &u, w, value, blob), first);
    uploads_end(&u, first);
    uint64_t last;
    assert_true(uploads_first_lsn(&u, w, &last) == UINT64_MAX);
    blob_unref(blob);
    uploads_fini(&u);
    wal_free(w);
}

static void test_what_was_begun_and_left_is_dropped(void **state)
{
    struct wal *w = make_log();
    struct uploads u;
    struct bytes value;
    struct blob *blob = make_value(&value);
    struct walltime begun = {1000}, later = {begun.ms + (int64_t)LIMIT_UPLOAD_LEFT_MS};
    uint64_t id = 0, last;
    uploads_init(&u, PART);
    while (wal_buffered(w) < (size_t)4 * PART)
        put(w);
    assert_int_equal(uploads_send(&u, w, value, blob, begun, &u, &id), WAL_BUSY);
    drain(w);
    assert_int_equal(uploads_send(&u, w, value, blob, begun, &u, &id), 0);
    uploads_tidy(&u, w, (struct walltime){later.ms + 1}); /* it is whole, and its taker's */
    assert_int_equal(uploads_first_lsn(&u, w, &last), id);
    uploads_give_back(&u, &u);
    uploads_tidy(&u, w, later);
    assert_int_equal(uploads_first_lsn(&u, w, &last), id);
    uint64_t before = last;
    uploads_tidy(&u, w, (struct walltime){later.ms + 1});
    assert_true(uploads_first_lsn(&u, w, &last) == UINT64_MAX);
    assert_int_equal(last, before + 1);
    blob_unref(blob);
    uploads_fini(&u);
    wal_free(w);
}

/* ---- a checkpoint begins in the midst of it */

/* Where the checkpoint may begin: it holds all up to `last`, and the log is kept from `first`
 * on, or from behind `last`. */
struct moment {
    uint64_t first, last;
};

enum { UPLOADS = 300000 };

struct stage {
    struct uploads uploads;
    struct wal *log;
    uint64_t first_part[UPLOADS], put[UPLOADS]; /* of each upload, in their order */
    struct moment *moments;
    size_t moment_count, capacity;
    atomic_bool over;
};

static void *upload_one_after_the_other(void *arg)
{
    struct stage *s = arg;
    struct bytes value;
    struct blob *blob = make_value(&value);
    for (size_t i = 0; i < UPLOADS; i++) {
        s->first_part[i] = send_all(&s->uploads, s->log, value, blob);
        s->put[i] = put(s->log);
        uploads_end(&s->uploads, s->first_part[i]);
        drain(s->log);
    }
    blob_unref(blob);
    atomic_store(&s->over, true);
    return NULL;
}

static void note_moment(struct stage *s)
{
    if (s->moment_count == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 1024;
        s->moments = realloc(s->moments, s->capacity * sizeof *s->moments);
        assert_non_null(s->moments);
    }
    struct moment *m = &s->moments[s->moment_count++];
    m->first = uploads_first_lsn(&s->uploads, s->log, &m->last);
}

/* What is put behind a moment needs all its parts from there on. Moments and uploads both come
 * in order. */
static void check_moments(const struct stage *s)
{
    size_t i = 0;
    for (size_t k = 0; k < s->moment_count; k++) {
        const struct moment *m = &s->moments[k];
        while (i < UPLOADS && s->put[i] <= m->last)
            i++;
        if (i < UPLOADS && s->first_part[i] <= m->last)
            assert_int_equal(m->first, s->first_part[i]);
    }
}

/* The last LSN and the parts that are needed are of one moment: were one of them older, a part
 * or a put might lie in between, and be missing from what is kept. */
static void test_a_checkpoint_keeps_what_is_needed_whenever_it_begins(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    pthread_t thread;
    assert_non_null(s);
    uploads_init(&s->uploads, PART);
    s->log = make_log();
    assert_int_equal(pthread_create(&thread, NULL, upload_one_after_the_other, s), 0);
    while (!atomic_load(&s->over))
        note_moment(s);
    pthread_join(thread, NULL);
    check_moments(s);
    uploads_fini(&s->uploads);
    wal_free(s->log);
    free(s->moments);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_needed_until_their_value_is_put),
        cmocka_unit_test(test_a_whole_upload_is_its_takers),
        cmocka_unit_test(test_what_was_begun_and_left_is_dropped),
        cmocka_unit_test(test_a_checkpoint_keeps_what_is_needed_whenever_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

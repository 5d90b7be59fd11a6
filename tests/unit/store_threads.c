/* The store under threads: several update and read while the log's thread and the segment
 * thread run; then everything is as it was told, and after a restart too. Also what TSan
 * watches. */

#include "store/embedded.h"

#include "base/number.h"
#include "support/faulty_disk.h"
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { WORKERS = 4, ROUNDS = 3000, KEYS = 64 };

struct stage {
    struct faulty_disk *disk;
    struct embedded *e;
    struct store *s;
    _Atomic bool over;
    _Atomic int failures;
};

struct worker {
    struct stage *stage;
    uint64_t seed, added;
};

static const struct embedded_config config = {.secret = 3,
                                              .segment_first_bytes = 4096,
                                              .segment_bytes_max = 65536,
                                              .buffered_bytes_max = 32768};

static uint64_t number_of(struct bytes value)
{
    return value.len == 8 ? number_get_u64(value.data) : 0;
}

/* Moves one from the first key to the second, and adds one to the third: the first two always
 * sum up to 0, the third counts. */
static int move_and_count(void *ctx, struct store_slot *slots, size_t n)
{
    uint8_t(*room)[8] = ctx;
    for (size_t i = 0; i < n; i++) {
        uint64_t old = slots[i].present ? number_of(slots[i].old.bytes) : 0;
        number_put_u64(room[i], i == 0 ? old - 1 : old + 1);
        slots[i].value = bytes_make(room[i], 8);
        slots[i].verdict = STORE_PUT;
    }
    return 0;
}

static struct bytes key_of(uint8_t kind, uint64_t i, uint8_t room[9])
{
    room[0] = kind;
    number_put_u64(room + 1, i);
    return bytes_make(room, 9);
}

static int move(struct worker *w, uint64_t *ret_lsn)
{
    uint8_t keys[3][9], values[3][8];
    uint64_t pair = faulty_random(&w->seed) % KEYS;
    struct store_slot slots[3] = {{.key = key_of('-', pair, keys[0])},
                                  {.key = key_of('+', pair, keys[1])},
                                  {.key = key_of('c', 0, keys[2])}};
    return store_update(w->stage->s, STORE_USER, slots, 3, (struct walltime){1}, move_and_count,
                        values, ret_lsn);
}

static int sum(void *ctx, struct store_slot *slots, size_t n)
{
    *(uint64_t *)ctx = number_of(slots[0].old.bytes) + number_of(slots[1].old.bytes);
    return 0;
}

static uint64_t sum_of(struct store *s, uint64_t pair)
{
    uint8_t keys[2][9];
    uint64_t total = 1, lsn;
    struct store_slot slots[2] = {{.key = key_of('+', pair, keys[0])},
                                  {.key = key_of('-', pair, keys[1])}};
    store_update(s, STORE_USER, slots, 2, (struct walltime){1}, sum, &total, &lsn);
    return total;
}

static void keep_number(void *ctx, const struct store_value *value)
{
    *(uint64_t *)ctx = number_of(value->bytes);
}

static uint64_t counted(struct store *s)
{
    uint8_t key[9];
    uint64_t n = 0, lsn;
    store_get(s, STORE_USER, key_of('c', 0, key), (struct walltime){1}, keep_number, &n, &lsn);
    return n;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    uint64_t lsn = 0, counter = 0;
    while (w->added < ROUNDS) {
        int r = move(w, &lsn);
        if (r == STORE_BUSY)
            sched_yield();
        else if (r != 0)
            break;
        w->added += r == 0;
        uint64_t now = counted(w->stage->s);
        if (now < counter || sum_of(w->stage->s, faulty_random(&w->seed) % KEYS) != 0)
            atomic_fetch_add(&w->stage->failures, 1);
        counter = now;
        store_count(w->stage->s, STORE_USER, &lsn);
    }
    if (w->added < ROUNDS)
        atomic_fetch_add(&w->stage->failures, 1);
    return NULL;
}

static void *run_log(void *arg)
{
    struct stage *stage = arg;
    struct instant deadline;
    while (!atomic_load(&stage->over) || embedded_log_wanted(stage->e))
        if (embedded_log_step(stage->e, (struct instant){1}, &deadline) == EMBEDDED_IDLE)
            sched_yield();
    return NULL;
}

static void *make_segments(void *arg)
{
    struct stage *stage = arg;
    struct instant deadline;
    while (!atomic_load(&stage->over))
        if (embedded_segment_step(stage->e, (struct instant){1}, &deadline) == EMBEDDED_IDLE)
            sched_yield();
    return NULL;
}

static void check(struct stage *stage)
{
    assert_int_equal(counted(stage->s), WORKERS * ROUNDS);
    for (uint64_t pair = 0; pair < KEYS; pair++)
        assert_int_equal(sum_of(stage->s, pair), 0);
}

static void open_stage(struct stage *stage)
{
    struct recovery_report report;
    assert_int_equal(embedded_open(&stage->e, &config, faulty_disk(stage->disk),
                                   (struct walltime){1}, &report),
                     0);
    stage->s = embedded_store(stage->e);
}

static void test_many_threads(void **state)
{
    struct stage stage = {.disk = faulty_disk_new()};
    struct worker workers[WORKERS];
    pthread_t threads[WORKERS], log, segments;
    open_stage(&stage);
    assert_int_equal(pthread_create(&log, NULL, run_log, &stage), 0);
    assert_int_equal(pthread_create(&segments, NULL, make_segments, &stage), 0);
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.stage = &stage, .seed = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    embedded_close(stage.e, (struct walltime){1});
    atomic_store(&stage.over, true);
    pthread_join(segments, NULL);
    pthread_join(log, NULL);
    assert_int_equal(atomic_load(&stage.failures), 0);
    assert_int_equal(wal_state(embedded_wal(stage.e)), WAL_CLOSED);
    check(&stage);
    embedded_free(stage.e);
    open_stage(&stage);
    check(&stage);
    embedded_free(stage.e);
    faulty_disk_free(stage.disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Power cuts at every moment of a store's life.
 *
 * A life is a store on one disk: opened, used, closed or killed, opened again, with failing
 * disks now and then, all by one seed. Before every change of the disk stands a moment; at
 * each, disks are made that a power cut might leave (nothing of what is not durable, all, each
 * part missing, each part alone, torn, at random), and each is recovered and held against the
 * history: everything acknowledged is there, and the whole is as it was after some mutation.
 * On some of those disks another life begins, with moments of its own during its recovery and
 * after it, and so on.
 *
 *     power_cut [SEEDS [FIRST]]
 */

#include "history.h"

#include "store/embedded.h"
#include "support/faulty_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 20, DEPTH_MAX = 2, STEPS = 120, STEPS_NESTED = 14 };

struct life {
    struct faulty_disk *disk;
    struct embedded_config config;
    struct history history;
    struct embedded *e; /* NULL while it is opened */
    uint64_t acked;     /* while it is opened: what is acknowledged, ... */
    uint64_t newest;    /* ... and the last LSN there can be */
    bool was_closed;    /* in good order, and nothing has been written since */
    struct walltime now;
    struct instant clock;
    uint64_t seed, first_seed, version;
    uint64_t moment;
    int depth;
    struct life *outer;
};

static uint64_t points;

static void print_life(const struct life *l)
{
    if (l->outer)
        print_life(l->outer);
    fprintf(stderr, "  life of depth %d: seed %llu, moment %llu, acknowledged %llu\n", l->depth,
            (unsigned long long)l->first_seed, (unsigned long long)l->moment,
            (unsigned long long)(l->e ? wal_durable(embedded_wal(l->e)) : l->acked));
}

static _Noreturn void fail(const struct life *l, const char *variant, const char *problem)
{
    const struct life *outermost = l;
    while (outermost->outer)
        outermost = outermost->outer;
    fprintf(stderr, "FAILED: %s (variant: %s)\n", problem, variant);
    print_life(l);
    fprintf(stderr, "again: power_cut 1 %llu\n", (unsigned long long)outermost->first_seed);
    exit(1);
}

static bool chance(struct life *l, unsigned one_in)
{
    return faulty_random(&l->seed) % one_in == 0;
}

/* ---- checking one disk */

static uint64_t acked_of(const struct life *l)
{
    return l->e ? wal_durable(embedded_wal(l->e)) : l->acked;
}

static uint64_t newest_of(const struct life *l)
{
    return l->e ? wal_last_lsn(embedded_wal(l->e)) : l->newest;
}

static const char *check_store(const struct life *l, struct embedded *e,
                               const struct recovery_report *report, uint64_t *ret_last)
{
    uint64_t last = wal_last_lsn(embedded_wal(e)) - 1; /* the last is its own open record */
    *ret_last = last;
    if (last < acked_of(l))
        return "something acknowledged is lost";
    if (last > newest_of(l))
        return "there is more than was ever written";
    if (l->was_closed && (!report->closed || report->cut))
        return "a clean close is not seen as one";
    return history_compare(&l->history, last, embedded_store(e));
}

/* Recovers a disk, which it changes; returns the last LSN found. */
static uint64_t check_disk(const struct life *l, struct faulty_disk *disk, const char *variant)
{
    struct embedded *e;
    struct recovery_report report;
    uint64_t last = 0;
    points++;
    int r = embedded_open(&e, &l->config, faulty_disk(disk), l->now, &report);
    if (r != 0)
        fail(l, variant, report.problem ? report.problem : strerror(-r));
    const char *problem = check_store(l, e, &report, &last);
    if (problem)
        fail(l, variant, problem);
    embedded_free(e);
    return last;
}

/* ---- the disks of one moment */

static void live(struct life *l, int steps);

/* Another life on a copy of that disk, of which is known what its recovery finds. */
static void live_on(struct life *outer, struct faulty_disk *disk, uint64_t last)
{
    struct life l = {.disk = disk,
                     .config = outer->config,
                     .history = history_copy(&outer->history),
                     .acked = last,
                     .newest = last + 1,
                     .now = outer->now,
                     .clock = outer->clock,
                     .seed = faulty_random(&outer->seed),
                     .version = outer->version,
                     .depth = outer->depth + 1,
                     .outer = outer};
    l.config.secret++;
    history_cut(&l.history, last);
    live(&l, STEPS_NESTED);
    history_fini(&l.history);
}

struct choice {
    enum faulty_fate all, special, last;
    size_t item; /* has the special fate */
};

static enum faulty_fate choose(void *ctx, size_t item, size_t items)
{
    const struct choice *c = ctx;
    if (item == c->item)
        return c->special;
    return item + 1 == items ? c->last : c->all;
}

static void try_disk(struct life *l, struct faulty_disk *disk, const char *variant)
{
    bool nested = l->depth < DEPTH_MAX && chance(l, l->depth ? 150 : 30);
    struct faulty_disk *again = nested ? faulty_disk_copy(disk) : NULL;
    uint64_t last = check_disk(l, disk, variant);
    faulty_disk_free(disk);
    if (again)
        live_on(l, again, last);
    faulty_disk_free(again);
}

static void try_choice(struct life *l, struct choice c, const char *variant)
{
    try_disk(l, faulty_disk_cut(l->disk, choose, &c, faulty_random(&l->seed)), variant);
}

static void try_systematic(struct life *l, size_t items)
{
    for (size_t i = 0; i < items && items > 1; i++) {
        try_choice(l, (struct choice){FAULTY_KEPT, FAULTY_LOST, FAULTY_KEPT, i}, "one lost");
        try_choice(l, (struct choice){FAULTY_LOST, FAULTY_KEPT, FAULTY_LOST, i}, "one kept");
        try_choice(l, (struct choice){FAULTY_KEPT, FAULTY_SIZE, FAULTY_KEPT, i}, "size alone");
        try_choice(l, (struct choice){FAULTY_KEPT, FAULTY_TORN, FAULTY_KEPT, i}, "one torn");
    }
    for (int i = 0; i < 4; i++)
        try_choice(l, (struct choice){FAULTY_KEPT, FAULTY_KEPT, FAULTY_TORN, SIZE_MAX}, "torn");
}

static void try_moment(void *ctx)
{
    struct life *l = ctx;
    size_t items = faulty_disk_items(l->disk);
    l->moment++;
    try_choice(l, (struct choice){FAULTY_LOST, FAULTY_LOST, FAULTY_LOST, SIZE_MAX}, "all lost");
    try_choice(l, (struct choice){FAULTY_KEPT, FAULTY_KEPT, FAULTY_KEPT, SIZE_MAX}, "all kept");
    if (items == 0)
        return;
    try_systematic(l, items);
    for (int i = 0; i < 4; i++)
        try_disk(l, faulty_disk_cut_random(l->disk, faulty_random(&l->seed)), "random");
}

/* ---- living */

static int change_slots(void *ctx, struct store_slot *slots, size_t n)
{
    const struct history_mutation *m = ctx;
    for (size_t i = 0; i < n; i++)
        slots[i].verdict = m->ops[i].version ? STORE_PUT : STORE_REMOVE;
    return 0;
}

/* Keys of one keyspace, each once; several may get the same value. */
static struct history_mutation make_mutation(struct life *l)
{
    bool system = chance(l, 8);
    size_t from = system ? HISTORY_USER_KEYS : 0;
    size_t keys = system ? HISTORY_KEYS - HISTORY_USER_KEYS : HISTORY_USER_KEYS;
    size_t first = faulty_random(&l->seed) % keys;
    struct history_mutation m = {.count = chance(l, 3) ? 1 + faulty_random(&l->seed) % 4 : 1};
    for (size_t i = 0; i < m.count; i++) {
        m.ops[i].key = from + (first + i) % keys;
        bool again = i > 0 && chance(l, 3);
        m.ops[i].version = again ? m.ops[i - 1].version : chance(l, 4) ? 0 : ++l->version;
    }
    return m;
}

static struct blob *share(struct bytes *value)
{
    struct blob *blob = blob_copy(*value, NULL);
    value->data = blob->memory;
    return blob;
}

static void keep_up(struct life *l);
static bool run_log(struct life *l, bool to_the_end);

static void mutate(struct life *l)
{
    struct instant deadline;
    uint8_t rooms[HISTORY_OPS][HISTORY_VALUE_BYTES];
    struct history_mutation m = make_mutation(l);
    struct store_slot slots[HISTORY_OPS] = {0};
    for (size_t i = 0; i < m.count; i++) {
        slots[i].key = history_key(m.ops[i].key);
        slots[i].value = history_value(m.ops[i].version, rooms[i]);
        if (i > 0 && m.ops[i].version == m.ops[i - 1].version) {
            slots[i].value = slots[i - 1].value;
            slots[i].blob = slots[i - 1].blob ? blob_ref(slots[i - 1].blob) : NULL;
        } else if (slots[i].value.len > l->config.part_bytes) {
            slots[i].blob = share(&slots[i].value);
        }
    }
    uint64_t before = wal_last_lsn(embedded_wal(l->e)), lsn;
    int r = store_update(embedded_store(l->e), history_space(m.ops[0].key), slots, m.count,
                         l->now, change_slots, &m, &lsn);
    /* What is large may need several tries; sometimes nobody tries again. */
    for (int i = 0; i < 20 && r == STORE_BUSY && !chance(l, 6); i++) {
        run_log(l, false);
        embedded_segment_step(l->e, l->clock, &deadline);
        if (chance(l, 4))
            keep_up(l);
        before = wal_last_lsn(embedded_wal(l->e));
        r = store_update(embedded_store(l->e), history_space(m.ops[0].key), slots, m.count,
                         l->now, change_slots, &m, &lsn);
    }
    m.lsn = wal_last_lsn(embedded_wal(l->e));
    if (r == 0 && m.lsn > before)
        history_add(&l->history, &m);
    for (size_t i = 0; i < m.count; i++)
        blob_unref(slots[i].blob);
}

static void flush(struct life *l)
{
    struct history_mutation m = {.flushes = true,
                                 .space = chance(l, 4) ? STORE_SYSTEM : STORE_USER};
    uint64_t lsn;
    int r = store_flush(embedded_store(l->e), m.space, l->now, &lsn);
    m.lsn = wal_last_lsn(embedded_wal(l->e));
    if (r == 0)
        history_add(&l->history, &m);
}

static void end_life(struct life *l)
{
    l->acked = acked_of(l);
    l->newest = newest_of(l);
    embedded_free(l->e);
    l->e = NULL;
}

/* Opens the store, again where the disk failed on the way. What it will find is learned from a
 * copy first, so that history is known while the real one recovers. */
static void open_store(struct life *l)
{
    struct recovery_report report;
    faulty_disk_hook(l->disk, NULL, NULL);
    struct faulty_disk *copy = faulty_disk_copy(l->disk);
    uint64_t last = check_disk(l, copy, "restart");
    faulty_disk_free(copy);
    history_cut(&l->history, last);
    l->newest = last + 1;
    /* The new open record is no clean close any more, whether it is found or not. */
    l->was_closed = false;
    l->config.secret++;
    faulty_disk_hook(l->disk, try_moment, l);
    if (chance(l, 4)) /* a disk so full that the last segment stays where it is, or fuller */
        faulty_disk_limit(l->disk, faulty_disk_bytes(l->disk) + faulty_random(&l->seed) % 400);
    int r = embedded_open(&l->e, &l->config, faulty_disk(l->disk), l->now, &report);
    faulty_disk_limit(l->disk, UINT64_MAX);
    if (r == -EIO || r == -ENOSPC) {
        l->newest++; /* the open record of the first try may be there */
        r = embedded_open(&l->e, &l->config, faulty_disk(l->disk), l->now, &report);
    }
    if (r != 0)
        fail(l, "restart", report.problem ? report.problem : strerror(-r));
    if (wal_durable(embedded_wal(l->e)) < last + 1)
        fail(l, "restart", "recovery did not make durable what it found");
}

static void keep_up(struct life *l)
{
    struct instant deadline;
    if (chance(l, 8))
        store_save(embedded_store(l->e));
    for (uint64_t steps = faulty_random(&l->seed) % 600; steps > 0; steps--)
        if (embedded_upkeep_step(l->e, l->clock, l->now, &deadline) != 0)
            return;
}

/* Returns whether the log is still whole. */
static bool run_log(struct life *l, bool to_the_end)
{
    struct instant deadline;
    int r;
    do
        r = embedded_log_step(l->e, l->clock, &deadline);
    while (r == 0 && to_the_end);
    return r >= 0;
}

static void close_store(struct life *l)
{
    embedded_close(l->e, l->now);
    run_log(l, true);
    bool closed = wal_state(embedded_wal(l->e)) == WAL_CLOSED;
    l->was_closed = closed;
    if (chance(l, 2))
        embedded_finish(l->e, l->now);
    end_life(l);
    l->was_closed = closed;
    try_moment(l);
}

static void restart(struct life *l)
{
    if (chance(l, 2))
        close_store(l);
    else
        end_life(l);
    if (chance(l, 4))
        faulty_disk_fail(l->disk, faulty_random(&l->seed) % 16, chance(l, 2) ? EIO : ENOSPC);
    open_store(l);
    faulty_disk_fail(l->disk, 0, 0);
}

/* Who went on after the log failed would be told what is not so. */
static void restart_after_failure(struct life *l)
{
    uint64_t acked = acked_of(l);
    mutate(l);
    run_log(l, true);
    embedded_close(l->e, l->now);
    run_log(l, true);
    if (wal_state(embedded_wal(l->e)) != WAL_FAILED || acked_of(l) != acked)
        fail(l, "failed log", "it goes on after a failure");
    restart(l);
}

static void step(struct life *l)
{
    struct instant deadline;
    if (chance(l, 50))
        faulty_disk_fail(l->disk, faulty_random(&l->seed) % 4, chance(l, 2) ? EIO : ENOSPC);
    uint64_t what = faulty_random(&l->seed) % 40;
    if (what < 14)
        mutate(l);
    else if (what >= 32)
        keep_up(l);
    else if (what == 31 && chance(l, 4))
        flush(l);
    else if (what < 20)
        embedded_segment_step(l->e, l->clock, &deadline);
    else if (what < 28 && !run_log(l, chance(l, 2)))
        restart_after_failure(l);
    else if (what < 31)
        l->clock = instant_after_ms(l->clock, faulty_random(&l->seed) % 700);
    else
        restart(l);
    l->now.ms += (int64_t)(faulty_random(&l->seed) % 5) - 1;
}

static void live(struct life *l, int steps)
{
    l->first_seed = l->first_seed ? l->first_seed : l->seed;
    open_store(l);
    for (int i = 0; i < steps; i++)
        step(l);
    if (chance(l, 2))
        close_store(l);
    else
        end_life(l);
    faulty_disk_hook(l->disk, NULL, NULL);
}

static void run_seed(uint64_t seed)
{
    struct life l = {.disk = faulty_disk_new(),
                     .now = {1000},
                     .clock = {1},
                     .first_seed = seed,
                     .seed = seed};
    l.config = (struct embedded_config){
        .durability = chance(&l, 3) ? EMBEDDED_SECOND : EMBEDDED_COMMIT,
        .secret = faulty_random(&l.seed),
        .segment_first_bytes = 256 + faulty_random(&l.seed) % 1024,
        .segment_bytes_max = 1024 + faulty_random(&l.seed) % 8192,
        .buffered_bytes_max = 512 + faulty_random(&l.seed) % 8192,
        .checkpoint_bytes = 256 + faulty_random(&l.seed) % 4096,
        .part_bytes = 64 + faulty_random(&l.seed) % 2048,
    };
    if (seed % 3 == 0)
        l.config.buffered_bytes_max = 600; /* unsynced chunks are written early */
    live(&l, STEPS);
    history_fini(&l.history);
    faulty_disk_free(l.disk);
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : SEEDS;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (uint64_t i = 0; i < seeds; i++)
        run_seed(first + i);
    printf("crash points: %llu\n", (unsigned long long)points);
    return 0;
}

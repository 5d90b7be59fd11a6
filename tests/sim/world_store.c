#include "world_inside.h"

#include "store/segment.h"

#include <errno.h>
#include <inttypes.h>

/* ---- the log and its segments */

static void log_moved(struct world *w)
{
    for (size_t i = 0; i < w->worker_count; i++)
        w->workers[i].log_moved = true;
}

static void log_ended(struct world *w, int error)
{
    if (error) {
        CHECK(w, w->log_failed, "the log failed: %d", error);
        SAY(w, "the log has failed");
        w->log = LOG_SLEEPS;
        w->log_deadline = INSTANT_NEVER;
        return;
    }
    SAY(w, "the log has moved: %" PRIu64 " are on disk", w->synced);
    w->log = LOG_AWAKE;
    w->segment_awake |= embedded_segment_wanted(w->store);
    w->upkeep_awake |= embedded_upkeep_wanted(w->store);
    log_moved(w);
}

void world_wake_threads(struct world *w)
{
    if (embedded_log_wanted(w->store) && w->log == LOG_SLEEPS)
        w->log = LOG_AWAKE;
    w->segment_awake |= embedded_segment_wanted(w->store);
    w->upkeep_awake |= embedded_upkeep_wanted(w->store);
}

static void log_whole_step(struct world *w)
{
    int r = embedded_log_step(w->store, w->trace.now, &w->log_deadline);
    if (r == EMBEDDED_IDLE) {
        w->log = LOG_SLEEPS;
        return;
    }
    if (r == 0)
        w->synced = store_durable(embedded_store(w->store));
    log_ended(w, r);
}

static void log_finish(struct world *w, int error)
{
    if (w->chunk_file)
        disk_close(faulty_disk(w->disk), w->chunk_file);
    w->chunk_file = NULL;
    wal_done(embedded_wal(w->store), &w->chunk, error, w->trace.now);
    log_ended(w, error);
}

static void log_write(struct world *w)
{
    struct disk *d = faulty_disk(w->disk);
    char name[DISK_NAME_BYTES];
    segment_name(name, w->chunk.segment);
    int r = disk_open(d, name, false, &w->chunk_file);
    if (r == 0 && w->chunk.data.len)
        r = disk_write(d, w->chunk_file, w->chunk.offset, w->chunk.data.data,
                       w->chunk.data.len);
    w->log = LOG_WRITTEN;
    if (r != 0)
        log_finish(w, r);
}

static void log_sync(struct world *w)
{
    int r = w->chunk.sync ? disk_sync(faulty_disk(w->disk), w->chunk_file) : 0;
    if (r == 0 && w->chunk.sync)
        w->synced = w->chunk.last_lsn;
    w->log = LOG_SYNCED;
    if (r != 0)
        log_finish(w, r);
}

void world_log_step(struct world *w)
{
    switch (w->log) {
    case LOG_SLEEPS:
        break;
    case LOG_AWAKE:
        if (chance(w, 3)) {
            log_whole_step(w);
        } else {
            int r = wal_take(embedded_wal(w->store), w->trace.now, &w->chunk, &w->log_deadline);
            w->log = r == 0 ? LOG_TAKEN : LOG_SLEEPS;
        }
        break;
    case LOG_TAKEN:
        log_write(w);
        break;
    case LOG_WRITTEN:
        log_sync(w);
        break;
    case LOG_SYNCED:
        log_finish(w, 0);
        break;
    }
}

void world_wake_log(struct world *w)
{
    if (w->log == LOG_SLEEPS && w->log_deadline.ns <= w->trace.now.ns) {
        w->log = LOG_AWAKE;
        w->log_deadline = INSTANT_NEVER;
    }
}

/* Did a step other than the log's meet the fault that was meant for it? Not each says so. */
static bool fault_struck(struct world *w, uint64_t changes_before)
{
    bool waits = w->log_failed && wal_state(embedded_wal(w->store)) != WAL_FAILED;
    if (!waits || faulty_disk_changes(w->disk) == changes_before)
        return false;
    w->log_failed = false;
    return true;
}

bool world_segment_step(struct world *w)
{
    if (!w->segment_awake && w->segment_deadline.ns > w->trace.now.ns)
        return false;
    w->segment_awake = false;
    uint64_t changes = faulty_disk_changes(w->disk);
    int r = embedded_segment_step(w->store, w->trace.now, &w->segment_deadline);
    if (r == EMBEDDED_IDLE)
        return true;
    SAY(w, "a segment is made: %d", r);
    bool struck = fault_struck(w, changes);
    CHECK(w, r == 0 || (r == -ENOSPC && w->disk_full) || (r == -EIO && struck),
          "a segment was not made: %d", r);
    w->model.disk_full |= r == -ENOSPC;
    w->model.disk_strikes |= r == -EIO;
    w->segment_awake = true;
    log_moved(w);
    return true;
}

static void check_checkpoint(struct world *w, int r, bool struck)
{
    bool failed = wal_state(embedded_wal(w->store)) == WAL_FAILED;
    CHECK(w, r >= 0 || (r == -ENOSPC && w->disk_full) || (r == -EIO && (struck || failed)),
          "a checkpoint was not made: %d", r);
}

/* What it has swept. */
static void observe_sweep(struct world *w)
{
    const struct witness_change *changes;
    size_t n = witness_loose(&w->witness, &changes);
    model_swept(&w->model, changes, n);
    world_post(w, changes, n);
    witness_forget(&w->witness);
    world_check_log(w);
}

bool world_upkeep_step(struct world *w)
{
    if (!w->upkeep_awake && w->upkeep_deadline.ns > w->trace.now.ns)
        return false;
    uint64_t changes = faulty_disk_changes(w->disk);
    w->model.wall = wall(w).ms;
    int r = embedded_upkeep_step(w->store, w->trace.now, wall(w), &w->upkeep_deadline);
    check_checkpoint(w, r, fault_struck(w, changes));
    observe_sweep(w);
    struct store_saved saved;
    store_saved(embedded_store(w->store), &saved);
    if (w->model.saving != saved.running)
        SAY(w, "a checkpoint %s: %d", saved.running ? "begins" : "ends", r);
    w->model.saving = saved.running;
    w->upkeep_awake = r == 0;
    world_wake_threads(w);
    return r != EMBEDDED_IDLE;
}

void world_fill_disk(struct world *w)
{
    w->disk_full = !w->disk_full;
    SAY(w, "the disk %s", w->disk_full ? "fills up" : "has room again");
    faulty_disk_limit(w->disk,
                      w->disk_full ? faulty_disk_bytes(w->disk) + pick(w, 8192) : UINT64_MAX);
}

void world_fail_disk(struct world *w)
{
    if (w->log_failed || w->log < LOG_TAKEN || w->log == LOG_SYNCED)
        return;
    SAY(w, "the disk fails");
    w->log_failed = true;
    faulty_disk_fail(w->disk, 0, EIO);
}

void world_lift_faults(struct world *w)
{
    faulty_disk_fail(w->disk, 0, 0);
    faulty_disk_limit(w->disk, UINT64_MAX);
    w->disk_full = false;
}

/* ---- the model beside it */

void world_check_log(struct world *w)
{
    struct wal *wal = embedded_wal(w->store);
    struct witness_call call;
    const struct witness_change *changes;
    CHECK(w, !witness_next(&w->witness, &call), "the store was asked by nobody");
    CHECK(w, witness_loose(&w->witness, &changes) == 0, "a change that nobody has made");
    CHECK(w, !w->witness.amiss, "what was put off has changed something");
    witness_forget(&w->witness);
    CHECK(w, w->model.lsn == wal_last_lsn(wal),
          "the log is at %" PRIu64 ", ought to be at %" PRIu64, wal_last_lsn(wal),
          w->model.lsn);
    CHECK(w, w->model.log_time == wal_time(wal).ms,
          "the log's time is %" PRId64 ", ought to be %" PRId64, wal_time(wal).ms,
          w->model.log_time);
}

void world_jump_clock(struct world *w, bool far)
{
    enum { SIX_HOURS_MS = 6 * 3600000 };
    int64_t ms = far ? (int64_t)pick(w, 2 * SIX_HOURS_MS) - SIX_HOURS_MS
                     : (int64_t)pick(w, 20000) - 5000;
    w->wall_ms += ms;
    SAY(w, "the clock jumps by %" PRId64 " ms", ms);
}

/* ---- power cuts and recovery */

static enum faulty_fate lose_all(void *ctx, size_t item, size_t items)
{
    return FAULTY_LOST;
}

struct faulty_disk *world_cut_power(struct world *w, struct faulty_disk *disk)
{
    return chance(w, 3) ? faulty_disk_cut(disk, lose_all, NULL, 0)
                        : faulty_disk_cut_random(disk, pick(w, UINT64_MAX));
}

/* Before each change of the disk: it may be caught in the middle of something. */
static void before_change(void *ctx)
{
    struct world *w = ctx;
    if (w->doom_in == 0 || --w->doom_in > 0 || w->caught)
        return;
    w->caught = chance(w, 2) ? faulty_disk_copy(w->disk) : world_cut_power(w, w->disk);
}

void world_replace_disk(struct world *w, struct faulty_disk *disk)
{
    faulty_disk_free(w->disk);
    w->disk = disk;
    faulty_disk_hook(disk, before_change, w);
}

/* The embedded store, from what is on the disk. Returns the last mutation it has. */
static uint64_t open_store(struct world *w, struct disk *d, struct embedded **ret,
                           struct recovery_report *report)
{
    int r = embedded_open(ret, &w->store_config, d, wall(w), report);
    CHECK(w, r == 0, "recovery says %d: %s, %s at %" PRIu64, r,
          report->problem ? report->problem : "", report->file, report->offset);
    return wal_last_lsn(embedded_wal(*ret)) - 1; /* the last is the open record */
}

void world_look_deeper(struct world *w)
{
    struct faulty_disk *copy = faulty_disk_cut(w->disk, lose_all, NULL, 0);
    struct embedded *store;
    struct recovery_report report;
    uint64_t last = open_store(w, faulty_disk(copy), &store, &report);
    last = last < w->model.lsn ? last : w->model.lsn;
    CHECK(w, last >= w->model.told,
          "mutation %" PRIu64 " was told, a power cut leaves %" PRIu64, w->model.told, last);
    model_compare(&w->model, store, wall(w), last);
    embedded_free(store);
    faulty_disk_free(copy);
}

/* What recovery has left on the disk, as of a mutation? A copy of it is looked at: who looks
 * removes what has expired. */
static void compare_copy(struct world *w, uint64_t last)
{
    struct faulty_disk *copy = faulty_disk_copy(w->disk);
    struct embedded *store;
    struct recovery_report report;
    open_store(w, faulty_disk(copy), &store, &report);
    model_compare(&w->model, store, wall(w), last);
    embedded_free(store);
    faulty_disk_free(copy);
}

/* What recovery counts past the model's last mutation are marks of the log's own. */
void world_recover(struct world *w, bool in_good_order)
{
    uint64_t last = w->model.lsn;
    for (;;) {
        struct recovery_report report;
        w->doom_in = chance(w, 3) ? 1 + pick(w, 12) : 0;
        uint64_t found = open_store(w, faulty_disk(w->disk), &w->store, &report);
        w->doom_in = 0;
        CHECK(w, found >= w->model.told,
              "mutation %" PRIu64 " was told, and is lost: %" PRIu64 " are left", w->model.told,
              found);
        CHECK(w, !in_good_order || (report.closed && !report.cut && found >= last),
              "the log was closed, and is not");
        last = found < last ? found : last;
        SAY(w, "recovered %" PRIu64 " of %" PRIu64 "%s", last, w->model.lsn,
            w->caught ? ", and crashed again" : "");
        compare_copy(w, last);
        if (!w->caught)
            break;
        in_good_order = false;
        embedded_free(w->store);
        world_replace_disk(w, w->caught);
        w->caught = NULL;
    }
    w->model.wall = wall(w).ms;
    model_recover(&w->model, last, w->store);
}

bool world_close_store(struct world *w)
{
    struct wal *wal = embedded_wal(w->store);
    embedded_close(w->store, wall(w));
    if (w->log == LOG_SLEEPS)
        w->log = LOG_AWAKE;
    for (int i = 0; i < 1000 && wal_state(wal) != WAL_CLOSED; i++) {
        world_log_step(w);
        model_mark(&w->model, w->store);
        if (chance(w, 4))
            world_upkeep_step(w);
    }
    CHECK(w, wal_state(wal) == WAL_CLOSED, "the log does not close");
    if (w->caught)
        return false;
    w->model.told = w->model.lsn;
    int r = embedded_finish(w->store, wall(w));
    SAY(w, "the last checkpoint: %d", r);
    check_checkpoint(w, r, false);
    return !w->caught;
}

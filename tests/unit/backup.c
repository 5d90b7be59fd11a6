#include "store/backup.h"

#include "store/embedded.h"

#include "support/faulty_disk.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A store that counts: the key "n" holds how many mutations there were, and so does one key of
 * each. Its disk is watched: before a call of it a whole checkpoint may come between. */
struct world {
    struct disk disk; /* first: a disk is its world */
    struct faulty_disk *inner;
    struct embedded *e;
    struct instant clock;
    uint64_t count;
    long calls_left; /* until a checkpoint comes between; negative: none does */
    bool every_time; /* ... and one before each call from then on */
    bool is_busy;
};

static const struct embedded_config small = {.durability = EMBEDDED_COMMIT,
                                             .secret = 1,
                                             .segment_first_bytes = 512,
                                             .segment_bytes_max = 1024,
                                             .buffered_bytes_max = 4096,
                                             .checkpoint_bytes = 1u << 30};

static struct disk *inner(struct disk *d)
{
    return faulty_disk(((struct world *)(void *)d)->inner);
}

static void mutate(struct world *w);
static void pump(struct world *w);
static void save(struct world *w);

static void come_between(struct disk *d)
{
    struct world *w = (struct world *)(void *)d;
    if (w->is_busy || w->calls_left < 0 || w->calls_left-- > 0)
        return;
    if (w->every_time)
        w->calls_left = 0;
    w->is_busy = true;
    for (int i = 0; i < 30; i++)
        mutate(w);
    save(w);
    w->is_busy = false;
}

static int spy_open(struct disk *d, const char *name, bool create, struct disk_file **ret)
{
    come_between(d);
    return disk_open(inner(d), name, create, ret);
}

static void spy_close(struct disk *d, struct disk_file *f)
{
    disk_close(inner(d), f);
}

static int spy_size(struct disk *d, struct disk_file *f, uint64_t *ret)
{
    come_between(d);
    return disk_size(inner(d), f, ret);
}

static int spy_read(struct disk *d, struct disk_file *f, uint64_t at, void *to, size_t n,
                    size_t *ret_read)
{
    come_between(d);
    return disk_read(inner(d), f, at, to, n, ret_read);
}

static int spy_write(struct disk *d, struct disk_file *f, uint64_t at, const void *from,
                     size_t n)
{
    return disk_write(inner(d), f, at, from, n);
}

static int spy_zero(struct disk *d, struct disk_file *f, uint64_t from, uint64_t to)
{
    return disk_zero(inner(d), f, from, to);
}

static int spy_append(struct disk *d, struct disk_file *f, uint64_t at, const void *from,
                      size_t n, bool sync)
{
    return disk_append(inner(d), f, at, from, n, sync);
}

static int spy_sync(struct disk *d, struct disk_file *f)
{
    return disk_sync(inner(d), f);
}

static int spy_rename(struct disk *d, const char *from, const char *to)
{
    return disk_rename(inner(d), from, to);
}

static int spy_remove(struct disk *d, const char *name)
{
    return disk_remove(inner(d), name);
}

static int spy_sync_folder(struct disk *d)
{
    return disk_sync_folder(inner(d));
}

static int spy_list(struct disk *d, int (*each)(void *ctx, const char *name), void *ctx)
{
    come_between(d);
    return disk_list(inner(d), each, ctx);
}

static const struct disk_ops spy = {
    .open = spy_open,
    .close = spy_close,
    .size = spy_size,
    .read = spy_read,
    .write = spy_write,
    .zero = spy_zero,
    .append = spy_append,
    .sync = spy_sync,
    .rename = spy_rename,
    .remove = spy_remove,
    .sync_folder = spy_sync_folder,
    .list = spy_list,
};

/* ---- the store */

static void begin(struct world *w)
{
    struct recovery_report report;
    *w = (struct world){
        .disk = {&spy}, .inner = faulty_disk_new(), .clock = {1}, .calls_left = -1};
    assert_int_equal(embedded_open(&w->e, &small, &w->disk, (struct walltime){1000}, &report),
                     0);
    pump(w);
}

static void end(struct world *w)
{
    embedded_free(w->e);
    faulty_disk_free(w->inner);
}

static void pump(struct world *w)
{
    struct instant deadline;
    do
        while (embedded_segment_step(w->e, w->clock, &deadline) == 0)
            ;
    while (embedded_log_step(w->e, w->clock, &deadline) == 0);
}

static int put_both(void *ctx, struct store_slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        slots[i].verdict = STORE_PUT;
    return 0;
}

/* Not on disk yet. */
static int try_mutate(struct world *w)
{
    char number[16], key[16];
    snprintf(number, sizeof number, "%lu", (unsigned long)w->count + 1);
    snprintf(key, sizeof key, "k%lu", (unsigned long)w->count % 16);
    struct store_slot slots[2] = {
        {.key = bytes_from_str("n"), .value = bytes_from_str(number)},
        {.key = bytes_from_str(key), .value = bytes_from_str(number)}};
    uint64_t lsn;
    return store_update(embedded_store(w->e), STORE_USER, slots, 2, (struct walltime){1000},
                        put_both, NULL, &lsn);
}

static void mutate(struct world *w)
{
    int r;
    while ((r = try_mutate(w)) == STORE_BUSY)
        pump(w);
    assert_int_equal(r, 0);
    w->count++;
}

/* A whole checkpoint, segments dropped. */
static void save(struct world *w)
{
    struct instant deadline;
    struct store_saved saved;
    store_save(embedded_store(w->e));
    do {
        pump(w);
        embedded_upkeep_step(w->e, w->clock, (struct walltime){1000}, &deadline);
        store_saved(embedded_store(w->e), &saved);
        w->clock.ns += 10000000;
    } while (saved.running);
    assert_int_equal(saved.error, 0);
}

/* ---- what a backup gives back */

static void copy_file(struct backup *b, size_t i, struct faulty_disk *to)
{
    size_t count;
    const struct backup_file *f = &backup_files(b, &count)[i];
    uint8_t *data = calloc(1, (size_t)f->size + 1);
    assert_non_null(data);
    size_t piece = 100;
    for (uint64_t at = 0; at < f->bytes; at += piece) {
        piece = f->bytes - at < 100 ? (size_t)(f->bytes - at) : 100;
        assert_int_equal(backup_read(b, i, at, data + at, piece), 0);
    }
    assert_int_equal(backup_read(b, i, f->size, data, 1), -EIO);
    faulty_disk_put(to, f->name, data, (size_t)f->size);
    free(data);
}

static void see(void *ctx, const struct store_value *value)
{
    char text[16] = "";
    memcpy(text, value->bytes.data, value->bytes.len);
    *(uint64_t *)ctx = strtoul(text, NULL, 10);
}

static uint64_t number_in(struct store *s, const char *key)
{
    uint64_t lsn, n = 0;
    store_get(s, STORE_USER, bytes_from_str(key), (struct walltime){1000}, see, &n, &lsn);
    return n;
}

/* The copy is the table as it was after some mutation: returns which. */
static uint64_t recovered_count(struct faulty_disk *copy)
{
    struct embedded *e;
    struct recovery_report report;
    int r = embedded_open(&e, &small, faulty_disk(copy), (struct walltime){1000}, &report);
    if (r != 0)
        fail_msg("%s at %lu: %s", report.file, (unsigned long)report.offset, report.problem);
    uint64_t n = number_in(embedded_store(e), "n");
    for (uint64_t i = n > 16 ? n - 16 : 0; i < n; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%lu", (unsigned long)i % 16);
        assert_int_equal(number_in(embedded_store(e), key), i + 1);
    }
    embedded_free(e);
    return n;
}

static struct backup *ask(struct world *w)
{
    struct backup *b;
    assert_int_equal(store_backup(embedded_store(w->e), &b), 0);
    return b;
}

static uint64_t restore(struct backup *b)
{
    struct faulty_disk *copy = faulty_disk_new();
    size_t count;
    backup_files(b, &count);
    for (size_t i = 0; i < count; i++)
        copy_file(b, i, copy);
    uint64_t n = recovered_count(copy);
    faulty_disk_free(copy);
    return n;
}

/* ---- tests */

static void test_it_is_the_store_as_it_was(void **state)
{
    struct world w;
    begin(&w);
    for (int i = 0; i < 200; i++) {
        mutate(&w);
        pump(&w);
        if (i % 50 == 49)
            save(&w);
        struct backup *b = ask(&w);
        assert_int_equal(backup_ready(b), 0);
        assert_int_equal(backup_open(b), 0);
        assert_int_equal(restore(b), w.count);
        backup_free(b);
    }
    end(&w);
    backup_free(NULL);
}

static void test_a_segment_that_is_not_there_is_missed(void **state)
{
    struct world w;
    begin(&w);
    for (int i = 0; i < 50; i++) {
        mutate(&w);
        pump(&w);
    }
    struct backup *b = ask(&w);
    assert_int_equal(backup_open(b), 0);
    size_t count;
    const struct backup_file *files = backup_files(b, &count);
    assert_true(count > 3);
    char middle[DISK_NAME_BYTES];
    memcpy(middle, files[count / 2].name, sizeof middle);
    backup_free(b);
    assert_int_equal(disk_remove(faulty_disk(w.inner), middle), 0);
    b = ask(&w);
    assert_int_equal(backup_open(b), -ENOENT);
    backup_free(b);
    end(&w);
}

static void test_it_waits_until_what_was_said_is_written(void **state)
{
    struct world w;
    begin(&w);
    mutate(&w);
    struct backup *b = ask(&w);
    assert_int_equal(backup_ready(b), WAL_BUSY);
    pump(&w);
    mutate(&w);
    assert_int_equal(backup_ready(b), 0); /* what came later is nothing to wait for */
    assert_int_equal(backup_open(b), 0);
    assert_int_equal(backup_lsn(b), wal_last_lsn(embedded_wal(w.e)) - 1);
    assert_int_equal(restore(b), 1);
    backup_free(b);
    end(&w);
}

static void test_what_comes_later_is_not_in_it(void **state)
{
    struct world w;
    begin(&w);
    for (int i = 0; i < 50; i++)
        mutate(&w);
    pump(&w);
    struct backup *b = ask(&w);
    assert_int_equal(backup_open(b), 0);
    for (int i = 0; i < 100; i++)
        mutate(&w);
    save(&w);
    mutate(&w);
    save(&w); /* every file of the backup is gone from the folder */
    assert_int_equal(restore(b), 50);
    backup_free(b);
    end(&w);
}

static void test_a_checkpoint_may_come_between_any_two_steps(void **state)
{
    bool came = true;
    for (long calls = 0; came; calls++) {
        struct world w;
        begin(&w);
        for (int i = 0; i < 40; i++)
            mutate(&w);
        if (calls % 2)
            save(&w);
        pump(&w);
        struct backup *b = ask(&w);
        w.calls_left = calls / 2;
        assert_int_equal(backup_open(b), 0);
        came = w.calls_left < 0;
        w.calls_left = -1;
        uint64_t n = restore(b);
        assert_in_range(n, 40, w.count);
        backup_free(b);
        end(&w);
        if (calls > 1000)
            fail();
    }
}

static void test_checkpoints_without_end(void **state)
{
    struct world w;
    begin(&w);
    for (int i = 0; i < 40; i++)
        mutate(&w);
    pump(&w);
    struct backup *b = ask(&w);
    w.calls_left = 0;
    w.every_time = true;
    assert_int_equal(backup_open(b), -EBUSY);
    w.calls_left = -1;
    assert_int_equal(backup_open(b), 0);
    assert_int_equal(restore(b), w.count);
    backup_free(b);
    end(&w);
}

static void test_after_a_failed_sync_there_is_none(void **state)
{
    struct world w;
    begin(&w);
    mutate(&w);
    faulty_disk_fail(w.inner, 1, EIO);
    pump(&w);
    struct backup *b = ask(&w);
    assert_int_equal(backup_ready(b), -EIO);
    backup_free(b);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_the_store_as_it_was),
        cmocka_unit_test(test_a_segment_that_is_not_there_is_missed),
        cmocka_unit_test(test_it_waits_until_what_was_said_is_written),
        cmocka_unit_test(test_what_comes_later_is_not_in_it),
        cmocka_unit_test(test_a_checkpoint_may_come_between_any_two_steps),
        cmocka_unit_test(test_checkpoints_without_end),
        cmocka_unit_test(test_after_a_failed_sync_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

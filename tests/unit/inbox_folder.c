#include "io/inbox_folder.h"

#include "scratch.h"

#include <linux/landlock.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const struct random_id id = {.bytes = {1, 2, 3}};

/* ---- the kernel's failures, in place of the C library's calls ---- */

static int fsync_error, renameat2_error;

/* No power is lost here: it counts that they are called. */
static unsigned fsyncs, fdatasyncs, syncfses;

int fsync(int fd)
{
    fsyncs++;
    errno = fsync_error;
    return fsync_error ? -1 : 0;
}

int fdatasync(int fd)
{
    fdatasyncs++;
    return 0;
}

int syncfs(int fd)
{
    syncfses++;
    return 0;
}

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
    errno = renameat2_error;
    return renameat2_error ? -1 : (int)syscall(SYS_renameat2, from, name, to, new_name, flags);
}

/* What happens in between opening a journal and locking it, once. */
static void (*before_flock)(void);

int flock(int fd, int operation)
{
    void (*happens)(void) = before_flock;
    before_flock = NULL;
    if (happens)
        happens();
    return (int)syscall(SYS_flock, fd, operation);
}

/* Whoever this process is, or somebody else. */
static uid_t other_uid;

uid_t geteuid(void)
{
    return (uid_t)syscall(SYS_geteuid) + other_uid;
}

/* ---- an inbox, and entries ---- */

static void open_inbox(struct scratch *s, struct inbox_folder *f, enum inbox_rule rule)
{
    assert_int_equal(inbox_folder_open(f, s->fd, &id, rule), 0);
}

/* Where something of this transfer is staged. */
static const char *staged(char out[128], const char *what)
{
    char text[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(text, &id);
    snprintf(out, 128, ".kith/%s/%s", text, what);
    return out;
}

static struct transfer_entry entry(uint64_t number, enum transfer_kind kind, unsigned depth,
                                   struct bytes name)
{
    return (struct transfer_entry){.number = number,
                                   .kind = kind,
                                   .depth = depth,
                                   .seconds = 1000000000 + (int64_t)number,
                                   .nanoseconds = 5000,
                                   .name = name};
}

static struct transfer_entry file(uint64_t number, unsigned depth, const char *name)
{
    return entry(number, TRANSFER_FILE, depth, bytes_from_str(name));
}

static struct transfer_entry folder(uint64_t number, unsigned depth, const char *name)
{
    return entry(number, TRANSFER_FOLDER, depth, bytes_from_str(name));
}

static void stage(struct inbox *i, const struct transfer_entry *e, const char *content)
{
    assert_int_equal(i->ops->stage(i, e->number, true), 0);
    assert_int_equal(i->ops->write(i, 0, bytes_from_str(content)), 0);
    assert_int_equal(i->ops->complete(i, e, strlen(content)), 0);
}

static int place(struct inbox *i, struct transfer_entry e)
{
    return i->ops->place(i, &e);
}

/* One file from first to last. */
static int publish_file(struct inbox *i, struct bytes name, char *ret_name)
{
    struct transfer_entry e = entry(7, TRANSFER_FILE, 0, name);
    stage(i, &e, "new");
    assert_int_equal(i->ops->place(i, &e), 0);
    assert_int_equal(i->ops->placed(i), 0);
    return i->ops->publish(i, name, ret_name);
}

static void expect_published(struct scratch *s, struct inbox *i, struct bytes name,
                             const char *want)
{
    char got[NAME_MAX + 1];
    assert_int_equal(publish_file(i, name, got), 0);
    assert_string_equal(got, want);
    scratch_expect(s, want, BYTES("new"));
}

/* ---- staged ---- */

static void test_content_is_staged_by_number(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    uint8_t got[16];
    size_t n;
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(scratch_stat(s, ".kith").st_mode, S_IFDIR | 0700);
    assert_int_equal(scratch_stat(s, staged(path, "")).st_mode, S_IFDIR | 0700);
    assert_int_equal(i->ops->stage(i, UINT64_MAX, false), 0);
    assert_int_equal(i->ops->write(i, 3, BYTES("abc")), 0);
    assert_int_equal(i->ops->stage(i, 2, false), 0);
    assert_int_equal(i->ops->write(i, 0, BYTES("two")), 0);
    assert_int_equal(i->ops->stage(i, UINT64_MAX, false), 0);
    assert_int_equal(i->ops->read(i, 1, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("\0\0abc"));
    assert_int_equal(i->ops->read(i, 6, got, sizeof got, &n), 0);
    assert_int_equal(n, 0);
    scratch_expect(s, staged(path, "content/18446744073709551615"), BYTES("\0\0\0abc"));
    assert_int_equal(i->ops->stage(i, 2, true), 0);
    scratch_expect(s, staged(path, "content/2"), BYTES(""));
    assert_int_equal(i->ops->drop(i, 2), 0);
    assert_int_equal(i->ops->drop(i, 2), INBOX_NONE);
    assert_int_equal(i->ops->stage(i, 2, false), 0);
    inbox_folder_close(&f);
}

static void check_times(struct scratch *s, const char *path, int64_t seconds)
{
    struct stat st = scratch_stat(s, path);
    assert_int_equal(st.st_mtim.tv_sec, seconds);
    assert_int_equal(st.st_mtim.tv_nsec, 5000);
}

static void test_complete_files_have_mode_and_times(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    static const struct {
        mode_t umask, plain, executable;
    } tests[] = {{022, 0644, 0755}, {077, 0600, 0700}, {0, 0666, 0777}, {0777, 0600, 0700}};
    for (size_t t = 0; t < COUNT_OF(tests); t++) {
        mode_t before = umask(tests[t].umask);
        open_inbox(s, &f, INBOX_RENAME);
        struct transfer_entry e = file(1, 0, "a"), x = file(2, 0, "x");
        x.executable = true;
        stage(i, &e, "abc");
        stage(i, &x, "abc");
        umask(before);
        assert_int_equal(scratch_stat(s, staged(path, "content/1")).st_mode,
                         S_IFREG | tests[t].plain);
        assert_int_equal(scratch_stat(s, staged(path, "content/2")).st_mode,
                         S_IFREG | tests[t].executable);
        check_times(s, staged(path, "content/2"), 1000000002);
        assert_int_equal(i->ops->stage(i, 1, false), 0); /* it can be mended still */
        assert_int_equal(i->ops->write(i, 0, BYTES("A")), 0);
        scratch_expect(s, staged(path, "content/1"), BYTES("Abc"));
        assert_int_equal(i->ops->clear(i), 0);
        inbox_folder_close(&f);
    }
}

static void test_holes_are_holes(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    const uint64_t size = 8 << 20;
    open_inbox(s, &f, INBOX_RENAME);
    struct transfer_entry e = file(1, 0, "a");
    assert_int_equal(i->ops->stage(i, 1, true), 0);
    assert_int_equal(i->ops->write(i, size / 2, BYTES("middle")), 0);
    assert_int_equal(i->ops->complete(i, &e, size), 0);
    struct stat st = scratch_stat(s, staged(path, "content/1"));
    assert_int_equal(st.st_size, size);
    assert_true((uint64_t)st.st_blocks * 512 < size / 2);
    assert_int_equal(i->ops->stage(i, 1, false), 0);
    assert_int_equal(i->ops->complete(i, &e, 5), 0); /* what is too much goes */
    assert_int_equal(scratch_stat(s, path).st_size, 5);
    uint64_t room;
    assert_int_equal(i->ops->room(i, &room), 0);
    assert_true(room > 0);
    inbox_folder_close(&f);
}

static void test_the_journal_stays(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    uint8_t got[16];
    size_t n;
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(i->ops->journal_append(i, BYTES("one")), 0);
    assert_int_equal(i->ops->journal_append(i, BYTES("two")), 0);
    assert_int_equal(i->ops->sync(i), 0);
    inbox_folder_close(&f);
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(i->ops->journal_append(i, BYTES("three")), 0);
    assert_int_equal(i->ops->journal_read(i, 1, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("netwothree"));
    assert_int_equal(i->ops->journal_cut(i, 4), 0);
    assert_int_equal(i->ops->journal_cut(i, 100), 0);
    assert_int_equal(i->ops->journal_append(i, BYTES("!")), 0);
    assert_int_equal(i->ops->journal_read(i, 0, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("onet!"));
    assert_int_equal(i->ops->journal_read(i, 5, got, sizeof got, &n), 0);
    assert_int_equal(n, 0);
    inbox_folder_close(&f);
}

/* Content that is not said to be there is of no use, and in the way of what comes. */
static void test_without_a_journal_nothing_counts(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    struct transfer_entry e = file(1, 0, "a");
    open_inbox(s, &f, INBOX_RENAME);
    stage(i, &e, "abc");
    assert_int_equal(i->ops->place(i, &e), 0);
    stage(i, &e, "abc");
    inbox_folder_close(&f);
    open_inbox(s, &f, INBOX_RENAME);
    assert_false(scratch_has(s, staged(path, "tree/a")));
    assert_false(scratch_has(s, staged(path, "content/1")));
    inbox_folder_close(&f);
}

/* ---- safe ---- */

static void test_what_could_not_be_synced_is_forgotten(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    uint8_t got[16];
    size_t n;
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(i->ops->journal_append(i, BYTES("safe")), 0);
    assert_int_equal(i->ops->sync(i), 0);
    assert_int_equal(i->ops->stage(i, 1, true), 0);
    assert_int_equal(i->ops->write(i, 0, BYTES("lost")), 0);
    assert_int_equal(i->ops->journal_append(i, BYTES("lost")), 0);
    fsync_error = EIO;
    assert_int_equal(i->ops->sync(i), -EIO);
    fsync_error = 0;
    assert_int_equal(i->ops->journal_read(i, 0, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("safe"));
    inbox_folder_close(&f);
}

/* One by one, and all at once; those that are open, closed, dropped and in their places. */
static void test_few_and_many_files_are_synced(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128], name[16];
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(i->ops->sync(i), 0); /* the staging itself */
    fsyncs = fdatasyncs = syncfses = 0;
    assert_int_equal(i->ops->sync(i), 0);
    assert_int_equal(fsyncs + fdatasyncs + syncfses, 0);
    for (uint64_t n = 0; n < 3 * INBOX_FOLDER_SYNCED_ALONE; n++) {
        snprintf(name, sizeof name, "f%d", (int)n);
        struct transfer_entry e = file(n, 0, name);
        stage(i, &e, "abc");
        assert_int_equal(f.unsynced_many, n >= INBOX_FOLDER_SYNCED_ALONE);
    }
    assert_int_equal(i->ops->journal_append(i, BYTES("all")), 0);
    assert_int_equal(i->ops->sync(i), 0);
    assert_int_equal(syncfses, 1);
    assert_int_equal(fsyncs, 4); /* the folders above */
    assert_int_equal(fdatasyncs, 1);
    assert_int_equal(f.unsynced_count, 0);
    assert_false(f.unsynced_many);
    assert_int_equal(i->ops->stage(i, 0, false), 0);
    assert_int_equal(i->ops->write(i, 0, BYTES("x")), 0);
    assert_int_equal(i->ops->write(i, 1, BYTES("x")), 0);
    assert_int_equal(i->ops->stage(i, 0, false), 0);
    assert_int_equal(i->ops->write(i, 2, BYTES("x")), 0);
    assert_int_equal(f.unsynced_count, 1);
    assert_int_equal(i->ops->stage(i, 1, true), 0);
    assert_int_equal(i->ops->drop(i, 1), 0);
    assert_int_equal(i->ops->sync(i), 0);
    assert_int_equal(fsyncs, 4 + 1 + 4); /* that one file, and the folders */
    assert_int_equal(syncfses, 1);
    assert_int_equal(f.unsynced_count, 0);
    stage(i, &(struct transfer_entry){.number = 0}, "xyz");
    assert_int_equal(place(i, file(0, 0, "f0")), 0);
    assert_true(f.unsynced_many); /* its number leads to it no more */
    assert_int_equal(i->ops->sync(i), 0);
    scratch_expect(s, staged(path, "tree/f0"), BYTES("xyz"));
    inbox_folder_close(&f);
}

static void test_one_process_at_a_time(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f, g;
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(inbox_folder_open(&g, s->fd, &id, INBOX_RENAME), INBOX_FOLDER_BUSY);
    const struct random_id other = {.bytes = {9}};
    assert_int_equal(inbox_folder_open(&g, s->fd, &other, INBOX_RENAME), 0);
    assert_int_equal(g.inbox.ops->clear(&g.inbox), 0);
    inbox_folder_close(&g);
    assert_true(scratch_has(s, ".kith")); /* the first is there still */
    assert_int_equal(f.inbox.ops->clear(&f.inbox), 0);
    assert_int_equal(inbox_folder_open(&g, s->fd, &id, INBOX_RENAME), 0); /* made anew */
    assert_int_equal(g.inbox.ops->stage(&g.inbox, 1, true), 0);
    inbox_folder_close(&f);
    inbox_folder_close(&g);
}

static struct inbox_folder cleared;

static void clear_it(void)
{
    assert_int_equal(cleared.inbox.ops->clear(&cleared.inbox), 0);
    inbox_folder_close(&cleared);
}

/* As far as a process comes that is ended then. */
static void begin_to_clear_it(void)
{
    assert_int_equal(unlinkat(cleared.staging_fd, "journal", 0), 0);
    inbox_folder_close(&cleared);
}

/* Another process clears the staging while it is opened: it is made anew. */
static void test_a_staging_that_goes_away_is_made_anew(void **state)
{
    static void (*const ways[])(void) = {clear_it, begin_to_clear_it};
    struct scratch *s = *state;
    struct inbox_folder f;
    char path[128];
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        open_inbox(s, &cleared, INBOX_RENAME);
        before_flock = ways[i];
        open_inbox(s, &f, INBOX_RENAME);
        assert_true(scratch_has(s, staged(path, "journal")));
        inbox_folder_close(&f);
    }
}

/* ---- in their places ---- */

static void place_tree(struct inbox *i, int want_file)
{
    assert_int_equal(place(i, folder(0, 0, "top")), 0);
    assert_int_equal(place(i, folder(1, 1, "a")), 0);
    assert_int_equal(place(i, file(2, 2, "x")), want_file);
    assert_int_equal(place(i, folder(3, 2, "deep")), 0);
    assert_int_equal(place(i, file(4, 1, "y")), want_file);
    assert_int_equal(place(i, folder(5, 1, "empty")), 0);
    assert_int_equal(place(i, file(6, 0, "z")), want_file);
    assert_int_equal(i->ops->placed(i), 0);
}

static void stage_tree(struct inbox *i)
{
    struct transfer_entry x = file(2, 2, "x"), y = file(4, 1, "y"), z = file(6, 0, "z");
    stage(i, &x, "x");
    stage(i, &y, "y");
    stage(i, &z, "z");
    assert_int_equal(i->ops->journal_append(i, BYTES("all")), 0);
    assert_int_equal(i->ops->sync(i), 0);
}

static void check_tree(struct scratch *s)
{
    scratch_expect(s, "top/a/x", BYTES("x"));
    scratch_expect(s, "top/y", BYTES("y"));
    scratch_expect(s, "z", BYTES("z"));
    check_times(s, "top", 1000000000);
    check_times(s, "top/a", 1000000001);
    check_times(s, "top/a/x", 1000000002);
    check_times(s, "top/a/deep", 1000000003);
    check_times(s, "top/empty", 1000000005);
    check_times(s, "z", 1000000006);
}

static void test_a_tree_is_built_and_published(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char name[NAME_MAX + 1];
    mode_t before = umask(027);
    open_inbox(s, &f, INBOX_REFUSE);
    assert_int_equal(i->ops->check_name(i, BYTES("top")), 0);
    stage_tree(i);
    syncfses = 0;
    place_tree(i, 0);
    assert_true(syncfses > 0);
    fsyncs = 0;
    assert_int_equal(i->ops->publish(i, BYTES("top"), name), 0);
    assert_string_equal(name, "top");
    assert_int_equal(i->ops->publish(i, BYTES("z"), name), 0);
    assert_int_equal(fsyncs, 2);
    assert_int_equal(i->ops->publish(i, BYTES("z"), name), INBOX_NONE);
    umask(before);
    check_tree(s);
    assert_int_equal(scratch_stat(s, "top/a").st_mode, S_IFDIR | 0750);
    assert_int_equal(scratch_stat(s, "top/a/x").st_mode, S_IFREG | 0640);
    assert_int_equal(i->ops->clear(i), 0);
    inbox_folder_close(&f);
    assert_false(scratch_has(s, ".kith"));
}

/* A process that ends after so many steps; another does all of them again. */
static void finish_after(struct scratch *s, unsigned steps)
{
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char name[NAME_MAX + 1];
    const struct transfer_entry entries[] = {
        folder(0, 0, "top"), folder(1, 1, "a"),     file(2, 2, "x"), folder(3, 2, "deep"),
        file(4, 1, "y"),     folder(5, 1, "empty"), file(6, 0, "z")};
    open_inbox(s, &f, INBOX_RENAME);
    for (size_t n = 0; n < COUNT_OF(entries) && n < steps; n++) {
        int r = i->ops->place(i, &entries[n]);
        assert_true(r == 0 || (r == INBOX_NONE && entries[n].kind == TRANSFER_FILE));
    }
    if (steps > COUNT_OF(entries))
        assert_int_equal(i->ops->placed(i), 0);
    if (steps > COUNT_OF(entries) + 1)
        assert_in_range(i->ops->publish(i, BYTES("top"), name), 0, INBOX_NONE);
    if (steps > COUNT_OF(entries) + 2)
        assert_in_range(i->ops->publish(i, BYTES("z"), name), 0, INBOX_NONE);
    inbox_folder_close(&f);
}

static void test_what_a_crash_leaves_is_finished(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char name[NAME_MAX + 1];
    for (unsigned steps = 0; steps < 9; steps++) {
        open_inbox(s, &f, INBOX_RENAME);
        stage_tree(&f.inbox);
        inbox_folder_close(&f);
        finish_after(s, steps);
        finish_after(s, 10);
        check_tree(s);
        open_inbox(s, &f, INBOX_RENAME);
        assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("z"), name), INBOX_NONE);
        assert_int_equal(f.inbox.ops->clear(&f.inbox), 0);
        inbox_folder_close(&f);
        assert_int_equal(beneath_empty(s->fd, ""), 0);
    }
}

/* What was published stays so; of what was not, the rest is. */
static void test_a_crash_between_two_that_are_published(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char name[NAME_MAX + 1];
    open_inbox(s, &f, INBOX_RENAME);
    stage_tree(&f.inbox);
    inbox_folder_close(&f);
    finish_after(s, 9);
    assert_true(scratch_has(s, "top"));
    assert_false(scratch_has(s, "z"));
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("top"), name), INBOX_NONE);
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("z"), name), 0);
    inbox_folder_close(&f);
    check_tree(s);
}

/* On a file system without such renames a file has two names for a moment. */
static void test_a_crash_between_link_and_unlink(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char path[128], tree[128], name[NAME_MAX + 1];
    open_inbox(s, &f, INBOX_RENAME);
    stage_tree(&f.inbox);
    renameat2_error = EINVAL;
    assert_int_equal(linkat(s->fd, staged(path, "content/6"), s->fd, staged(tree, "tree/z"), 0),
                     0);
    place_tree(&f.inbox, 0);
    assert_false(scratch_has(s, path));
    assert_int_equal(linkat(s->fd, tree, s->fd, "z", 0), 0);
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("z"), name), 0);
    assert_string_equal(name, "z");
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("top"), name), 0);
    renameat2_error = 0;
    inbox_folder_close(&f);
    check_tree(s);
    assert_int_equal(scratch_stat(s, "z").st_nlink, 1);
}

static void test_two_of_one_place(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    open_inbox(s, &f, INBOX_RENAME);
    stage_tree(i);
    assert_int_equal(place(i, file(2, 0, "same")), 0);
    assert_int_equal(place(i, file(4, 0, "same")), INBOX_TAKEN);
    assert_int_equal(place(i, folder(8, 0, "same")), INBOX_TAKEN);
    assert_int_equal(place(i, folder(8, 0, "dir")), 0);
    assert_int_equal(place(i, file(4, 0, "dir")), INBOX_TAKEN);
    assert_int_equal(place(i, file(99, 0, "never staged")), -ENOENT);
    inbox_folder_close(&f);
}

/* ---- made in their places ---- */

enum { ALONE = INBOX_FOLDER_SYNCED_ALONE + 1 };

static int begin(struct inbox *i, struct transfer_entry e)
{
    return i->ops->begin(i, &e);
}

/* Of three bytes. */
static void receive_one(struct inbox *i, struct transfer_entry e)
{
    assert_int_equal(begin(i, e), 0);
    assert_int_equal(i->ops->write(i, 0, BYTES("abc")), 0);
    assert_int_equal(i->ops->complete(i, &e, 3), 0);
}

/* As many as are staged by their numbers, in a folder; number 0 is the folder. */
static struct transfer_entry of_many(uint64_t number)
{
    static char name[16];
    snprintf(name, sizeof name, "%u", (unsigned)number);
    return number == 0 ? folder(0, 0, "d") : file(number, 1, name);
}

static void receive_many(struct inbox *i, uint64_t count)
{
    assert_int_equal(i->ops->journal_append(i, BYTES("journal")), 0);
    assert_int_equal(begin(i, of_many(0)), 0);
    for (uint64_t n = 1; n < count; n++)
        receive_one(i, of_many(n));
}

static bool is_staged(struct scratch *s, const char *what)
{
    char path[128];
    return scratch_has(s, staged(path, what));
}

static void test_small_files_are_made_in_their_places(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char got[NAME_MAX + 1];
    struct transfer_entry large = file(ALONE + 1, 1, "large"),
                          twin = file(ALONE + 2, 1, "twin");
    open_inbox(s, &f, INBOX_RENAME);
    receive_many(i, ALONE + 1);
    assert_true(is_staged(s, "content/17"));
    assert_false(is_staged(s, "tree/d/17"));
    large.size = INBOX_FOLDER_PLACED_BYTES + 1;
    receive_one(i, large);
    assert_true(is_staged(s, "content/18"));
    receive_one(i, twin);
    assert_true(is_staged(s, "tree/d/twin"));
    assert_false(is_staged(s, "content/19"));
    twin.number = ALONE + 3; /* of the same name */
    receive_one(i, twin);
    assert_true(is_staged(s, "content/20"));
    assert_int_equal(i->ops->drop(i, ALONE + 3), 0);
    assert_int_equal(i->ops->sync(i), 0);
    receive_one(i, of_many(ALONE + 4));
    assert_true(is_staged(s, "tree/d/21"));
    for (uint64_t n = 0; n <= ALONE + 4; n++) {
        struct transfer_entry e = n == ALONE + 1   ? large
                                  : n == ALONE + 2 ? file(n, 1, "twin")
                                                   : of_many(n);
        if (n != ALONE + 3)
            assert_int_equal(i->ops->place(i, &e), n < ALONE + 2 ? 0 : INBOX_NONE);
    }
    assert_int_equal(i->ops->placed(i), 0);
    assert_int_equal(i->ops->publish(i, BYTES("d"), got), 0);
    scratch_expect(s, "d/1", BYTES("abc"));
    scratch_expect(s, "d/large", BYTES("abc"));
    scratch_expect(s, "d/21", BYTES("abc"));
    check_times(s, "d/21", 1000000021);
    assert_int_equal(scratch_stat(s, "d/21").st_mode, scratch_stat(s, "d/1").st_mode);
    inbox_folder_close(&f);
}

static void test_one_that_was_made_in_its_place_begins_anew_or_goes(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    open_inbox(s, &f, INBOX_RENAME);
    receive_many(i, ALONE + 1);
    assert_int_equal(begin(i, of_many(ALONE + 1)), 0);
    assert_int_equal(i->ops->write(i, 0, BYTES("longer")), 0);
    assert_int_equal(i->ops->stage(i, ALONE + 1, true), 0);
    scratch_expect(s, staged(path, "tree/d/18"), BYTES(""));
    assert_false(is_staged(s, "content/18"));
    assert_int_equal(i->ops->drop(i, ALONE + 1), 0);
    assert_false(is_staged(s, "tree/d/18"));
    inbox_folder_close(&f);
}

/* By the next process; what the journal does not know goes. */
static void test_what_was_made_in_its_place_is_taken_back(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    uint8_t got[16];
    size_t n;
    open_inbox(s, &f, INBOX_RENAME);
    receive_many(i, ALONE + 4);
    inbox_folder_close(&f);
    assert_int_equal(unlinkat(s->fd, staged(path, "tree/d/19"), 0), 0);
    scratch_put_folder(s, staged(path, "tree/d/19"));
    scratch_put(s, staged(path, "tree/d/19/planted"), BYTES("abc"));
    open_inbox(s, &f, INBOX_RENAME);
    for (uint64_t e = 0; e < ALONE + 3; e++) {
        struct transfer_entry known = of_many(e);
        assert_int_equal(i->ops->take_back(i, &known), 0);
    }
    assert_true(is_staged(s, "tree/d/20"));
    assert_true(is_staged(s, "tree/d/19/planted"));
    assert_int_equal(i->ops->take_back(i, NULL), 0);
    assert_false(is_staged(s, "content/19"));
    assert_false(is_staged(s, "tree/d"));
    assert_false(is_staged(s, "content/20"));
    for (uint64_t e = 1; e < ALONE + 2; e++) {
        assert_int_equal(i->ops->stage(i, e, false), 0);
        assert_int_equal(i->ops->read(i, 0, got, sizeof got, &n), 0);
        assert_bytes(bytes_make(got, n), BYTES("abc"));
    }
    for (uint64_t e = 0; e < ALONE + 2; e++)
        assert_int_equal(place(i, of_many(e)), 0);
    inbox_folder_close(&f);
}

/* The folder of what comes was begun by the process before. */
static void test_a_folder_that_is_not_open_is_not_made_in(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    open_inbox(s, &f, INBOX_RENAME);
    receive_many(i, ALONE);
    inbox_folder_close(&f);
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(i->ops->take_back(i, NULL), 0);
    for (uint64_t n = ALONE; n < 3 * ALONE; n++)
        receive_one(i, of_many(n));
    assert_int_equal(begin(i, folder(3 * ALONE, 1, "deeper")), 0);
    assert_false(is_staged(s, "tree/d"));
    assert_false(is_staged(s, "tree/deeper"));
    assert_true(is_staged(s, "content/50"));
    receive_one(i, file(3 * ALONE + 1, 0, "top"));
    assert_true(is_staged(s, "tree/top"));
    inbox_folder_close(&f);
}

static void test_a_name_that_cannot_begin(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(begin(i, file(0, 0, "..")), INBOX_NAME);
    assert_int_equal(begin(i, file(0, 0, "a/b")), INBOX_NAME);
    receive_many(i, ALONE + 2);
    assert_int_equal(begin(i, folder(40, 1, "18")), INBOX_TAKEN); /* a file is there */
    inbox_folder_close(&f);
}

static void test_a_place_that_cannot_be(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    open_inbox(s, &f, INBOX_RENAME);
    stage_tree(i);
    static const char *const names[] = {"", ".", "..", "a/b", "../x", "/etc/passwd"};
    for (size_t n = 0; n < COUNT_OF(names); n++)
        assert_int_equal(place(i, file(2, 0, names[n])), INBOX_NAME);
    assert_int_equal(
        i->ops->place(i, &(struct transfer_entry){.number = 2, .name = BYTES("a\0b")}),
        INBOX_NAME);
    assert_int_equal(place(i, file(2, 1, "x")), -EINVAL); /* there is no folder */
    for (unsigned depth = 0; depth <= LIMIT_TRANSFER_DEPTH; depth++)
        assert_int_equal(place(i, folder(10 + depth, depth, "d")), 0);
    assert_int_equal(place(i, folder(99, LIMIT_TRANSFER_DEPTH + 1, "d")), -EINVAL);
    assert_int_equal(place(i, file(2, LIMIT_TRANSFER_DEPTH, "x")), 0);
    assert_int_equal(i->ops->placed(i), 0);
    inbox_folder_close(&f);
}

/* ---- published ---- */

static void test_names_of_every_kind_are_kept(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char longest[NAME_MAX + 1] = "";
    memset(longest, 'n', NAME_MAX);
    static const char *const names[] = {
        "-rf", " ",   "CON",    "dots..",       "a\nb",  "\xff\xfe", "\x1b[31m", "~",
        "*",   "a:b", "back\\", "\xe2\x80\xae", "$(id)", "'\"",      "nul\x01",
    };
    open_inbox(s, &f, INBOX_REFUSE);
    for (size_t n = 0; n < COUNT_OF(names); n++)
        expect_published(s, &f.inbox, bytes_from_str(names[n]), names[n]);
    expect_published(s, &f.inbox, bytes_from_str(longest), longest);
    for (int c = 1; c < 256; c++) {
        const char name[] = {'b', (char)c, '\0'};
        if (c != '/')
            expect_published(s, &f.inbox, bytes_from_str(name), name);
    }
    inbox_folder_close(&f);
}

static void test_names_that_are_none(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char long_name[NAME_MAX + 1], name[NAME_MAX + 1] = "untouched";
    memset(long_name, 'n', sizeof long_name);
    const struct bytes names[] = {BYTES(""),      BYTES("."),     BYTES(".."),
                                  BYTES(".kith"), BYTES(".KiTh"), BYTES("a/b"),
                                  BYTES("/"),     BYTES("a\0b"),  {(uint8_t *)long_name, 256}};
    open_inbox(s, &f, INBOX_REPLACE);
    for (size_t n = 0; n < COUNT_OF(names); n++) {
        assert_int_equal(f.inbox.ops->check_name(&f.inbox, names[n]), INBOX_NAME);
        assert_int_equal(f.inbox.ops->publish(&f.inbox, names[n], name), INBOX_NAME);
    }
    assert_string_equal(name, "untouched");
    inbox_folder_close(&f);
}

static void test_nothing_that_is_hidden_is_published(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    open_inbox(s, &f, INBOX_REPLACE);
    expect_published(s, &f.inbox, BYTES(".bashrc"), "_bashrc");
    expect_published(s, &f.inbox, BYTES("..."), "_..");
    /* One of the same transfer may have come under that name. */
    expect_published(s, &f.inbox, BYTES("_bashrc"), "_bashrc (2)");
    expect_published(s, &f.inbox, BYTES(".bashrc"), "_bashrc (3)");
    inbox_folder_close(&f);
}

static void test_a_name_that_is_taken_is_refused(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    scratch_put(s, "a.txt", BYTES("old"));
    scratch_put(s, "_x", BYTES("old"));
    assert_int_equal(symlinkat("nowhere", s->fd, "link"), 0);
    open_inbox(s, &f, INBOX_REFUSE);
    assert_int_equal(f.inbox.ops->check_name(&f.inbox, BYTES("a.txt")), INBOX_TAKEN);
    assert_int_equal(f.inbox.ops->check_name(&f.inbox, BYTES("link")), INBOX_TAKEN);
    assert_int_equal(f.inbox.ops->check_name(&f.inbox, BYTES(".x")), INBOX_TAKEN);
    assert_int_equal(f.inbox.ops->check_name(&f.inbox, BYTES("b.txt")), 0);
    assert_false(scratch_has(s, "b.txt"));
    /* It was taken meanwhile. */
    expect_published(s, &f.inbox, BYTES("a.txt"), "a (2).txt");
    expect_published(s, &f.inbox, BYTES("link"), "link (2)");
    scratch_expect(s, "a.txt", BYTES("old"));
    inbox_folder_close(&f);
}

/* n times a, then b. */
static char *repeat(char out[NAME_MAX + 1], const char *a, size_t n, const char *b)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, NAME_MAX + 1 - at, "%s", a);
    snprintf(out + at, NAME_MAX + 1 - at, "%s", b);
    return out;
}

static void test_a_name_that_is_taken_gets_a_number(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char name[NAME_MAX + 1], want[NAME_MAX + 1];
    struct {
        const char *name, *want;
    } tests[] = {
        {"a.txt", "a (2).txt"},       {"a.txt", "a (3).txt"}, {"plain", "plain (2)"},
        {"a.tar.gz", "a.tar (2).gz"}, {"dot.", "dot (2)."},   {"a (2)", "a (2) (2)"},
    };
    open_inbox(s, &f, INBOX_RENAME);
    for (size_t n = 0; n < COUNT_OF(tests); n++) {
        if (!scratch_has(s, tests[n].name))
            scratch_put(s, tests[n].name, BYTES("old"));
        assert_int_equal(f.inbox.ops->check_name(&f.inbox, bytes_from_str(tests[n].name)), 0);
        expect_published(s, &f.inbox, bytes_from_str(tests[n].name), tests[n].want);
        scratch_expect(s, tests[n].name, BYTES("old"));
    }
    /* The longest are shortened, where a character ends; a long end is no extension. */
    scratch_put(s, repeat(name, "n", NAME_MAX, ""), BYTES("old"));
    expect_published(s, &f.inbox, bytes_from_str(name), repeat(want, "n", 251, " (2)"));
    scratch_put(s, repeat(name, "\xc3\xa4", 125, "a.txt"), BYTES("old"));
    expect_published(s, &f.inbox, bytes_from_str(name),
                     repeat(want, "\xc3\xa4", 123, " (2).txt"));
    scratch_put(s, repeat(name, "a. long", 1, " sentence about what is in this file"),
                BYTES("old"));
    expect_published(s, &f.inbox, bytes_from_str(name),
                     "a. long sentence about what is in this file (2)");
    inbox_folder_close(&f);
}

static void test_so_many_of_a_name(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char name[NAME_MAX + 1];
    scratch_put(s, "a", BYTES("old"));
    for (unsigned n = 2; n <= LIMIT_TRANSFER_NUMBERED; n++) {
        snprintf(name, sizeof name, "a (%u)", n);
        assert_int_equal(linkat(s->fd, "a", s->fd, name, 0), 0);
    }
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(publish_file(&f.inbox, BYTES("a"), name), -EEXIST);
    assert_int_equal(unlinkat(s->fd, "a (9999)", 0), 0);
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("a"), name), 0);
    assert_string_equal(name, "a (9999)");
    inbox_folder_close(&f);
}

static void test_a_folder_gets_its_number_at_the_end(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char name[NAME_MAX + 1];
    scratch_put_folder(s, "photos.2024");
    scratch_put(s, "photos.2024/old", BYTES("old"));
    open_inbox(s, &f, INBOX_REPLACE);
    assert_int_equal(place(&f.inbox, folder(0, 0, "photos.2024")), 0);
    assert_int_equal(f.inbox.ops->placed(&f.inbox), 0);
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("photos.2024"), name), 0);
    assert_string_equal(name, "photos.2024 (2)");
    scratch_expect(s, "photos.2024/old", BYTES("old"));
    scratch_put(s, "file.txt", BYTES("old"));
    assert_int_equal(place(&f.inbox, folder(1, 0, "file.txt")), 0);
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("file.txt"), name), 0);
    assert_string_equal(name, "file.txt (2)");
    inbox_folder_close(&f);
}

static void test_a_plain_file_is_replaced_and_nothing_else(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    scratch_put(s, "file", BYTES("old"));
    scratch_put(s, "target", BYTES("old"));
    scratch_put_folder(s, "folder");
    assert_int_equal(symlinkat("target", s->fd, "link"), 0);
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    open_inbox(s, &f, INBOX_REPLACE);
    assert_int_equal(f.inbox.ops->check_name(&f.inbox, BYTES("file")), 0);
    expect_published(s, &f.inbox, BYTES("file"), "file");
    expect_published(s, &f.inbox, BYTES("fresh"), "fresh");
    expect_published(s, &f.inbox, BYTES("folder"), "folder (2)");
    expect_published(s, &f.inbox, BYTES("link"), "link (2)");
    expect_published(s, &f.inbox, BYTES("fifo"), "fifo (2)");
    scratch_expect(s, "target", BYTES("old"));
    assert_true(S_ISLNK(scratch_stat(s, "link").st_mode));
    inbox_folder_close(&f);
}

/* ---- what others have planted ---- */

static void test_a_staging_that_is_a_link_is_refused(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char path[128];
    scratch_put_folder(s, "elsewhere");
    assert_int_equal(symlinkat("elsewhere", s->fd, ".kith"), 0);
    assert_int_equal(inbox_folder_open(&f, s->fd, &id, INBOX_RENAME), -ENOTDIR);
    assert_int_equal(unlinkat(s->fd, ".kith", 0), 0);
    scratch_put(s, ".kith", BYTES("a file"));
    assert_int_equal(inbox_folder_open(&f, s->fd, &id, INBOX_RENAME), -ENOTDIR);
    assert_int_equal(unlinkat(s->fd, ".kith", 0), 0);
    scratch_put_folder(s, ".kith");
    staged(path, "");
    path[strlen(path) - 1] = '\0';
    assert_int_equal(symlinkat("../elsewhere", s->fd, path), 0);
    assert_int_equal(inbox_folder_open(&f, s->fd, &id, INBOX_RENAME), -ENOTDIR);
    assert_false(scratch_has(s, "elsewhere/journal"));
}

static void test_a_staging_of_somebody_else_is_refused(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    open_inbox(s, &f, INBOX_RENAME);
    inbox_folder_close(&f);
    other_uid = 1;
    int r = inbox_folder_open(&f, s->fd, &id, INBOX_RENAME);
    other_uid = 0;
    assert_int_equal(r, -EPERM);
}

static void test_what_lies_in_a_staging_is_not_followed(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(i->ops->journal_append(i, BYTES("x")), 0);
    inbox_folder_close(&f);
    assert_int_equal(unlinkat(s->fd, staged(path, "tree"), AT_REMOVEDIR), 0);
    assert_int_equal(symlinkat("../..", s->fd, path), 0);
    assert_int_equal(inbox_folder_open(&f, s->fd, &id, INBOX_RENAME), -ENOTDIR);
    /* The journal is made anew: it is not theirs that is written to. */
    scratch_put(s, "victim", BYTES("theirs"));
    assert_int_equal(unlinkat(s->fd, staged(path, "journal"), 0), 0);
    assert_int_equal(linkat(s->fd, "victim", s->fd, path, 0), 0);
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(i->ops->journal_append(i, BYTES("ours")), 0);
    scratch_expect(s, "victim", BYTES("theirs"));
    inbox_folder_close(&f);
}

static void test_content_that_was_planted_is_replaced(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    scratch_put(s, "victim", BYTES("theirs"));
    open_inbox(s, &f, INBOX_RENAME);
    assert_int_equal(symlinkat("../../../victim", s->fd, staged(path, "content/0")), 0);
    assert_int_equal(linkat(s->fd, "victim", s->fd, staged(path, "content/1"), 0), 0);
    assert_int_equal(mkfifoat(s->fd, staged(path, "content/2"), 0600), 0);
    assert_int_equal(mkdirat(s->fd, staged(path, "content/3"), 0700), 0);
    for (uint64_t n = 0; n < 4; n++) {
        assert_int_equal(i->ops->stage(i, n, n % 2 == 0), 0);
        assert_int_equal(i->ops->write(i, 0, BYTES("ours")), 0);
    }
    scratch_expect(s, "victim", BYTES("theirs"));
    scratch_expect(s, staged(path, "content/0"), BYTES("ours"));
    inbox_folder_close(&f);
}

/* Between the last byte and its place. */
static void test_what_was_swapped_gets_no_place(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128], name[NAME_MAX + 1];
    scratch_put(s, "victim", BYTES("theirs"));
    open_inbox(s, &f, INBOX_REPLACE);
    assert_int_equal(symlinkat("../../../victim", s->fd, staged(path, "content/0")), 0);
    assert_int_equal(linkat(s->fd, "victim", s->fd, staged(path, "content/1"), 0), 0);
    assert_int_equal(place(i, file(0, 0, "link")), -ELOOP);
    assert_int_equal(place(i, file(1, 0, "other")), -EMLINK);
    assert_int_equal(symlinkat("../../../victim", s->fd, staged(path, "tree/link")), 0);
    assert_int_equal(symlinkat("../../..", s->fd, staged(path, "tree/way")), 0);
    assert_int_equal(mkfifoat(s->fd, staged(path, "tree/fifo"), 0600), 0);
    assert_int_equal(place(i, file(7, 0, "link")), -ENOENT);
    assert_int_equal(place(i, folder(8, 0, "way")), INBOX_TAKEN);
    assert_int_equal(i->ops->publish(i, BYTES("link"), name), -ELOOP);
    assert_int_equal(i->ops->publish(i, BYTES("fifo"), name), -ELOOP);
    assert_int_equal(i->ops->clear(i), 0);
    scratch_expect(s, "victim", BYTES("theirs"));
    inbox_folder_close(&f);
}

/* What is open stays what it was, whatever its name leads to now. */
static void test_folders_that_are_swapped_are_not_entered(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    struct inbox *i = &f.inbox;
    char path[128];
    scratch_put_folder(s, "victims");
    scratch_put(s, "victims/1", BYTES("theirs"));
    open_inbox(s, &f, INBOX_RENAME);
    stage_tree(i);
    assert_int_equal(place(i, folder(0, 0, "top")), 0);
    assert_int_equal(renameat(s->fd, staged(path, "tree/top"), s->fd, "moved"), 0);
    assert_int_equal(symlinkat("../../../victims", s->fd, path), 0);
    assert_int_equal(place(i, file(2, 1, "x")), 0);
    scratch_expect(s, "moved/x", BYTES("x"));
    assert_int_equal(renameat(s->fd, staged(path, "content"), s->fd, "moved too"), 0);
    assert_int_equal(symlinkat("../../victims", s->fd, path), 0);
    assert_int_equal(i->ops->stage(i, 1, true), 0);
    assert_int_equal(i->ops->clear(i), 0);
    scratch_expect(s, "victims/1", BYTES("theirs"));
    inbox_folder_close(&f);
}

static void test_clearing_removes_all_and_follows_nothing(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f;
    char path[128];
    scratch_put_folder(s, "victims");
    scratch_put(s, "victims/x", BYTES("theirs"));
    open_inbox(s, &f, INBOX_RENAME);
    stage_tree(&f.inbox);
    place_tree(&f.inbox, 0);
    assert_int_equal(symlinkat("../../victims", s->fd, staged(path, "way")), 0);
    scratch_put(s, staged(path, "tree/top/more"), BYTES("y"));
    scratch_put(s, ".kith/of somebody", BYTES("z"));
    assert_int_equal(f.inbox.ops->clear(&f.inbox), 0);
    inbox_folder_close(&f);
    scratch_expect(s, "victims/x", BYTES("theirs"));
    scratch_expect(s, ".kith/of somebody", BYTES("z"));
    assert_false(scratch_has(s, staged(path, "")));
}

/* ---- confined, listed ---- */

/* All but what lies beneath a folder is out of reach, where the kernel can do that. */
static bool confine(int fd)
{
    const uint64_t all = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;
    struct landlock_ruleset_attr rules = {.handled_access_fs = all};
    struct landlock_path_beneath_attr below = {.allowed_access = all, .parent_fd = fd};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (ruleset < 0)
        return false;
    assert_int_equal(
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &below, 0), 0);
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(syscall(SYS_landlock_restrict_self, ruleset, 0), 0);
    close(ruleset);
    return true;
}

static void work_confined(struct scratch *s)
{
    struct inbox_folder f;
    char name[NAME_MAX + 1];
    open_inbox(s, &f, INBOX_RENAME);
    if (confine(s->fd))
        assert_int_equal(open("/etc/passwd", O_RDONLY), -1);
    uint64_t room;
    assert_int_equal(f.inbox.ops->room(&f.inbox, &room), 0);
    assert_int_equal(f.inbox.ops->check_name(&f.inbox, BYTES("top")), 0);
    stage_tree(&f.inbox);
    place_tree(&f.inbox, 0);
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("top"), name), 0);
    assert_int_equal(f.inbox.ops->publish(&f.inbox, BYTES("z"), name), 0);
    assert_int_equal(f.inbox.ops->clear(&f.inbox), 0);
    inbox_folder_close(&f);
}

static void test_it_works_confined_to_the_inbox(void **state)
{
    struct scratch *s = *state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        work_confined(s);
        _exit(42);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    check_tree(s);
    assert_false(scratch_has(s, ".kith"));
}

struct seen {
    size_t count;
    int answer;
    struct random_id last;
};

static int see(void *ctx, const struct random_id *which)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->last = *which;
    return seen->answer;
}

static void test_what_is_staged_is_listed(void **state)
{
    struct scratch *s = *state;
    struct inbox_folder f, g;
    struct seen seen = {0};
    const struct random_id other = {.bytes = {0xff, 0xfe}};
    assert_int_equal(inbox_folder_list(s->fd, see, &seen), 0);
    assert_int_equal(seen.count, 0);
    open_inbox(s, &f, INBOX_RENAME);
    scratch_put_folder(s, ".kith/short");
    scratch_put_folder(s, ".kith/AAAAAAAAAAAAAAAAAAAAAB"); /* no id is written so */
    scratch_put(s, ".kith/AAAAAAAAAAAAAAAAAAAAAA", BYTES("no folder"));
    assert_int_equal(symlinkat("..", s->fd, ".kith/AAAAAAAAAAAAAAAAAAAAAQ"), 0);
    assert_int_equal(inbox_folder_list(s->fd, see, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_true(random_id_equal(&seen.last, &id));
    assert_int_equal(inbox_folder_open(&g, s->fd, &other, INBOX_RENAME), 0);
    assert_int_equal(inbox_folder_list(s->fd, see, &seen), 0);
    assert_int_equal(seen.count, 3);
    seen.answer = 5;
    assert_int_equal(inbox_folder_list(s->fd, see, &seen), 5);
    assert_int_equal(seen.count, 4);
    inbox_folder_close(&f);
    inbox_folder_close(&g);
    assert_int_equal(beneath_empty(s->fd, ""), 0);
    assert_int_equal(symlinkat(".", s->fd, ".kith"), 0);
    assert_int_equal(inbox_folder_list(s->fd, see, &seen), -ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_content_is_staged_by_number),
        SCRATCH_TEST(test_complete_files_have_mode_and_times),
        SCRATCH_TEST(test_holes_are_holes),
        SCRATCH_TEST(test_the_journal_stays),
        SCRATCH_TEST(test_without_a_journal_nothing_counts),
        SCRATCH_TEST(test_what_could_not_be_synced_is_forgotten),
        SCRATCH_TEST(test_few_and_many_files_are_synced),
        SCRATCH_TEST(test_one_process_at_a_time),
        SCRATCH_TEST(test_a_staging_that_goes_away_is_made_anew),
        SCRATCH_TEST(test_a_tree_is_built_and_published),
        SCRATCH_TEST(test_what_a_crash_leaves_is_finished),
        SCRATCH_TEST(test_a_crash_between_two_that_are_published),
        SCRATCH_TEST(test_a_crash_between_link_and_unlink),
        SCRATCH_TEST(test_two_of_one_place),
        SCRATCH_TEST(test_small_files_are_made_in_their_places),
        SCRATCH_TEST(test_one_that_was_made_in_its_place_begins_anew_or_goes),
        SCRATCH_TEST(test_what_was_made_in_its_place_is_taken_back),
        SCRATCH_TEST(test_a_folder_that_is_not_open_is_not_made_in),
        SCRATCH_TEST(test_a_name_that_cannot_begin),
        SCRATCH_TEST(test_a_place_that_cannot_be),
        SCRATCH_TEST(test_names_of_every_kind_are_kept),
        SCRATCH_TEST(test_names_that_are_none),
        SCRATCH_TEST(test_nothing_that_is_hidden_is_published),
        SCRATCH_TEST(test_a_name_that_is_taken_is_refused),
        SCRATCH_TEST(test_a_name_that_is_taken_gets_a_number),
        SCRATCH_TEST(test_so_many_of_a_name),
        SCRATCH_TEST(test_a_folder_gets_its_number_at_the_end),
        SCRATCH_TEST(test_a_plain_file_is_replaced_and_nothing_else),
        SCRATCH_TEST(test_a_staging_that_is_a_link_is_refused),
        SCRATCH_TEST(test_a_staging_of_somebody_else_is_refused),
        SCRATCH_TEST(test_what_lies_in_a_staging_is_not_followed),
        SCRATCH_TEST(test_content_that_was_planted_is_replaced),
        SCRATCH_TEST(test_what_was_swapped_gets_no_place),
        SCRATCH_TEST(test_folders_that_are_swapped_are_not_entered),
        SCRATCH_TEST(test_clearing_removes_all_and_follows_nothing),
        SCRATCH_TEST(test_it_works_confined_to_the_inbox),
        SCRATCH_TEST(test_what_is_staged_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

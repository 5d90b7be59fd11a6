#include "io/folder.h"

#include "support/faulty_disk.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what every struct disk promises, asked of the real one and of the tests' own ---- */

static void open_file(struct disk *d, const char *name, bool create, struct disk_file **ret)
{
    assert_int_equal(disk_open(d, name, create, ret), 0);
}

static void check_files(struct disk *d)
{
    struct disk_file *f;
    char got[16] = "";
    size_t n;
    uint64_t size;
    assert_int_equal(disk_open(d, "a", false, &f), -ENOENT);
    open_file(d, "a", true, &f);
    assert_int_equal(disk_write(d, f, 3, "xyz", 3), 0);
    assert_int_equal(disk_write(d, f, 0, "ab", 2), 0);
    assert_int_equal(disk_sync(d, f), 0);
    assert_int_equal(disk_size(d, f, &size), 0);
    assert_int_equal(size, 6);
    disk_close(d, f);
    assert_int_equal(disk_open(d, "a", true, &f), -EEXIST);
    open_file(d, "a", false, &f);
    assert_int_equal(disk_read(d, f, 1, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("b\0xyz"));
    assert_int_equal(disk_read(d, f, 6, got, sizeof got, &n), 0);
    assert_int_equal(n, 0);
    disk_close(d, f);
}

static void check_appends(struct disk *d)
{
    struct disk_file *f;
    char got[5000];
    size_t n;
    open_file(d, "log", true, &f);
    assert_int_equal(disk_write(d, f, 0, "head", 4), 0);
    assert_int_equal(disk_zero(d, f, 4, sizeof got), 0);
    assert_int_equal(disk_append(d, f, 4, "one", 3, false), 0);
    assert_int_equal(disk_append(d, f, 7, "two", 3, true), 0);
    assert_int_equal(disk_append(d, f, sizeof got - 3, "end", 3, true), 0);
    assert_int_equal(disk_read(d, f, 0, got, sizeof got, &n), 0);
    assert_int_equal(n, sizeof got);
    assert_memory_equal(got, "headonetwo\0", 12);
    assert_memory_equal(got + sizeof got - 4, "\0end", 4);
    disk_close(d, f);
    assert_int_equal(disk_remove(d, "log"), 0);
}

static int count_file(void *ctx, const char *name)
{
    ++*(size_t *)ctx;
    return strcmp(name, "stop") == 0 ? 7 : 0;
}

static void check_names(struct disk *d)
{
    struct disk_file *f;
    size_t count = 0;
    char got;
    size_t n;
    open_file(d, "b", true, &f);
    assert_int_equal(disk_write(d, f, 0, "B", 1), 0);
    disk_close(d, f);
    assert_int_equal(disk_rename(d, "b", "a"), 0); /* replaces it */
    open_file(d, "a", false, &f);
    assert_int_equal(disk_read(d, f, 0, &got, 1, &n), 0);
    assert_int_equal(got, 'B');
    disk_close(d, f);
    assert_int_equal(disk_rename(d, "b", "c"), -ENOENT);
    assert_int_equal(disk_list(d, count_file, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(disk_rename(d, "a", "stop"), 0);
    assert_int_equal(disk_list(d, count_file, &count), 7);
    assert_int_equal(disk_remove(d, "stop"), 0);
    assert_int_equal(disk_remove(d, "stop"), -ENOENT);
    assert_int_equal(disk_sync_folder(d), 0);
}

static void test_a_disk_in_memory(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    check_files(faulty_disk(f));
    check_appends(faulty_disk(f));
    check_names(faulty_disk(f));
    faulty_disk_free(f);
}

/* ---- the folder itself ---- */

/* In place of the C library's, for the whole program. */
static int fsync_error;

int fsync(int fd)
{
    errno = fsync_error;
    return fsync_error ? -1 : (int)syscall(SYS_fsync, fd);
}

struct scratch {
    char top[64], path[128];
};

static int make_scratch(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    assert_non_null(s);
    snprintf(s->top, sizeof s->top, "/tmp/kith-unit-XXXXXX");
    assert_non_null(mkdtemp(s->top));
    snprintf(s->path, sizeof s->path, "%s/one/two", s->top);
    *state = s;
    return 0;
}

static void remove_at(const char *top, const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s%s", top, name);
    remove(path);
}

static int remove_scratch(void **state)
{
    struct scratch *s = *state;
    remove_at(s->top, "/one/two/lock");
    remove_at(s->top, "/one/two");
    remove_at(s->top, "/one");
    remove_at(s->top, "");
    free(s);
    return 0;
}

static void test_a_folder_is_made_private(void **state)
{
    struct scratch *s = *state;
    struct folder *f;
    struct stat st;
    pid_t holder;
    assert_int_equal(folder_open(s->path, &f, &holder), 0);
    assert_int_equal(stat(s->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    check_files(folder_disk(f)); /* the lock is none of the disk's files */
    check_appends(folder_disk(f));
    check_names(folder_disk(f));
    folder_close(f);
}

/* In another process, as flock(2) is about processes' open files. */
static void test_a_folder_is_locked(void **state)
{
    struct scratch *s = *state;
    struct folder *f, *g;
    pid_t holder = 0;
    assert_int_equal(folder_open(s->path, &f, &holder), 0);
    pid_t child = fork();
    if (child == 0) {
        int r = folder_open(s->path, &g, &holder);
        _exit(r == FOLDER_IN_USE && holder == getppid() ? 42 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    folder_close(f);
    assert_int_equal(folder_open(s->path, &f, &holder), 0);
    folder_close(f);
}

static void test_what_is_no_private_folder_is_refused(void **state)
{
    struct scratch *s = *state;
    struct folder *f;
    pid_t holder;
    assert_int_equal(folder_open("", &f, &holder), -ENOENT);
    assert_int_equal(folder_open(s->path, &f, &holder), 0);
    folder_close(f);
    assert_int_equal(chmod(s->path, 0750), 0);
    assert_int_equal(folder_open(s->path, &f, &holder), FOLDER_IS_OPEN);
    assert_int_equal(chmod(s->path, 0700), 0);
    char below[160];
    snprintf(below, sizeof below, "%s/lock/x", s->path);
    assert_int_equal(folder_open(below, &f, &holder), -ENOTDIR);
}

/* Each thread that syncs names may have lost one, whoever was told of the failure. */
static void test_names_that_could_not_be_synced_are_not_forgotten(void **state)
{
    struct scratch *s = *state;
    struct folder *f;
    pid_t holder;
    assert_int_equal(folder_open(s->path, &f, &holder), 0);
    assert_int_equal(disk_sync_folder(folder_disk(f)), 0);
    fsync_error = EIO;
    assert_int_equal(disk_sync_folder(folder_disk(f)), -EIO);
    fsync_error = 0;
    assert_int_equal(disk_sync_folder(folder_disk(f)), -EIO);
    folder_close(f);
    assert_int_equal(folder_open(s->path, &f, &holder), 0);
    assert_int_equal(disk_sync_folder(folder_disk(f)), 0);
    folder_close(f);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_disk_in_memory),
        SCRATCH_TEST(test_a_folder_is_made_private),
        SCRATCH_TEST(test_a_folder_is_locked),
        SCRATCH_TEST(test_what_is_no_private_folder_is_refused),
        SCRATCH_TEST(test_names_that_could_not_be_synced_are_not_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "io/log_file.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct log {
    char folder[64], path[96], moved[96];
};

static int make_folder(void **state)
{
    static struct log l;
    snprintf(l.folder, sizeof l.folder, "/tmp/kith-unit-XXXXXX");
    assert_non_null(mkdtemp(l.folder));
    snprintf(l.path, sizeof l.path, "%s/log", l.folder);
    snprintf(l.moved, sizeof l.moved, "%s/log.1", l.folder);
    *state = &l;
    return 0;
}

static int remove_folder(void **state)
{
    const struct log *l = *state;
    unlink(l->path);
    unlink(l->moved);
    return rmdir(l->folder);
}

static size_t read_file(const char *path, char *to, size_t room)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(to, 1, room - 1, f);
    to[n] = 0;
    fclose(f);
    return n;
}

/* What stands behind each line's time. */
static void assert_lines(const char *path, const char *const *want, size_t n)
{
    char text[4096], *rest = text;
    read_file(path, text, sizeof text);
    for (size_t i = 0; i < n; i++) {
        char *line = strsep(&rest, "\n");
        size_t end = strlen("time=2026-11-21T06:00:00.000Z ");
        assert_non_null(rest);
        assert_true(strlen(line) > end);
        assert_memory_equal(line, "time=2", 6);
        assert_memory_equal(line + end - 2, "Z ", 2);
        assert_string_equal(line + end, want[i]);
    }
    assert_string_equal(rest, "");
}

static void test_lines_get_the_time_and_are_appended(void **state)
{
    const struct log *l = *state;
    struct log_file *log;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(log_file_open(l->path, &log), 0);
        log_file_write(log, BYTES("level=info msg=one\nlevel=info msg=two\n"));
        log_file_write(log, BYTES(""));
        log_file_close(log);
    }
    const char *const lines[] = {"level=info msg=one", "level=info msg=two",
                                 "level=info msg=one", "level=info msg=two"};
    assert_lines(l->path, lines, 4);
}

static void test_reopened_it_goes_on_in_a_new_file(void **state)
{
    const struct log *l = *state;
    struct log_file *log;
    assert_int_equal(log_file_open(l->path, &log), 0);
    log_file_write(log, BYTES("first\n"));
    assert_int_equal(rename(l->path, l->moved), 0);
    log_file_write(log, BYTES("still the first\n"));
    assert_int_equal(log_file_reopen(log), 0);
    log_file_write(log, BYTES("second\n"));
    const char *const first[] = {"first", "still the first"}, *const second[] = {"second"};
    assert_lines(l->moved, first, 2);
    assert_lines(l->path, second, 1);
    log_file_close(log);
}

static void test_where_reopening_fails_the_old_file_is_kept(void **state)
{
    const struct log *l = *state;
    struct log_file *log;
    char folder[96];
    snprintf(folder, sizeof folder, "%s.moved", l->folder);
    assert_int_equal(log_file_open(l->path, &log), 0);
    assert_int_equal(rename(l->folder, folder), 0);
    assert_int_equal(log_file_reopen(log), -ENOENT);
    log_file_write(log, BYTES("goes on\n"));
    assert_int_equal(rename(folder, l->folder), 0);
    const char *const lines[] = {"goes on"};
    assert_lines(l->path, lines, 1);
    log_file_close(log);
}

static void test_a_path_that_cannot_be(void **state)
{
    struct log_file *log;
    assert_int_equal(log_file_open("/no/such/folder/log", &log), -ENOENT);
    assert_int_equal(log_file_open("/", &log), -EISDIR);
    log_file_close(NULL);
}

static void test_a_full_disk_stops_nothing(void **state)
{
    struct log_file *log;
    assert_int_equal(log_file_open("/dev/full", &log), 0);
    log_file_write(log, BYTES("lost\n"));
    log_file_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_get_the_time_and_are_appended, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_reopened_it_goes_on_in_a_new_file, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_where_reopening_fails_the_old_file_is_kept,
                                        make_folder, remove_folder),
        cmocka_unit_test(test_a_path_that_cannot_be),
        cmocka_unit_test(test_a_full_disk_stops_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

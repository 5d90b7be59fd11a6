#include "io/confinement.h"

#include "unit.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Kernels of other ages: in place of the C library's, so that a test may say which version of
 * Landlock there is. 0: the real one; negative: -errno. */
static int version;

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[4];
    va_list args;
    va_start(args, number);
    for (size_t i = 0; i < COUNT_OF(a); i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    if (version == 0 || number != SYS_landlock_create_ruleset || a[0])
        return real(number, a[0], a[1], a[2], a[3]);
    errno = version < 0 ? -version : 0;
    return version < 0 ? -1 : version;
}

/* A folder with the two that are allowed, and what lies beside them. */
struct place {
    char path[64];
    int inbox, state; /* the two */
    int outside;      /* the folder of both, in which `file` is */
    int open_file;    /* that file, opened before */
    int listener;
    struct sockaddr_in port;
};

static void put(int folder, const char *name, mode_t mode)
{
    int fd = openat(folder, name, O_CREAT | O_WRONLY | O_CLOEXEC, mode);
    assert_int_equal(write(fd, "hello", 5), 5);
    close(fd);
}

static int set_up(void **state)
{
    static struct place p;
    p = (struct place){.path = "/tmp/kith-unit-XXXXXX",
                       .port = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    assert_non_null(mkdtemp(p.path));
    p.outside = open(p.path, O_DIRECTORY | O_CLOEXEC);
    mkdirat(p.outside, "inbox", 0700);
    mkdirat(p.outside, "state", 0700);
    p.inbox = openat(p.outside, "inbox", O_DIRECTORY | O_CLOEXEC);
    p.state = openat(p.outside, "state", O_PATH | O_DIRECTORY | O_CLOEXEC);
    put(p.outside, "file", 0600);
    put(p.inbox, "file", 0600);
    put(p.inbox, "program", 0700);
    assert_int_equal(symlinkat("../file", p.inbox, "way_out"), 0);
    p.open_file = openat(p.outside, "file", O_RDWR | O_CLOEXEC);
    assert_true(p.open_file >= 0 && p.inbox >= 0 && p.state >= 0);
    socklen_t size = sizeof p.port;
    p.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p.listener, (struct sockaddr *)&p.port, size), 0);
    assert_int_equal(listen(p.listener, 5), 0);
    assert_int_equal(getsockname(p.listener, (struct sockaddr *)&p.port, &size), 0);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    static const char *const left[] = {"file", "inbox/file", "inbox/program", "inbox/way_out",
                                       "state/file"};
    for (size_t i = 0; i < COUNT_OF(left); i++)
        unlinkat(p->outside, left[i], 0);
    unlinkat(p->outside, "inbox", AT_REMOVEDIR);
    unlinkat(p->outside, "state", AT_REMOVEDIR);
    close(p->outside);
    close(p->inbox);
    close(p->state);
    close(p->open_file);
    close(p->listener);
    version = 0;
    return rmdir(p->path);
}

/* In the child: the line of the first thing that is not so. */
#define CHECK(what)          \
    do {                     \
        if (!(what))         \
            return __LINE__; \
    } while (0)
#define CHECK_FAILS(call, error)                 \
    do {                                         \
        errno = 0;                               \
        CHECK((call) == -1 && errno == (error)); \
    } while (0)

static void in_child(const struct place *p, int (*run)(const struct place *p))
{
    int fds[2], line = -1, status;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        line = run(p);
        _exit(write(fds[1], &line, sizeof line) != sizeof line);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &line, sizeof line), sizeof line);
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    if (line != 0)
        fail_msg("in the child, line %d", line);
}

/* Whether files are confined in this child now; false where the kernel of this machine cannot,
 * and says so. */
static bool enter(const struct place *p, int *ret_line)
{
    const int folders[] = {p->inbox, p->state};
    bool files = confinement_available() & CONFINEMENT_FILES;
    int r = confinement_enter(folders, COUNT_OF(folders));
    *ret_line = r == (files ? 0 : CONFINEMENT_NONE) ? 0 : __LINE__;
    return files && r == 0;
}

static int run_outside(const struct place *p)
{
    int line;
    if (!enter(p, &line))
        return line;
    CHECK_FAILS(openat(p->outside, "file", O_RDONLY | O_CLOEXEC), EACCES);
    CHECK_FAILS(openat(p->outside, "file", O_WRONLY | O_CLOEXEC), EACCES);
    CHECK_FAILS(openat(p->outside, "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600), EACCES);
    CHECK_FAILS(openat(p->inbox, "../file", O_RDONLY | O_CLOEXEC), EACCES);
    CHECK_FAILS(openat(p->inbox, "way_out", O_RDONLY | O_CLOEXEC), EACCES);
    CHECK_FAILS(openat(p->outside, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), EACCES);
    CHECK_FAILS(mkdirat(p->outside, "new", 0700), EACCES);
    CHECK_FAILS(symlinkat("x", p->outside, "new"), EACCES);
    CHECK_FAILS(unlinkat(p->outside, "file", 0), EACCES);
    CHECK_FAILS(renameat(p->outside, "file", p->outside, "new"), EACCES);
    CHECK(renameat(p->outside, "file", p->inbox, "new") == -1);
    CHECK(renameat(p->inbox, "file", p->outside, "new") == -1);
    CHECK(linkat(p->outside, "file", p->inbox, "new", 0) == -1);
    CHECK_FAILS(open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES);
    CHECK_FAILS(open("/proc/self/status", O_RDONLY | O_CLOEXEC), EACCES);
    CHECK_FAILS(open("/proc/self/mem", O_RDWR | O_CLOEXEC), EACCES);
    char by_number[64];
    snprintf(by_number, sizeof by_number, "/proc/self/fd/%d", p->open_file);
    CHECK_FAILS(open(by_number, O_RDWR | O_CLOEXEC), EACCES);
    return 0;
}

static int run_inside(const struct place *p)
{
    int line;
    char text[8];
    if (!enter(p, &line))
        return line;
    int fd = openat(p->inbox, "new", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, "hello", 5) == 5 && fsync(fd) == 0);
    CHECK(ftruncate(fd, 3) == 0);
    CHECK(pread(fd, text, sizeof text, 0) == 3);
    CHECK(close(fd) == 0);
    CHECK(mkdirat(p->inbox, "sub", 0700) == 0);
    CHECK(renameat(p->inbox, "new", p->inbox, "sub/new") == 0);
    CHECK(renameat2(p->inbox, "sub/new", p->inbox, "new", RENAME_NOREPLACE) == 0);
    CHECK_FAILS(renameat2(p->inbox, "new", p->inbox, "file", RENAME_NOREPLACE), EEXIST);
    CHECK(linkat(p->inbox, "new", p->inbox, "sub/new", 0) == 0);
    CHECK(renameat(p->inbox, "new", p->state, "new") == 0);
    CHECK((fd = openat(p->state, "new", O_WRONLY | O_TRUNC | O_CLOEXEC)) >= 0);
    CHECK(close(fd) == 0 && unlinkat(p->state, "new", 0) == 0);
    CHECK(unlinkat(p->inbox, "sub/new", 0) == 0);
    CHECK(unlinkat(p->inbox, "sub", AT_REMOVEDIR) == 0);
    CHECK((fd = openat(p->inbox, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
    DIR *folder = fdopendir(fd);
    CHECK(folder && readdir(folder));
    closedir(folder);
    return 0;
}

static int run_open_before(const struct place *p)
{
    int line;
    char text[8];
    if (!enter(p, &line))
        return line;
    CHECK(pread(p->open_file, text, sizeof text, 0) == 5);
    CHECK(pwrite(p->open_file, "HELLO", 5, 0) == 5);
    CHECK(ftruncate(p->open_file, 5) == 0);
    return 0;
}

static int run_programs(const struct place *p)
{
    int line;
    if (!enter(p, &line))
        return line;
    char *const argv[] = {(char[]){"program"}, NULL};
    CHECK_FAILS(execveat(p->inbox, "program", argv, argv + 1, 0), EACCES);
    CHECK_FAILS(execve("/bin/true", argv, argv + 1), EACCES);
    return 0;
}

/* With Landlock or without. */
static int run_privileges(const struct place *p)
{
    int line;
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
    enter(p, &line);
    CHECK(line == 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    return 0;
}

/* Each of the younger protections: what it forbids fails if it is said to be there, and works
 * if not. */
static int run_others(const struct place *p)
{
    char path[80];
    int line;
    unsigned available = confinement_available();
    pid_t parent = getppid();
    if (!enter(p, &line))
        return line;
    snprintf(path, sizeof path, "%s/file", p->path);
    CHECK((truncate(path, 5) == 0) == !(available & CONFINEMENT_TRUNCATION));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK((connect(fd, (const struct sockaddr *)&p->port, sizeof p->port) == 0) ==
          !(available & CONFINEMENT_CONNECTIONS));
    CHECK((kill(parent, 0) == 0) == !(available & CONFINEMENT_OTHERS));
    return 0;
}

static int run_no_folder(const struct place *p)
{
    bool files = confinement_available() & CONFINEMENT_FILES;
    CHECK(confinement_enter(NULL, 0) == (files ? 0 : CONFINEMENT_NONE));
    CHECK((openat(p->inbox, "file", O_RDONLY | O_CLOEXEC) < 0) == files);
    return 0;
}

static int run_no_such_folder(const struct place *p)
{
    const int folders[] = {p->inbox, -1};
    bool files = confinement_available() & CONFINEMENT_FILES;
    CHECK(confinement_enter(folders, 2) == (files ? -EBADF : CONFINEMENT_NONE));
    return 0;
}

static int run_open_as_before(const struct place *p)
{
    int line;
    enter(p, &line);
    CHECK(line == 0);
    CHECK(openat(p->outside, "file", O_RDONLY | O_CLOEXEC) >= 0);
    return 0;
}

static void test_what_lies_outside(void **state)
{
    in_child(*state, run_outside);
}

static void test_what_lies_inside(void **state)
{
    in_child(*state, run_inside);
}

static void test_what_is_open_stays_open(void **state)
{
    in_child(*state, run_open_before);
}

static void test_no_program_is_started(void **state)
{
    in_child(*state, run_programs);
}

static void test_privileges(void **state)
{
    in_child(*state, run_privileges);
}

static void test_what_else_is_said_to_be_there(void **state)
{
    in_child(*state, run_others);
}

static void test_folders(void **state)
{
    in_child(*state, run_no_folder);
    in_child(*state, run_no_such_folder);
}

static void test_without_landlock(void **state)
{
    static const int without[] = {-ENOSYS, -EOPNOTSUPP, 1};
    for (size_t i = 0; i < COUNT_OF(without); i++) {
        version = without[i];
        assert_int_equal(confinement_available(), CONFINEMENT_PRIVILEGES);
        in_child(*state, run_open_as_before);
        in_child(*state, run_privileges);
    }
}

static void test_kernels_of_other_ages(void **state)
{
    unsigned here = confinement_available();
    static const unsigned by_version[] = {1, 1, 3, 7, 15, 31, 63, 63, 63};
    for (int v = 1; v < (int)COUNT_OF(by_version); v++) {
        version = v;
        assert_int_equal(confinement_available(), by_version[v]);
        if ((by_version[v] & ~here) == 0) /* as an older one than this */
            in_child(*state, run_others);
    }
    version = 0;
    assert_int_equal(confinement_available(), here);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_lies_outside),
        TEST(test_what_lies_inside),
        TEST(test_what_is_open_stays_open),
        TEST(test_no_program_is_started),
        TEST(test_privileges),
        TEST(test_what_else_is_said_to_be_there),
        TEST(test_folders),
        TEST(test_without_landlock),
        TEST(test_kernels_of_other_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

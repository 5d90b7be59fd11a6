#include "io/notify.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A supervisor that listens in the abstract namespace, or at a path. */
static int listen_at(const char *name, bool abstract)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    memcpy(at.sun_path + abstract, name, len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract + len);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    return fd;
}

static void assert_heard(int fd, const char *state)
{
    char heard[64] = {0};
    assert_int_equal(recv(fd, heard, sizeof heard - 1, MSG_DONTWAIT), strlen(state));
    assert_string_equal(heard, state);
}

static void test_an_abstract_name(void **state)
{
    char name[64], variable[65];
    snprintf(name, sizeof name, "kith-unit-%d", (int)getpid());
    snprintf(variable, sizeof variable, "@%s", name);
    int fd = listen_at(name, true);
    setenv("NOTIFY_SOCKET", variable, 1);
    assert_int_equal(notify_supervisor("READY=1"), 0);
    assert_heard(fd, "READY=1");
    close(fd);
}

static void test_a_path(void **state)
{
    char folder[] = "/tmp/kith-unit-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    int fd = listen_at(path, false);
    setenv("NOTIFY_SOCKET", path, 1);
    assert_int_equal(notify_supervisor("STOPPING=1"), 0);
    assert_heard(fd, "STOPPING=1");
    close(fd);
    unlink(path);
    rmdir(folder);
}

static void test_nobody_to_tell(void **state)
{
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_supervisor("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(notify_supervisor("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
    assert_int_equal(notify_supervisor("READY=1"), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_abstract_name),
        cmocka_unit_test(test_a_path),
        cmocka_unit_test(test_nobody_to_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

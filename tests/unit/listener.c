#include "io/listener.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64], socket[96];
};

static int make_folder(void **state)
{
    static struct folder f;
    snprintf(f.path, sizeof f.path, "/tmp/kith-unit-XXXXXX");
    assert_non_null(mkdtemp(f.path));
    snprintf(f.socket, sizeof f.socket, "%s/s", f.path);
    *state = &f;
    return 0;
}

static int remove_folder(void **state)
{
    const struct folder *f = *state;
    unlink(f->socket);
    return rmdir(f->path);
}

static bool connects(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool connected = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return connected;
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void test_tcp(void **state)
{
    struct listener a, b;
    assert_int_equal(listener_bind_tcp(&a, "127.0.0.1", 0), 0);
    assert_int_equal(listener_listen(&a, 5), 0);
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", a.port);
    assert_true(a.port > 0);
    assert_string_equal(a.text, text);
    assert_int_equal(listener_bind_tcp(&b, "127.0.0.1", a.port), -EADDRINUSE);
    assert_int_equal(b.fd, -1);
    listener_close(&a);
    assert_int_equal(a.fd, -1);
    listener_close(&a);
    assert_int_equal(listener_bind_tcp(&b, "no such name.invalid", 0), UV_EAI_NONAME);
    assert_int_equal(listener_bind_tcp(&b, "192.0.2.1", 0), -EADDRNOTAVAIL);
}

static void test_a_socket_is_for_all_and_goes_with_its_listener(void **state)
{
    const struct folder *f = *state;
    struct listener l, second;
    mode_t mask = umask(077);
    assert_int_equal(listener_bind_unix(&l, f->socket), 0);
    assert_int_equal(umask(mask), 077);
    struct stat st;
    assert_int_equal(stat(f->socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
    assert_int_equal(listener_listen(&l, 5), 0);
    assert_true(connects(f->socket));
    assert_int_equal(listener_bind_unix(&second, f->socket), -EADDRINUSE);
    assert_true(connects(f->socket));
    char other_name[128];
    snprintf(other_name, sizeof other_name, "%s/./s", f->path);
    assert_true(listener_is_at(&l, other_name));
    assert_false(listener_is_at(&l, f->path));
    listener_close(&l);
    assert_false(is_there(f->socket));
}

static void test_a_socket_left_over_is_replaced(void **state)
{
    const struct folder *f = *state;
    struct listener dead, l;
    assert_int_equal(listener_bind_unix(&dead, f->socket), 0);
    assert_int_equal(listener_listen(&dead, 5), 0);
    close(dead.fd);
    assert_false(connects(f->socket));
    assert_int_equal(listener_bind_unix(&l, f->socket), 0);
    assert_int_equal(listener_listen(&l, 5), 0);
    assert_true(connects(f->socket));
    listener_close(&l);
}

static void test_what_is_no_socket_stays(void **state)
{
    const struct folder *f = *state;
    struct listener l;
    close(open(f->socket, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(listener_bind_unix(&l, f->socket), -EEXIST);
    assert_true(is_there(f->socket));
    unlink(f->socket);
    assert_int_equal(listener_bind_unix(&l, f->socket), 0);
    unlink(f->socket);
    close(open(f->socket, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    listener_close(&l);
    assert_true(is_there(f->socket));
}

static void test_a_path_too_long(void **state)
{
    char path[200];
    struct listener l;
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    assert_int_equal(listener_bind_unix(&l, path), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test_setup_teardown(test_a_socket_is_for_all_and_goes_with_its_listener,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_socket_left_over_is_replaced, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_what_is_no_socket_stays, make_folder,
                                        remove_folder),
        cmocka_unit_test(test_a_path_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "io/courier.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct pair {
    int ends[2];
    struct buffer got;
};

static int make_pair(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    assert_int_equal(courier_pair(p->ends), 0);
    buffer_init(&p->got, 4 * COURIER_BYTES);
    *state = p;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *p = *state;
    close(p->ends[0]);
    close(p->ends[1]);
    buffer_fini(&p->got);
    free(p);
    return 0;
}

static int receive(struct pair *p, int *ret_fd)
{
    buffer_truncate(&p->got, 0);
    return courier_receive(p->ends[1], false, &p->got, ret_fd);
}

static void test_messages_are_whole_and_in_order(void **state)
{
    struct pair *p = *state;
    int fd;
    assert_int_equal(receive(p, &fd), -EAGAIN);
    assert_int_equal(courier_send(p->ends[0], BYTES("one"), -1), 0);
    assert_int_equal(courier_send(p->ends[0], BYTES("two"), -1), 0);
    assert_int_equal(receive(p, &fd), 0);
    assert_bytes(buffer_view(&p->got), BYTES("one"));
    assert_int_equal(fd, -1);
    assert_int_equal(receive(p, &fd), 0);
    assert_bytes(buffer_view(&p->got), BYTES("two"));
}

static void test_a_descriptor_comes_beside_a_message(void **state)
{
    struct pair *p = *state;
    int pipe[2], fd;
    char byte;
    assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
    assert_int_equal(courier_send(p->ends[0], BYTES("read"), pipe[0]), 0);
    assert_int_equal(receive(p, &fd), 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(pipe[1], "!", 1), 1);
    assert_int_equal(read(fd, &byte, 1), 1);
    close(fd);
    close(pipe[0]);
    close(pipe[1]);
}

static void test_the_other_end_is_closed(void **state)
{
    struct pair *p = *state;
    int fd;
    close(p->ends[0]);
    assert_int_equal(receive(p, &fd), COURIER_OVER);
    assert_int_equal(courier_send(p->ends[1], BYTES("?"), -1), COURIER_OVER);
    p->ends[0] = -1;
}

/* Does anybody still hold the other end? */
static bool is_still_read(int write_end)
{
    signal(SIGPIPE, SIG_IGN);
    return write(write_end, "?", 1) == 1;
}

/* A process that was taken over sends more of them than are expected. */
static void test_no_more_descriptors_come_than_are_asked_for(void **state)
{
    struct pair *p = *state;
    union {
        struct cmsghdr head;
        uint8_t bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.bytes = {0}};
    int pipe[2], fd;
    assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
    const int two[] = {pipe[0], pipe[0]};
    char many[] = "many";
    struct iovec piece = {.iov_base = many, .iov_len = 4};
    struct msghdr m = {.msg_iov = &piece,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    control.head = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof two), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.head), two, sizeof two);
    assert_int_equal(sendmsg(p->ends[0], &m, 0), 4);
    assert_int_equal(receive(p, &fd), 0);
    close(pipe[0]);
    if (fd >= 0)
        close(fd);
    assert_false(is_still_read(pipe[1]));
    close(pipe[1]);
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, make_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(test_messages_are_whole_and_in_order),
        PAIR_TEST(test_a_descriptor_comes_beside_a_message),
        PAIR_TEST(test_the_other_end_is_closed),
        PAIR_TEST(test_no_more_descriptors_come_than_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

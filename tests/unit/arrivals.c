#include "meet/arrivals.h"

#include "base/limits.h"
#include "io/clock.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

/* The port, and others who connect to it and say what a test wants. */

struct scene {
    uv_loop_t loop;
    struct identity *own, *other;
    struct tls_config *answers, *dials;
    struct talk_ground ground;
    struct list links;
    struct arrivals arrivals;
};

static struct identity *make_identity(uint8_t first)
{
    uint8_t seed[IDENTITY_SEED_BYTES] = {first};
    struct identity *i;
    assert_int_equal(identity_new(&i, seed, NULL, 0), 0);
    return i;
}

static int set_up(void **state)
{
    static const char *const protocols[] = {"kith-peer/1", NULL};
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    assert_int_equal(uv_loop_init(&s->loop), 0);
    s->own = make_identity(1);
    s->other = make_identity(2);
    assert_int_equal(tls_config_new(&s->answers, TLS_PEER_ANSWERS, s->own, protocols), 0);
    assert_int_equal(tls_config_new(&s->dials, TLS_PEER_DIALS, s->other, protocols), 0);
    s->ground = (struct talk_ground){.loop = &s->loop, .answers = s->answers};
    list_init(&s->links);
    assert_int_equal(arrivals_open(&s->arrivals, 0, &s->ground, &s->links), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    arrivals_close(&s->arrivals);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    tls_config_free(s->answers);
    tls_config_free(s->dials);
    identity_free(s->own);
    identity_free(s->other);
    free(s);
    return 0;
}

static void turn(struct scene *s)
{
    uv_run(&s->loop, UV_RUN_NOWAIT);
    sched_yield();
}

static void await_count(struct scene *s, size_t count)
{
    while (s->arrivals.count != count)
        turn(s);
}

/* ---- who connects ---- */

static int dial(const struct scene *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)},
                             .sin_port = htons(s->arrivals.port.number)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void say(int fd, struct bytes text)
{
    assert_int_equal(send(fd, text.data, text.len, MSG_NOSIGNAL), text.len);
}

static void expect_said(int fd, struct bytes want)
{
    uint8_t got[64];
    assert_int_equal(recv(fd, got, want.len, MSG_WAITALL), want.len);
    assert_bytes(bytes_make(got, want.len), want);
}

/* It is closed without a word; what was sent and not read makes that a reset. */
static void await_closed(struct scene *s, int fd)
{
    uint8_t byte;
    ssize_t n;
    while ((n = recv(fd, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
        turn(s);
    assert_true(n == 0 || errno == ECONNRESET);
    close(fd);
}

static bool is_open(int fd)
{
    uint8_t byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* ---- who is expected ---- */

struct carrier {
    struct arrivals_expected expected;
    struct preamble preamble;
    struct arrivals *again; /* expected anew as soon as it has come */
    int fd;                 /* -1: it has not come */
    unsigned times;
};

static void on_came(void *context, int fd)
{
    struct carrier *c = context;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = fd;
    c->times++;
    if (c->again)
        arrivals_expect(c->again, &c->expected, &c->preamble, on_came, c);
}

static void expect(struct scene *s, struct carrier *c, uint8_t number)
{
    *c = (struct carrier){.fd = -1, .preamble = {.id = {{number}}, .token = {1, 2, number}}};
    arrivals_expect(&s->arrivals, &c->expected, &c->preamble, on_came, c);
}

static void say_preamble(int fd, struct preamble p)
{
    uint8_t out[PREAMBLE_BYTES];
    preamble_write(out, &p);
    say(fd, bytes_make(out, sizeof out));
}

static void await_times(struct scene *s, const struct carrier *c, unsigned times)
{
    while (c->times < times)
        turn(s);
    assert_int_equal(c->times, times);
}

static void test_it_comes_and_nothing_more_is_read(void **state)
{
    struct scene *s = *state;
    struct carrier c;
    uint8_t out[PREAMBLE_BYTES + 5] = "";
    expect(s, &c, 7);
    int fd = dial(s);
    preamble_write(out, &c.preamble);
    memcpy(out + PREAMBLE_BYTES, "hello", 5);
    say(fd, bytes_make(out, sizeof out));
    await_times(s, &c, 1);
    assert_int_equal(s->arrivals.count, 0);
    assert_int_equal(fcntl(c.fd, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(c.fd, F_GETFD), FD_CLOEXEC);
    turn(s);
    expect_said(c.fd, BYTES("hello"));
    say(c.fd, BYTES("good day"));
    expect_said(fd, BYTES("good day"));
    close(fd);
    close(c.fd);
}

static void test_byte_by_byte(void **state)
{
    struct scene *s = *state;
    struct carrier c;
    uint8_t out[PREAMBLE_BYTES];
    expect(s, &c, 7);
    preamble_write(out, &c.preamble);
    int fd = dial(s);
    await_count(s, 1);
    for (size_t i = 0; i < sizeof out; i++) {
        assert_int_equal(c.times, 0);
        say(fd, bytes_make(out + i, 1));
        turn(s);
    }
    await_times(s, &c, 1);
    close(fd);
    close(c.fd);
}

static void test_who_is_not_expected_is_closed(void **state)
{
    struct scene *s = *state;
    struct carrier c;
    expect(s, &c, 7);
    for (int i = 0; i < 2; i++) {
        struct preamble p = c.preamble;
        if (i == 0)
            p.token[PREAMBLE_TOKEN_BYTES - 1] ^= 1;
        else
            p.id.bytes[0] ^= 1;
        int fd = dial(s);
        say_preamble(fd, p);
        await_closed(s, fd);
        assert_int_equal(s->arrivals.count, 0);
    }
    int fd = dial(s);
    say_preamble(fd, c.preamble);
    await_times(s, &c, 1);
    close(fd);
    close(c.fd);
}

static void test_it_comes_once(void **state)
{
    struct scene *s = *state;
    struct carrier c;
    expect(s, &c, 7);
    int first = dial(s), second = dial(s);
    say_preamble(first, c.preamble);
    await_times(s, &c, 1);
    say_preamble(second, c.preamble);
    await_closed(s, second);
    assert_true(is_open(first));
    close(first);

    arrivals_expect(&s->arrivals, &c.expected, &c.preamble, on_came, &c);
    c.again = &s->arrivals;
    for (unsigned times = 2; times < 5; times++) {
        int fd = dial(s);
        say_preamble(fd, c.preamble);
        await_times(s, &c, times);
        close(fd);
    }
    close(c.fd);
}

static void test_who_is_expected_no_more_is_closed(void **state)
{
    struct scene *s = *state;
    struct carrier c, beside;
    expect(s, &c, 7);
    expect(s, &beside, 8);
    arrivals_unexpect(&c.expected);
    arrivals_unexpect(&c.expected);
    int fd = dial(s);
    say_preamble(fd, c.preamble);
    await_closed(s, fd);
    fd = dial(s);
    say_preamble(fd, beside.preamble);
    await_times(s, &beside, 1);
    assert_int_equal(c.times, 0);
    arrivals_unexpect(&beside.expected);
    close(fd);
    close(beside.fd);
}

static void test_several_at_once(void **state)
{
    enum { COUNT = 5 };
    struct scene *s = *state;
    struct carrier c[COUNT];
    int fds[COUNT];
    for (uint8_t i = 0; i < COUNT; i++)
        expect(s, &c[i], i);
    for (size_t i = 0; i < COUNT; i++)
        fds[i] = dial(s);
    await_count(s, COUNT);
    for (size_t i = COUNT; i-- > 0;) {
        say_preamble(fds[i], c[i].preamble);
        say(fds[i], bytes_make(&(char){(char)('a' + i)}, 1));
    }
    for (size_t i = 0; i < COUNT; i++) {
        await_times(s, &c[i], 1);
        expect_said(c[i].fd, bytes_make(&(char){(char)('a' + i)}, 1));
        close(fds[i]);
        close(c[i].fd);
    }
}

/* ---- what is no preamble ---- */

static void test_what_is_neither_is_closed(void **state)
{
    static const char *const garbage[] = {"KITHDATE", "Kx", "KITHDATx",
                                          "GET / HTTP/1.1\r\n\r\n"};
    struct scene *s = *state;
    for (size_t i = 0; i < COUNT_OF(garbage); i++) {
        int fd = dial(s);
        say(fd, bytes_from_str(garbage[i]));
        await_count(s, 1);
        await_count(s, 0);
        close(fd);
    }
}

static void test_one_broken_off(void **state)
{
    struct scene *s = *state;
    struct carrier c;
    uint8_t out[PREAMBLE_BYTES];
    expect(s, &c, 7);
    preamble_write(out, &c.preamble);
    for (size_t n = 0; n < sizeof out; n += sizeof out - 1) {
        int fd = dial(s);
        say(fd, bytes_make(out, n));
        await_count(s, 1);
        turn(s);
        close(fd);
        await_count(s, 0);
    }
    assert_int_equal(c.times, 0);
    arrivals_unexpect(&c.expected);
}

static void test_who_is_slow_is_closed(void **state)
{
    struct scene *s = *state;
    struct instant before = clock_instant();
    int silent = dial(s), slow = dial(s);
    say(slow, BYTES("KITHDATA and"));
    await_count(s, 2);
    turn(s);
    arrivals_tick(&s->arrivals, instant_after_ms(before, LIMIT_CONNECT_MS - 1));
    assert_int_equal(s->arrivals.count, 2);
    arrivals_tick(&s->arrivals, instant_after_ms(clock_instant(), LIMIT_CONNECT_MS));
    assert_int_equal(s->arrivals.count, 0);
    await_closed(s, silent);
    await_closed(s, slow);
}

static void test_no_more_than_so_many(void **state)
{
    struct scene *s = *state;
    struct carrier c;
    int fds[LIMIT_PEER_HANDSHAKES];
    expect(s, &c, 7);
    for (size_t i = 0; i < LIMIT_PEER_HANDSHAKES; i++) {
        fds[i] = dial(s);
        await_count(s, i + 1);
    }
    int fd = dial(s);
    await_closed(s, fd);
    assert_int_equal(s->arrivals.count, LIMIT_PEER_HANDSHAKES);
    say_preamble(fds[3], c.preamble);
    await_times(s, &c, 1);
    fd = dial(s); /* in its place */
    await_count(s, LIMIT_PEER_HANDSHAKES);
    assert_true(is_open(fd));
    for (size_t i = 0; i < LIMIT_PEER_HANDSHAKES; i++)
        close(fds[i]);
    close(fd);
    close(c.fd);
}

/* ---- TLS beside it ---- */

struct session {
    struct channel channel;
    bool agreed, closed;
};

static struct session *session_of(struct channel *c)
{
    return (struct session *)((char *)c - offsetof(struct session, channel));
}

static void on_open(struct channel *c)
{
    session_of(c)->agreed = true;
}

static void on_read(struct channel *c, struct bytes in)
{
}

static void on_room(struct channel *c)
{
}

static void on_closed(struct channel *c, const char *why)
{
    session_of(c)->closed = true;
}

static const struct channel_handler session_handler = {
    .open = on_open, .read = on_read, .room = on_room, .closed = on_closed};

/* A key that no talk expects: both agree, and then it is closed. */
static void test_tls_beside_it(void **state)
{
    struct scene *s = *state;
    struct session with = {.agreed = false};
    struct carrier c;
    expect(s, &c, 7);
    int fd = dial(s);
    assert_int_equal(channel_dial_tcp(&with.channel, &s->loop, "127.0.0.1",
                                      s->arrivals.port.number, s->dials, &session_handler),
                     0);
    while (!with.closed)
        turn(s);
    assert_true(with.agreed);
    assert_true(is_open(fd));
    say_preamble(fd, c.preamble);
    await_times(s, &c, 1);
    close(fd);
    close(c.fd);
}

static void test_the_end(void **state)
{
    struct scene *s = *state;
    struct carrier c;
    expect(s, &c, 7);
    int fd = dial(s);
    await_count(s, 1);
    arrivals_close(&s->arrivals);
    assert_false(list_is_linked(&c.expected.link));
    arrivals_unexpect(&c.expected);
    await_closed(s, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_comes_and_nothing_more_is_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_byte_by_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_not_expected_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_comes_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_expected_no_more_is_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_several_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_neither_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_broken_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_slow_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_more_than_so_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tls_beside_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

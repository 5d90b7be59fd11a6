#include "io/secret_stream.h"

#include "base/limits.h"
#include "io/clock.h"
#include "tls/identity_openssl.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Two ends, each in a thread where it may have to wait for the other. */

static const struct random_id id = {{1, 2, 3}}, other_id = {{1, 2, 4}};
static const uint8_t key[PSK_KEY_BYTES] = "said over another connection",
                     other_key[PSK_KEY_BYTES];

/* In place of io/clock.c: every look at it may take as long as a handshake. */
static atomic_bool clock_jumps;

struct instant clock_instant(void)
{
    static _Atomic uint64_t jumped;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (clock_jumps)
        jumped += LIMIT_HANDSHAKE_MS * 1000000;
    return (struct instant){(uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec + jumped};
}

struct end {
    struct secret_stream s;
    int fd;
    const struct random_id *id;
    const uint8_t *key;
    bool answers;
    int result;
    pthread_t thread;
    _Atomic pid_t working; /* the thread that is about to do what may wait */
    size_t total;
};

struct ends {
    struct end dials, answers;
};

static void make_sockets(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static int make_listener(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static void dial_loopback(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    uint16_t port;
    int listener = make_listener(&port);
    at.sin_port = htons(port);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&at, sizeof at), 0);
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fds[1] >= 0);
    close(listener);
}

static void *run_open(void *data)
{
    struct end *e = data;
    e->working = gettid();
    e->result = secret_stream_open(&e->s, e->fd, e->id, e->key, e->answers);
    return NULL;
}

static void begin(struct end *e, void *(*run)(void *))
{
    e->working = 0;
    assert_int_equal(pthread_create(&e->thread, NULL, run, e), 0);
}

static int finish(struct end *e)
{
    assert_int_equal(pthread_join(e->thread, NULL), 0);
    return e->result;
}

static void prepare(struct ends *p, const int fds[2])
{
    *p = (struct ends){.dials = {.fd = fds[0], .id = &id, .key = key},
                       .answers = {.fd = fds[1], .id = &id, .key = key, .answers = true}};
}

static void shake_hands(struct ends *p)
{
    begin(&p->dials, run_open);
    run_open(&p->answers);
    finish(&p->dials);
}

static void open_ends(struct ends *p, void (*connect_sockets)(int fds[2]))
{
    int fds[2];
    connect_sockets(fds);
    prepare(p, fds);
    shake_hands(p);
    assert_int_equal(p->dials.result, 0);
    assert_int_equal(p->answers.result, 0);
}

static void close_ends(struct ends *p)
{
    secret_stream_close(&p->dials.s);
    secret_stream_close(&p->answers.s);
}

/* Whether a thread waits in the kernel: its state, behind its name, is S. */
static bool sleeps(pid_t thread)
{
    char path[64], stat[512] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, stat, sizeof stat - 1);
    close(fd);
    const char *name_end = n > 0 ? strrchr(stat, ')') : NULL;
    return name_end && name_end[2] == 'S';
}

static void await_sleep(const struct end *e)
{
    while (e->working == 0 || !sleeps(e->working))
        sched_yield();
}

/* ---- what is said ---- */

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 31 >> 4);
}

static void *run_write(void *data)
{
    struct end *e = data;
    uint8_t *bytes = malloc(e->total);
    e->result = bytes ? 0 : -ENOMEM;
    for (size_t i = 0; i < e->total && bytes; i++)
        bytes[i] = byte_at(i);
    e->working = gettid();
    if (bytes)
        e->result = secret_stream_write(&e->s, bytes_make(bytes, e->total));
    free(bytes);
    return NULL;
}

static void read_all(struct end *e, size_t total)
{
    static uint8_t into[100000];
    size_t n;
    for (size_t done = 0; done < total; done += n) {
        size_t room = total - done < sizeof into ? total - done : sizeof into;
        assert_int_equal(secret_stream_read(&e->s, into, room, &n), 0);
        assert_in_range(n, 1, room);
        for (size_t i = 0; i < n; i++)
            assert_true(into[i] == byte_at(done + i));
    }
}

static void send_much(struct end *from, struct end *to, size_t total)
{
    from->total = total;
    begin(from, run_write);
    read_all(to, total);
    assert_int_equal(finish(from), 0);
}

static void say(struct end *e, struct bytes text)
{
    assert_int_equal(secret_stream_write(&e->s, text), 0);
}

static void expect_said(struct end *e, struct bytes want)
{
    uint8_t into[64];
    size_t n;
    assert_int_equal(secret_stream_read(&e->s, into, sizeof into, &n), 0);
    assert_bytes(bytes_make(into, n), want);
}

static void expect_end(struct end *e, int result)
{
    uint8_t into[64];
    size_t n = 99;
    assert_int_equal(secret_stream_read(&e->s, into, sizeof into, &n), result);
    assert_int_equal(n, result == 0 ? 0 : 99);
}

static void test_much_both_ways(void **state)
{
    struct ends p;
    open_ends(&p, dial_loopback);
    send_much(&p.dials, &p.answers, 32 * LIMIT_MIB + 1);
    send_much(&p.answers, &p.dials, 32 * LIMIT_MIB + 1);
    close_ends(&p);
}

/* Over TCP the kernel may wait for more, to send it together: not for what does not come. */
static void test_what_was_written_is_on_its_way(void **state)
{
    struct ends p;
    uint8_t data[20000] = {0};
    int unsent = -1;
    open_ends(&p, dial_loopback);
    for (size_t n = 1; n < sizeof data; n += 9000) {
        assert_int_equal(secret_stream_write(&p.dials.s, bytes_make(data, n)), 0);
        assert_int_equal(ioctl(p.dials.s.fd, SIOCOUTQNSD, &unsent), 0);
        assert_int_equal(unsent, 0);
    }
    close_ends(&p);
}

static void test_each_way_has_its_end(void **state)
{
    struct ends p;
    open_ends(&p, make_sockets);
    say(&p.dials, BYTES("the last word"));
    assert_int_equal(secret_stream_end(&p.dials.s), 0);
    expect_said(&p.answers, BYTES("the last word"));
    expect_end(&p.answers, 0);
    expect_end(&p.answers, 0);
    assert_true(secret_stream_has_input(&p.answers.s));
    say(&p.answers, BYTES("yes"));
    expect_said(&p.dials, BYTES("yes"));
    assert_int_equal(secret_stream_end(&p.answers.s), 0);
    expect_end(&p.dials, 0);
    close_ends(&p);
    secret_stream_close(&p.dials.s);
}

/* ---- the key ---- */

static void test_what_was_agreed(void **state)
{
    struct ends p;
    open_ends(&p, make_sockets);
    SSL *const ends[] = {p.dials.s.ssl, p.answers.s.ssl};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        assert_string_equal(SSL_get_version(ends[i]), "TLSv1.3");
        assert_string_equal(SSL_get_cipher_name(ends[i]), "TLS_AES_128_GCM_SHA256");
        assert_int_not_equal(SSL_get_negotiated_group(ends[i]), 0);
        assert_null(SSL_get0_peer_certificate(ends[i]));
    }
    uint8_t byte;
    assert_int_equal(recv(p.dials.s.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1); /* no ticket */
    uint8_t none[PSK_KEY_BYTES] = {0};
    assert_memory_equal(p.dials.s.psk.key, none, sizeof none);
    assert_memory_equal(p.answers.s.psk.key, none, sizeof none);
    close_ends(&p);
}

static void test_another_key_or_name(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct ends p;
        int fds[2];
        make_sockets(fds);
        prepare(&p, fds);
        if (i == 0)
            p.dials.key = other_key;
        else
            p.dials.id = &other_id;
        shake_hands(&p);
        assert_int_equal(p.dials.result, SECRET_STREAM_STRANGER);
        assert_int_equal(p.answers.result, SECRET_STREAM_STRANGER);
        assert_int_equal(fcntl(fds[0], F_GETFD), -1); /* they were closed */
        assert_int_equal(fcntl(fds[1], F_GETFD), -1);
    }
}

/* What any TLS of the other end does, with a certificate or none, and without the key. */
static void meet_without_key(struct end *e)
{
    struct identity *self;
    uint8_t seed[IDENTITY_SEED_BYTES] = {7};
    int fds[2];
    make_sockets(fds);
    e->fd = fds[0];
    begin(e, run_open);
    assert_int_equal(identity_new(&self, seed, NULL, 0), 0);
    SSL_CTX *c = SSL_CTX_new(TLS_method());
    assert_int_equal(SSL_CTX_use_certificate(c, self->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(c, self->key), 1);
    SSL *ssl = SSL_new(c);
    SSL_set_fd(ssl, fds[1]);
    if (e->answers)
        SSL_connect(ssl);
    else
        SSL_accept(ssl);
    shutdown(fds[1], SHUT_WR);
    assert_int_equal(finish(e), SECRET_STREAM_STRANGER);
    SSL_free(ssl);
    SSL_CTX_free(c);
    identity_free(self);
    close(fds[1]);
}

static void test_a_certificate_is_no_key(void **state)
{
    struct ends p;
    const int none[2] = {-1, -1};
    prepare(&p, none);
    meet_without_key(&p.dials);
    meet_without_key(&p.answers);
}

static void test_what_is_no_tls(void **state)
{
    struct ends p;
    int fds[2];
    make_sockets(fds);
    prepare(&p, fds);
    assert_int_equal(write(fds[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
    run_open(&p.answers);
    assert_int_equal(p.answers.result, SECRET_STREAM_STRANGER);
    close(fds[0]);

    make_sockets(fds);
    prepare(&p, fds);
    close(fds[0]);
    run_open(&p.answers);
    assert_int_equal(p.answers.result, -ECONNRESET);
}

static void test_who_says_nothing_is_late(void **state)
{
    struct ends p;
    int fds[2];
    make_sockets(fds);
    prepare(&p, fds);
    clock_jumps = true;
    run_open(&p.answers);
    clock_jumps = false;
    assert_int_equal(p.answers.result, -ETIMEDOUT);
    close(fds[0]);
}

static void count_renewals(int sent, int version, int type, const void *message, size_t len,
                           SSL *ssl, void *count)
{
    if (!sent && type == SSL3_RT_HANDSHAKE && len > 0 &&
        *(const uint8_t *)message == SSL3_MT_KEY_UPDATE)
        ++*(unsigned *)count;
}

static void test_the_key_is_renewed(void **state)
{
    struct ends p;
    unsigned renewals = 0;
    open_ends(&p, make_sockets);
    assert_true(p.dials.s.renew_bytes == LIMIT_PEER_RENEW_BYTES);
    p.dials.s.renew_bytes = 100000;
    SSL_set_msg_callback(p.answers.s.ssl, count_renewals);
    SSL_set_msg_callback_arg(p.answers.s.ssl, &renewals);
    send_much(&p.dials, &p.answers, 1000000);
    assert_int_equal(renewals, 9);
    send_much(&p.dials, &p.answers, 50000);
    send_much(&p.dials, &p.answers, 50000);
    assert_int_equal(renewals, 10);
    send_much(&p.answers, &p.dials, 1000000);
    close_ends(&p);
}

/* ---- what comes, byte by byte ---- */

/* What e says from now on, as it is on the wire: to be read from the socket returned. */
static int tap(struct end *e)
{
    int fds[2];
    make_sockets(fds);
    assert_true(dup2(fds[0], e->s.fd) >= 0);
    close(fds[0]);
    return fds[1];
}

static void test_whether_there_is_input(void **state)
{
    struct ends p;
    uint8_t wire[4096];
    open_ends(&p, make_sockets);
    int to = dup(p.dials.s.fd), from = tap(&p.dials);
    assert_false(secret_stream_has_input(&p.answers.s));
    say(&p.dials, BYTES("one"));
    say(&p.dials, BYTES("two"));
    ssize_t n = read(from, wire, sizeof wire);
    for (ssize_t i = 0; i < n / 2 - 1; i++) {
        assert_int_equal(write(to, wire + i, 1), 1);
        assert_false(secret_stream_has_input(&p.answers.s));
    }
    assert_int_equal(write(to, wire + n / 2 - 1, (size_t)n / 2 + 1), n / 2 + 1);
    assert_true(secret_stream_has_input(&p.answers.s));
    expect_said(&p.answers, BYTES("one"));
    assert_true(secret_stream_has_input(&p.answers.s)); /* read with the first, if not opened */
    expect_said(&p.answers, BYTES("two"));
    assert_false(secret_stream_has_input(&p.answers.s));
    close(to);
    close(from);
    close_ends(&p);
}

static void test_a_byte_that_was_changed(void **state)
{
    struct ends p;
    uint8_t wire[4096];
    open_ends(&p, make_sockets);
    int to = dup(p.dials.s.fd), from = tap(&p.dials);
    say(&p.dials, BYTES("ten pounds"));
    ssize_t n = read(from, wire, sizeof wire);
    wire[n / 2] ^= 1;
    assert_int_equal(write(to, wire, (size_t)n), n);
    expect_end(&p.answers, SECRET_STREAM_BROKEN);
    expect_end(&p.answers, SECRET_STREAM_BROKEN);
    assert_int_equal(secret_stream_write(&p.answers.s, BYTES("x")), SECRET_STREAM_BROKEN);
    assert_int_equal(secret_stream_end(&p.answers.s), SECRET_STREAM_BROKEN);
    close(to);
    close(from);
    close_ends(&p);
}

/* ---- ends that are none ---- */

static void test_the_other_side_vanishes(void **state)
{
    struct ends p;
    open_ends(&p, dial_loopback);
    say(&p.dials, BYTES("I was about to"));
    secret_stream_close(&p.dials.s);
    expect_said(&p.answers, BYTES("I was about to"));
    assert_true(secret_stream_has_input(&p.answers.s));
    expect_end(&p.answers, -ECONNRESET);
    assert_int_equal(secret_stream_write(&p.answers.s, BYTES("x")), -ECONNRESET);
    close_ends(&p);
}

static void test_a_machine_that_is_gone_is_noticed(void **state)
{
    struct ends p;
    int gone_ms = 0, keeps_asking = 0;
    socklen_t size = sizeof(int);
    open_ends(&p, dial_loopback);
    int fd = p.answers.s.fd;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, &size), 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keeps_asking, &size), 0);
    assert_int_equal(gone_ms, LIMIT_GONE_MS);
    assert_int_equal(keeps_asking, 1);
    close_ends(&p);
}

/* By default the signal would end this process. */
static void test_who_writes_to_nobody_gets_no_signal(void **state)
{
    struct ends p;
    open_ends(&p, make_sockets);
    secret_stream_close(&p.dials.s);
    assert_int_equal(secret_stream_write(&p.answers.s, BYTES("x")), -EPIPE);
    close_ends(&p);
}

static void *run_read(void *data)
{
    struct end *e = data;
    uint8_t byte;
    size_t n;
    e->working = gettid();
    e->result = secret_stream_read(&e->s, &byte, 1, &n);
    return NULL;
}

static void stop_while(struct end *e, void *(*run)(void *))
{
    begin(e, run);
    await_sleep(e);
    secret_stream_stop(&e->s);
    assert_int_equal(finish(e), -ECANCELED);
}

static void test_stopped_while_it_waits(void **state)
{
    void *(*const waits[])(void *) = {run_read, run_write};
    void (*const sockets[])(int fds[2]) = {make_sockets, dial_loopback};
    for (size_t i = 0; i < 4; i++) {
        struct ends p;
        open_ends(&p, sockets[i / 2]);
        p.dials.total = 32 * LIMIT_MIB; /* more than the kernel takes */
        stop_while(&p.dials, waits[i % 2]);
        expect_end(&p.dials, -ECANCELED);
        assert_true(secret_stream_has_input(&p.dials.s));
        assert_int_equal(secret_stream_write(&p.dials.s, BYTES("x")), -ECANCELED);
        assert_int_equal(secret_stream_end(&p.dials.s), -ECANCELED);
        close_ends(&p);
    }
}

static void test_stopped_before_they_agree(void **state)
{
    struct ends p;
    int fds[2];
    make_sockets(fds);
    prepare(&p, fds);
    stop_while(&p.answers, run_open);
    close(fds[0]);

    make_sockets(fds);
    prepare(&p, fds);
    secret_stream_stop(&p.answers.s);
    run_open(&p.answers);
    assert_int_equal(p.answers.result, -ECANCELED);
    close(fds[0]);
}

/* ---- dialing ---- */

static void test_dialing(void **state)
{
    const struct preamble said = {.id = id, .token = "let me in, he sa"};
    uint8_t want[PREAMBLE_BYTES], got[PREAMBLE_BYTES + 1];
    struct net_address loopback;
    uint16_t port;
    int fd, listener = make_listener(&port);
    assert_true(net_address_read(BYTES("127.0.0.1"), &loopback));
    assert_int_equal(secret_stream_dial(&loopback, port, &said, 60000, &fd), 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    int taken = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(recv(taken, got, PREAMBLE_BYTES, MSG_WAITALL), PREAMBLE_BYTES);
    assert_int_equal(recv(taken, got + PREAMBLE_BYTES, 1, MSG_DONTWAIT), -1);
    preamble_write(want, &said);
    assert_memory_equal(got, want, sizeof want);
    close(fd);
    close(taken);
    close(listener);
    assert_int_equal(secret_stream_dial(&loopback, port, &said, 60000, &fd), -ECONNREFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_much_both_ways),
        cmocka_unit_test(test_what_was_written_is_on_its_way),
        cmocka_unit_test(test_each_way_has_its_end),
        cmocka_unit_test(test_what_was_agreed),
        cmocka_unit_test(test_another_key_or_name),
        cmocka_unit_test(test_a_certificate_is_no_key),
        cmocka_unit_test(test_what_is_no_tls),
        cmocka_unit_test(test_who_says_nothing_is_late),
        cmocka_unit_test(test_the_key_is_renewed),
        cmocka_unit_test(test_whether_there_is_input),
        cmocka_unit_test(test_a_byte_that_was_changed),
        cmocka_unit_test(test_the_other_side_vanishes),
        cmocka_unit_test(test_a_machine_that_is_gone_is_noticed),
        cmocka_unit_test(test_who_writes_to_nobody_gets_no_signal),
        cmocka_unit_test(test_stopped_while_it_waits),
        cmocka_unit_test(test_stopped_before_they_agree),
        cmocka_unit_test(test_dialing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

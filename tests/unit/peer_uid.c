#include "io/peer_uid.h"

#include "io/listener.h"

#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A loopback connection: both of its ends. */
struct pair {
    struct listener listener;
    int client, server;
};

static void connect_pair(struct pair *p, const char *address, const char *to)
{
    assert_int_equal(listener_bind_tcp(&p->listener, address, 0), 0);
    assert_int_equal(listener_listen(&p->listener, 5), 0);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(p->listener.port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(p->listener.port)};
    bool is_v6 = inet_pton(AF_INET6, to, &v6.sin6_addr) == 1;
    assert_true(is_v6 || inet_pton(AF_INET, to, &v4.sin_addr) == 1);
    p->client = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p->client >= 0);
    const struct sockaddr *at = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    assert_int_equal(connect(p->client, at, is_v6 ? sizeof v6 : sizeof v4), 0);
    struct pollfd ready = {.fd = p->listener.fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, -1), 1);
    p->server = accept(p->listener.fd, NULL, NULL);
    assert_true(p->server >= 0);
}

static void close_pair(struct pair *p)
{
    if (p->client >= 0)
        close(p->client);
    close(p->server);
    listener_close(&p->listener);
}

static void test_loopback(void **state)
{
    static const char *const ways[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::1", "::1"},
        {"::", "127.0.0.1"},        /* IPv4 inside IPv6 on the hub's side ... */
        {"::", "::ffff:127.0.0.1"}, /* ... and on both */
    };
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct pair p;
        uint32_t uid = 12345;
        connect_pair(&p, ways[i][0], ways[i][1]);
        assert_true(peer_uid_loopback(p.server, &uid));
        assert_int_equal(uid, geteuid());
        close_pair(&p);
    }
}

static void test_half_closed_is_still_somebody(void **state)
{
    struct pair p;
    uint32_t uid;
    connect_pair(&p, "127.0.0.1", "127.0.0.1");
    assert_int_equal(shutdown(p.client, SHUT_WR), 0);
    assert_true(peer_uid_loopback(p.server, &uid));
    assert_int_equal(uid, geteuid());
    close_pair(&p);
}

/* The kernel would say uid 0 of a socket that no process holds any more. */
static void test_who_has_gone_is_nobody(void **state)
{
    struct pair p;
    uint32_t uid = 12345;
    connect_pair(&p, "127.0.0.1", "127.0.0.1");
    close(p.client);
    p.client = -1;
    assert_false(peer_uid_loopback(p.server, &uid));
    assert_int_equal(uid, 12345);
    close_pair(&p);
}

static void test_unix(void **state)
{
    int ends[2];
    uint32_t uid;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_true(peer_uid_unix(ends[0], &uid));
    assert_int_equal(uid, geteuid());
    assert_false(peer_uid_loopback(ends[0], &uid));
    close(ends[0]);
    close(ends[1]);
    assert_false(peer_uid_unix(-1, &uid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_half_closed_is_still_somebody),
        cmocka_unit_test(test_who_has_gone_is_nobody),
        cmocka_unit_test(test_unix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

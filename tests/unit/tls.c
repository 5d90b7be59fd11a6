#include "tls/tls.h"

#include "tls/identity_openssl.h"

#include "unit.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* Two ends and the bytes between them, delivered as a test likes. */

static const char *const hub_protocols[] = {"kith-hub/1", "kith-relay/1", NULL};
static const char *const hub_protocol[] = {"kith-hub/1", NULL};
static const char *const other_protocol[] = {"h2", NULL};
static const char *const no_protocol[] = {NULL};

struct end {
    struct identity *identity;
    struct tls_config *config;
    struct tls *tls;
    struct buffer plain, out; /* what it was told; what it sends */
    int result;               /* of the last call */
};

struct pair {
    struct end hub, client;
};

static void end_open(struct end *e, enum tls_role role, int seed, const char *const *protocols)
{
    uint8_t secret[IDENTITY_SEED_BYTES] = {(uint8_t)seed};
    *e = (struct end){0};
    if (seed)
        assert_int_equal(identity_new(&e->identity, secret, NULL, 0), 0);
    assert_int_equal(tls_config_new(&e->config, role, e->identity, protocols), 0);
    assert_int_equal(tls_new(&e->tls, e->config), 0);
    buffer_init(&e->plain, 4 << 20);
    buffer_init(&e->out, 4 << 20);
}

static void end_close(struct end *e)
{
    tls_free(e->tls);
    tls_config_free(e->config);
    identity_free(e->identity);
    buffer_fini(&e->plain);
    buffer_fini(&e->out);
}

/* Delivers what an end has to send, piece bytes at a time; false where it has nothing. */
static bool deliver(struct end *from, struct end *to, size_t piece)
{
    if (buffer_len(&from->out) == 0)
        return false;
    while (buffer_len(&from->out) > 0) {
        struct bytes all = buffer_view(&from->out);
        struct bytes copy = unit_copy(bytes_first(all, piece < all.len ? piece : all.len));
        if (tls_state(to->tls) != TLS_FAILED)
            to->result = tls_feed(to->tls, copy, &to->plain, &to->out);
        buffer_consume(&from->out, copy.len);
        unit_free(copy);
    }
    return true;
}

static void talk(struct pair *p, size_t piece)
{
    bool more = true;
    while (more) {
        more = deliver(&p->client, &p->hub, piece);
        more |= deliver(&p->hub, &p->client, piece);
    }
}

static void pair_open(struct pair *p, enum tls_role answers, int hub_seed, enum tls_role dials,
                      int client_seed, const char *const *protocols)
{
    end_open(&p->hub, answers, hub_seed, hub_protocols);
    end_open(&p->client, dials, client_seed, protocols);
    assert_int_equal(tls_begin(p->client.tls, &p->client.out), 0);
}

static void pair_close(struct pair *p)
{
    end_close(&p->hub);
    end_close(&p->client);
}

/* A hub and a client that have shaken hands. */
static void pair_open_agreed(struct pair *p)
{
    pair_open(p, TLS_HUB, 1, TLS_CLIENT, 2, hub_protocol);
    talk(p, 1000);
}

static void say(struct end *e, struct bytes text)
{
    assert_int_equal(tls_write(e->tls, text, &e->out), 0);
}

static void expect_said(struct end *e, struct bytes want)
{
    assert_bytes(buffer_view(&e->plain), want);
    buffer_truncate(&e->plain, 0);
}

static void check_peer(const struct end *e, const struct end *other)
{
    assert_int_equal(tls_state(e->tls), TLS_OPEN);
    assert_non_null(tls_peer(e->tls));
    assert_memory_equal(tls_peer(e->tls), identity_key(other->identity), PUBLIC_KEY_BYTES);
}

static void test_both_ends_know_each_other(void **state)
{
    for (size_t piece = 1; piece < 10000; piece = piece * 3 + 1) {
        struct pair p;
        uint8_t a[32], b[32];
        pair_open(&p, TLS_HUB, 1, TLS_CLIENT, 2, hub_protocol);
        talk(&p, piece);
        check_peer(&p.hub, &p.client);
        check_peer(&p.client, &p.hub);
        assert_string_equal(tls_protocol(p.hub.tls), "kith-hub/1");
        assert_string_equal(tls_protocol(p.client.tls), "kith-hub/1");
        assert_int_equal(tls_export(p.hub.tls, "EXPORTER-x", a, sizeof a), 0);
        assert_int_equal(tls_export(p.client.tls, "EXPORTER-x", b, sizeof b), 0);
        assert_memory_equal(a, b, sizeof a);
        say(&p.client, BYTES("hello"));
        say(&p.hub, BYTES("good day"));
        talk(&p, piece);
        expect_said(&p.hub, BYTES("hello"));
        expect_said(&p.client, BYTES("good day"));
        pair_close(&p);
    }
}

static void test_much_at_once(void **state)
{
    struct pair p;
    size_t n = 1000 * 1000;
    uint8_t *data = calloc(1, n);
    assert_non_null(data);
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)(i * 7 >> 3);
    pair_open(&p, TLS_HUB, 1, TLS_CLIENT, 0, no_protocol);
    talk(&p, 100000);
    assert_null(tls_peer(p.hub.tls));
    assert_null(tls_protocol(p.hub.tls));
    say(&p.client, bytes_make(data, n));
    talk(&p, 5000);
    expect_said(&p.hub, bytes_make(data, n));
    free(data);
    pair_close(&p);
}

static void test_an_end_is_told(void **state)
{
    struct pair p;
    pair_open_agreed(&p);
    say(&p.client, BYTES("the last"));
    assert_int_equal(tls_close(p.client.tls, &p.client.out), 0);
    talk(&p, 1000);
    expect_said(&p.hub, BYTES("the last"));
    assert_int_equal(tls_state(p.hub.tls), TLS_OVER);
    say(&p.hub, BYTES("an answer"));
    talk(&p, 1000);
    expect_said(&p.client, BYTES("an answer"));
    pair_close(&p);
}

/* Its last call has failed, and it has been told nothing. */
static void expect_failed(const struct end *e)
{
    assert_int_equal(e->result, TLS_BROKEN);
    assert_int_equal(tls_state(e->tls), TLS_FAILED);
    assert_non_null(tls_problem(e->tls));
    assert_int_equal(buffer_len(&e->plain), 0);
}

static void expect_broken(struct pair *p)
{
    talk(p, 1000);
    expect_failed(&p->hub);
}

static void expect_refused(struct pair *p)
{
    expect_broken(p);
    assert_int_equal(tls_state(p->client.tls), TLS_FAILED); /* it was told */
    pair_close(p);
}

static void test_another_protocol_is_refused(void **state)
{
    struct pair p;
    pair_open(&p, TLS_HUB, 1, TLS_CLIENT, 2, other_protocol);
    expect_refused(&p);
    pair_open(&p, TLS_PEER_ANSWERS, 1, TLS_CLIENT, 2, no_protocol);
    expect_broken(&p);
    pair_close(&p);
}

static void test_a_peer_must_say_who_it_is(void **state)
{
    struct pair p;
    pair_open(&p, TLS_PEER_ANSWERS, 1, TLS_PEER_DIALS, 0, hub_protocol);
    expect_refused(&p);
}

/* A client with a certificate of another kind, or with a chain of two. */
static void test_other_certificates_are_refused(void **state)
{
    for (int chain = 0; chain <= 1; chain++) {
        struct pair p;
        struct identity *second;
        uint8_t seed[IDENTITY_SEED_BYTES] = {9};
        pair_open(&p, TLS_HUB, 1, TLS_CLIENT, chain ? 2 : 0, hub_protocol);
        assert_int_equal(identity_new(&second, seed, NULL, 0), 0);
        struct identity rsa = {.key = EVP_RSA_gen(2048), .certificate = X509_new()};
        assert_true(rsa.key && rsa.certificate);
        X509_gmtime_adj(X509_getm_notAfter(rsa.certificate), 1000);
        assert_int_equal(X509_set_pubkey(rsa.certificate, rsa.key), 1);
        assert_true(X509_sign(rsa.certificate, rsa.key, EVP_sha256()) > 0);
        SSL *ssl = *(SSL **)(void *)p.client.tls; /* its first field */
        if (chain) {
            assert_int_equal(SSL_add1_chain_cert(ssl, second->certificate), 1);
        } else {
            assert_int_equal(SSL_use_certificate(ssl, rsa.certificate), 1);
            assert_int_equal(SSL_use_PrivateKey(ssl, rsa.key), 1);
        }
        expect_refused(&p);
        identity_free(second);
        EVP_PKEY_free(rsa.key);
        X509_free(rsa.certificate);
    }
}

/* One bit of what the client sends is wrong. */
static void damage(struct pair *p, size_t at)
{
    p->client.out.data[p->client.out.start + at] ^= 1;
    talk(p, 1000);
    assert_int_equal(buffer_len(&p->hub.plain), 0);
    /* Byte 3 is of the length: what is longer now has an end that is still to come. */
    assert_true(tls_state(p->hub.tls) == TLS_FAILED || at == 3);
}

static void test_damage_is_noticed(void **state)
{
    size_t len = 1;
    for (size_t at = 0; at < len; at++) {
        struct pair p;
        pair_open_agreed(&p);
        say(&p.client, BYTES("STORE k = v\n"));
        len = buffer_len(&p.client.out);
        damage(&p, at);
        pair_close(&p);
    }
    assert_in_range(len, 12, 60);
}

static void test_what_is_not_tls(void **state)
{
    struct end e;
    end_open(&e, TLS_HUB, 1, hub_protocols);
    e.result = tls_feed(e.tls, BYTES("GET / HTTP/1.1\r\n"), &e.plain, &e.out);
    expect_failed(&e);
    end_close(&e);
}

static void test_a_full_buffer_is_told(void **state)
{
    struct pair p;
    pair_open_agreed(&p);
    uint8_t much[1000] = {0};
    struct buffer small;
    buffer_init(&small, 100);
    assert_int_equal(tls_write(p.hub.tls, bytes_make(much, sizeof much), &small), BUFFER_FULL);
    assert_int_equal(tls_state(p.hub.tls), TLS_FAILED);
    buffer_fini(&small);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_know_each_other),
        cmocka_unit_test(test_much_at_once),
        cmocka_unit_test(test_an_end_is_told),
        cmocka_unit_test(test_another_protocol_is_refused),
        cmocka_unit_test(test_a_peer_must_say_who_it_is),
        cmocka_unit_test(test_other_certificates_are_refused),
        cmocka_unit_test(test_damage_is_noticed),
        cmocka_unit_test(test_what_is_not_tls),
        cmocka_unit_test(test_a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

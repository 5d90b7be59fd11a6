#include "hub/secure.h"

#include "hub/connection_inner.h"
#include "hub/hub.h"
#include "hub/login.h"
#include "hub/member.h"

#include "base/limits.h"
#include "base/log_line.h"

#include <errno.h>
#include <stdlib.h>

enum {
    HANDSHAKE_BYTE = 0x16, /* the first of a TLS connection (RFC 8446, section 5.1) */
    RECORD_BYTES = 16 * 1024,
};

bool secure_is_wanted(const struct connection *c, struct bytes in)
{
    return c->state == CONNECTION_SNIFFING && !c->inbox && !connection_secure(c) &&
           in.len > 0 && in.data[0] == HANDSHAKE_BYTE && c->hub->shared->tls;
}

static bool is_shaking_hands(const struct secure *s)
{
    return s->must_open.ns != INSTANT_NEVER.ns;
}

static void end_handshake(struct hub *hub, struct secure *s)
{
    if (!is_shaking_hands(s))
        return;
    s->must_open = INSTANT_NEVER;
    handshakes_end(&hub->shared->handshakes, &s->handshake);
}

/* Whoever is to close the one that makes room does so when it takes its mail. */
static void begin_handshake(struct connection *c, struct secure *s)
{
    struct hub_shared *shared = c->hub->shared;
    size_t ousted;
    s->must_open = instant_after_ms(c->hub->now, LIMIT_HANDSHAKE_MS);
    s->handshake = (struct handshake){.worker = c->hub->number, .owner = c};
    if (handshakes_begin(&shared->handshakes, &s->handshake, c->peer.address, &ousted))
        exchange_wake(&shared->exchange, ousted);
}

int secure_begin(struct connection *c)
{
    struct hub *hub = c->hub;
    struct connection_extra *extra = connection_extra(c);
    struct secure *s = extra ? calloc(1, sizeof *s) : NULL;
    if (!s || tls_new(&s->tls, hub->shared->tls) != 0) {
        free(s);
        return -ENOMEM;
    }
    buffer_init(&s->out, LIMIT_TLS_OUT_BYTES);
    s->must_log_in = INSTANT_NEVER;
    extra->secure = s;
    begin_handshake(c, s);
    return 0;
}

static void log_ousted(struct hub *hub, uint64_t n)
{
    struct log_line line = log_line_begin(
        &hub->log, LOG_WARNING,
        "closed TLS connections whose handshakes made room for others: too many at once");
    log_line_number(&line, "connections", (int64_t)n);
    log_line_end(&line);
}

void secure_oust(struct hub *hub)
{
    struct handshakes *x = &hub->shared->handshakes;
    struct connection *c;
    while ((c = handshakes_take_ousted(x, hub->number))) {
        connection_abort(c);
        hub_set_ready(c);
    }
    uint64_t n = handshakes_take_unlogged(x, hub->now);
    if (n > 0)
        log_ousted(hub, n);
}

void secure_free(struct hub *hub, struct secure *s)
{
    if (!s)
        return;
    end_handshake(hub, s);
    tls_free(s->tls);
    buffer_fini(&s->out);
    free(s);
}

/* ---- in ---- */

static void log_problem(struct connection *c)
{
    const struct secure *s = connection_secure(c);
    struct log_line line = log_line_begin(&c->hub->log, LOG_WARNING, "closed a TLS connection");
    log_line_number(&line, "connection", (int64_t)c->id);
    log_line_str(&line, "reason", tls_problem(s->tls));
    log_line_end(&line);
}

/* Decrypted bytes lie where others lay before. */
static void feed_plain(struct connection *c)
{
    struct buffer *plain = &c->hub->plain;
    ahead_forget(&c->hub->ahead);
    if (buffer_len(plain) > 0)
        connection_feed_plain(c, buffer_view(plain));
    buffer_truncate(plain, 0);
}

/* Who shows a known device's key is known, or soon; any other guest has a while to say who he
 * is. */
static void begin_login(struct connection *c, struct secure *s)
{
    uint64_t lsn;
    if (!tls_is_open(s->tls))
        return;
    s->is_unsettled = tls_peer(s->tls) && login_by_device(c, &lsn) == STORE_BUSY;
    if (access_is_guest(&c->hub->shared->config, &c->peer))
        s->must_log_in = instant_after_ms(c->hub->now, LIMIT_LOGIN_MS);
}

bool secure_settle(struct connection *c)
{
    struct secure *s = connection_secure(c);
    uint64_t lsn;
    if (s && s->is_unsettled)
        s->is_unsettled = !connection_member(c) && login_by_device(c, &lsn) == STORE_BUSY;
    return !s || !s->is_unsettled;
}

void secure_feed(struct connection *c, struct bytes in)
{
    struct secure *s = connection_secure(c);
    int r = tls_feed(s->tls, in, &c->hub->plain, &s->out);
    if (is_shaking_hands(s) && tls_state(s->tls) != TLS_HANDSHAKE) {
        end_handshake(c->hub, s);
        begin_login(c, s);
    }
    hub_set_ready(c);
    feed_plain(c);
    if (r != 0) {
        log_problem(c);
        connection_drain(c);
    } else if (tls_state(s->tls) == TLS_OVER && !c->input_over) {
        connection_feed_end(c);
    }
    connection_set_timer(c);
}

/* ---- out ---- */

/* Encrypts as much as makes a record or two. */
static void encrypt_some(struct connection *c)
{
    struct secure *s = connection_secure(c);
    while (buffer_len(&s->out) < RECORD_BYTES && c->state != CONNECTION_CLOSED &&
           tls_is_open(s->tls)) {
        struct bytes plain = connection_output_plain(c);
        if (plain.len > RECORD_BYTES)
            plain = bytes_first(plain, RECORD_BYTES);
        if (plain.len == 0)
            return;
        if (tls_write(s->tls, plain, &s->out) != 0) {
            log_problem(c);
            connection_abort(c);
            return;
        }
        connection_sent_plain(c, plain.len);
    }
}

struct bytes secure_output(struct connection *c)
{
    encrypt_some(c);
    return c->state == CONNECTION_CLOSED ? (struct bytes){0}
                                         : buffer_view(&connection_secure(c)->out);
}

void secure_sent(struct connection *c, size_t n)
{
    struct secure *s = connection_secure(c);
    buffer_consume(&s->out, n);
    if (buffer_len(&s->out) == 0) {
        buffer_release(&s->out);
        s->stalled_since.ns = 0;
    } else if (n > 0 || s->stalled_since.ns == 0) {
        s->stalled_since = c->hub->now;
    }
    connection_set_timer(c);
}

bool secure_is_drained(struct connection *c)
{
    struct secure *s = connection_secure(c);
    if (tls_is_open(s->tls)) {
        if (connection_unread(c) > 0)
            return false;
        if (!s->closed && tls_close(s->tls, &s->out) == 0)
            hub_set_ready(c);
        s->closed = true;
    }
    return buffer_len(&s->out) == 0;
}

struct instant secure_deadline(const struct secure *s)
{
    struct instant due = instant_min(s->must_open, s->must_log_in);
    return s->stalled_since.ns > 0
               ? instant_min(due, instant_after_ms(s->stalled_since, LIMIT_STALL_MS))
               : due;
}

void secure_logged_in(struct secure *s)
{
    s->must_log_in = INSTANT_NEVER;
}

const struct public_key *secure_device(const struct secure *s)
{
    return tls_is_open(s->tls) ? tls_peer(s->tls) : NULL;
}

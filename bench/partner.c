#include "partner.h"

#include "device.h"
#include "dial.h"

#include <errno.h>

#include "io/clock.h"

static void expect(int result, const char *what)
{
    errno = result < 0 ? -result : 0;
    if (result != 0)
        dial_fail(what);
}

struct tls_config *partner_config(enum proof_role role, uint64_t own)
{
    static const char *const protocols[] = {"kith-peer/1", NULL};
    return line_config(role == PROOF_DIALS ? TLS_PEER_DIALS : TLS_PEER_ANSWERS, (int64_t)own,
                       protocols);
}

void partner_begin(struct partner *p, const struct random_id *id, uint64_t own, uint64_t other)
{
    char own_name[DEVICE_NAME_BYTES + 1], other_name[DEVICE_NAME_BYTES + 1];
    struct public_key own_key = device_key(own), other_key = device_key(other);
    struct pair pair;
    device_name(own, own_name);
    device_name(other, other_name);
    expect(pair_init(&pair, id, bytes_from_str(own_name), &own_key, bytes_from_str(other_name),
                     &other_key),
           "a pair");
    peer_session_init(&p->session, &pair, clock_instant());
}

void partner_end(struct partner *p)
{
    for (size_t i = 0; i < PARTNER_LINES; i++)
        line_close(&p->lines[i]);
    peer_session_fini(&p->session);
    *p = (struct partner){.is_open = false};
}

struct line *partner_add(struct partner *p, enum proof_role role)
{
    size_t i = 0;
    while (i < PARTNER_LINES && p->lines[i].tls)
        i++;
    if (i == PARTNER_LINES)
        dial_fail("too many lines");
    p->roles[i] = role;
    p->is_path[i] = false;
    return &p->lines[i];
}

/* ---- lines ---- */

static void attach(struct partner *p, size_t i)
{
    uint8_t exporter[PROOF_EXPORTER_BYTES];
    struct line *l = &p->lines[i];
    expect(tls_export(l->tls, PROOF_LABEL, exporter, sizeof exporter), "the exporter");
    expect(peer_session_attach(&p->session, PEER_PATH_DIRECT, p->roles[i], tls_peer(l->tls),
                               exporter, clock_instant(), &p->paths[i]),
           "a path");
    p->is_path[i] = true;
}

static void drop(struct partner *p, size_t i)
{
    if (p->is_path[i])
        peer_session_detach(&p->session, p->paths[i], clock_instant());
    p->is_path[i] = false;
    line_close(&p->lines[i]);
}

static void drop_path(struct partner *p, unsigned path)
{
    for (size_t i = 0; i < PARTNER_LINES; i++)
        if (p->is_path[i] && p->paths[i] == path) {
            drop(p, i);
            return;
        }
}

/* ---- the session ---- */

static void hear(struct partner *p, struct bytes message)
{
    struct talk_event e;
    expect(talk_hear(&p->talk, message, &e), "what was said");
    p->heard(p, &e);
}

static void take_events(struct partner *p)
{
    struct peer_event e;
    while (peer_session_next_event(&p->session, &e)) {
        if (e.type == PEER_EVENT_MESSAGE)
            hear(p, e.message);
        else if (e.type == PEER_EVENT_OPEN)
            p->is_open = true;
        else if (e.type == PEER_EVENT_DROP)
            drop_path(p, e.path);
    }
}

static void feed(struct partner *p, size_t i, struct instant now)
{
    struct buffer *plain = &p->lines[i].plain;
    size_t consumed = 1;
    while (p->is_path[i] && consumed > 0 && buffer_len(plain) > 0) {
        peer_session_feed(&p->session, p->paths[i], buffer_view(plain), now, &consumed);
        buffer_consume(plain, consumed);
        take_events(p);
    }
}

/* What waits in the session can still be overtaken, so no more is taken out than leaves. */
static void pump(struct partner *p, size_t i)
{
    struct bytes out;
    while (p->is_path[i] && buffer_len(&p->lines[i].out) == 0) {
        expect(peer_session_output(&p->session, p->paths[i], &out), "what is to be sent");
        if (out.len == 0)
            return;
        line_say(&p->lines[i], out);
        peer_session_sent(&p->session, p->paths[i], out.len);
        line_send(&p->lines[i]);
    }
}

static void move_line(struct partner *p, size_t i, struct instant now)
{
    struct line *l = &p->lines[i];
    line_move(l);
    if (!p->is_path[i] && tls_is_open(l->tls))
        attach(p, i);
    feed(p, i, now);
    if (l->tls && l->is_over)
        drop(p, i);
}

void partner_move(struct partner *p)
{
    struct instant now = clock_instant();
    for (size_t i = 0; i < PARTNER_LINES; i++)
        if (p->lines[i].tls)
            move_line(p, i, now);
    peer_session_tick(&p->session, now);
    take_events(p);
    for (size_t i = 0; i < PARTNER_LINES; i++)
        pump(p, i);
}

/* ---- talk ---- */

static bool say(struct partner *p, struct buffer *message)
{
    int r = peer_session_say(&p->session, PEER_TALK, buffer_view(message));
    buffer_fini(message);
    expect(r == PEER_SESSION_FULL ? 0 : r, "saying");
    return r == 0;
}

bool partner_say(struct partner *p, struct bytes text)
{
    struct buffer message;
    uint64_t id;
    struct talk before = p->talk;
    buffer_init(&message, LIMIT_PEER_MESSAGE_BYTES);
    expect(talk_say(&p->talk, text, &message, &id), "a text");
    bool said = say(p, &message);
    if (!said)
        p->talk = before;
    return said;
}

void partner_show(struct partner *p, uint64_t id)
{
    struct buffer message;
    buffer_init(&message, LIMIT_PEER_MESSAGE_BYTES);
    expect(talk_show(&p->talk, id, &message), "a mark");
    if (!say(p, &message))
        dial_fail("no room for a mark");
}

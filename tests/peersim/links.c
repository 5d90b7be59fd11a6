#include "world.h"

#include <stdlib.h>

static struct link *unused(struct world *w)
{
    for (size_t i = 0; i < LINKS; i++)
        if (!w->links[i].is_there)
            return &w->links[i];
    return NULL;
}

struct link *link_open(struct world *w, enum peer_path_kind kind, unsigned dialer,
                       int candidate, enum reach reach)
{
    struct link *l = unused(w);
    trace_check(&w->trace, l, "more connections than there should ever be");
    *l = (struct link){.is_there = true,
                       .kind = kind,
                       .reach = reach,
                       .dialer = dialer,
                       .candidate = candidate,
                       .opens_at = later(w, 2 * w->delay_ms)};
    for (int i = 0; i < 2; i++) {
        list_init(&l->to[i].chunks);
        buffer_init(&l->to[i].in, SIZE_MAX / 4);
    }
    for (size_t i = 0; i < PROOF_EXPORTER_BYTES; i++)
        l->exporter[0][i] = l->exporter[1][i] = (uint8_t)draw(w, 256);
    return l;
}

void link_free(struct link *l)
{
    for (int i = 0; i < 2; i++) {
        for (struct list *c; (c = list_pop(&l->to[i].chunks));)
            free(list_entry(c, struct chunk, link));
        buffer_fini(&l->to[i].in);
    }
    *l = (struct link){0};
}

static void detach(struct world *w, struct link *l, unsigned side)
{
    if (!l->is_attached[side])
        return;
    l->is_attached[side] = false;
    peer_session_detach(&w->sides[side].session, l->path[side], w->now);
}

void link_close(struct world *w, struct link *l, unsigned side)
{
    detach(w, l, side);
    l->to[1 - side].is_closed = true;
    l->to[1 - side].closes_at = later(w, w->delay_ms);
    if (l->to[1 - side].closes_at.ns < l->to[1 - side].last.ns)
        l->to[1 - side].closes_at = l->to[1 - side].last;
    if (!l->is_attached[1 - side])
        link_free(l);
}

void link_cut(struct world *w, struct link *l)
{
    l->is_cut = true;
    for (int i = 0; i < 2; i++)
        for (struct list *c; (c = list_pop(&l->to[i].chunks));)
            free(list_entry(c, struct chunk, link));
}

struct instant link_next(const struct link *l)
{
    struct instant at = INSTANT_NEVER;
    if (!l->is_there)
        return at;
    if (!l->is_open)
        return l->reach == REACH_SILENT ? at : l->opens_at;
    for (int i = 0; i < 2; i++) {
        const struct pipe *p = &l->to[i];
        if (!list_is_empty(&p->chunks))
            at = instant_min(at, list_entry(p->chunks.next, struct chunk, link)->at);
        else if (p->is_closed && !l->is_cut)
            at = instant_min(at, p->closes_at);
    }
    return at;
}

static void send(struct world *w, struct link *l, unsigned to, struct bytes data)
{
    struct pipe *p = &l->to[to];
    struct chunk *c = malloc(sizeof *c + data.len);
    if (!c)
        abort();
    struct instant at = later(w, w->delay_ms);
    p->last = at.ns > p->last.ns ? at : p->last;
    *c = (struct chunk){.at = p->last, .len = data.len};
    if (data.len > 0)
        memcpy(c->data, data.data, data.len);
    list_append(&p->chunks, &c->link);
    p->bytes += data.len;
}

/* Whoever answers there is not who he should be: he says what he has heard others say, or
 * anything. */
static void pretend(struct world *w, struct link *l, unsigned to)
{
    struct bytes heard = buffer_view(&w->heard_proofs);
    uint8_t noise[64];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)draw(w, draw(w, 2) ? 256 : 8);
    if (heard.len >= 38 && draw(w, 2))
        send(w, l, to, bytes_make(heard.data + 38 * draw(w, heard.len / 38), 38));
    else
        send(w, l, to, bytes_make(noise, sizeof noise));
}

static void attach(struct world *w, struct link *l, unsigned side)
{
    struct side *s = &w->sides[side];
    struct public_key shown = s->pair.other.key;
    shown.bytes[5] ^= l->reach == REACH_WRONG_KEY;
    int r = peer_session_attach(&s->session, l->kind,
                                side == l->dialer ? PROOF_DIALS : PROOF_ANSWERS, &shown,
                                l->exporter[side], w->now, &l->path[side]);
    trace_check(&w->trace, (r == PEER_SESSION_WRONG_KEY) == (l->reach == REACH_WRONG_KEY),
                "a key was judged wrongly");
    l->is_attached[side] = r == 0;
    if (r != 0 && side == l->dialer && l->candidate >= 0)
        dialing_done(&s->dialing, (size_t)l->candidate,
                     r == PEER_SESSION_WRONG_KEY ? DIALING_WRONG_KEY : DIALING_GIVEN_UP,
                     w->now);
}

static void establish(struct world *w, struct link *l)
{
    l->is_open = true;
    if (l->reach == REACH_REFUSED || (l->kind == PEER_PATH_DIRECT && w->parted)) {
        if (l->candidate >= 0)
            dialing_done(&w->sides[l->dialer].dialing, (size_t)l->candidate, DIALING_REFUSED,
                         w->now);
        link_free(l);
        return;
    }
    attach(w, l, l->dialer);
    if (l->reach == REACH_WORKS)
        attach(w, l, 1 - l->dialer);
    else if (l->is_attached[l->dialer])
        pretend(w, l, l->dialer);
    if (!l->is_attached[0] && !l->is_attached[1])
        link_free(l);
    else if (l->reach == REACH_WORKS && !(l->is_attached[0] && l->is_attached[1]))
        link_close(w, l, l->is_attached[0] ? 1 : 0);
}

static void feed(struct world *w, struct link *l, unsigned side)
{
    struct pipe *p = &l->to[side];
    size_t n = 1;
    while (n > 0 && l->is_there && l->is_attached[side]) {
        struct bytes in = buffer_view(&p->in);
        struct bytes copy = bytes_make(in.data, in.len);
        peer_session_feed(&w->sides[side].session, l->path[side], copy, w->now, &n);
        /* events point into what was fed: they are taken before it goes */
        side_take_events(w, side);
        if (l->is_there)
            buffer_consume(&p->in, n);
    }
}

static void arrive(struct world *w, struct link *l, unsigned side)
{
    struct pipe *p = &l->to[side];
    bool any = false;
    while (!list_is_empty(&p->chunks)) {
        struct chunk *c = list_entry(p->chunks.next, struct chunk, link);
        if (c->at.ns > w->now.ns)
            break;
        list_remove(&c->link);
        if (buffer_append(&p->in, c->data, c->len) != 0)
            abort();
        p->bytes -= c->len;
        free(c);
        any = true;
    }
    if (any)
        feed(w, l, side);
}

void link_run(struct world *w, struct link *l)
{
    if (!l->is_there || link_next(l).ns > w->now.ns)
        return;
    if (!l->is_open)
        establish(w, l);
    for (unsigned side = 0; side < 2 && l->is_there; side++) {
        arrive(w, l, side);
        if (!l->is_there || l->is_cut || !l->to[side].is_closed ||
            !list_is_empty(&l->to[side].chunks) || l->to[side].closes_at.ns > w->now.ns)
            continue;
        if (l->is_attached[side] && side == l->dialer && l->candidate >= 0)
            dialing_done(&w->sides[side].dialing, (size_t)l->candidate, DIALING_UNREACHABLE,
                         w->now);
        detach(w, l, side);
        link_free(l);
    }
}

static void overhear(struct world *w, struct bytes out)
{
    if (out.len >= 38 && out.data[4] == 1 && out.data[3] == 33 &&
        buffer_len(&w->heard_proofs) < 38 * 16 &&
        buffer_append(&w->heard_proofs, out.data, 38) != 0)
        abort();
}

void link_pump(struct world *w, struct link *l, unsigned side)
{
    while (l->is_there && l->is_attached[side] && l->to[1 - side].bytes < PIPE_BYTES) {
        struct bytes out;
        int r = peer_session_output(&w->sides[side].session, l->path[side], &out);
        trace_check(&w->trace, r == 0, "nothing to send can be had: %d", r);
        if (out.len == 0)
            return;
        overhear(w, out);
        size_t n = draw(w, 4) ? out.len : 1 + draw(w, out.len);
        if (!l->is_cut && !l->to[1 - side].is_closed && l->reach == REACH_WORKS)
            send(w, l, 1 - side, bytes_first(out, n));
        peer_session_sent(&w->sides[side].session, l->path[side], n);
    }
}

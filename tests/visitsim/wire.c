#include "wire.h"

#include "world.h"

#include <stdlib.h>

struct chunk {
    struct list link;
    struct instant at;
    size_t len, taken;
    uint8_t data[];
};

struct wire *wire_dial(struct world *w, size_t from, size_t to,
                       const struct wire_handler *handler, void *owner)
{
    struct wire *x = calloc(1, sizeof *x);
    if (!x)
        abort();
    x->world = w;
    x->number = ++w->wires_made;
    x->opens_at = world_later(w, 2 * w->delay_ms);
    for (int i = 0; i < 2; i++)
        list_init(&x->ends[i].chunks);
    x->ends[0].place = from;
    x->ends[1].place = to;
    x->ends[0].handler = handler;
    x->ends[0].owner = owner;
    x->ends[0].is_there = true;
    list_append(&w->wires, &x->link);
    return x;
}

void wire_take(struct wire *x, const struct wire_handler *handler, void *owner)
{
    x->ends[1].handler = handler;
    x->ends[1].owner = owner;
    x->ends[1].is_there = true;
}

static void drop_chunks(struct wire_end *e)
{
    for (struct list *link; (link = list_pop(&e->chunks));)
        free(list_entry(link, struct chunk, link));
    e->bytes = 0;
}

void wire_free(struct wire *x)
{
    drop_chunks(&x->ends[0]);
    drop_chunks(&x->ends[1]);
    list_remove(&x->link);
    free(x);
}

static struct instant arrival(struct wire *x, struct wire_end *to)
{
    struct instant at = world_later(x->world, x->world->delay_ms);
    if (at.ns > to->last.ns)
        to->last = at;
    return to->last;
}

void wire_say(struct wire *x, unsigned side, struct bytes data)
{
    struct wire_end *to = &x->ends[1 - side];
    if (data.len == 0 || x->is_cut || to->is_closed || !to->is_there)
        return;
    struct chunk *c = malloc(sizeof *c + data.len);
    if (!c)
        abort();
    *c = (struct chunk){.at = arrival(x, to), .len = data.len};
    memcpy(c->data, data.data, data.len);
    list_append(&to->chunks, &c->link);
    to->bytes += data.len;
}

bool wire_is_full(const struct wire *x, unsigned side)
{
    return x->ends[1 - side].bytes >= WIRE_BYTES;
}

void wire_close(struct wire *x, unsigned side)
{
    struct wire_end *to = &x->ends[1 - side];
    x->ends[side].is_there = false;
    drop_chunks(&x->ends[side]);
    if (!x->is_open) {
        to->is_there = false;
    } else if (to->is_there) {
        to->is_closed = true;
        to->closes_at = arrival(x, to);
    }
}

void wire_cut(struct wire *x)
{
    if (x->is_cut)
        return;
    x->is_cut = true;
    x->dies_at = world_later(x->world, 30 * 1000);
    drop_chunks(&x->ends[0]);
    drop_chunks(&x->ends[1]);
}

static bool wants(const struct wire_end *e)
{
    return !e->handler->wants || e->handler->wants(e->owner);
}

static struct instant end_next(const struct wire_end *e)
{
    if (!e->is_there)
        return INSTANT_NEVER;
    if (!list_is_empty(&e->chunks))
        return wants(e) ? list_entry(e->chunks.next, struct chunk, link)->at : INSTANT_NEVER;
    return e->is_closed ? e->closes_at : INSTANT_NEVER;
}

struct instant wire_next(const struct wire *x)
{
    if (x->is_cut)
        return x->dies_at;
    if (!x->is_open)
        return x->opens_at;
    return instant_min(end_next(&x->ends[0]), end_next(&x->ends[1]));
}

static void tell_closed(struct wire_end *e)
{
    if (!e->is_there)
        return;
    e->is_there = false;
    drop_chunks(e);
    e->handler->closed(e->owner);
}

static void open_up(struct wire *x)
{
    switch (world_reach(x->world, x->ends[0].place, x->ends[1].place)) {
    case REACH_NOT:
        wire_cut(x);
        return;
    case REACH_REFUSED:
        tell_closed(&x->ends[0]);
        return;
    case REACH_WORKS:
        x->is_open = true;
        world_arrive(x->world, x);
        if (x->ends[0].is_there)
            x->ends[0].handler->opened(x->ends[0].owner);
    }
}

/* In pieces, where the seed says so. */
static void hand_over(struct wire *x, struct wire_end *e, struct chunk *c)
{
    size_t left = c->len - c->taken;
    size_t n = draw(x->world, 8) ? left : 1 + draw(x->world, left);
    uint8_t *piece = malloc(n); /* its own memory, so that reading past it is seen */
    if (!piece)
        abort();
    memcpy(piece, c->data + c->taken, n);
    c->taken += n;
    e->bytes -= n;
    if (c->taken == c->len) {
        list_remove(&c->link);
        free(c);
    }
    e->handler->got(e->owner, bytes_make(piece, n));
    free(piece);
}

static void run_end(struct wire *x, unsigned side)
{
    struct wire_end *e = &x->ends[side], *from = &x->ends[1 - side];
    if (end_next(e).ns > x->world->trace.now.ns)
        return;
    if (list_is_empty(&e->chunks)) {
        tell_closed(e);
        return;
    }
    bool was_full = wire_is_full(x, 1 - side);
    hand_over(x, e, list_entry(e->chunks.next, struct chunk, link));
    if (was_full && from->is_there && !wire_is_full(x, 1 - side) && from->handler->room)
        from->handler->room(from->owner);
}

void wire_run(struct wire *x)
{
    if (wire_next(x).ns > x->world->trace.now.ns)
        return;
    if (x->is_cut) {
        tell_closed(&x->ends[0]);
        tell_closed(&x->ends[1]);
    } else if (!x->is_open) {
        open_up(x);
    } else {
        run_end(x, 0);
        run_end(x, 1);
    }
}

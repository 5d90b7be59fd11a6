#ifndef KITH_TESTS_VISITSIM_WIRE_H
#define KITH_TESTS_VISITSIM_WIRE_H

/* A connection between two places: what is said at one end arrives at the other, later, in
 * pieces and in order; until the connection is closed, or is cut, after which nothing arrives
 * and both ends learn of it a good while later. Side 0 has dialed.
 *
 * An end that was told `closed`, or has closed, hears nothing any more and forgets the wire,
 * which goes when both have. */

#include "base/buffer.h"
#include "base/list.h"
#include "base/time.h"

struct world;
struct wire;

struct wire_handler {
    void (*opened)(void *owner); /* of who has dialed */
    void (*got)(void *owner, struct bytes in);
    void (*closed)(void *owner);      /* by the other end, refused, or given up */
    bool (*wants)(const void *owner); /* NULL: it always takes what arrives */
    void (*room)(void *owner);        /* NULL; else: what it had said has left */
};

enum { WIRE_BYTES = 64 * 1024 };

struct wire_end {
    const struct wire_handler *handler;
    void *owner;
    bool is_there;
    size_t place;
    struct list chunks; /* on their way to this end */
    size_t bytes;       /* of those */
    struct instant last;
    bool is_closed; /* by the other end; told at closes_at */
    struct instant closes_at;
};

struct wire {
    struct list link;
    struct world *world;
    uint64_t number;
    struct wire_end ends[2];
    bool is_open, is_cut;
    struct instant opens_at; /* while it is not */
    struct instant dies_at;  /* once it is cut */
};

/* owner dials from a place to another. */
struct wire *wire_dial(struct world *w, size_t from, size_t to,
                       const struct wire_handler *handler, void *owner);

/* Who was dialed takes the other end. */
void wire_take(struct wire *x, const struct wire_handler *handler, void *owner);

/* Says something at that end; wire_is_full: better not now. */
void wire_say(struct wire *x, unsigned side, struct bytes data);
bool wire_is_full(const struct wire *x, unsigned side);

/* That end has gone. What it had said still arrives. */
void wire_close(struct wire *x, unsigned side);

void wire_cut(struct wire *x);
void wire_free(struct wire *x);

/* When something happens on it next; lets it happen. */
struct instant wire_next(const struct wire *x);
void wire_run(struct wire *x);

#endif

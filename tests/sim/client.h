#ifndef KITH_TESTS_SIM_CLIENT_H
#define KITH_TESTS_SIM_CLIENT_H

/* A client and its connection, seen from outside the hub: what it asks and in what bytes, what
 * it is owed and what has left the hub for it, its socket and how it reads. It checks every
 * byte that leaves: the right one, not too early, and true on disk. */

#include "model_push.h"
#include "witness.h"

#include "hub/connection.h"

/* A reply that has not left in full. */
struct client_debt {
    uint64_t begin, end;       /* in all that leaves for this client */
    uint64_t needs;            /* the mutation it tells of */
    struct instant not_before; /* --delay */
};

struct client {
    const struct trace *trace;
    struct model *model;
    struct connection *connection;
    size_t hub; /* which worker's */
    struct model_session session;
    struct request_taste taste;
    bool bare;      /* sends bare messages, one at a time */
    bool flood;     /* asks without reading */
    bool deaf;      /* does not read */
    unsigned depth; /* asks at most this many at once */

    struct request *requests;
    size_t count, run, capacity; /* run: those the hub has run */
    struct buffer out;           /* made, not delivered */
    uint64_t made, fed;
    struct instant last_fed;
    bool framed;          /* the hub has seen where its messages end */
    bool ending, end_fed; /* will half-close, has */

    struct buffer expected; /* replies that have not left */
    struct client_debt *debts;
    size_t debt_first, debt_count, debt_capacity;
    uint64_t owed_end, left;
    struct instant served_until;
    size_t largest_reply;

    size_t room, in_socket; /* the socket's buffer */
    bool reading;           /* the hub reads from it */
    bool blocked;           /* the hub has bytes that found no room, ... */
    struct instant blocked_since;
    bool identify; /* the hub asked who it is */
};

/* Everything about it comes from the seed. */
void client_init(struct client *c, struct model *m, uint32_t *tags, uint64_t *seed);
void client_fini(struct client *c);

/* Asks some more, where it wants to. */
void client_ask(struct client *c, uint64_t *seed);

/* Will half-close once all is delivered; perhaps with a last bare message. */
void client_end(struct client *c, uint64_t *seed);

/* Still to be delivered. */
static inline struct bytes client_out(const struct client *c)
{
    return buffer_view(&c->out);
}

/* The first n bytes of it are the hub's now. */
void client_fed(struct client *c, size_t n);

/* Would a silence end its message? */
bool client_fears_silence(const struct client *c);

/* The hub says it ran a request of this client. What the store did for it. */
struct witness_call client_ran(struct client *c, struct witness *w);

/* The hub is about to tell everybody of this. */
void client_told(struct client *c, const struct model_push *push);

/* These bytes leave the hub, which had everything up to `synced` on disk. */
void client_took(struct client *c, struct bytes out, uint64_t synced);

/* The hub closed the connection; `stopping`: it was told to stop. */
void client_closed(struct client *c, bool stopping);

/* Nothing moves any more: was everything answered? */
void client_settled(struct client *c);

#endif

#ifndef KITH_HUB_CONNECTION_H
#define KITH_HUB_CONNECTION_H

/* One connection, as the hub's mind sees it: bytes in, bytes out.
 *
 *     socket <-> filter <-> door <-> commands <-> reply queue
 *
 * The filter is TLS (hub/secure.h) where the other end opens with a handshake; plaintext goes
 * straight through.
 *
 * Whole messages are executed in place, from the caller's memory; only an incomplete tail, or
 * what must wait, is copied. A connection rests, and wants no input, while its replies are not
 * read, while the log has no room, while the other end's user is being asked for, or while a
 * thread does something for it.
 *
 * In one turn of the hub (from hub_tick to hub_tick) a connection has a share, LIMIT_TURN_BYTES
 * of messages and LIMIT_TURN_OUTPUT_BYTES of output; past it, it goes on in the next.
 *
 * Idle, a connection is this struct and nothing else; 168 bytes, of which malloc makes 176.
 *
 * States, and which may follow which:
 *     SNIFFING -> TEXT, RESP, DRAINING, CLOSED
 *     TEXT, RESP -> DRAINING, CLOSED
 *     RESP -> RELAY            everything is for another connection (hub/relay.h)
 *     RELAY -> DRAINING, CLOSED
 *     DRAINING -> CLOSED      no more input; what is owed still leaves
 * A CLOSED connection has no output; the caller closes its socket and calls connection_free. */

#include "hub/access.h"
#include "hub/inbox.h"
#include "hub/reading.h"
#include "hub/reply.h"
#include "hub/reply_queue.h"

#include "base/list.h"
#include "base/timers.h"
#include "wire/resp_request.h"

struct hub;

enum connection_state {
    CONNECTION_SNIFFING,
    CONNECTION_TEXT,
    CONNECTION_RESP,
    CONNECTION_RELAY,
    CONNECTION_DRAINING,
    CONNECTION_CLOSED,
};

/* Why no further command runs at this moment. */
enum {
    CONNECTION_RESTS_OUTPUT = 1 << 0, /* LIMIT_UNREAD_REPLY_BYTES, LIMIT_HELD_* */
    CONNECTION_RESTS_LOG = 1 << 1,
    CONNECTION_RESTS_USER = 1 << 2,
    CONNECTION_RESTS_TURN = 1 << 3, /* it has had its share, or a long command goes on */
    CONNECTION_RESTS_JOB = 1 << 4,
    CONNECTION_RESTS_RELAY = 1 << 5, /* what it says to another has no room there */
};

/* What few connections have, so that the others need not make room for it. */
struct connection_extra {
    char *name;                      /* CLIENT SETNAME; NULL: none */
    struct transaction *transaction; /* MULTI, WATCH; NULL: none */
    struct walk *walk;               /* KEYS, under way; NULL: none */
    struct reading reading;          /* MGET, under way */
    struct subscriber *subscriber;   /* who is told things unasked; NULL: is not */
    struct job *job;                 /* what a thread does for it; NULL: nothing */
    struct growth *growth;           /* a large value being made; NULL: none */
    struct hashing *hashing;         /* a password being hashed; NULL: none */
    struct secure *secure;           /* the TLS filter; NULL: none */
    struct member *member;           /* whose connection it is; NULL: not known */
    struct attendant *attendant;     /* it is present; NULL: is not */
    struct relay_end *relay;         /* it is a pipe's end; NULL: is none */
};

struct connection {
    struct hub *hub;
    void *user; /* the caller's own */
    uint64_t id;
    struct list link;               /* in hub.connections */
    struct list ready_link;         /* in hub.ready, or hub.put_off */
    struct list wait_link;          /* in hub.waiting: replies held until the log has moved */
    struct timer timer;             /* the earliest of its deadlines */
    struct inbox *inbox;            /* input that waits; NULL: none */
    struct reply_queue *replies;    /* replies that have not left; NULL: none */
    struct connection_extra *extra; /* NULL: none */
    union {
        struct resp_request resp; /* of the RESP door, whose dialects are REPLY_RESP2 and 3 */
        struct line line;         /* of the text door */
    };
    struct instant served_until; /* --delay: when the last message's time is over */
    uint32_t turn;               /* of the hub, in which it ... */
    uint32_t worked, sent;       /* ... has had these bytes of its share */
    uint32_t held; /* of what waits here, counted in the hub's sum; in HELD_UNITs */
    struct access_peer peer;
    uint8_t state;        /* enum connection_state */
    uint8_t rests;        /* CONNECTION_RESTS_* */
    uint8_t dialect;      /* enum reply_dialect */
    bool framed;          /* text: a newline was seen, so silence ends nothing */
    bool ended;           /* what is left is a bare message: silence, or end of input */
    bool input_over;      /* end of input */
    bool put_off;         /* goes on in the next turn */
    bool told_denied : 1; /* the log has been told once that this one was refused */
    bool aborted : 1;     /* closed with things owed, or by refusal: nothing is waited for */
    bool is_guest : 1;    /* counted as one that may only echo, and log in */
};

/* What a connection holds is summed up in units of this many bytes, so that small ones, which
 * are nearly all, cost nothing. */
enum { CONNECTION_HELD_UNIT = 64 * 1024 };

/* Where the next input may be put, and how much of it: in the n bytes at *space, or in others,
 * which *space then is. 0: nothing may be read in this turn. */
size_t connection_space(struct connection *c, uint8_t **space, size_t n);

/* Input has come. Everything in it is taken: executed, or kept. */
void connection_feed(struct connection *c, struct bytes in);

/* The same within hub_feed, which has looked ahead. */
void connection_feed_seen(struct connection *c, struct bytes in);

/* The other end will send no more. */
void connection_feed_end(struct connection *c);

/* The other end is gone, or its socket failed: nothing can leave any more. */
void connection_abort(struct connection *c);

/* May the caller read? While not, what arrives stays in the socket. */
bool connection_wants_input(const struct connection *c);

/* Bytes that may leave now, in one run; they hold until the next call for this connection. When
 * they have left there may be more. */
struct bytes connection_output(struct connection *c);

/* n of them have been taken by the socket; 0 says that it took nothing and is full. */
void connection_sent(struct connection *c, size_t n);

/* The answer to HUB_EVENT_IDENTIFY. */
void connection_identified(struct connection *c, bool known, uint32_t uid);

/* Ends it after what is owed has left. */
void connection_drain(struct connection *c);

/* What follows is for the filter: the same as without one, behind it. */

void connection_feed_plain(struct connection *c, struct bytes in);
struct bytes connection_output_plain(struct connection *c);
void connection_sent_plain(struct connection *c, size_t n);

/* A deadline of the filter has changed. */
void connection_set_timer(struct connection *c);

/* What follows is for the hub and for commands. */

/* Runs what waits in its input, as far as it may. */
void connection_run(struct connection *c);

/* The log has moved, and is durable up to there: held replies may leave, a resting command may
 * run; what awaits more goes on waiting. */
void connection_log_moved(struct connection *c, uint64_t durable);

/* Its job has been done. */
void connection_job_done(struct connection *c);

/* A deadline of it is due. */
void connection_tick(struct connection *c);

/* It was put off to this turn. */
void connection_go_on(struct connection *c);

/* Begins to tell it something unasked; false where it is ending. end must follow: it holds what
 * was written until it is durable, and closes who does not read. */
bool connection_begin_push(struct connection *c, struct reply *ret);
void connection_end_push(struct connection *c, struct reply *reply);

/* Bytes of replies that have not left. */
static inline size_t connection_unread(const struct connection *c)
{
    return c->replies ? reply_queue_len(c->replies) : 0;
}

/* Its extra, made where there is none; NULL when memory is out. */
struct connection_extra *connection_extra(struct connection *c);

static inline struct transaction *connection_transaction(const struct connection *c)
{
    return c->extra ? c->extra->transaction : NULL;
}

static inline struct secure *connection_secure(const struct connection *c)
{
    return c->extra ? c->extra->secure : NULL;
}

static inline struct relay_end *connection_relay(const struct connection *c)
{
    return c->extra ? c->extra->relay : NULL;
}

static inline struct subscriber *connection_subscriber(const struct connection *c)
{
    return c->extra ? c->extra->subscriber : NULL;
}

/* May it be told something unasked between two pieces of a reply? Then that is to be in one. */
static inline bool connection_is_told(const struct connection *c)
{
    return c->extra && (c->extra->subscriber || c->extra->attendant || c->extra->relay);
}

/* Gives back the place of a guest where it has one: hub_accept takes it. */
void connection_leave_guests(struct connection *c);

/* Sets its name; an empty one takes it away. -ENOMEM. */
int connection_set_name(struct connection *c, struct bytes name);

void connection_set_state(struct connection *c, enum connection_state state);

#endif

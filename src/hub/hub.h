#ifndef KITH_HUB_HUB_H
#define KITH_HUB_HUB_H

/* A worker's mind: its connections, what they ask, and when their answers may leave. It does
 * no I/O. Each worker has one; they share a store and struct hub_shared.
 *
 * The caller tells the time (hub_tick), hands over what arrives (hub_accept, hub_feed or
 * connection_feed), and then takes events until there are none:
 *
 *   HUB_EVENT_OUTPUT    connection has output, or its state or wish for input may have changed:
 *                       write connection_output, say connection_sent, look at its state
 *   HUB_EVENT_IDENTIFY  find out the user at the connection's other end and say
 *                       connection_identified
 *   HUB_EVENT_JOB       job_run this job on a thread that may wait, then say job_done
 *   HUB_EVENT_STOP      somebody who may has asked the hub to stop: all workers call hub_stop
 *
 * hub_take_mail is called when the hub's mailbox (hub->mail, whose wake the caller sets) has
 * woken it. hub_log_moved is called when the store's log has moved: more is durable, there is
 * room again, or making room has failed. Log lines gather in hub->log (base/log_line.h), for
 * the caller to write and consume.
 */

#include "hub/ahead.h"
#include "hub/command.h"
#include "hub/config.h"
#include "hub/connection.h"
#include "hub/job.h"
#include "hub/news.h"
#include "hub/reply_pool.h"

enum hub_event_kind { HUB_EVENT_OUTPUT, HUB_EVENT_IDENTIFY, HUB_EVENT_JOB, HUB_EVENT_STOP };

struct hub_event {
    enum hub_event_kind kind;
    struct connection *connection; /* of OUTPUT and IDENTIFY */
    struct job *job;               /* of JOB */
};

/* What has come for a connection. */
struct hub_input {
    struct connection *connection;
    struct bytes bytes;
};

#define HUB_AWAITS_NOTHING UINT64_MAX /* an LSN that is never durable */

struct hub {
    struct hub_shared *shared;
    struct instant now;
    struct walltime wall;
    uint32_t turn;           /* counted by hub_tick */
    uint32_t measured;       /* the turn in which the table's memory was last asked for ... */
    bool full;               /* ... and whether it was past --maxmemory */
    struct list connections; /* all of them */
    struct list ready;       /* those to be reported as HUB_EVENT_OUTPUT */
    struct list waiting;     /* those with replies held until the log has moved ... */
    uint64_t awaited_lsn;    /* ... and the least LSN any of them awaits, or less */
    struct list put_off;     /* those that go on in the next turn, at once */
    struct list jobs;        /* to be reported as HUB_EVENT_JOB */
    struct list hashings;    /* passwords that wait to be hashed (hub/hashing.h) */
    struct list subscribers; /* those that are told things unasked (hub/subscriber.h) */
    struct list attendants;  /* those that are present (hub/attendant.h) */
    struct news news;        /* for all of those */
    struct mailbox mail;     /* what they are to be told */
    size_t number;           /* of this worker, in the exchange */
    struct tally *tally;     /* its own */
    struct timers timers;
    struct reply_pool replies;
    struct command_index commands;
    struct ahead ahead;    /* commands that stand in a pipeline */
    struct resp_args args; /* scratch: the command being run ... */
    struct arena arena;    /* ... and the new values it makes */
    struct chance chance;  /* random bytes of this worker's own */
    struct buffer plain;   /* scratch: what has been decrypted */
    struct buffer log;
    bool stopping;
    bool stop_wanted; /* HUB_EVENT_STOP is to be reported */
};

void hub_init(struct hub *hub, struct hub_shared *shared);

/* Frees what connections are left. No job may be running; those that are asked for are run here
 * a last time. */
void hub_fini(struct hub *hub);

/* A turn begins, and it is now this time: deadlines due are acted on, and what was put off goes
 * on. Call it before whatever else happens now. */
void hub_tick(struct hub *hub, struct instant now, struct walltime wall);

/* Inputs of several connections: connection_feed for each in turn, but the memory all of them
 * need is asked for first. */
void hub_feed(struct hub *hub, const struct hub_input *inputs, size_t n);

/* When hub_tick has something to do: at once, where something was put off. */
struct instant hub_deadline(const struct hub *hub);

/* A new connection, owned by the hub; connection_free ends it. peer is copied, with its
 * address. -ENOMEM; -EMFILE: it would be a guest, and config.guests_max are, on all workers
 * together. */
int hub_accept(struct hub *hub, const struct access_peer *peer, bool replies_full,
               struct connection **ret);

/* Forgets a connection; its socket is the caller's affair. Takes NULL. */
void connection_free(struct connection *c);

/* The store's log has moved. Only needed once hub.awaited_lsn is durable. */
void hub_log_moved(struct hub *hub);

/* The mailbox has something: tells it on. Or a worker has noticed that all connections together
 * hold too much, and one of this worker's may hold most; or that one of this worker's has to
 * make room for another's handshake. */
void hub_take_mail(struct hub *hub);

/* True with the next event, false when there is none. */
bool hub_next_event(struct hub *hub, struct hub_event *ret);

/* Stops in good order: nothing more is read, what is owed leaves, then every connection is
 * CLOSED. hub_is_empty says when the caller has freed them all. */
void hub_stop(struct hub *hub);
bool hub_is_empty(const struct hub *hub);

/* For commands: is the table past --maxmemory? As of some moment in this turn. */
bool hub_is_full(struct hub *hub);

/* For commands: ask for the hub to be stopped. */
void hub_want_stop(struct hub *hub);

/* For connections. */
void hub_set_ready(struct connection *c);
void hub_put_off(struct connection *c);

/* A connection now holds that many CONNECTION_HELD_UNITs. Where all of them together hold more
 * than config.held_bytes_max, the one that holds most is closed: by this worker where it is its
 * own, else by the one whose it is, which is woken for that. Each knows of the others how much
 * one of their connections holds at most, be it too much by now: who is woken for nothing says
 * how much it is, and wakes the next. */
void hub_count_held(struct connection *c, uint32_t units);

#endif

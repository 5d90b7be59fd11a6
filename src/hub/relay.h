#ifndef KITH_HUB_RELAY_H
#define KITH_HUB_RELAY_H

/* The relay: two connections, perhaps of two workers, become a pipe. What either side says goes
 * to the other as it is, and nobody here understands it.
 *
 * The first of two that were introduced waits, LIMIT_RELAY_WAIT_MS at most; once the second is
 * there both are answered +RELAY, or +RELAY ALL where files may go there, too, and from then on
 * everything is for the other. It is over when either ends: what it had said still reaches the
 * other. Whoever comes again for a side that is taken ends the pipe that was, and waits anew.
 *
 * A pipe holds LIMIT_RELAY_PIPE_BYTES each way; past that the side that says too much is not
 * read until the other has taken some. Each account may send config.relay_hour_bytes an hour
 * over all its pipes; with more, they end, and it is refused until the hour is over.
 *
 * States of an end: WAITING -> JOINED -> OVER, WAITING -> OVER. */

#include "base/limits.h"
#include "base/list.h"
#include "people/introduction.h"

struct connection;
struct hub;
struct relay;
struct relay_quota;

/* One connection's side of it. */
struct relay_end {
    struct relay *relay;
    size_t side; /* 0 and 1 */
    struct connection *connection;
    struct instant since;
    struct relay_quota *quota;
    bool answered;    /* with +RELAY */
    struct list link; /* in relays.ready: its worker is to look at it */
};

/* Shared by all workers; zeroed, there are none. */
struct relays {
    pthread_mutex_t lock; /* of which there are, and which ends they have */
    struct relay *first;
    size_t count;
    struct relay_quota *quotas;
    pthread_mutex_t ready_lock; /* taken under a relay's */
    struct list ready[LIMIT_WORKERS];
};

void relays_fini(struct relays *x);

enum {
    RELAY_TOO_MANY = 1, /* LIMIT_RELAYS, or LIMIT_RELAYS_OF_MEMBER */
    RELAY_QUOTA = 2,
};

/* Makes the connection, a member's, that side of an introduction's relay. -ENOMEM. */
int relay_enter(struct connection *c, const struct random_id *id, size_t side);

/* It is WAITING: nobody is at the other side yet. */
bool relay_waits(const struct connection *c);

/* It is over for this end. Takes NULL. */
void relay_leave(struct relay_end *end);

/* Says to the other side what has come; returns how much of it was taken. 0: the connection
 * rests until there is room. */
size_t relay_put(struct connection *c, struct bytes in);

/* Something has happened at the other side, or here output has left. */
void relay_go_on(struct connection *c);

/* Looks at those ends of this worker that others had something for. */
void relay_take_ready(struct hub *hub);

/* When an end that waits has waited long enough; relay_give_up says so to it. */
struct instant relay_deadline(const struct connection *c);
void relay_give_up(struct connection *c);

#endif

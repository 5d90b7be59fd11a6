#ifndef KITH_HUB_CONFIG_H
#define KITH_HUB_CONFIG_H

/* What a hub is told at its start, and what all its workers share. Read-only once the workers
 * run, but for the counters. */

#include "base/blob.h"
#include "base/chance.h"
#include "base/time.h"
#include "base/usage.h"
#include "hub/exchange.h"
#include "hub/handshakes.h"
#include "hub/relay.h"
#include "hub/tally.h"
#include "people/directory.h"
#include "people/introduction.h"
#include "people/password.h"
#include "people/throttle.h"
#include "store/store.h"
#include "tls/tls.h"

#include <stdatomic.h>

/* What may go through the relay: what is said, nothing, or files, too. */
enum hub_relay { HUB_RELAY_CHAT, HUB_RELAY_OFF, HUB_RELAY_ALL };
/* Who may make an account for himself. */
enum hub_registration {
    HUB_REGISTRATION_OPEN,
    HUB_REGISTRATION_INVITE,
    HUB_REGISTRATION_CLOSED
};

struct hub_config {
    uint64_t delay_ms;    /* each message is answered this long after its turn came */
    uint64_t unframed_ms; /* silence that ends a bare message, 0: none does */
    bool open;            /* plaintext from elsewhere may use the table */
    bool open_admin;      /* ... and admin commands */
    bool log_requests;
    enum hub_relay relay;
    uint64_t relay_hour_bytes; /* an account may send so many by the relay; 0: any */
    enum hub_registration registration;
    struct password_cost password_cost; /* of new passwords */
    uint8_t seed[CHANCE_SEED_BYTES];    /* secret: what is drawn by chance comes of it */
    size_t held_bytes_max; /* input and replies that wait, all connections together; 0: any */
    size_t guests_max;     /* connections that may only echo, and log in; 0: any */
    size_t memory_max;     /* --maxmemory: keys and values grow up to here; 0: without end */
    uint32_t uid;          /* the user the hub runs as */
    bool holds_replies;    /* --durability commit */
    struct walltime started;
    uint32_t pid, workers, tcp_port;  /* for INFO; tcp_port 0: no TCP listener */
    char run_id[41];                  /* for INFO: 40 random hex digits */
    const char *os, *executable;      /* for INFO; NULL: unknown */
    uint64_t machine_memory;          /* for INFO, in bytes; 0: unknown */
    void (*usage)(struct usage *ret); /* for INFO: asked when wanted; NULL: unknown */
};

struct hub_counters {
    atomic_uint_fast64_t next_connection_id; /* ids are counted from 1 */
    atomic_uint_fast64_t connections;        /* open now */
    atomic_uint_fast64_t connections_total;
    atomic_uint_fast64_t guests; /* connections that may only echo, and log in */
    atomic_bool told_full;       /* the log has been told that --maxmemory is reached */
    atomic_uint_fast64_t held;   /* by all connections, in CONNECTION_HELD_UNITs ... */
    atomic_uint_fast32_t held_most[LIMIT_WORKERS]; /* ... by one of each worker, at most */
};

/* Passwords being hashed (hub/hashing.h), on all workers. */
struct hub_hashings {
    atomic_size_t going, waiting;
};

struct hub_shared {
    struct hub_config config;
    struct store *store;
    struct tls_config *tls; /* NULL: none is spoken */
    struct hub_counters counters;
    struct tally tallies[LIMIT_WORKERS]; /* by a worker's number in the exchange */
    struct exchange exchange;
    struct handshakes handshakes; /* of TLS */
    struct directory directory;
    struct introductions introductions;
    struct relays relays;
    struct hub_hashings hashing;
    struct throttle throttle;    /* of those who guess passwords */
    struct blob_garbage garbage; /* large values that nobody needs any more */
};

#endif

#ifndef KITH_MEET_PEER_LINE_H
#define KITH_MEET_PEER_LINE_H

/* A connection to another person's device: direct, dialed or taken, or through the hub's relay.
 * Either way TLS is between the two devices: through the relay it runs within the one to the
 * hub, which carries it and cannot read it. Whoever is at the other end has shown a key; whose
 * it ought to be is for the owner to judge, before a word.
 *
 *   CLOSED -> DIALING -> OPEN -> CLOSED
 *
 * The owner embeds it and leaves it alone until handler.closed, which comes last, and never
 * from within a call of the owner's. */

#include "base/random_id.h"
#include "io/channel.h"
#include "peer/dialing.h"
#include "peer/proof.h"

struct peer_line;

struct peer_line_handler {
    void (*open)(struct peer_line *l); /* peer_line_key, peer_line_export */
    void (*read)(struct peer_line *l, struct bytes in);
    void (*room)(struct peer_line *l);
    void (*closed)(struct peer_line *l); /* l->outcome: why it never was OPEN */
};

struct peer_line {
    const struct peer_line_handler *handler;
    struct channel channel;
    bool open;
    bool relayed;
    bool carries_files; /* not relayed, or by a hub that allows it; once OPEN */
    bool is_used_up;    /* relayed: the hub has refused, for this hour's quota */
    enum dialing_outcome outcome;
    struct random_id id;             /* relayed: the introduction's */
    const char *hub_print;           /* relayed: the hub's fingerprint */
    const struct tls_config *config; /* relayed: of the TLS within */
    enum proof_role role;            /* which end of the TLS one is */
    bool joined;                     /* relayed: the other side is there, what comes is its */
    struct tls *within;              /* relayed: once joined */
    struct buffer said;              /* relayed: the hub's answer, not whole yet */
    struct buffer plain, out;        /* relayed: scratch */
};

/* Each begins; configs and texts must outlive it. -errno where it cannot even begin: closed
 * does not follow then. */
int peer_line_dial(struct peer_line *l, uv_loop_t *loop, const char *address, uint16_t port,
                   const struct tls_config *config, const struct peer_line_handler *handler);
/* fd: a connection that has come, taken whatever becomes of it. */
int peer_line_take(struct peer_line *l, uv_loop_t *loop, int fd,
                   const struct tls_config *config, const struct peer_line_handler *handler);

/* Through the hub at host, whose key must be the one of hub_print. to_hub and within are the
 * configs; role: of the latter. */
struct peer_line_relay {
    const char *host;
    uint16_t port;
    const char *hub_print;
    const struct tls_config *to_hub, *within;
    enum proof_role role;
    struct random_id id;
};
int peer_line_relay(struct peer_line *l, uv_loop_t *loop, const struct peer_line_relay *how,
                    const struct peer_line_handler *handler);

/* Once OPEN; NULL where none was shown. */
const struct public_key *peer_line_key(const struct peer_line *l);
int peer_line_export(struct peer_line *l, uint8_t exporter[PROOF_EXPORTER_BYTES]);

/* OPEN only; elsewhere nothing. */
void peer_line_write(struct peer_line *l, struct bytes data);

static inline bool peer_line_is_full(const struct peer_line *l)
{
    return channel_is_full(&l->channel);
}

/* What was written still leaves, for a second at most. */
void peer_line_close(struct peer_line *l);

#endif

#ifndef KITH_PEER_PEER_SESSION_H
#define KITH_PEER_PEER_SESSION_H

/* What two devices say to each other, above connections: messages in order and once each, on
 * two channels, whatever becomes of the connections (paths) below it (docs/peer-protocol.md).
 *
 * Whoever dials and listens attaches each connection with the key that TLS saw there, feeds
 * what comes out of it, sends what is to go into it, and closes it when told. Of several proven
 * paths the side with the smaller key chooses one; a direct one is better than a relayed one, a
 * newer one than an old one. On a change both sides say what they have, and the rest is said
 * again. A path on which nothing is heard for LIMIT_PEER_SILENCE_MS is dead; the one in use
 * already after LIMIT_PEER_WAITING_MS while something said there is not acknowledged.
 *
 * States:  WAITING -> OPEN <-> LOST     no path yet, a path, none any more
 *          all     -> CLOSING           told the other side, or will; waits for it to agree
 *          all     -> CLOSED            final
 *
 * Functions return 0, -ENOMEM, or what each says. */

#include "base/buffer.h"
#include "base/limits.h"
#include "base/time.h"
#include "peer/lane.h"
#include "peer/pair.h"
#include "peer/proof.h"

enum {
    PEER_SESSION_FULL = 1, /* nothing more until an event ROOM; or no room for a connection */
    PEER_SESSION_OVER = 2, /* CLOSING or CLOSED */
    PEER_SESSION_WRONG_KEY = 3,
    PEER_SESSION_TOO_LONG = 4 /* more than LIMIT_PEER_MESSAGE_BYTES */
};

enum peer_session_state {
    PEER_SESSION_WAITING,
    PEER_SESSION_OPEN,
    PEER_SESSION_LOST,
    PEER_SESSION_CLOSING,
    PEER_SESSION_CLOSED
};

/* Talk never waits for bulk: at most LIMIT_PEER_BULK_AHEAD_BYTES, and a message, are ahead of
 * it. */
enum peer_channel { PEER_TALK, PEER_BULK, PEER_CHANNELS };

enum peer_path_kind { PEER_PATH_RELAYED, PEER_PATH_DIRECT };

/* States of a path:
 *    FREE -> PROVING -> SPARE                        the other side's proof was right
 *    SPARE <-> CHOSEN -> USED -> SPARE, CHOSEN       nominated; agreed on; another one was
 *    SPARE -> USED                                   the other side nominated it
 *    PROVING, SPARE, CHOSEN, USED -> DROPPED -> FREE to be closed; detached
 *    all but FREE -> FREE                            detached */
enum peer_path_state {
    PEER_PATH_FREE,
    PEER_PATH_PROVING,
    PEER_PATH_SPARE,
    PEER_PATH_CHOSEN,
    PEER_PATH_USED,
    PEER_PATH_DROPPED
};

enum peer_drop {
    PEER_DROP_SURPLUS,  /* not needed */
    PEER_DROP_UNPROVEN, /* a wrong proof, or something else before it */
    PEER_DROP_BROKEN,   /* against the protocol */
    PEER_DROP_SLOW,     /* no proof, or no answer to a nomination, in time */
    PEER_DROP_SILENT,   /* nothing heard for too long */
    PEER_DROP_OVER      /* the session is CLOSED; what is to be sent may still leave */
};

enum peer_close { PEER_CLOSE_AGREED, PEER_CLOSE_BY_OTHER, PEER_CLOSE_UNANSWERED };

struct peer_path {
    enum peer_path_state state;
    enum peer_path_kind kind;
    enum proof_role role;
    uint8_t exporter[PROOF_EXPORTER_BYTES];
    struct instant since;  /* in this state */
    struct instant heard;  /* anything, last */
    struct instant pinged; /* last */
    struct buffer out;     /* to be sent */
    unsigned due;          /* frames to be written, a bit each */
    bool may_carry;        /* was nominated at some time: messages on it are believed */
    bool is_news;          /* proven, or DROPPED: the event was not taken yet */
    enum peer_drop why;    /* DROPPED */
    uint64_t moved;        /* bytes in both directions, since renewal was last wished for */
};

/* In the order in which they are told: a path before what was heard on it. */
enum peer_event_type {
    PEER_EVENT_NONE,
    PEER_EVENT_PROVEN,       /* path: the attempt that made it has succeeded */
    PEER_EVENT_OPEN,         /* for the first time there is a path */
    PEER_EVENT_PATH_LOST,    /* there is none any more; what was said is kept */
    PEER_EVENT_PATH_CHANGED, /* path, kind: in use from now on */
    PEER_EVENT_MESSAGE,      /* channel, message: in what was fed, until the next call */
    PEER_EVENT_ROOM,         /* channel: there is room again */
    PEER_EVENT_RENEW,        /* so much has moved on the path in use: dial once more */
    PEER_EVENT_DROP,         /* path, drop: close that connection, then detach it */
    PEER_EVENT_CLOSED        /* close; the last but for DROPs */
};

struct peer_event {
    enum peer_event_type type;
    enum peer_channel channel;
    struct bytes message;
    unsigned path;
    enum peer_path_kind kind;
    enum peer_drop drop;
    enum peer_close close;
};

struct peer_session {
    enum peer_session_state state;
    struct pair pair;
    bool is_first; /* nominates */
    struct instant now;
    struct lane lanes[PEER_CHANNELS];
    struct peer_path paths[LIMIT_PEER_PATHS];
    struct peer_path *used; /* what is said is written there; NULL: nowhere */
    uint64_t generation;    /* of the last nomination made or heard of; 0: none */
    bool ack_is_due;
    struct instant waits;    /* since then something said is not acknowledged; INSTANT_NEVER */
    bool close_is_written;   /* CLOSING: on the path in use */
    struct instant close_by; /* CLOSING */
    enum peer_close close;   /* CLOSED */
    unsigned events;         /* that wait, a bit for each type */
    unsigned room;           /* ROOM: a bit for each channel */
    struct peer_event heard; /* MESSAGE that waits */
};

/* pair is copied. */
void peer_session_init(struct peer_session *s, const struct pair *pair, struct instant now);
void peer_session_fini(struct peer_session *s);

/* A connection to the other device is there, its TLS handshake done: `shown` is the key that
 * the other end proved there. PEER_SESSION_WRONG_KEY: close it. PEER_SESSION_FULL, _OVER. */
int peer_session_attach(struct peer_session *s, enum peer_path_kind kind, enum proof_role role,
                        const struct public_key *shown,
                        const uint8_t exporter[PROOF_EXPORTER_BYTES], struct instant now,
                        unsigned *ret_path);

/* Is a connection on which these bytes came first one for this session? For who took it and
 * does not know which of his introductions it is for; it is then attached, and fed the same
 * bytes. */
enum peer_claim {
    PEER_CLAIM_NONE, /* another's, or nobody's */
    PEER_CLAIM_MORE, /* too few bytes to tell */
    PEER_CLAIM_OURS
};
enum peer_claim peer_session_claim(const struct peer_session *s, enum proof_role role,
                                   const struct public_key *key,
                                   const uint8_t exporter[PROOF_EXPORTER_BYTES],
                                   struct bytes in);

/* The connection is closed. */
void peer_session_detach(struct peer_session *s, unsigned path, struct instant now);

/* Takes whole frames, up to the first that makes an event; nothing while a MESSAGE waits. What
 * is left is fed again, with what follows it, once the events were taken. */
void peer_session_feed(struct peer_session *s, unsigned path, struct bytes in,
                       struct instant now, size_t *ret_consumed);

/* Says a message, copied: PEER_SESSION_FULL, _OVER, _TOO_LONG. */
int peer_session_say(struct peer_session *s, enum peer_channel channel, struct bytes message);

/* Ends the session: what was said before is still delivered, within LIMIT_PEER_CLOSE_MS. */
void peer_session_close(struct peer_session *s, struct instant now);

/* False where there is none; takes it. */
bool peer_session_next_event(struct peer_session *s, struct peer_event *ret);

/* What is to be sent there now; it holds until the next call. To be asked for after feeding and
 * saying, and again once all of it has left: what waits here can still be overtaken by talk. */
int peer_session_output(struct peer_session *s, unsigned path, struct bytes *ret);
void peer_session_sent(struct peer_session *s, unsigned path, size_t n);

struct instant peer_session_deadline(const struct peer_session *s);
void peer_session_tick(struct peer_session *s, struct instant now);

#endif

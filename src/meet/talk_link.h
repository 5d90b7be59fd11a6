#ifndef KITH_MEET_TALK_LINK_H
#define KITH_MEET_TALK_LINK_H

/* A talk with one other device, on a loop: the session of the two (peer/peer_session.h), the
 * connections below it, dialed, taken or through the relay as peer/dialing.h says, and what is
 * said over it (peer/talk.h). A text that was heard is marked as shown once handler.heard has
 * returned, or, where the ground says so, by talk_link_show.
 *
 *   CONNECTING -> TALKING <-> LOST     no connection yet, one, none any more
 *   all -> ENDING -> gone              talk_link_close, the other side, or no way for too long
 *
 * LIMIT_TALK_CONNECT_MS is the time for the first connection, LIMIT_TALK_LOST_MS, or
 * LIMIT_TALK_SUCCEEDED_MS, for another one. It lies on the heap and frees itself: handler.gone
 * comes last, and never from within a call of the owner's. */

#include "meet/peer_line.h"
#include "meet/self.h"
#include "peer/compare.h"
#include "peer/peer_session.h"
#include "peer/talk.h"
#include "people/account_name.h"

struct talk_link;

struct talk_link_handler {
    void (*begun)(struct talk_link *t); /* TALKING for the first time */
    void (*path)(struct talk_link *t);  /* t->way has changed; empty: none */
    void (*came)(struct talk_link *t, const struct address *from); /* of itself, and is it */
    void (*surveyed)(struct talk_link *t); /* t->dialing has what became of it */
    void (*heard)(struct talk_link *t, struct bytes text);
    void (*delivered)(struct talk_link *t); /* all that was said was shown */
    void (*words)(struct talk_link *t);     /* to compare, in t->compare.words.shown */
    void (*differ)(struct talk_link *t);    /* he says that they were not the same */
    /* A note about transfers (peer/transfer_note.h), unread. */
    void (*noted)(struct talk_link *t, struct bytes message);
    void (*bulk)(struct talk_link *t, struct bytes message); /* on the other channel, unread */
    void (*room)(struct talk_link *t); /* ... after TALK_LINK_FULL there */
    /* None come, or not yet. TROUBLE_CHANGED: somebody lies, and the talk ends. */
    void (*no_words)(struct talk_link *t, const struct trouble *why);
    /* why: NULL where the other side has closed it; else in words. Not after talk_link_close.
     */
    void (*ended)(struct talk_link *t, bool had_begun, const char *why);
    void (*undelivered)(struct talk_link *t, struct bytes text); /* once it has ended; each */
    void (*gone)(struct talk_link *t);
};

/* What all talks of a process share. */
struct talk_ground {
    const struct self *self;            /* of the hub: where it is, its key, TLS to it */
    struct tls_config *dials, *answers; /* of TLS between devices */
    uv_loop_t *loop;
    bool person;      /* somebody is here to compare words */
    bool shows_later; /* what was heard is shown when talk_link_show says so, or never */
};

/* Where the other side has said to be, and is seen by the hub. */
struct talk_offer {
    struct endpoint at[CANDIDATES_MAX];
    size_t count;
    struct net_address seen;
};

enum talk_link_state {
    TALK_LINK_CONNECTING,
    TALK_LINK_TALKING,
    TALK_LINK_LOST,
    TALK_LINK_ENDING
};

enum { TALK_WAY_BYTES = 64 };

/* A connection of it, on the heap. */
struct talk_path {
    struct list link; /* talk_link.paths, or the owner's while it is nobody's */
    void *owner;      /* a talk_link, once it is one's; else whoever took it */
    struct peer_line line;
    int attempt;   /* the candidate that was dialed; or one of the below */
    bool attached; /* as path `path` of the session */
    bool proven;
    unsigned path;
    struct instant since; /* while it is nobody's: the handshake is done */
    struct buffer in;     /* frames not yet whole, or not yet taken */
};
enum { TALK_PATH_RELAY = -1, TALK_PATH_TAKEN = -2, TALK_PATH_AGAIN = -3 };

struct talk_link {
    struct list link; /* the owner's */
    void *owner;
    const struct talk_link_handler *handler;
    const struct talk_ground *ground;
    enum talk_link_state state;
    char name[ACCOUNT_NAME_BYTES + 1]; /* the other's, as the hub wrote it */
    char way[TALK_WAY_BYTES];          /* "direct 192.168.1.7", "relayed", or empty */
    struct pair pair;
    struct talk_offer offer; /* the owner's */
    struct dialing dialing;
    struct peer_session session;
    struct talk talk;
    struct compare compare;
    bool verified;        /* the owner's: he is, at this device */
    uint64_t review;      /* likewise: the number of a request for his devices; 0: none */
    struct list paths;    /* of struct talk_path */
    struct list said;     /* of struct talk_text: not yet delivered */
    struct instant spoke; /* the other side, last; or when it began */
    struct instant since; /* in this state */
    struct instant
        succeeded; /* LOST: since then its device talks over another; 0: it does not */
    uv_timer_t timer;
    bool disbelieved;    /* that is why it has ended */
    bool surveyed;       /* it was said so */
    bool is_used_up;     /* the hub's relay was refused last, for this hour's quota */
    bool pumping, again; /* it is at work; and has to look once more */
    bool over;           /* the session is CLOSED */
    bool arrived;        /* ... and all that was said is there, if not shown */
};

/* Begins: pair and candidates are copied. Not 0 where memory is out. */
int talk_link_new(struct talk_link **ret, const struct talk_ground *ground, const char *name,
                  const struct pair *pair, const struct candidates *candidates,
                  const struct talk_link_handler *handler, void *owner);

/* Right after it has begun: instead of the first way, all ways are to be found, after wait_ms
 * in which the other side may come. handler.surveyed once they were tried; the talk goes on. */
void talk_link_survey(struct talk_link *t, uint64_t wait_ms);

/* The other side waits at the relay. */
void talk_link_called(struct talk_link *t);

/* This device is at other addresses than before: what hung on one that is gone is given up, and
 * the other side is looked for anew, at these candidates. */
void talk_link_moved(struct talk_link *t, const struct own_address *own, size_t own_count,
                     const struct candidates *candidates);

/* LOST: the other device has begun to talk over another one meanwhile, so that this one may
 * never come back; it has LIMIT_TALK_SUCCEEDED_MS. */
void talk_link_succeed(struct talk_link *t);

/* Is a device with this key the other side? Not once it is over. */
bool talk_link_expects(const struct talk_link *t, const struct public_key *key);

/* Is a connection that came, and begins with these bytes, for this introduction? */
enum peer_claim talk_link_claim(const struct talk_link *t, const struct public_key *key,
                                const uint8_t exporter[PROOF_EXPORTER_BYTES], struct bytes in);

/* Such a connection, with what was read of it in path->in: it owns it now. */
void talk_link_take(struct talk_link *t, struct talk_path *path);

/* For owners of connections that are nobody's yet. */
struct talk_path *talk_path_new(int attempt);
void talk_path_free(struct talk_path *p);

enum { TALK_LINK_FULL = 1, TALK_LINK_NO_TEXT = 2, TALK_LINK_OVER = 3 };

/* FULL: the other side takes nothing; NO_TEXT: it is empty, too long, or not UTF-8. -ENOMEM. */
int talk_link_say(struct talk_link *t, struct bytes text);

/* Says a note about transfers. OVER, FULL, -ENOMEM. */
int talk_link_note(struct talk_link *t, struct bytes message);

/* How content goes there, beside the connection in use; false where that one is relayed, or
 * there is none. ret_at: where the other end is; dialed: from here, so that it is dialed from
 * here as well. */
bool talk_link_beside(const struct talk_link *t, struct address *ret_at, bool *ret_dialed);

/* May content go over the bulk channel: is the connection in use direct, or relayed by a hub
 * that lets files through? */
bool talk_link_carries(const struct talk_link *t);

/* Says a message on the bulk channel, in which nothing said in the talk waits for it. It leaves
 * later, and calls nothing back now. OVER; FULL, until handler.room; -ENOMEM. */
int talk_link_bulk(struct talk_link *t, struct bytes message);

/* Begins to compare words: handler.words or no_words follows. OVER, FULL, -ENOMEM. */
int talk_link_compare(struct talk_link *t);

/* Tells the other side that the words were not the same; talk_link_close is to follow. */
void talk_link_differ(struct talk_link *t);

/* Texts heard have been shown, up to that of this number, which talk.heard was in
 * handler.heard.
 */
void talk_link_show(struct talk_link *t, uint64_t id);

/* All that was said here has arrived there, shown or not. */
bool talk_link_has_arrived(const struct talk_link *t);

/* ENDING: what was said is still delivered, within LIMIT_PEER_CLOSE_MS. */
void talk_link_close(struct talk_link *t);

/* ENDING, at once: nothing is waited for. */
void talk_link_drop(struct talk_link *t);

/* talk_link_drop, for a device that is its owner's no more: handler.ended says so. */
void talk_link_revoke(struct talk_link *t);

/* Likewise, where the hub says that the other side does not believe that this device is its
 * owner's; nothing where it has proven itself here, and so does. */
void talk_link_disbelieved(struct talk_link *t);

#endif

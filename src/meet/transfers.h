#ifndef KITH_MEET_TRANSFERS_H
#define KITH_MEET_TRANSFERS_H

/* Transfers of one process, beside its talks: what is offered and accepted is said in the talk
 * with the other device (peer/transfer_note.h); the work is done by a process for each
 * (meet/carrier.h), over a connection that is dialed as the talk's was, or over the talk itself
 * where that is relayed by a hub that lets files through (meet/sluice.h). What was begun is
 * remembered in the profile (meet/transfer_record.h), and is gone on with until it is over,
 * whatever becomes of connections, processes and machines: it waits for a talk with that
 * device, and offers itself anew.
 *
 * States, outgoing:
 *    LISTING -> READY -> OFFERED -> CALLING -> RUNNING -> OVER
 * and incoming:
 *    OFFERED -> CALLING -> RUNNING -> OVER
 *    OFFERED, CALLING, RUNNING -> READY      the talk or the connection was lost, or did not
 *                                            come: once more, after a while
 *    all -> OVER                             done, or for a reason
 * Of one that is taken up again by another process the first state is READY.
 *
 * The owner embeds it beside its talks, hands on to it talks_handler.noted, bulk, room, begun
 * and path, and leaves it alone until the loop has nothing more to do. */

#include "meet/carrier.h"
#include "meet/sluice.h"
#include "meet/talks.h"
#include "meet/transfer_record.h"
#include "peer/inbox.h"
#include "peer/transfer_note.h"

enum transfer_state {
    TRANSFER_LISTING, /* what is to be sent is looked through */
    TRANSFER_READY,   /* waits for a talk with him */
    TRANSFER_OFFERED, /* the receiver, a person or a rule, is to answer */
    TRANSFER_CALLING, /* accepted; the connection comes about */
    TRANSFER_RUNNING,
    TRANSFER_OVER
};

enum { TRANSFER_PATH_SHOWN_BYTES = 256 };

struct transfers;

/* On the heap, the transfers' own; gone after handler.over. */
struct transfer {
    struct list link;
    struct transfers *all;
    struct transfer_record record;
    enum transfer_state state;
    void *context; /* the owner's; NULL at first */
    int lock;      /* on the record; -1: none */
    struct carrier carrier;
    struct random_id token; /* of the attempt */
    uint8_t secret[TRANSFER_SECRET_BYTES];
    struct random_id via;     /* the introduction of the link over which it was offered */
    struct random_id sluiced; /* token of the attempt whose content goes over a talk */
    const char *cut; /* why the attempt was ended by somebody else than its carrier; NULL */
    struct arrivals_expected expected; /* a connection of the other side's */
    bool listed;                       /* the list, on the disk, is whole */
    bool he_knows;                     /* incoming: that all was received */
    bool offered_again;          /* incoming: there is a newer offer than the one that runs */
    bool cancelled;              /* is to be over as soon as the carrier is gone */
    bool ending;                 /* its owner is being told that it is over */
    enum transfer_reason reason; /* then, and of OVER */
    int input;                   /* outgoing stream: what is read; -1 */
    struct instant since;        /* in this state */
    struct instant again;        /* READY: not before */
    unsigned failures;           /* attempts without progress, one after the other */
    /* How far it is: */
    uint64_t entries, bytes; /* said or taken, with what was kept before */
    struct instant moved;    /* something was said or taken, last; or it is RUNNING since */
    bool stalls;             /* not for a while, which was told */
    struct instant noted;    /* the record says how far it is; not again before */
    uint64_t kept;           /* bytes that are safe there */
    enum carrier_bound bound;
    char path[TRANSFER_PATH_SHOWN_BYTES]; /* what is at work, uncleaned */
};

/* What becomes of a transfer. Names and paths are as they came, to be cleaned. */
enum transfer_event {
    TRANSFER_EVENT_STATE,     /* another one; why, where it is READY again after an attempt, or
                               * RUNNING and nothing moves */
    TRANSFER_EVENT_RUNS,      /* it has come further */
    TRANSFER_EVENT_SKIPPED,   /* outgoing: path is not sent; detail: why */
    TRANSFER_EVENT_FILE,      /* path is whole; size; detail: its SHA-256, or nothing */
    TRANSFER_EVENT_DROPPED,   /* path is left out; reason */
    TRANSFER_EVENT_AFRESH,    /* outgoing: path has changed, and is sent anew */
    TRANSFER_EVENT_PUBLISHED, /* incoming: path, a name; detail: what it is called now */
};

struct transfer_news {
    enum transfer_event event;
    struct bytes path, detail;
    uint64_t size;
    enum transfer_reason reason;
    const char *why; /* in words; NULL: none */
};

struct transfers_handler {
    /* Outgoing: it was looked through; record has the totals. NULL where nothing is sent. */
    void (*listed)(struct transfer *t);
    /* Somebody offers something new: transfer_accept or transfer_refuse, now or later. */
    void (*offered)(struct transfer *t);
    void (*told)(struct transfer *t, const struct transfer_news *news);
    /* t->reason, NONE: all of it was received. why: more of it, or NULL. It is gone then. */
    void (*over)(struct transfer *t, const char *why);
};

struct transfers {
    const struct transfers_handler *handler;
    struct talks *talks;
    const struct self *self;
    struct profile profile;
    struct list all; /* of struct transfer */
    size_t count;
    struct list sluices; /* of struct sluice: transfers over talks, and what is left of such */
    uv_timer_t look;
    bool open, closing;
};

/* TROUBLE_FAILED: the profile cannot be used. transfers_fini is for it even then. */
enum trouble_kind transfers_open(struct transfers *t, struct talks *talks,
                                 const struct self *self, uv_loop_t *loop,
                                 const struct transfers_handler *handler, struct trouble *ret);

/* Carriers end; what was begun is remembered. */
void transfers_close(struct transfers *t);
void transfers_fini(struct transfers *t);

/* For the talks_handler. */
void transfers_noted(struct transfers *t, struct talk_link *l, struct bytes message);
void transfers_bulk(struct transfers *t, struct talk_link *l, struct bytes message);
void transfers_room(struct transfers *t, struct talk_link *l);
void transfers_look(struct transfers *t); /* a talk has begun, or has a connection again */

/* Something to send to somebody: paths, or with `as` what is read from input under that name.
 * LISTING at first, or READY; where the same paths were sent to him before, and that is not
 * over and nobody works on it, that goes on. TROUBLE_FAILED. */
struct transfer_wish {
    const char *name; /* whom to */
    const char *const *paths;
    size_t path_count;
    const char *as;
    int input;
    bool sha256;
};
enum trouble_kind transfers_send(struct transfers *t, const struct transfer_wish *wish,
                                 struct transfer **ret_transfer, struct trouble *ret);

/* Takes up what this profile has begun to send to somebody, NULL: to anybody, on this hub, and
 * that nobody works on. id: that one alone, even where it was stuck; NULL: all. Of what was
 * cancelled while he was away he is told. Returns how many another process works on. */
size_t transfers_take_up(struct transfers *t, const char *name, const struct random_id *id);

/* How an offer is accepted. */
struct transfer_terms {
    const char *into; /* absolute; "-": standard output */
    enum inbox_rule rule;
    uint64_t cap; /* bytes of content */
    bool sha256;
};
void transfer_accept(struct transfer *t, const struct transfer_terms *terms);

/* The cap of who accepts an offer as it is: files may have grown a little since; UINT64_MAX
 * where it does not say how much it is. */
uint64_t transfer_cap_of_offer(const struct transfer *t);

/* Ends it, and tells the other side; what was received of it and not published is gone. */
void transfer_end(struct transfer *t, enum transfer_reason reason);

#endif

#ifndef KITH_PEER_DIALING_H
#define KITH_PEER_DIALING_H

/* When to dial which candidate, when to ask the hub for its relay, and what became of it. It
 * dials nothing itself: events say what to do, the caller says how it went.
 *
 * While there is no path it races: a candidate every LIMIT_DIAL_STAGGER_MS, at most
 * LIMIT_DIAL_AT_ONCE at a time, each for LIMIT_DIAL_ATTEMPT_MS, and the relay once nothing
 * direct has come about after LIMIT_DIAL_RELAY_MS. A round that failed is followed by another,
 * each later than the last, with jitter. Over the relay a direct path is looked for some more
 * rounds. With a direct path it rests until that is lost.
 *
 * States:  RACING <-> RELAYED    no path; one over the relay
 *          RACING, RELAYED -> RESTING -> RACING, RELAYED    a direct path came, went
 *
 * Where the other side waits at the relay (the hub says so), the relay is asked for at once,
 * whatever there is: that side has lost what this one still believes in.
 *
 * What failed is kept for the one who asks (`kith doctor`), and never told to the other side.
 * For him there is a survey in place of the race: every candidate and the relay, each once and
 * to its end, whatever there is meanwhile.
 */

#include "base/time.h"
#include "peer/candidates.h"

enum dialing_state { DIALING_RACING, DIALING_RELAYED, DIALING_RESTING };

/* What the session has now. */
enum dialing_path { DIALING_NO_PATH, DIALING_RELAY_PATH, DIALING_DIRECT_PATH };

enum dialing_outcome {
    DIALING_UNTRIED,
    DIALING_UNDER_WAY,
    DIALING_PROVEN,
    DIALING_REFUSED,     /* nobody listens there */
    DIALING_UNREACHABLE, /* no route, or the network is down */
    DIALING_TIMEOUT,
    DIALING_NO_TLS,    /* somebody else listens there */
    DIALING_WRONG_KEY, /* another device */
    DIALING_UNPROVEN,  /* the right device, not for this introduction */
    DIALING_DENIED,    /* the hub does not relay this */
    DIALING_GIVEN_UP   /* not needed any more */
};

/* One candidate's, or the relay's. */
struct dialing_trace {
    enum dialing_outcome outcome; /* of the last attempt */
    unsigned attempts;
    struct instant began; /* the last attempt */
    struct instant ended; /* it, where it is not UNDER_WAY */
};

enum dialing_event_type {
    DIALING_DIAL,   /* candidate: dial it */
    DIALING_CANCEL, /* candidate: give it up; its outcome is known already */
    DIALING_RELAY   /* ask the hub for its relay */
};

struct dialing_event {
    enum dialing_event_type type;
    size_t candidate; /* index in candidates.list */
};

struct dialing {
    enum dialing_state state;
    struct candidates candidates;
    struct dialing_trace traces[CANDIDATES_MAX];
    struct dialing_trace relay;
    bool may_relay;
    bool surveys;
    uint64_t chance; /* of the jitter */
    struct instant now;
    struct instant began; /* RACING: the first round of it */
    struct instant
        next_dial; /* the next candidate's, or the next round's; INSTANT_NEVER: none */
    struct instant next_relay;
    size_t next;             /* candidate of this round */
    unsigned rounds;         /* without success */
    unsigned relay_failures; /* since it last worked */
    struct instant got_path; /* RELAYED, RESTING */
    unsigned losses;         /* of paths that did not last */
    uint32_t cancelled;      /* a bit for each candidate: CANCEL is to be told */
};

/* candidates are copied; chance: 64 random bits. The first attempt is due at once. */
void dialing_init(struct dialing *d, const struct candidates *candidates, bool may_relay,
                  uint64_t chance, struct instant now);

/* A survey instead, after wait_ms, in which the other side can show whether it gets here by
 * itself. Right after dialing_init. */
void dialing_survey(struct dialing *d, uint64_t wait_ms);

/* It is a survey, and all was tried. */
bool dialing_is_through(const struct dialing *d);

/* The last attempt at some candidate was UNPROVEN. */
bool dialing_was_refused(const struct dialing *d);

/* The other side waits at the relay. */
void dialing_called(struct dialing *d, struct instant now);

/* Other candidates, of a new introduction or a new address of one's own: a new race, unless
 * there is a direct path. Attempts under way are the caller's to close; their outcomes are
 * forgotten. */
void dialing_renew(struct dialing *d, const struct candidates *candidates, struct instant now);

/* What there is to do now; false: nothing. */
bool dialing_next_event(struct dialing *d, struct dialing_event *ret);

/* How an attempt went: PROVEN, or why not. One that was cancelled is passed over. */
void dialing_done(struct dialing *d, size_t candidate, enum dialing_outcome outcome,
                  struct instant now);
void dialing_relay_done(struct dialing *d, enum dialing_outcome outcome, struct instant now);

/* What the session has from now on. */
void dialing_set_path(struct dialing *d, enum dialing_path path, struct instant now);

struct instant dialing_deadline(const struct dialing *d);
void dialing_tick(struct dialing *d, struct instant now);

/* In words, for `kith doctor`; static. */
const char *dialing_outcome_words(enum dialing_outcome o);

#endif

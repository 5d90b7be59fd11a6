#ifndef KITH_HUB_EXPIRY_H
#define KITH_HUB_EXPIRY_H

/* When a value is to expire, as commands say it. */

#include "hub/command.h"

enum expiry_kind {
    EXPIRY_NONE,
    EXPIRY_EX,      /* seconds from now */
    EXPIRY_PX,      /* milliseconds from now */
    EXPIRY_EXAT,    /* Unix time, seconds */
    EXPIRY_PXAT,    /* Unix time, milliseconds */
    EXPIRY_KEEPTTL, /* as it was */
    EXPIRY_PERSIST, /* never */
};

struct expiry {
    enum expiry_kind kind;
    struct bytes number;
    struct walltime at; /* once resolved */
};

/* Is `word` an option about expiry? Then true, with *at past what belongs to it. `word_kind` is
 * the one without a time that the command knows, KEEPTTL or PERSIST. Two of them exclude each
 * other. */
bool expiry_read_option(struct call *call, struct bytes word, size_t *at,
                        enum expiry_kind word_kind, struct expiry *e);

/* Works out the moment. COMMAND_REFUSED where the number is none, not positive, or too large.
 */
int expiry_resolve(struct call *call, struct expiry *e);

/* The moment so many units (1 or 1000 ms) from now, or since 1970; false where it is out of
 * range. */
bool expiry_moment(struct call *call, int64_t number, int64_t unit_ms, bool absolute,
                   struct walltime *ret);

/* Now, as the store sees it: never earlier than what its log has seen. */
struct walltime expiry_now(struct call *call);
bool expiry_is_past(struct call *call, struct walltime at);

/* Gives a present key another expiry; one in the past removes it. */
void expiry_set(struct call *call, struct store_slot *slot, struct walltime at);

#endif

#ifndef KITH_MEET_CHRONICLE_H
#define KITH_MEET_CHRONICLE_H

/* What was said with people, kept in the profile where its owner asked for that, and nowhere
 * else: history/NAME@HUB.jsonl, a line of client/said.h each, with the name in lower case and
 * the hub's fingerprint. The file is its owner's alone.
 *
 * A line is appended whole. Where the last one is not, since kith was killed or the disk full,
 * it is ended first, so that no other is lost with it. It is not synced: what a power failure
 * takes is the newest. */

#include "client/said.h"
#include "meet/self.h"

struct chronicle {
    const struct self *self;
    bool keeps;  /* else all that is appended is forgotten */
    bool failed; /* something could not be kept; chronicle_problem has said it */
};

/* other: whose file it is. -errno, a condition of profile_open, BUFFER_FULL. */
int chronicle_append(struct chronicle *c, struct bytes other, const struct said *said);

/* The same; the first time it does not work, what is wrong goes to why: false. */
enum { CHRONICLE_WHY_BYTES = 400 };
bool chronicle_keep(struct chronicle *c, struct bytes other, const struct said *said,
                    char why[CHRONICLE_WHY_BYTES]);

/* The last `most` of them, of the last LIMIT_HISTORY_READ_BYTES, the oldest first; what is no
 * line of it is passed over. -errno, or a condition of profile_open. */
typedef void (*chronicle_see_fn)(void *ctx, const struct said *said);
int chronicle_last(const struct chronicle *c, struct bytes other, size_t most,
                   chronicle_see_fn see, void *ctx);

#endif

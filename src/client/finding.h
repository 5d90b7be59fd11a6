#ifndef KITH_CLIENT_FINDING_H
#define KITH_CLIENT_FINDING_H

/* One thing that `kith doctor` has found out: a line for people,
 *
 *     ABOUT     AT                        WORDS
 *
 * and an object for programs, {"about":..,"at":..,"result":..,"ms":..,"text":..}, of which AT
 * and ms may be missing. */

#include "base/buffer.h"

enum { FINDING_AT_BYTES = 80, FINDING_WORDS_BYTES = 400 };

struct finding {
    char about[16];            /* hub, path, relay, ... */
    char at[FINDING_AT_BYTES]; /* an address, or a name; empty: it is at none */
    const char *result;        /* a word for programs; static */
    int64_t ms;                /* how long it took; below 0: not measured */
    char words[FINDING_WORDS_BYTES];
};

/* Both append a line, with LF; what comes from outside is cleaned by the caller. What
 * buffer_append returns. */
int finding_write(const struct finding *f, struct buffer *out);
int finding_write_json(const struct finding *f, struct buffer *out);

#endif

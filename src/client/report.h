#ifndef KITH_CLIENT_REPORT_H
#define KITH_CLIENT_REPORT_H

/* What an actor tells its driver, a line each (see kith/actor.h). Times are nanoseconds of
 * the machine's monotonic clock, so that those of two actors compare.
 *
 *     ready                   connected, and the hub knows which answers this actor wants
 *     begun AT                the request is sent, but for its ending
 *     answered SENT AT TEXT   the ending was sent at SENT, the answer TEXT was whole at AT
 *     failed WHY              nothing more will come */

#include "base/buffer.h"
#include "base/time.h"

enum report_verb { REPORT_READY, REPORT_BEGUN, REPORT_ANSWERED, REPORT_FAILED };

struct report {
    enum report_verb verb;
    struct instant sent; /* ANSWERED */
    struct instant at;   /* BEGUN, ANSWERED */
    struct bytes text;   /* ANSWERED: the answer; FAILED: why */
};

/* False where the line is none of these. ret's bytes point into line. */
bool report_parse(struct bytes line, struct report *ret);

/* Appends the line, with its LF. text must hold no LF. What buffer_append returns. */
int report_write(struct buffer *out, const struct report *r);

#endif

#ifndef KITH_CLIENT_HISTORY_H
#define KITH_CLIENT_HISTORY_H

/* The lines somebody typed, to be typed again. The newest HISTORY_LINES are kept, in memory
 * alone: what people say to each other goes to no disk unasked. */

#include "base/bytes.h"

enum { HISTORY_LINES = 500 };

struct history {
    struct bytes lines[HISTORY_LINES]; /* a ring; owned */
    size_t first, count;
};

void history_init(struct history *h);
void history_fini(struct history *h);

/* Adds a line, unless it is empty or the one before. -ENOMEM. */
int history_add(struct history *h, struct bytes line);

/* The line typed back lines ago: 0 is the newest; back < count. It holds until the next add. */
struct bytes history_line(const struct history *h, size_t back);

#endif

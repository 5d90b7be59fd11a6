#ifndef KITH_CLIENT_COMPLETION_H
#define KITH_CLIENT_COMPLETION_H

/* What the word before the cursor may become. Candidates are offered one by one; those that
 * begin as the word does, whatever the case, are kept, with what they all begin with. */

#include "base/buffer.h"

enum { COMPLETION_SHOWN = 64 }; /* more are not listed */

struct completion {
    struct bytes word;    /* what is there; borrowed */
    struct buffer common; /* what all that fit begin with */
    struct buffer list;   /* those that fit, with two blanks between */
    size_t count;
};

void completion_init(struct completion *c, struct bytes word);
void completion_fini(struct completion *c);

/* -ENOMEM. */
int completion_offer(struct completion *c, struct bytes candidate);

#endif

#ifndef KITH_LIB_ROLL_H
#define KITH_LIB_ROLL_H

/* Who is present on a hub: its answer to WHO. */

#include "wire/resp_reply.h"

#include <kith/kith.h>

enum { ROLL_STRANGE = 1 };

struct roll {
    struct kith_person *people; /* with their names behind them; NULL where there are none */
    size_t count;
};

/* Takes an answer, in place of what is there. ROLL_STRANGE where it is none to WHO; -ENOMEM. */
int roll_read(struct roll *r, const struct resp_value *values, size_t count);

void roll_fini(struct roll *r);

#endif

#ifndef KITH_LIB_TEXTS_H
#define KITH_LIB_TEXTS_H

/* Texts that others have said and that were not yet taken, in their order. */

#include "base/bytes.h"
#include "base/list.h"
#include "base/random_id.h"
#include "people/account_name.h"

enum { TEXTS_FULL = 1 };

struct text {
    struct list link;
    char from[ACCOUNT_NAME_BYTES + 1];
    struct random_id talk; /* the introduction's */
    uint64_t id;           /* in that talk */
    struct bytes words;    /* with a NUL behind it */
};

struct texts {
    struct list waiting;
    size_t bytes; /* that wait */
    struct text *taken;
};

void texts_init(struct texts *t);
void texts_fini(struct texts *t);

/* Keeps a copy of it. -ENOMEM; TEXTS_FULL where LIMIT_UNREAD_TEXT_BYTES wait already. */
int texts_add(struct texts *t, const struct text *text);

/* The next one, which holds until the next call; NULL where none waits. */
const struct text *texts_take(struct texts *t);

#endif

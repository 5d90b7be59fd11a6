#ifndef KITH_LIB_CHANGES_H
#define KITH_LIB_CHANGES_H

/* Changes of the table that have arrived and were not yet taken, in their order. */

#include "base/list.h"
#include "client/answer.h"

enum { CHANGES_FULL = 1 };

struct change {
    struct list link;
    enum answer_change_kind kind;
    struct bytes key, value; /* each with a NUL behind it */
};

struct changes {
    struct list waiting;
    size_t bytes; /* of keys and values that wait */
    struct change *taken;
};

void changes_init(struct changes *c);
void changes_fini(struct changes *c);

/* Keeps a copy. -ENOMEM; CHANGES_FULL where LIMIT_UNREAD_PUSH_BYTES wait already. */
int changes_add(struct changes *c, const struct answer_change *change);

/* The next one, which holds until the next call; NULL where none waits. */
const struct change *changes_take(struct changes *c);

#endif

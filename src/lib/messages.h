#ifndef KITH_LIB_MESSAGES_H
#define KITH_LIB_MESSAGES_H

/* What has come for the program and was not yet taken, in its order: texts that others have
 * said, letters, comings and goings. */

#include "base/bytes.h"
#include "base/list.h"
#include "base/random_id.h"
#include "people/account_name.h"

#include <kith/kith.h>

enum { MESSAGES_FULL = 1 };

struct message {
    struct list link;
    enum kith_message_kind kind;
    char from[ACCOUNT_NAME_BYTES + 1];
    struct random_id id; /* of TEXT: its talk's introduction; of LETTER: its own */
    uint64_t number;     /* of TEXT: in that talk */
    time_t written;      /* of LETTER */
    struct bytes words;  /* of TEXT, LETTER; with a NUL behind it */
};

struct messages {
    struct list waiting;
    size_t bytes; /* that wait */
    struct message *taken;
};

void messages_init(struct messages *m);
void messages_fini(struct messages *m);

/* Keeps a copy of it. -ENOMEM; MESSAGES_FULL where LIMIT_UNREAD_TEXT_BYTES wait already. */
int messages_add(struct messages *m, const struct message *message);

/* The next one, which stays; NULL where none waits. */
const struct message *messages_first(const struct messages *m);

/* True where that letter waits. */
bool messages_has_letter(const struct messages *m, const struct random_id *id);

/* The next one, which holds until the next call; NULL where none waits. */
const struct message *messages_take(struct messages *m);

#endif

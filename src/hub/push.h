#ifndef KITH_HUB_PUSH_H
#define KITH_HUB_PUSH_H

/* Something to be told to whoever asked for it: a message somebody published, or a change of
 * the table; what a member is told (hub/notice.h); or, to each worker, that an account has
 * changed (hub/login.h). Made once, shared by all mailboxes it is put into, never changed. Any
 * thread. */

#include "store/store.h"

#include <stdatomic.h>

enum push_kind { PUSH_MESSAGE, PUSH_CHANGE, PUSH_ACCOUNT, PUSH_NOTICE };

struct push {
    atomic_uint references;
    enum push_kind kind;
    enum store_change_kind change; /* of a change */
    uint64_t lsn;                  /* nobody is told before it is durable; 0: at once */
    uint64_t only, except;         /* of a notice: connections by id; 0: none in particular */
    uint64_t move;     /* of one to all: which of the comings and goings (people/directory.h) */
    struct bytes name; /* the channel, the key, or whose notice it is */
    struct bytes value; /* the message, the value that was put, the notice's words */
    struct blob *blob;  /* where a large value lies; else NULL */
    uint8_t bytes[];    /* name, and value where it is not in the blob */
};

/* NULL when memory is out; then nothing was made. */
struct push *push_new_message(struct bytes channel, struct bytes message);
struct push *push_new_account(struct bytes folded);
struct push *push_new_change(const struct store_change *change);
struct push *push_new_notice(struct bytes account, struct bytes words);

struct push *push_ref(struct push *p);
void push_unref(struct push *p);

/* About how much memory it takes. */
size_t push_bytes(const struct push *p);

#endif

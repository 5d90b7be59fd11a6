#ifndef KITH_STORE_ASSEMBLY_H
#define KITH_STORE_ASSEMBLY_H

/* Large values put together again from their parts, as recovery meets them in the log
 * (store/uploads.h is the other end). */

#include "base/blob.h"

struct assembled;

struct assembly {
    struct assembled *first;
    bool taken; /* some have been */
};

enum { ASSEMBLY_UNKNOWN = 1 }; /* no such value, or not of that length */

void assembly_fini(struct assembly *a);

/* A part of the value `id`; starts: its first. Parts of a value whose first has not been seen
 * are passed over. -ENOMEM. */
int assembly_add(struct assembly *a, uint64_t id, bool starts, struct bytes part);

/* The whole value, a reference of the caller's own. It can be taken again, and has no more
 * parts, until assembly_settle. ASSEMBLY_UNKNOWN, -ENOMEM. */
int assembly_take(struct assembly *a, uint64_t id, size_t len, struct blob **ret);

/* A mutation ends: nobody asks again for what it took. */
void assembly_settle(struct assembly *a);

/* It will not be asked for. */
void assembly_drop(struct assembly *a, uint64_t id);

#endif

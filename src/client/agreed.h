#ifndef KITH_CLIENT_AGREED_H
#define KITH_CLIENT_AGREED_H

/* The introductions one has agreed to: by asking for somebody, or by accepting who asked. A hub
 * may introduce under that id, once, and nobody else than him; any other introduction is not to
 * be listened to. The last LIMIT_AGREED count. Zeroed, it is empty. */

#include "base/limits.h"
#include "client/notice.h"
#include "people/account_name.h"

struct agreed {
    struct {
        struct random_id id;
        char name[ACCOUNT_NAME_BYTES + 1]; /* empty: none */
    } list[LIMIT_AGREED];
    size_t next; /* where the next goes, counted on */
};

/* An id or a name that is none is passed over. */
void agreed_add(struct agreed *a, struct bytes id, struct bytes name);

/* True where what was introduced was agreed to; it counts no more then. */
bool agreed_take(struct agreed *a, const struct notice *introduced);

#endif

#ifndef KITH_HUB_ATTENDANT_H
#define KITH_HUB_ATTENDANT_H

/* A connection that is present: it stands in the directory, which all workers share, and is
 * told what concerns its member (hub/notice.h). It begins with LOGIN or REGISTER
 * (member_appear) and ends with the connection, or when that becomes another member's.
 *
 * With the first of an account every other present connection is told `online NAME`, with the
 * last `offline NAME`. */

#include "hub/connection.h"
#include "people/directory.h"

struct attendant {
    struct presence presence; /* its owner is this */
    struct list link;         /* in hub.attendants */
    struct connection *connection;
};

/* c is a member's, and not present yet. -ENOMEM. */
int attendant_begin(struct connection *c);

/* Its member is known by another device, or by none, from now on. */
void attendant_take_device(struct attendant *a);

/* Also ends the introductions that hang on it. Takes NULL. */
void attendant_end(struct attendant *a);

#endif

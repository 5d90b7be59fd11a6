#ifndef KITH_KITH_SEND_H
#define KITH_KITH_SEND_H

/* Goes on with transfers that were begun, until they are over. */

#include "kith/session.h"
#include "meet/transfer_record.h"

/* id NULL: with all of this hub. An exit code. */
int send_resume(struct session *s, const struct random_id *id);

#endif

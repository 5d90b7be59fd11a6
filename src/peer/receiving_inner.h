#ifndef KITH_PEER_RECEIVING_INNER_H
#define KITH_PEER_RECEIVING_INNER_H

/* What the files of peer/receiving.h share. All return 0, a positive reason for which the
 * attempt is over (enum transfer_reason), or -errno of the inbox. */

#include "peer/receiving.h"

/* What a piece of content, or of a hole, is said to be. */
bool receiving_is_sum(const struct receiving *r, struct bytes data,
                      const uint8_t sum[TRANSFER_SUM_BYTES]);

/* NULL: it was not dropped late. */
const struct receiving_late *receiving_find_late(const struct receiving *r, uint64_t number);
/* Remembers it; TRANSFER_SOURCE_CHANGED past LIMIT_TRANSFER_LATE. */
int receiving_add_late(struct receiving *r, uint64_t number, enum transfer_reason reason);

/* Content of earlier connections is read back (receiving_check.c). */
int receiving_check_begin(struct receiving *r);
int receiving_check_work(struct receiving *r, struct buffer *out);
int receiving_check_hear(struct receiving *r, const struct transfer_message *m);
void receiving_check_fini(struct receiving *r);

/* The tree is built, and published (receiving_publish.c). */
int receiving_place_begin(struct receiving *r);
int receiving_place_work(struct receiving *r);
int receiving_publish_work(struct receiving *r, struct buffer *out);

#endif

#ifndef KITH_STORE_UPLOADS_H
#define KITH_STORE_UPLOADS_H

/* Large values on their way into the log. A value of more than a part goes there in parts, each
 * a record of its own and only so many at a time, before the record that puts it under its key;
 * so nobody's small write ever waits for the whole of a large one.
 *
 * An upload is known by its blob and where in it the value lies. Once it is whole it is its
 * taker's: one mutation's, which may put it under several keys. It ends when it has been put,
 * or is dropped, with a record that says so, when nobody else holds the blob any more, nobody
 * has sent more of it for LIMIT_UPLOAD_LEFT_MS, or nothing can be written. Any thread. */

#include "store/wal.h"

#include "base/blob.h"

#include <pthread.h>

struct upload;

struct uploads {
    pthread_mutex_t lock;
    struct upload *first;
    size_t part_bytes;
};

void uploads_init(struct uploads *u, size_t part_bytes);
void uploads_fini(struct uploads *u);

/* Is this value to be sent in parts? */
bool uploads_wants(const struct uploads *u, struct bytes value, const struct blob *blob);

/* Appends parts as long as the log has room for some. 0: all are there, *ret_id is for the
 * record that puts the value, and the upload is the taker's, any address that is nobody else's,
 * until it ends or is given back. WAL_BUSY: call again with the same value when the log has
 * moved. WAL_READ_ONLY, WAL_STUCK, -ENOMEM, -EIO: the upload is dropped. */
int uploads_send(struct uploads *u, struct wal *w, struct bytes value, struct blob *blob,
                 struct walltime now, const void *taker, uint64_t *ret_id);

/* The value has been put; where it has ended already, nothing happens. */
void uploads_end(struct uploads *u, uint64_t id);

/* What the taker has is not put now: it may try again, or another may. */
void uploads_give_back(struct uploads *u, const void *taker);

/* The LSN of the oldest part that is still needed, UINT64_MAX where there is none, and the
 * log's last as of the same moment: no part comes, and no value is put, in between. */
uint64_t uploads_first_lsn(struct uploads *u, struct wal *w, uint64_t *ret_last);

/* Drops what nobody waits for any more. */
void uploads_tidy(struct uploads *u, struct wal *w, struct walltime now);

#endif

#include "store/uploads.h"

#include "store/record.h"

#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>

/* Parts on their way to the disk at any time, about. */
enum { PARTS_UNDER_WAY = 4 };

struct upload {
    struct upload *next;
    struct blob *blob; /* NULL: dropped, but the log has not been told yet */
    const uint8_t *data;
    uint64_t id; /* LSN of the first part */
    size_t sent;
    const void *taker;       /* NULL: nobody's, or not whole yet */
    struct walltime sent_at; /* when somebody last tried to send some of it */
};

void uploads_init(struct uploads *u, size_t part_bytes)
{
    *u = (struct uploads){.part_bytes = part_bytes};
    pthread_mutex_init(&u->lock, NULL);
}

void uploads_fini(struct uploads *u)
{
    while (u->first) {
        struct upload *up = u->first;
        u->first = up->next;
        blob_unref(up->blob);
        free(up);
    }
    pthread_mutex_destroy(&u->lock);
}

bool uploads_wants(const struct uploads *u, struct bytes value, const struct blob *blob)
{
    return blob && value.len > u->part_bytes;
}

static struct upload *find(struct uploads *u, struct bytes value, const struct blob *blob,
                           const void *taker)
{
    struct upload *up = u->first;
    while (up &&
           (up->blob != blob || up->data != value.data || (up->taker && up->taker != taker)))
        up = up->next;
    return up;
}

static struct upload *find_or_add(struct uploads *u, struct bytes value, struct blob *blob,
                                  const void *taker)
{
    struct upload *up = find(u, value, blob, taker);
    if (up || !(up = calloc(1, sizeof *up)))
        return up;
    *up = (struct upload){.next = u->first, .blob = blob_ref(blob), .data = value.data};
    return u->first = up;
}

static void remove_upload(struct uploads *u, struct upload *up)
{
    struct upload **link = &u->first;
    while (*link != up)
        link = &(*link)->next;
    *link = up->next;
    blob_unref(up->blob);
    free(up);
}

static int append(struct wal *w, struct record_op *op, struct walltime now, uint64_t id,
                  uint64_t *ret_lsn)
{
    uint8_t *to;
    int r = wal_begin(w, record_op_bytes(op), now, false, &to, ret_lsn);
    if (r != 0)
        return r;
    op->expires.ms = (int64_t)(id ? id : *ret_lsn);
    record_op_write(to, op);
    wal_end(w);
    return 0;
}

static int send_part(struct uploads *u, struct wal *w, struct upload *up, size_t bytes,
                     struct walltime now)
{
    size_t rest = bytes - up->sent;
    struct record_op op = {
        .kind = RECORD_PART,
        .value = bytes_make(up->data + up->sent, rest < u->part_bytes ? rest : u->part_bytes)};
    uint64_t lsn;
    int r = append(w, &op, now, up->id, &lsn);
    if (r != 0)
        return r;
    if (up->sent == 0)
        up->id = lsn;
    up->sent += op.value.len;
    return 0;
}

static int send_parts(struct uploads *u, struct wal *w, struct upload *up, size_t bytes,
                      struct walltime now)
{
    while (up->sent < bytes) {
        if (wal_buffered(w) >= PARTS_UNDER_WAY * u->part_bytes)
            return WAL_BUSY;
        int r = send_part(u, w, up, bytes, now);
        if (r != 0)
            return r;
    }
    return 0;
}

/* What it holds goes at once, also where the log has no room to be told. */
static void drop(struct uploads *u, struct upload *up)
{
    blob_unref(up->blob);
    up->blob = NULL;
    up->data = NULL;
    if (up->sent == 0)
        remove_upload(u, up);
}

int uploads_send(struct uploads *u, struct wal *w, struct bytes value, struct blob *blob,
                 struct walltime now, const void *taker, uint64_t *ret_id)
{
    pthread_mutex_lock(&u->lock);
    struct upload *up = find_or_add(u, value, blob, taker);
    if (up)
        up->sent_at = now;
    int r = up ? send_parts(u, w, up, value.len, now) : -ENOMEM;
    if (r == 0) {
        *ret_id = up->id;
        up->taker = taker;
    } else if (r != WAL_BUSY && up) {
        drop(u, up);
    }
    pthread_mutex_unlock(&u->lock);
    return r;
}

void uploads_give_back(struct uploads *u, const void *taker)
{
    pthread_mutex_lock(&u->lock);
    for (struct upload *up = u->first; up; up = up->next)
        if (up->taker == taker)
            up->taker = NULL;
    pthread_mutex_unlock(&u->lock);
}

void uploads_end(struct uploads *u, uint64_t id)
{
    pthread_mutex_lock(&u->lock);
    struct upload *up = u->first;
    while (up && up->id != id)
        up = up->next;
    if (up)
        remove_upload(u, up);
    pthread_mutex_unlock(&u->lock);
}

uint64_t uploads_first_lsn(struct uploads *u, struct wal *w, uint64_t *ret_last)
{
    uint64_t first = UINT64_MAX;
    pthread_mutex_lock(&u->lock);
    *ret_last = wal_last_lsn(w);
    for (struct upload *up = u->first; up; up = up->next)
        if (up->blob && up->sent > 0 && up->id < first)
            first = up->id;
    pthread_mutex_unlock(&u->lock);
    return first;
}

/* A value that lies in the table, too, may have been given up by who was to put it once more.
 */
static bool is_wanted(struct upload *up, struct walltime now)
{
    if (!up->blob)
        return false;
    bool left = !up->taker && now.ms - up->sent_at.ms > (int64_t)LIMIT_UPLOAD_LEFT_MS;
    return !left && !blob_is_unshared(up->blob);
}

void uploads_tidy(struct uploads *u, struct wal *w, struct walltime now)
{
    pthread_mutex_lock(&u->lock);
    for (struct upload *up = u->first, *next; up; up = next) {
        next = up->next;
        if (is_wanted(up, now))
            continue;
        struct record_op op = {.kind = RECORD_DROP};
        uint64_t lsn;
        if (up->sent == 0 || append(w, &op, now, up->id, &lsn) == 0)
            remove_upload(u, up);
        else
            drop(u, up);
    }
    pthread_mutex_unlock(&u->lock);
}

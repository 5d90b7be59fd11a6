#include "io/inbox_behind.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Waking costs more than a small job: so much is left to gather, but where it is waited for. */
enum { WAKE_JOBS = 48, WAKE_BYTES = 128 * 1024 };

static struct inbox_behind *inbox_behind(struct inbox *i)
{
    return (struct inbox_behind *)i;
}

/* ---- the thread ---- */

static int do_job(struct inbox_behind *b, const struct inbox_behind_job *j)
{
    struct inbox *below = b->below;
    switch (j->what) {
    case INBOX_BEHIND_STAGE:
        return below->ops->stage(below, j->at, j->fresh);
    case INBOX_BEHIND_WRITE:
        return below->ops->write(below, j->at, bytes_make(b->data + j->data_at, j->len));
    default:
        return below->ops->complete(below, &j->entry, j->at);
    }
}

static void finish_first(struct inbox_behind *b, int r)
{
    b->used -= b->jobs[b->first].taken;
    b->first = (b->first + 1) % INBOX_BEHIND_JOBS;
    b->count--;
    if (b->error == 0)
        b->error = r;
    if (b->waits)
        pthread_cond_broadcast(&b->changed);
}

/* Nothing is done after an error: what follows builds on it. */
static void *work(void *arg)
{
    struct inbox_behind *b = arg;
    pthread_mutex_lock(&b->lock);
    while (b->count > 0 || !b->over) {
        if (b->count == 0) {
            b->worker_waits = true;
            pthread_cond_wait(&b->changed, &b->lock);
            b->worker_waits = false;
            continue;
        }
        int r = b->error;
        pthread_mutex_unlock(&b->lock);
        if (r == 0)
            r = do_job(b, &b->jobs[b->first]);
        pthread_mutex_lock(&b->lock);
        finish_first(b, r);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* ---- the queue ---- */

static void wake(struct inbox_behind *b)
{
    if (b->worker_waits)
        pthread_cond_broadcast(&b->changed);
}

static void wait_for_change(struct inbox_behind *b)
{
    wake(b);
    b->waits = true;
    pthread_cond_wait(&b->changed, &b->lock);
    b->waits = false;
}

/* Of a ring, in one piece: what is left at its end is passed over. */
static size_t bytes_to_take(const struct inbox_behind *b, size_t len)
{
    size_t left = INBOX_BEHIND_BYTES - b->data_end;
    return len <= left ? len : left + len;
}

static bool has_room(const struct inbox_behind *b, size_t len)
{
    return b->count < INBOX_BEHIND_JOBS &&
           b->used + bytes_to_take(b, len) <= INBOX_BEHIND_BYTES;
}

static void put(struct inbox_behind *b, struct inbox_behind_job *j, struct bytes data)
{
    if (data.len > 0) {
        j->taken = bytes_to_take(b, data.len);
        j->data_at = j->taken == data.len ? b->data_end : 0;
        j->len = data.len;
        memcpy(b->data + j->data_at, data.data, data.len);
        b->data_end = (j->data_at + data.len) % INBOX_BEHIND_BYTES;
        b->used += j->taken;
    }
    b->jobs[(b->first + b->count++) % INBOX_BEHIND_JOBS] = *j;
    if (b->count >= WAKE_JOBS || b->used >= WAKE_BYTES)
        wake(b);
}

static int forget_unsynced(struct inbox_behind *b, int error)
{
    if (b->journal_len > b->journal_synced &&
        b->below->ops->journal_cut(b->below, b->journal_synced) == 0)
        b->journal_len = b->journal_synced;
    return error;
}

static int enqueue(struct inbox_behind *b, struct inbox_behind_job *j, struct bytes data)
{
    assert(data.len <= TRANSFER_CHUNK_BYTES);
    pthread_mutex_lock(&b->lock);
    while (b->error == 0 && !has_room(b, data.len))
        wait_for_change(b);
    int r = b->error;
    if (r == 0)
        put(b, j, data);
    pthread_mutex_unlock(&b->lock);
    return r == 0 ? 0 : forget_unsynced(b, r);
}

/* All that waits is done. */
static int drain(struct inbox_behind *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->count > 0)
        wait_for_change(b);
    int r = b->error;
    pthread_mutex_unlock(&b->lock);
    return r == 0 ? 0 : forget_unsynced(b, r);
}

/* ---- what is done behind ---- */

static int stage(struct inbox *i, uint64_t number, bool fresh)
{
    struct inbox_behind_job j = {.what = INBOX_BEHIND_STAGE, .at = number, .fresh = fresh};
    return enqueue(inbox_behind(i), &j, bytes_make(NULL, 0));
}

static int write_at(struct inbox *i, uint64_t offset, struct bytes data)
{
    struct inbox_behind_job j = {.what = INBOX_BEHIND_WRITE, .at = offset};
    return enqueue(inbox_behind(i), &j, data);
}

static int complete(struct inbox *i, const struct transfer_entry *entry, uint64_t size)
{
    struct inbox_behind_job j = {.what = INBOX_BEHIND_COMPLETE, .at = size, .entry = *entry};
    j.entry.name = bytes_make(NULL, 0);
    return enqueue(inbox_behind(i), &j, bytes_make(NULL, 0));
}

/* ---- what is not ---- */

static int journal_append(struct inbox *i, struct bytes data)
{
    struct inbox_behind *b = inbox_behind(i);
    int r = b->below->ops->journal_append(b->below, data);
    if (r == 0)
        b->journal_len += data.len;
    return r;
}

static int journal_cut(struct inbox *i, uint64_t len)
{
    struct inbox_behind *b = inbox_behind(i);
    int r = drain(b);
    if (r == 0)
        r = b->below->ops->journal_cut(b->below, len);
    if (r == 0)
        b->journal_len = b->journal_synced = len;
    return r;
}

static int sync_all(struct inbox *i)
{
    struct inbox_behind *b = inbox_behind(i);
    int r = drain(b);
    if (r == 0)
        r = b->below->ops->sync(b->below);
    if (r == 0)
        b->journal_synced = b->journal_len;
    return r;
}

/* Once the queue is empty, as the inbox below does it. */
#define AFTER_ALL(i, call)                    \
    struct inbox_behind *b = inbox_behind(i); \
    struct inbox *below = b->below;           \
    int r = drain(b);                         \
    return r == 0 ? below->ops->call : r

static int journal_read(struct inbox *i, uint64_t offset, uint8_t *into, size_t room,
                        size_t *ret_n)
{
    AFTER_ALL(i, journal_read(below, offset, into, room, ret_n));
}

static int read_at(struct inbox *i, uint64_t offset, uint8_t *into, size_t room, size_t *ret_n)
{
    AFTER_ALL(i, read(below, offset, into, room, ret_n));
}

static int drop(struct inbox *i, uint64_t number)
{
    AFTER_ALL(i, drop(below, number));
}

static int room(struct inbox *i, uint64_t *ret)
{
    AFTER_ALL(i, room(below, ret));
}

static int check_name(struct inbox *i, struct bytes name)
{
    AFTER_ALL(i, check_name(below, name));
}

static int place(struct inbox *i, const struct transfer_entry *entry)
{
    AFTER_ALL(i, place(below, entry));
}

static int placed(struct inbox *i)
{
    AFTER_ALL(i, placed(below));
}

static int publish(struct inbox *i, struct bytes name, char *ret_name)
{
    AFTER_ALL(i, publish(below, name, ret_name));
}

static int clear(struct inbox *i)
{
    AFTER_ALL(i, clear(below));
}

static const struct inbox_ops ops = {
    .journal_append = journal_append,
    .journal_read = journal_read,
    .journal_cut = journal_cut,
    .stage = stage,
    .write = write_at,
    .read = read_at,
    .complete = complete,
    .drop = drop,
    .sync = sync_all,
    .room = room,
    .check_name = check_name,
    .place = place,
    .placed = placed,
    .publish = publish,
    .clear = clear,
};

int inbox_behind_open(struct inbox_behind *b, struct inbox *below)
{
    *b = (struct inbox_behind){.inbox = {&ops}, .below = below};
    b->data = malloc(INBOX_BEHIND_BYTES);
    if (!b->data)
        return -ENOMEM;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    int r = -pthread_create(&b->thread, NULL, work, b);
    if (r < 0)
        free(b->data);
    return r;
}

void inbox_behind_close(struct inbox_behind *b)
{
    pthread_mutex_lock(&b->lock);
    b->over = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    free(b->data);
}

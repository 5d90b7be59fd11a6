#include "io/outbox_state.h"

#include "base/limits.h"

#include <errno.h>

#define SETTLE_NS ((int64_t)LIMIT_TRANSFER_SETTLE_MS * 1000000)

/* From a change to now; below 0 where the clocks differ. */
static int64_t age_ns(const struct timespec *change)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec - change->tv_sec > 1)
        return SETTLE_NS;
    if (now.tv_sec - change->tv_sec < -1)
        return -SETTLE_NS;
    return (now.tv_sec - change->tv_sec) * 1000000000 + (now.tv_nsec - change->tv_nsec);
}

static bool is_settling(const struct stat *st)
{
    int64_t age = age_ns(&st->st_ctim);
    return S_ISREG(st->st_mode) && age >= 0 && age < SETTLE_NS;
}

static struct outbox_state state_of(const struct stat *st)
{
    return (struct outbox_state){
        .size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
        .device = st->st_dev,
        .inode = st->st_ino,
        .mtime = st->st_mtim,
        .ctime = st->st_ctim,
        .executable = S_ISREG(st->st_mode) && (st->st_mode & S_IXUSR) != 0,
        .dense = S_ISREG(st->st_mode) && (uint64_t)st->st_blocks * 512 >= (uint64_t)st->st_size,
        .proven = age_ns(&st->st_ctim) >= SETTLE_NS,
    };
}

int outbox_state_look(int folder, const char *name, int flags, struct outbox_state *ret,
                      mode_t *ret_mode)
{
    struct stat st;
    const struct timespec settle = {.tv_nsec = SETTLE_NS};
    if (fstatat(folder, name, &st, flags) != 0)
        return -errno;
    if (is_settling(&st)) {
        nanosleep(&settle, NULL); /* woken earlier: it is not proven then */
        if (fstatat(folder, name, &st, flags) != 0)
            return -errno;
    }
    *ret = state_of(&st);
    *ret_mode = st.st_mode;
    return 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool outbox_state_same(const struct outbox_state *a, const struct outbox_state *b)
{
    return a->proven && b->proven && a->size == b->size && a->device == b->device &&
           a->inode == b->inode && same_time(&a->mtime, &b->mtime) &&
           same_time(&a->ctime, &b->ctime);
}

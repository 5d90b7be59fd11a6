#ifndef KITH_TESTS_FAULTY_INBOX_H
#define KITH_TESTS_FAULTY_INBOX_H

/* An inbox in memory (peer/inbox.h) that keeps apart what a program sees and what a power cut
 * leaves. It can fail, end the program's life at any of its calls, be full, and let bits rot.
 */

#include "base/buffer.h"
#include "peer/inbox.h"

enum { FAULTY_INBOX_ENTRIES = 64, FAULTY_INBOX_FILE_BYTES = 4 * 1024 * 1024 };

struct faulty_inbox;

/* -ENOMEM aborts: this is for tests. */
struct faulty_inbox *faulty_inbox_new(void);
void faulty_inbox_free(struct faulty_inbox *f);
struct inbox *faulty_inbox(struct faulty_inbox *f);

/* The nth call from now (0: the next) fails, once, with that errno; what was staged and not
 * synced is lost in part. */
void faulty_inbox_fail(struct faulty_inbox *f, uint64_t nth, int error);

/* From the nth call on nothing is done any more: the program is dead. UINT64_MAX: never. */
void faulty_inbox_crash(struct faulty_inbox *f, uint64_t nth);
bool faulty_inbox_crashed(const struct faulty_inbox *f);
/* A new life, perhaps after a power cut. */
void faulty_inbox_restart(struct faulty_inbox *f, bool power_cut, uint64_t seed);

/* A bit of something staged turns, on the disk. */
void faulty_inbox_rot(struct faulty_inbox *f, uint64_t seed);

/* What it says of its room. */
void faulty_inbox_set_room(struct faulty_inbox *f, uint64_t bytes);
/* Nothing can be published under that name, which is borrowed. */
void faulty_inbox_set_taken(struct faulty_inbox *f, const char *name);

/* The journal as programs see it, to look at and to change. */
struct buffer *faulty_inbox_journal(struct faulty_inbox *f);

/* The first thing that no inbox may be asked for, in words; NULL: nothing was. */
const char *faulty_inbox_misuse(const struct faulty_inbox *f);

bool faulty_inbox_is_cleared(const struct faulty_inbox *f);
/* How many names were published so far. */
size_t faulty_inbox_published(const struct faulty_inbox *f);

struct faulty_inbox_found {
    enum transfer_kind kind;
    struct transfer_entry entry; /* as it was completed; without name */
    struct bytes data;
};

/* What was published under that path. */
bool faulty_inbox_find(struct faulty_inbox *f, struct bytes path,
                       struct faulty_inbox_found *ret);

#endif

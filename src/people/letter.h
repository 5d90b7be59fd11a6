#ifndef KITH_PEOPLE_LETTER_H
#define KITH_PEOPLE_LETTER_H

/* A letter: sealed bytes for a device of somebody who may not be here, which nobody but that
 * device can open. As a record, integers little-endian:
 *
 *     u8 version (1)   i64 since (ms since 1970)   sender's fingerprint[32]
 *     u8 n   sender's name[n]   sealed bytes, 1 to LIMIT_LETTER_BYTES
 *
 * A device's box says which letters wait for it and, so that none is delivered twice, which it
 * has taken. As a record, the oldest first:
 *
 *     u8 version (1), and for each letter:
 *         id[16]   i64 since   u32 bytes (0: it was taken)   u64 sender
 *
 * Limits: LIMIT_LETTERS wait for a device, LIMIT_LETTERS_BYTES together;
 * LIMIT_LETTERS_OF_SENDER from one account, so that nobody fills a box alone;
 * LIMIT_LETTERS_TAKEN are remembered. After LIMIT_LETTER_MS a letter, and that it was taken, is
 * forgotten. */

#include "base/buffer.h"
#include "base/fingerprint.h"
#include "base/limits.h"
#include "base/random_id.h"
#include "base/time.h"
#include "people/account_name.h"

struct letter {
    struct walltime since;
    struct fingerprint from; /* the sender's device */
    struct bytes from_name;  /* as its owner wrote it */
    struct bytes sealed;
};

/* -ENOMEM, BUFFER_FULL. */
int letter_encode(const struct letter *l, struct buffer *out);

/* False where it is no such record. What is read points into it. */
bool letter_decode(struct bytes record, struct letter *ret);

enum { LETTERBOX_ENTRIES = LIMIT_LETTERS + LIMIT_LETTERS_TAKEN };

struct letterbox_entry {
    struct random_id id;
    struct walltime since;
    uint32_t bytes;  /* 0: it was taken */
    uint64_t sender; /* its account, hashed */
};

struct letterbox {
    struct letterbox_entry entries[LETTERBOX_ENTRIES];
    size_t count;
};

enum {
    LETTERBOX_KNOWN = 1, /* a letter of that id waits, or was taken: nothing is to be done */
    LETTERBOX_FULL = 2,
};

/* False where it is no such record. */
bool letterbox_decode(struct bytes record, struct letterbox *ret);
int letterbox_encode(const struct letterbox *b, struct buffer *out);

/* Forgets what is too old. */
void letterbox_tidy(struct letterbox *b, struct walltime now);

/* A letter comes, from the account of that folded name. LETTERBOX_KNOWN, _FULL. */
int letterbox_add(struct letterbox *b, const struct random_id *id, struct walltime since,
                  size_t bytes, const char *sender);

/* It is taken; false where no such letter waits. */
bool letterbox_take(struct letterbox *b, const struct random_id *id);

/* How many wait. */
size_t letterbox_waiting(const struct letterbox *b);

#endif

#ifndef KITH_TESTS_CHANGING_OUTBOX_H
#define KITH_TESTS_CHANGING_OUTBOX_H

/* An outbox in memory (peer/outbox.h) whose files change between and during the calls, as a
 * seed says. Each has versions, numbered from 0, which is the one of the list; what a version
 * is, is known for ever: its content, and `seconds`, which is its number. */

#include "peer/outbox.h"

enum { CHANGING_ENTRIES = 40, CHANGING_FILE_BYTES = 3 * 1024 * 1024 };

struct changing_file {
    struct transfer_entry entry; /* as listed */
    char name[32];
    uint64_t seed;     /* of its content */
    uint64_t size;     /* of version 0, where the list does not know it */
    uint64_t version;  /* now */
    uint64_t versions; /* that there were */
    bool gone, sparse;
};

struct changing_outbox {
    struct outbox outbox;
    struct changing_file files[CHANGING_ENTRIES];
    uint64_t count;
    uint64_t asked;  /* the entry last asked for */
    uint64_t opened; /* the version that counts as unchanged */
    uint64_t seed;
    unsigned change_in;              /* one call of so many changes its file; 0: none does */
    unsigned fail_in;                /* ... fails with -EIO */
    uint8_t *scratch;                /* CHANGING_FILE_BYTES */
    int64_t made_file, made_version; /* what lies there; -1: nothing */
    size_t made_len;
};

/* Empty. -ENOMEM aborts: this is for tests. */
void changing_outbox_init(struct changing_outbox *o, uint64_t seed);
void changing_outbox_fini(struct changing_outbox *o);

/* One more, behind the others; borrows nothing. */
struct changing_file *changing_outbox_add(struct changing_outbox *o, enum transfer_kind kind,
                                          unsigned depth, const char *name, uint64_t size);
void changing_outbox_change(struct changing_file *file);

/* A version's content; holds until the next call of the outbox. */
struct bytes changing_outbox_content(struct changing_outbox *o, uint64_t number,
                                     uint64_t version);

#endif

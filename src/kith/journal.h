#ifndef KITH_KITH_JOURNAL_H
#define KITH_KITH_JOURNAL_H

/* A client's log (--log): what was asked and what was answered, a line each, with the time,
 * cleaned. Lines are appended whole, so several clients can share a file. A long text is cut.
 */

#include "base/bytes.h"

struct journal {
    int fd; /* -1: none is kept */
};

/* -errno. */
int journal_open(struct journal *j, const char *path);
void journal_close(struct journal *j);

/* Nothing where no journal is kept. A full disk does not stop the work. */
void journal_note(struct journal *j, const char *what, struct bytes text);

#endif

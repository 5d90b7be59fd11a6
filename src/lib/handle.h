#ifndef KITH_LIB_HANDLE_H
#define KITH_LIB_HANDLE_H

/* What struct kith is behind its public face (kith/kith.h). A failure is one of two sorts: of
 * one call, or the end of the connection, which every later call then repeats. */

#include "client/conversation.h"
#include "client/where.h"
#include "io/dial.h"
#include "lib/changes.h"
#include "meet/self.h"
#include "people/account_name.h"

#include <kith/kith.h>

enum { HANDLE_TIMEOUT_MS = 30000, HANDLE_PROBLEM_BYTES = 4 * TROUBLE_BYTES + 64 };
enum { HANDLE_SHOWN_BYTES = 240 }; /* of what a hub says */

struct people;

struct kith {
    struct where where;
    char where_text[WHERE_TEXT_BYTES];
    char profile[ACCOUNT_NAME_BYTES + 1];
    struct self self;
    struct dial *dial;
    struct conversation conversation;
    struct changes changes;
    bool following;        /* FOLLOW was asked and is not answered yet */
    bool watches;          /* it has been answered */
    struct people *people; /* NULL: nobody has logged in */
    char *accepts;         /* whose invitations; NULL: nobody's */
    unsigned wants;        /* of enum kith_wish; what it receives besides texts */
    uint16_t peer_port;
    uint64_t timeout_ms;
    enum kith_result end; /* KITH_OK, or what ended the connection */
    char problem[HANDLE_PROBLEM_BYTES];
};

/* NULL: no memory. */
struct kith *handle_new(void);
void handle_free(struct kith *k);

/* Notes what went wrong, for kith_problem. */
void handle_note(struct kith *k, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes what a hub refused, in its words: KITH_REFUSED, KITH_DENIED. */
enum kith_result handle_refused(struct kith *k, struct bytes why);

/* Notes it; its result. */
enum kith_result handle_trouble(struct kith *k, const struct trouble *t);

/* The connection is at its end; returns why. */
static inline enum kith_result handle_end(struct kith *k, enum kith_result why)
{
    k->end = why;
    return why;
}

/* The end, for want of memory; for an answer that no hub gives. Both are noted. */
static inline enum kith_result handle_end_no_memory(struct kith *k)
{
    handle_note(k, "out of memory, and the connection to %s with it", k->where_text);
    return handle_end(k, KITH_NO_MEMORY);
}

static inline enum kith_result handle_end_foreign(struct kith *k)
{
    handle_note(k, "what answers at %s is not a kith hub", k->where_text);
    return handle_end(k, KITH_FOREIGN);
}

#endif

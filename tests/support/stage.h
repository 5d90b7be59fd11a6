#ifndef KITH_TESTS_STAGE_H
#define KITH_TESTS_STAGE_H

/* A visit on a stage, for unit tests: all that its owner is told, as lines.
 *
 *     A, N, n, P TEXT     said: an answer, news, a note, a problem
 *     ? TEXT, ?? TEXT     a prompt, one for a secret
 *     ! WORD ...          asked of the hub; !! with a secret
 *     introduced NAME DIALS CANDIDATES, talk TEXT, send PATH, close NAME, verify NAME,
 *     judged NAME SAME, devices NUMBER VALUES, relay ID, leave END */

#include "client/visit.h"

struct stage {
    struct visit visit;
    struct buffer seen;
    int kept; /* what judged returns */
};

/* An empty one; visit_init takes the handler. */
extern const struct visit_handler stage_handler;
void stage_begin(struct stage *s, bool person);
void stage_finish(struct stage *s);

/* All that was seen since the last time. */
void stage_expect(struct stage *s, const char *want);
void stage_forget(struct stage *s);

/* The person types a line. */
void stage_type(struct stage *s, const char *line);

/* The same, of n at once. */
void stage_paste(struct stage *s, const char *const *lines, size_t n);

/* The hub says that, RESP with | for line ends. */
void stage_hear(struct stage *s, const char *text);

/* It says that this device of his was revoked. */
void stage_hear_revoked(struct stage *s, const char *name, const struct public_key *key);

#endif

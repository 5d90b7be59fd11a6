#ifndef KITH_CLIENT_STORY_H
#define KITH_CLIENT_STORY_H

/* A story: who asks a hub what, in which order, and which answers are right. A text file, a
 * step a line; blank lines and lines that begin with # do not count, nor do blanks at the
 * ends of a line.
 *
 *     client NAME terse|full    somebody who plays; the answers NAME wants
 *     say TEXT                  printed when the story comes to it
 *     ask NAME REQUEST          NAME sends the text message REQUEST ...
 *     expect ANSWER             ... and this is right; several such lines: any of them is
 *     again ANSWER              ... and this is, too, on a hub where the story was played
 * before together                  a meeting point: the requests up to `end` are all under way
 *     end                       before any of them is answered
 *
 * A NAME is 1 to 32 letters, digits, '-' and '_'; two that differ only in case are the same.
 * Every request needs an answer to expect, and an answer is one line. */

#include "base/bytes.h"

enum {
    STORY_CLIENTS_MAX = 16,
    STORY_STEPS_MAX = 4096,
    STORY_NAME_BYTES_MAX = 32,
};

#define STORY_BYTES_MAX ((size_t)1024 * 1024)

struct story_client {
    struct bytes name;
    bool full; /* wants full answers */
};

struct story_answer {
    struct bytes text;
    bool again; /* right only on a hub where the story was played before */
};

enum story_verb { STORY_SAY, STORY_ASK };

struct story_step {
    enum story_verb verb;
    size_t line;       /* in the file, from 1 */
    size_t meeting;    /* steps between one `together` and its `end` share it; 0: by itself */
    struct bytes text; /* what is said, or the request */

    /* ASK: */
    size_t client;                     /* index into clients */
    size_t answer_first, answer_count; /* of answers; one at least does not need again */
};

struct story {
    struct story_client clients[STORY_CLIENTS_MAX];
    size_t client_count;
    struct story_step *steps;
    size_t step_count, step_capacity;
    struct story_answer *answers;
    size_t answer_count, answer_capacity;
};

enum { STORY_WRONG = 1 };

/* Reads a story; its bytes point into text. STORY_WRONG: *ret_line and *ret_problem, static,
 * say where and why. -ENOMEM. On any but 0 there is nothing to free. */
int story_parse(struct story *s, struct bytes text, size_t *ret_line, const char **ret_problem);
void story_fini(struct story *s);

/* Whether answer is right for the step, an ASK; played_before as for `again`. */
bool story_is_right(const struct story *s, const struct story_step *step, struct bytes answer,
                    bool played_before);

/* Whether the step asks the hub to stop. */
bool story_is_stop(const struct story_step *step);

#endif

#ifndef KITH_HUB_AHEAD_H
#define KITH_HUB_AHEAD_H

/* A look ahead into a pipeline: the small commands that stand whole at the front of a RESP
 * connection's input are parsed some at once, and the store is told of all their keys before
 * the first of them runs. So what memory they need comes while others are served, not one after
 * the other while all wait.
 *
 * One for each worker. It holds what it has parsed as long as one run through a connection's
 * input goes on, in which that does not move; ahead_forget begins each run. */

#include "hub/command.h"
#include "wire/resp_request.h"

enum {
    AHEAD_COMMANDS = 16,
    AHEAD_COMMAND_BYTES = 4 * 1024, /* a larger one is no small one: it ends the look ahead */
};

struct ahead_command {
    const struct command *command; /* NULL: there is none of that name */
    size_t first, argc;            /* its arguments in args */
    size_t consumed;               /* bytes of input it takes */
};

struct ahead {
    struct resp_args args; /* of all of them, one after the other */
    struct ahead_command commands[AHEAD_COMMANDS];
    size_t count, next;
    const uint8_t *at; /* where the next one stands */
};

void ahead_init(struct ahead *a);
void ahead_fini(struct ahead *a);

static inline void ahead_forget(struct ahead *a)
{
    a->next = a->count = 0;
}

/* The command at the front of in, between two commands of the stream; NULL where it is not a
 * small, whole one. It holds until the next call. */
const struct ahead_command *ahead_take(struct hub *hub, struct bytes in);

static inline const struct bytes *ahead_argv(const struct ahead *a,
                                             const struct ahead_command *c)
{
    return a->args.argv + c->first;
}

#endif

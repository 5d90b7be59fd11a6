#ifndef KITH_HUB_AHEAD_H
#define KITH_HUB_AHEAD_H

/* A look ahead: the small commands that stand whole at the front of a RESP connection's input,
 * or at those of several, are parsed some at once, and the store is told of all their keys
 * before the first of them runs. So what memory they need comes while others are served, not
 * one after the other while all wait.
 *
 * One for each worker. It holds what it has parsed as long as that input does not move, and
 * knows a command by where it stands; ahead_look or ahead_forget begins each run. */

#include "hub/command.h"
#include "wire/resp_request.h"

enum {
    AHEAD_COMMANDS = 16,
    AHEAD_COMMAND_BYTES = 4 * 1024, /* a larger one is no small one: it ends the look ahead */
};

struct ahead_command {
    const uint8_t *at;             /* where it stands */
    const struct command *command; /* NULL: there is none of that name */
    size_t first, argc;            /* its arguments in args */
    size_t consumed;               /* bytes of input it takes */
};

struct ahead {
    struct resp_args args; /* of all of them, one after the other */
    struct ahead_command commands[AHEAD_COMMANDS];
    size_t count, next;
};

struct hub_input;

void ahead_init(struct ahead *a);
void ahead_fini(struct ahead *a);

static inline void ahead_forget(struct ahead *a)
{
    a->next = a->count = 0;
}

/* Looks into several inputs, which run in this order; one of them alone is looked into when it
 * runs. */
void ahead_look(struct hub *hub, const struct hub_input *inputs, size_t n);

/* The command at the front of in, between two commands of the stream; NULL where it is not a
 * small, whole one. It holds until the next call. */
const struct ahead_command *ahead_take(struct hub *hub, struct bytes in);

static inline const struct bytes *ahead_argv(const struct ahead *a,
                                             const struct ahead_command *c)
{
    return a->args.argv + c->first;
}

#endif

#include "hub/ahead.h"

#include "hub/hub.h"

enum { EXPECTED_KEYS = 32 };

void ahead_init(struct ahead *a)
{
    *a = (struct ahead){0};
    resp_args_init(&a->args);
}

void ahead_fini(struct ahead *a)
{
    resp_args_fini(&a->args);
}

/* In a pipeline it is mostly the same as before. */
static const struct command *find_command(struct hub *hub, const struct ahead_command *c)
{
    const struct ahead *a = &hub->ahead;
    struct bytes name = a->args.argv[c->first];
    if (c > a->commands && bytes_equal(name, a->args.argv[c[-1].first]))
        return c[-1].command;
    return command_find(&hub->commands, name);
}

static bool look_at(struct hub *hub, struct bytes in, struct ahead_command *ret)
{
    struct ahead *a = &hub->ahead;
    ret->at = in.data;
    ret->first = a->args.argc;
    if (!resp_request_glance(&a->args, in, AHEAD_COMMAND_BYTES, &ret->consumed))
        return false;
    ret->argc = a->args.argc - ret->first;
    if (ret->argc == 0)
        return false;
    ret->command = find_command(hub, ret);
    return true;
}

static size_t list_keys(const struct ahead *a, const struct ahead_command *c,
                        struct bytes *keys, size_t room)
{
    size_t n = c->command && command_arity_fits(c->command, c->argc)
                   ? command_key_count(c->command, c->argc)
                   : 0;
    if (n > room)
        n = room;
    for (size_t i = 0; i < n; i++)
        keys[i] = ahead_argv(a, c)[command_key_at(c->command, i)];
    return n;
}

static void tell_store(struct hub *hub)
{
    struct ahead *a = &hub->ahead;
    struct bytes keys[EXPECTED_KEYS];
    size_t n = 0;
    for (size_t i = 0; i < a->count && n < EXPECTED_KEYS; i++)
        n += list_keys(a, &a->commands[i], keys + n, EXPECTED_KEYS - n);
    if (n > 1)
        store_expect(hub->shared->store, STORE_USER, keys, n);
}

static void look(struct hub *hub, struct bytes in)
{
    struct ahead *a = &hub->ahead;
    while (a->count < AHEAD_COMMANDS && look_at(hub, in, &a->commands[a->count]))
        in = bytes_from(in, a->commands[a->count++].consumed);
}

static void begin(struct ahead *a)
{
    ahead_forget(a);
    a->args.argc = 0;
}

void ahead_look(struct hub *hub, const struct hub_input *inputs, size_t n)
{
    begin(&hub->ahead);
    if (n < 2)
        return;
    for (size_t i = 0; i < n; i++)
        look(hub, inputs[i].bytes);
    tell_store(hub);
}

/* Among what has been parsed; what precedes it has not been run from here. */
static bool find_parsed(struct ahead *a, const uint8_t *at)
{
    while (a->next < a->count && a->commands[a->next].at != at)
        a->next++;
    return a->next < a->count;
}

const struct ahead_command *ahead_take(struct hub *hub, struct bytes in)
{
    struct ahead *a = &hub->ahead;
    if (!find_parsed(a, in.data)) {
        begin(a);
        look(hub, in);
        tell_store(hub);
    }
    return a->next < a->count ? &a->commands[a->next++] : NULL;
}

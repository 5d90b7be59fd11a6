#ifndef KITH_HUB_COMMAND_H
#define KITH_HUB_COMMAND_H

/* The one command table. Doors translate into an argv; a handler takes it and writes to a
 * reply; what it needs (arity, rights) is checked here, once.
 *
 * A handler that cannot finish now, because the log has no room, returns COMMAND_AGAIN before
 * it has changed anything: the connection then rests and the same command runs again later. */

#include "hub/access.h"
#include "hub/reply.h"

struct connection;
struct hub;

struct call {
    struct hub *hub;
    struct connection *connection;
    const struct bytes *argv; /* argv[0] is the command's name */
    size_t argc;
    struct reply *reply;
};

enum {
    COMMAND_DONE = 0,
    COMMAND_AGAIN_LOG = 1,  /* nothing happened: run it again when the log has moved */
    COMMAND_AGAIN_USER = 2, /* likewise, when the other end's user is known */
};

typedef int (*command_fn)(struct call *call);

struct command {
    const char *name; /* upper-case */
    int arity;        /* argc; negative: at least that many */
    enum access_need need;
    unsigned flags;
    int first_key, last_key, key_step; /* as COMMAND tells them; 0: no keys */
    command_fn run;
    const char *summary; /* a line for COMMAND DOCS */
};

enum {
    COMMAND_WRITES = 1 << 0, /* changes the table */
    COMMAND_FAST = 1 << 1,
};

/* The table, to be looked up by name. */
enum { COMMAND_INDEX_SLOTS = 256 };

struct command_index {
    const struct command *slots[COMMAND_INDEX_SLOTS];
};

void command_index_init(struct command_index *index);

/* Looks a name up without case; NULL where there is none. */
const struct command *command_find(const struct command_index *index, struct bytes name);

/* The whole table, part by part; NULL past its end. */
size_t command_count(void);
const struct command *command_at(size_t i);

/* Finds and runs call->argv. The reply says what was wrong where something was. */
int command_run(struct call *call);

/* Answers an error, worded as printf does, about arguments cleaned and cut; COMMAND_DONE. */
int command_error(struct call *call, const char *code, const char *reason);
int command_error_about(struct call *call, const char *format, struct bytes about);

/* Is the caller allowed this much? False: the refusal is answered (and logged), or waits for
 * the other end's user to be known; the handler returns *ret_result. For handlers that need
 * more than their command's own need. */
bool command_allows(struct call *call, enum access_need need, int *ret_result);

/* Answers what a store call returned where that is not 0: COMMAND_DONE, or COMMAND_AGAIN_LOG
 * with nothing answered where the store is busy. */
int command_store_failed(struct call *call, int result);

/* The parts of the table, each in a file of its own. */
struct command_part {
    const struct command *commands;
    size_t count;
};

extern const struct command_part commands_connection; /* PING, HELLO, CLIENT ... */
extern const struct command_part commands_server;     /* INFO, COMMAND, NAME, SHUTDOWN ... */
extern const struct command_part commands_values;     /* GET, SET, STORE, INCR ... */

#endif

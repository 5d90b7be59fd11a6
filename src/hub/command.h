#ifndef KITH_HUB_COMMAND_H
#define KITH_HUB_COMMAND_H

/* The one command table. Doors translate into an argv; a handler takes it and writes to a
 * reply; what it needs (arity, rights) is checked here, once.
 *
 * A command on keys is a function from their old values to new, which answers as it goes
 * (`apply`): it runs under the store's locks, through store_update, alone or as one of those of
 * a transaction, and perhaps more than once: only its last answer counts. Any other command is
 * a function that does something (`run`). A handler that cannot finish now, because the log has
 * no room, returns COMMAND_AGAIN_* before it has changed anything: the connection then rests
 * and the same command runs again later. */

#include "base/arena.h"
#include "hub/access.h"
#include "hub/reply.h"
#include "store/store.h"

struct connection;
struct hub;

struct call {
    struct hub *hub;
    struct connection *connection;
    const struct command *command; /* NULL: there is none of that name */
    const struct bytes *argv;      /* argv[0] is the command's name */
    size_t argc;
    struct reply *reply;
    size_t *made; /* in a transaction: bytes of values made of others so far; else NULL */
    size_t first_in_transaction; /* of the transaction's arguments, the first that is its own */
};

/* The blob in which argument i lies; NULL: in none, it must be copied to be kept. */
struct blob *call_blob(const struct call *call, size_t i);

enum {
    COMMAND_DONE = 0,
    COMMAND_AGAIN_LOG = 1,  /* nothing happened: run it again when the log has moved */
    COMMAND_AGAIN_USER = 2, /* likewise, when the other end's user is known */
    COMMAND_AGAIN_TURN = 3, /* a piece is done: what it answered leaves, go on next turn */
    COMMAND_AGAIN_JOB = 4,  /* run it again when the connection's job has been done */
};

typedef int (*command_fn)(struct call *call);

/* slots are of the command's keys, in their order. New values must hold until the update is
 * over: arguments do, and so does what command_take gives. 0: what the slots say is to happen,
 * and is answered; COMMAND_REFUSED: nothing, and the answer says why; COMMAND_WAITS: nothing,
 * it runs again when the connection's job has been done; COMMAND_MAKES_TOO_MUCH: it would pass
 * LIMIT_TRANSACTION_MADE_BYTES; STORE_TOO_LARGE; -ENOMEM. */
typedef int (*command_apply_fn)(struct call *call, struct store_slot *slots, size_t n);
enum { COMMAND_REFUSED = STORE_FN_FIRST, COMMAND_WAITS, COMMAND_MAKES_TOO_MUCH };

struct command {
    const char *name; /* upper-case */
    int arity;        /* argc; negative: at least that many */
    enum access_need need;
    unsigned flags;
    int first_key, last_key, key_step; /* as COMMAND tells them; 0: no keys */
    command_fn run;                    /* NULL: apply alone */
    command_apply_fn apply;            /* NULL: not a command on keys */
    const char *summary;               /* a line for COMMAND DOCS */
};

enum {
    COMMAND_WRITES = 1 << 0, /* changes the table */
    COMMAND_FAST = 1 << 1,
    COMMAND_GROWS = 1 << 2,      /* may need more memory for the table */
    COMMAND_PLAIN = 1 << 3,      /* no keys, but may run within a transaction */
    COMMAND_SUBSCRIBED = 1 << 5, /* also where a RESP2 connection has subscribed */
    COMMAND_SECRET = 1 << 6,     /* its arguments are in no log */
    COMMAND_DIRECT = 1 << 4,     /* runs at once where a transaction is being gathered */
};

/* The table, to be looked up by name. */
enum { COMMAND_INDEX_SLOTS = 256 };

struct command_index {
    struct {
        const struct command *command;
        size_t name_bytes;
    } slots[COMMAND_INDEX_SLOTS];
};

void command_index_init(struct command_index *index);

/* Looks a name up without case; NULL where there is none. */
const struct command *command_find(const struct command_index *index, struct bytes name);

/* The whole table, part by part; NULL past its end. */
size_t command_count(void);
const struct command *command_at(size_t i);

/* Runs call->command with call->argv. The reply says what was wrong where something was. */
int command_run(struct call *call);

/* Runs a command's apply over its keys, as one update. */
int command_apply(struct call *call, const struct command *command);

bool command_arity_fits(const struct command *command, size_t argc);

/* The keys of an argv whose arity fits: how many, and the argument that is the i-th. */
size_t command_key_count(const struct command *command, size_t argc);
size_t command_key_at(const struct command *command, size_t i);

/* Answers a key's old value, or that there was none. */
void command_answer_old(struct call *call, const struct store_slot *slot);

/* Memory for a new value; it holds until the command is over. NULL when memory is out. */
void *command_take(struct call *call, size_t n);

/* Answers an error, worded as printf does, about arguments cleaned and cut; COMMAND_DONE. */
int command_error(struct call *call, const char *code, const char *reason);
int command_error_about(struct call *call, const char *format, struct bytes about);
int command_error_around(struct call *call, const char *before, struct bytes about,
                         const char *after);

/* ... about the command itself: "words 'name' command". */
int command_error_in(struct call *call, const char *words);

/* The same within an apply: COMMAND_REFUSED. */
int command_refuse(struct call *call, const char *code, const char *reason);
int command_refuse_about(struct call *call, const char *words, struct bytes about);
int command_refuse_in(struct call *call, const char *words);

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

extern const struct command_part commands_account;     /* REGISTER, LOGIN, PASSWORD ... */
extern const struct command_part commands_admin;       /* ACCOUNT */
extern const struct command_part commands_backup;      /* BACKUP */
extern const struct command_part commands_devices;     /* DEVICES */
extern const struct command_part commands_tickets;     /* INVITE, TOKEN */
extern const struct command_part commands_connection;  /* PING, HELLO, CLIENT ... */
extern const struct command_part commands_relay;       /* RELAY */
extern const struct command_part commands_server;      /* INFO, COMMAND, NAME, SHUTDOWN ... */
extern const struct command_part commands_table;       /* SCAN, KEYS, DBSIZE, FLUSHDB ... */
extern const struct command_part commands_expiry;      /* EXPIRE, TTL, PERSIST ... */
extern const struct command_part commands_letters;     /* LETTER, LETTERS */
extern const struct command_part commands_people;      /* WHO, MEET, ACCEPT ... */
extern const struct command_part commands_push;        /* SUBSCRIBE, PUBLISH, FOLLOW ... */
extern const struct command_part commands_strings;     /* INCR, APPEND, GETRANGE ... */
extern const struct command_part commands_transaction; /* MULTI, EXEC, WATCH ... */
extern const struct command_part commands_values;      /* GET, SET, STORE, DEL ... */

#endif

#ifndef KITH_KITH_SESSION_H
#define KITH_KITH_SESSION_H

/* One run of kith: its options, what it prints, its log, and its connection to a hub, which
 * is made when something is first asked. Functions that return an exit code have already
 * said what is wrong when it is not EXIT_DONE. */

#include "client/conversation.h"
#include "client/where.h"
#include "io/dial.h"
#include "kith/journal.h"
#include "kith/options.h"
#include "kith/output.h"
#include "meet/self.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_NO = 1,          /* the answer is no, or it could not be done */
    EXIT_USAGE = 2,       /* the command line, or the input, cannot be understood */
    EXIT_UNREACHABLE = 3, /* there is no hub there, or it went away */
    EXIT_DENIED = 4,      /* the hub does not allow it */
    EXIT_CHANGED = 5,     /* the other end is not who it was */
    EXIT_FAILED = 6,      /* a copy failed or is not whole, or a stopped hub does not end */
};

struct session {
    struct options options;
    struct output output;
    struct journal journal;
    struct where where;
    char where_text[WHERE_TEXT_BYTES];
    struct self self;
    struct dial *dial; /* NULL: not connected yet */
    struct conversation conversation;
    bool unheard;           /* the answer goes into no log */
    bool silent;            /* what goes wrong is not told, only returned */
    struct buffer asked[2]; /* what the user typed at prompts, two at most */
};

/* Takes the options over. */
int session_init(struct session *s, const struct options *options);
void session_fini(struct session *s);

/* Opens the log that the options ask for, where they do. */
int session_open_log(struct session *s);

/* Connects; nothing where that was done before. */
int session_connect(struct session *s);

/* Asks the hub one thing and waits for the answer, whose values hold until the next call. An
 * error reply is told to the user and becomes the exit code. */
int session_ask(struct session *s, const struct bytes *argv, size_t argc,
                const struct resp_value **ret_value);

/* The same, of which the log has but the first word: the others are secrets. */
int session_ask_secretly(struct session *s, const struct bytes *argv, size_t argc,
                         const struct resp_value **ret_value);

/* Likewise, where the answer is the secret: the log has the question alone. */
int session_ask_unheard(struct session *s, const struct bytes *argv, size_t argc,
                        const struct resp_value **ret_value);

/* The same as session_ask, where the hub may close the connection instead of answering:
 * *ret_value then is NULL. */
int session_ask_last(struct session *s, const struct bytes *argv, size_t argc,
                     const struct resp_value **ret_value);

/* Several at once: each session_add puts a request behind those before it, and each
 * session_take waits for the next answer, which is told and judged as session_ask's. What is
 * added leaves when the first answer is waited for. */
int session_add(struct session *s, const struct bytes *argv, size_t argc);
int session_take(struct session *s, const struct resp_value **ret_value);

/* Waits for the next thing the hub says unasked. Where it ends instead, the user is told. */
int session_hear(struct session *s, const struct resp_value **ret_value);

/* Closes the connection, if there is one; what is asked next makes another. */
void session_hang_up(struct session *s);

/* Says what is wrong, on standard error or as JSON, and returns code: "kith: " and the
 * printf-like message. */
int session_fail(struct session *s, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says what is wrong, likewise. */
int session_trouble(struct session *s, const struct trouble *t);

/* Says that the hub was met for the first time, and is remembered as this one now. */
void session_met(struct session *s);

/* What --peer-port says, 0 where it is not given. */
int session_peer_port(struct session *s, uint16_t *ret);

/* EXIT_USAGE where no hub could have this key. */
int session_check_key(struct session *s, struct bytes key);

/* The key is not there, in the origins' words. */
int session_no_such_key(struct session *s, struct bytes key);

/* The hub's answer is none that this command can have. */
int session_strange(struct session *s);

/* Where fd is a terminal, connects, since nobody types for a hub that is not there, and says on
 * standard error that kith waits for what is typed, and how to end it. Else nothing. */
int session_announce_reading(struct session *s, int fd, const char *what);

/* Asks the user for what the command line left out; a usage error where nobody is there. */
int session_prompt(struct session *s, const char *prompt, const char *missing,
                   struct bytes *ret);

/* Word i of the command line, asked for like session_prompt where it is not there. */
int session_word(struct session *s, size_t i, const char *prompt, const char *missing,
                 struct bytes *ret);

#endif

#ifndef KITH_CLIENT_VERBS_H
#define KITH_CLIENT_VERBS_H

/* What a line means that a person typed. The verbs, with an argument as `VERB arg` or
 * `VERB<arg>`, which may hold blanks where it is a path:
 *
 *     #HELP                       /help
 *     GET_CLIENT_LIST             /who, which tells more
 *     GET_CLIENT_INFO name        /talk name
 *     SEND_FILE path              /send path
 *                                 /transfers   /cancel id
 *     LETTER name text            /letter name text
 *     CLOSE_SESSION               /close
 *     DISCONNECT_CLIENT           /quit
 *     QUIT                        stops the hub
 *                                 /accept [name]   /decline [name]
 *                                 /path   /history [name]
 *     VERIFY name                 /verify [name]
 *
 * The long ones are upper-case and count in exactly that shape; short ones may be written in
 * any case. A line that begins with two slashes is what follows the first. All else is talk:
 * for whoever is in front, a person or the hub. */

#include "base/bytes.h"

enum verb_kind {
    VERB_NONE,    /* an empty line */
    VERB_SAY,     /* argument: the line, for whoever is in front */
    VERB_UNKNOWN, /* begins with a slash, and is no verb; argument: the word */
    VERB_WRONG,   /* a verb, but not like this; problem says what is wrong */
    VERB_HELP,
    VERB_LIST,
    VERB_WHO,
    VERB_TALK, /* argument: a name */
    VERB_SEND, /* argument: a path */
    VERB_CLOSE,
    VERB_LEAVE,
    VERB_STOP,
    VERB_PATH,
    VERB_VERIFY,  /* argument: a name, or nothing */
    VERB_HISTORY, /* argument: a name, or nothing */
    VERB_LETTER,  /* argument: a name and a text, or part of that */
    VERB_ACCEPT,  /* argument: a name, or nothing */
    VERB_DECLINE, /* likewise */
    VERB_TRANSFERS,
    VERB_CANCEL, /* argument: a transfer's id, or how it begins */
};

struct verb {
    enum verb_kind kind;
    struct bytes argument; /* points into the line */
    const char *problem;   /* of WRONG; static */
};

/* Never fails. */
struct verb verb_parse(struct bytes line);

/* Every way to write a verb, for completion; NULL from the last on. ret_takes: what its
 * argument is completed by. */
enum verb_takes { VERB_TAKES_NOTHING, VERB_TAKES_NAME, VERB_TAKES_PATH };
const char *verb_word(size_t i, enum verb_takes *ret_takes);

#endif

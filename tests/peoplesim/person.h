#ifndef KITH_TESTS_PEOPLESIM_PERSON_H
#define KITH_TESTS_PEOPLESIM_PERSON_H

/* Somebody at a connection of a device: what he says, what he is answered and told, and whether
 * that may be. */

#include "town.h"

enum asked {
    ASKED_HELLO,
    ASKED_LIST,
    ASKED_MEET,
    ASKED_ACCEPT,
    ASKED_DECLINE,
    ASKED_CANCEL,
    ASKED_LETTER,
    ASKED_LETTERS,
    ASKED_TAKEN,
};

/* What was asked and is not answered yet. */
struct asked_item {
    enum asked kind;
    size_t what;             /* the account, the place of a meeting or letter */
    bool sure[TOWN_LETTERS]; /* LETTERS: those that are there, if nobody takes them meanwhile */
    bool gone[TOWN_LETTERS]; /* ... and those that are not */
};

enum { PERSON_ASKED = 16 };

struct person {
    struct town *town;
    size_t worker, device;
    uint64_t id;
    struct connection *connection;
    struct buffer out, in;
    struct resp_reply reply;
    struct asked_item asked[PERSON_ASKED];
    size_t asked_first, asked_count;
    bool sees_list; /* has been told who is here: */
    unsigned sees;  /* a bit an account */
};

/* Comes to a worker, with a device. */
struct person *person_come(struct town *t, size_t worker, size_t device);

/* Goes without a word, or has been closed; frees him. */
void person_gone(struct person *p);

/* Asks for something. */
void person_act(struct person *p);
void person_ask_list(struct person *p);
void person_ask_letters(struct person *p);

/* Some of what he asked reaches the hub; false: there is nothing. */
bool person_deliver(struct person *p, bool all);

/* Reads what has come, and judges it. */
void person_read(struct person *p);

#endif

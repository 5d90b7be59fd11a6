#ifndef KITH_CLIENT_POST_INNER_H
#define KITH_CLIENT_POST_INNER_H

/* What the files of post.h share. */

#include "base/limits.h"
#include "client/post.h"
#include "people/account_name.h"

enum post_asked_kind {
    POST_ASKED_DEVICES, /* of whom a letter is for */
    POST_ASKED_COPY,    /* LETTER */
    POST_ASKED_LIST,    /* LETTERS */
    POST_ASKED_TAKEN,
    POST_ASKED_DOUBT, /* the devices of who has written */
};

/* A letter on its way to the hub. */
struct post_sending {
    struct list link;
    struct random_id id;
    struct walltime written; /* 0: not sealed yet */
    size_t waiting;          /* copies not yet answered */
    size_t kept, full, strangers;
    char why[400]; /* the last refusal */
    char name[ACCOUNT_NAME_BYTES + 1];
    size_t len;
    char text[];
};

/* Somebody whose key is not known: what the hub says are his devices. */
struct post_doubt {
    struct list link;
    char name[ACCOUNT_NAME_BYTES + 1];
    bool answered;
    struct fingerprint warned[LIMIT_ACCOUNT_DEVICES]; /* devices of his that were warned of */
    size_t warned_count;
    struct device devices[LIMIT_ACCOUNT_DEVICES];
    size_t count;
};

struct post_asked {
    struct list link;
    enum post_asked_kind kind;
    struct post_sending *sending; /* of DEVICES, COPY */
    struct post_doubt *doubt;     /* of DOUBT */
};

/* Asks; -ENOMEM. */
int post_ask(struct post *p, struct post_asked asked, const struct bytes *argv, size_t argc);

/* post_taking.c: the side of who gets letters. */
void taking_begin(struct post *p);
void taking_listed(struct post *p, const struct resp_value *values, size_t count);
void taking_doubt_answered(struct post *p, struct post_doubt *d,
                           const struct resp_value *values, size_t count);
void taking_forget(struct post *p);

#endif

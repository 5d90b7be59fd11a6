#ifndef KITH_CLIENT_VISIT_H
#define KITH_CLIENT_VISIT_H

/* A person's visit to a hub: the greeting, in which he says whether he is new or returning,
 * unless the hub knows his device; then what he types and what he is told. It decides what
 * every line means, what is asked of the hub and what is shown; it sees no terminal and no
 * socket. Its owner embeds it, tells it what happens, and does what the handler is told.
 *
 *   AWAY       no hub at the other end
 *   MEETING    connected; does the hub know this device?
 *   GREETING   a question of the greeting is open, or its answer is being judged
 *   HERE       lines are said to the hub or to whoever is in front
 *   LEFT       over
 *
 *   AWAY -> MEETING -> HERE; MEETING -> GREETING -> HERE; any -> AWAY, LEFT
 *
 * A talk is another's business (a session between two devices): the visit says when one ought
 * to begin (introduced), is told when it has, and from then on hands what is said to it, until
 * it is told that it has ended. There may be several; one is in front, and gets what is typed.
 * Only one that the person asked for or accepted comes in front by itself, and only while none
 * is; and when the one in front is ended by the other side, the next line is not said to
 * anybody, whoever is in front by then: it was meant for him.
 *
 * Texts given to the handler are clean, and hold until it returns. */

#include "base/buffer.h"
#include "base/list.h"
#include "base/time.h"
#include "client/notice.h"
#include "people/account_name.h"

enum visit_state { VISIT_AWAY, VISIT_MEETING, VISIT_GREETING, VISIT_HERE, VISIT_LEFT };

/* How a line is meant. */
enum visit_tone {
    VISIT_ANSWER,  /* what was asked for */
    VISIT_NEWS,    /* what happened, unasked */
    VISIT_NOTE,    /* kith's own words */
    VISIT_PROBLEM, /* what did not work */
};

/* Why it is over. */
enum visit_end {
    VISIT_DONE,    /* the person wanted it, or has stopped the hub */
    VISIT_DENIED,  /* nobody is there to try another password */
    VISIT_STRANGE, /* what answers is no hub */
    VISIT_FAILED,  /* memory */
};

struct visit;

struct visit_handler {
    void (*say)(struct visit *v, enum visit_tone tone, struct bytes line);

    /* What the next line answers; secret: it must not be seen. Again for each change. */
    void (*prompt)(struct visit *v, struct bytes text, bool secret);

    /* A request for the hub; its reply goes to visit_reply, in order. secret: it holds a
     * password. Not 0 where memory is out. */
    int (*request)(struct visit *v, const struct bytes *argv, size_t argc, bool secret);

    void (*leave)(struct visit *v, enum visit_end end);

    /* Both have agreed to talk: begin, then visit_talk_begins or visit_talk_ends. NULL, as the
     * three behind it: the owner has no talks; nobody is asked to one then, and who asks is
     * told that he is busy. */
    void (*introduced)(struct visit *v, const struct notice *n);
    void (*talk_say)(struct visit *v, struct bytes text); /* to whom is in front */
    void (*talk_send)(struct visit *v, struct bytes path);
    void (*talk_close)(struct visit *v); /* the one in front; it has ended, for the visit */
};

/* Somebody who wants to talk, or who was asked to. */
struct visit_call {
    char name[ACCOUNT_NAME_BYTES + 1]; /* empty: no such call */
    char id[RANDOM_ID_TEXT_LEN + 1];   /* empty: the hub has not said yet */
};

struct visit {
    const struct visit_handler *handler;
    enum visit_state state;
    const char *accepts; /* whose invitations are accepted at once; NULL: nobody's */
    bool person;         /* somebody sits at a terminal; else lines come from a program */
    bool full;           /* answers of STORE and GET are in whole words (REPLIES) */
    bool member;         /* logged in */
    bool was_here;       /* in HERE, before the hub was lost */
    bool closing;        /* no more lines will come: leave when all is answered */
    bool stopping;       /* the hub was asked to stop */
    bool sure;           /* the open question is whether to stop it */
    uint8_t step;        /* of the greeting */
    char where[300];     /* the hub, for messages */
    char name[ACCOUNT_NAME_BYTES + 1];   /* the person's, once known */
    char front[ACCOUNT_NAME_BYTES + 1];  /* whom what is typed is for; empty: the hub */
    char wanted[ACCOUNT_NAME_BYTES + 1]; /* with whom a talk was asked for, or accepted, last */
    char left[ACCOUNT_NAME_BYTES + 1];   /* who was in front, and has ended it just now */
    struct list talks;                   /* of struct visit_talk */
    struct buffer secret;                /* the password, while it is typed again */
    struct list asked;                   /* of struct asked: requests not yet answered */
    size_t asked_count;
    struct visit_call outgoing;
    struct visit_call incoming[16]; /* LIMIT_INVITATIONS; oldest first */
    size_t incoming_count;
    char agreed[16][RANDOM_ID_TEXT_LEN + 1]; /* LIMIT_INVITATIONS; accepted last, in turn ... */
    size_t agreed_next;                      /* ... this is where the next goes */
    struct list names;                       /* of struct visit_name: who is present */
    const struct bytes *candidates;          /* where this device can be reached; the owner's */
    size_t candidate_count;
};

/* A talk that goes on. */
enum { VISIT_WAY_BYTES = 64 };
struct visit_talk {
    struct list link;
    char name[ACCOUNT_NAME_BYTES + 1];
    char way[VISIT_WAY_BYTES]; /* how it is connected; empty: not, at present */
};

/* Somebody who is present, for completion. */
struct visit_name {
    struct list link;
    char name[ACCOUNT_NAME_BYTES + 1];
};

/* where: how messages call the hub; cut where it is too long. */
void visit_init(struct visit *v, const struct visit_handler *handler, const char *where,
                bool person);
void visit_fini(struct visit *v);

/* Where this device listens, ADDR:PORT each, at most NOTICE_CANDIDATES; they must last. */
void visit_set_candidates(struct visit *v, const struct bytes *candidates, size_t n);

/* The hub. */
void visit_connected(struct visit *v);
void visit_lost(struct visit *v, const char *why);
void visit_reply(struct visit *v, const struct resp_value *values, size_t count,
                 struct walltime now);
void visit_push(struct visit *v, const struct resp_value *values, size_t count);

/* The person. A line without its ending; only while visit_takes_lines. */
bool visit_takes_lines(const struct visit *v);
void visit_typed(struct visit *v, struct bytes line);
void visit_interrupted(struct visit *v, bool again); /* Ctrl+C; again: right after another */
void visit_input_over(struct visit *v);              /* Ctrl+D, or the end of the input */

/* A talk. way: how it is connected, NULL: not, at present. why: NULL where the other side has
 * ended it, else in words. */
void visit_talk_fails(struct visit *v, const char *name, const char *why);
void visit_talk_begins(struct visit *v, const char *name);
void visit_talk_way(struct visit *v, const char *name, const char *way);
void visit_talk_heard(struct visit *v, const char *name, struct bytes text);
void visit_talk_ends(struct visit *v, const char *name, const char *why);
void visit_talk_undelivered(struct visit *v, const char *name, struct bytes text);
void visit_talk_refused(struct visit *v, const char *why); /* what was said last */

#endif

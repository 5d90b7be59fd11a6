#ifndef KITH_KITH_CONTACT_H
#define KITH_KITH_CONTACT_H

/* A command's way to people (meet/presence.h), for those that talk without anybody at a
 * terminal: one run, which a signal ends, and in which what goes wrong is said. A hub that does
 * not answer within LIMIT_ANSWER_MS is lost. The owner embeds it. */

#include "client/post.h"
#include "kith/session.h"
#include "meet/postman.h"

struct contact;

struct contact_handler {
    void (*ready)(struct contact *c, bool again);
    void (*lost)(struct contact *c, const char *why); /* the hub; talks go on */
    void (*ending)(struct contact *c); /* nothing may keep the loop any more; it may be NULL */
    /* To what was asked, and contact_ask returned `number` for. It may be NULL. */
    void (*answer)(struct contact *c, uint64_t number, const struct resp_value *reply);
    /* NULL: another kith of the account may answer. */
    void (*notice)(struct contact *c, const struct notice *n);
    const struct talks_handler *talks; /* contact_of gives the contact */
    const struct post_handler *post;   /* contact_of_post; its request is contact_post */
    bool takes_letters;                /* not only sends them */
    void (*wake)(struct contact *c);   /* contact_wake; it may be NULL */
};

struct contact {
    const struct contact_handler *handler;
    struct session *session;
    uv_loop_t loop;
    struct presence presence;
    struct post post;
    struct postman postman;
    struct chronicle chronicle;
    uv_signal_t stops[3];
    uv_timer_t wake;
    bool met_hub; /* for the first time */
    bool over;
    int code;   /* of the end */
    int signal; /* that ended it; 0: none */
};

struct contact *contact_of(struct talks *t);
struct contact *contact_of_post(struct post *p);

/* Runs until contact_end, and then until what was said has arrived. An exit code. */
int contact_run(struct contact *c, struct session *s, const struct contact_handler *handler);

void contact_end(struct contact *c, int code);

/* A handler's lost, for who does not wait for the hub to come back: says so, and ends. */
void contact_lost(struct contact *c, const char *why);

/* handler.wake, once, in that time, in place of any asked for before. */
void contact_wake(struct contact *c, uint64_t ms);

/* Asks the hub; the number of its answer. */
uint64_t contact_request(struct contact *c, const struct bytes *argv, size_t argc);

/* The same; word and subject, and behind them where this device can be reached. */
uint64_t contact_ask(struct contact *c, const char *word, struct bytes subject);
int contact_post(struct post *p, const struct bytes *argv, size_t argc);
void contact_accept(struct contact *c, const struct notice *invited);
void contact_decline(struct contact *c, struct bytes id);

/* The hub has refused what was asked: says so, and ends. */
void contact_refused(struct contact *c, struct bytes answer);

/* Keeps what was said in a talk, where --history is given. */
void contact_keep(struct contact *c, struct said *said, struct bytes other);

/* Begins the talk that a notice introduces; where it may not be, says so: an exit code. It may
 * still be refused later (talks_handler). */
int contact_begin(struct contact *c, const struct notice *n);

#endif

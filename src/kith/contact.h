#ifndef KITH_KITH_CONTACT_H
#define KITH_KITH_CONTACT_H

/* A program's way to people: present on a hub as the account of this device, and able to talk,
 * for the commands that do so without anybody at a terminal. It connects, logs in by the
 * device's key, learns its own name, and then is READY; after a loss it comes back by itself,
 * and is READY again. The owner embeds it. */

#include "kith/session.h"
#include "meet/hub_line.h"
#include "meet/talks.h"

struct contact;

struct contact_handler {
    void (*ready)(struct contact *c, bool again);
    void (*lost)(struct contact *c, const char *why); /* the hub; talks go on */
    void (*answer)(struct contact *c, const struct resp_value *reply); /* to what was asked */
    void (*notice)(struct contact *c, const struct notice *n);
    const struct talks_handler *talks; /* contact_of gives the contact */
};

struct contact {
    const struct contact_handler *handler;
    struct session *session;
    uv_loop_t loop;
    struct hub_line hub;
    struct talks talks;
    uv_signal_t stops[3];
    char name[ACCOUNT_NAME_BYTES + 1]; /* one's own, once READY */
    unsigned answered;                 /* of the login's requests */
    bool was_ready;
    bool over;
    int code;   /* of the end */
    int signal; /* that ended it; 0: none */
};

struct contact *contact_of(struct talks *t);

/* Runs until contact_end, and then until what was said has arrived. An exit code. */
int contact_run(struct contact *c, struct session *s, const struct contact_handler *handler);

void contact_end(struct contact *c, int code);

/* Asks the hub; word and subject, and behind them where this device can be reached. */
void contact_ask(struct contact *c, const char *word, struct bytes subject);
void contact_decline(struct contact *c, struct bytes id);

/* Begins the talk that a notice introduces; where it may not be, says so: an exit code. */
int contact_begin(struct contact *c, const struct notice *n);

#endif

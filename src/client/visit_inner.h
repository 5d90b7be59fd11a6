#ifndef KITH_CLIENT_VISIT_INNER_H
#define KITH_CLIENT_VISIT_INNER_H

/* What the files of visit.h share. */

#include "client/visit.h"

/* What a request was for. */
enum asked_kind {
    ASKED_HELLO,
    ASKED_DEVICE,   /* LOGIN by the device's key */
    ASKED_WHOAMI,   /* behind it */
    ASKED_REGISTER, /* of the greeting */
    ASKED_LOGIN,    /* likewise */
    ASKED_NAMES,    /* who is present, to know it */
    ASKED_LIST,     /* GET_CLIENT_LIST */
    ASKED_WHO,
    ASKED_MEET,   /* subject: the name */
    ASKED_GO_ON,  /* likewise, of visit_go_on */
    ASKED_ABSENT, /* the devices of who is not here; likewise */
    ASKED_ANSWER, /* ACCEPT or DECLINE; subject: the name */
    ASKED_CANCEL,
    ASKED_DEVICES, /* subject: the number */
    ASKED_OWN,     /* one's own devices, behind the first login */
    ASKED_STORE,   /* subject: the key */
    ASKED_GET,     /* likewise */
    ASKED_WATCH,   /* FOLLOW, answered by a push where it succeeds */
    ASKED_REPLIES, /* an echo; then answers are so */
    ASKED_STOP,
    ASKED_POST,  /* the post's (client/post.h) */
    ASKED_OTHER, /* its answer is shown as it is */
};

struct asked {
    struct list link;
    enum asked_kind kind;
    size_t len;
    char subject[];
};

void visit_say(struct visit *v, enum visit_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* before, text cleaned, after. */
void visit_say_text(struct visit *v, enum visit_tone tone, const char *before,
                    struct bytes text, const char *after);

/* What a person has said: each line of it behind before, cleaned. */
void visit_say_lines(struct visit *v, enum visit_tone tone, const char *before,
                     struct bytes text);

/* Asks the hub. */
void visit_ask(struct visit *v, enum asked_kind kind, struct bytes subject,
               const struct bytes *argv, size_t argc);

/* One word, no subject. */
void visit_ask_word(struct visit *v, enum asked_kind kind, const char *word);

void visit_leave(struct visit *v, enum visit_end end);

/* Shows the prompt that belongs to the state. */
void visit_show_prompt(struct visit *v);

void visit_say_help(struct visit *v);

/* Lines may be said: as name, or as nobody where that is empty. */
void visit_enter(struct visit *v);

/* visit_greeting.c: a line that answers an open question, a reply to what came of it, and the
 * first question. */
void greeting_begin(struct visit *v);
void greeting_typed(struct visit *v, struct bytes line);
void greeting_reply(struct visit *v, enum asked_kind kind, const struct resp_value *reply);
void greeting_devices(struct visit *v, const struct resp_value *values, size_t count);
void greeting_prompt(struct visit *v);
void greeting_forget(struct visit *v);
void greeting_revoked(struct visit *v); /* the device is one's own no more: the visit is over */

/* visit_people.c: who is present, who wants to talk. */
void people_fini(struct visit *v);
void people_notice(struct visit *v, const struct notice *n);
void people_talk(struct visit *v, struct bytes name);
void people_accept(struct visit *v, struct bytes name, bool accepts);
bool people_answer_offer(struct visit *v, struct bytes name, bool accepts); /* false: none */
void people_close(struct visit *v);
void people_reply(struct visit *v, const struct asked *a, const struct resp_value *values,
                  size_t count, struct walltime now);
void people_lost(struct visit *v);

/* Nothing comes of the talk with him, if that is the one waited for. */
void people_miss(struct visit *v, struct bytes name);
void people_unanswered(struct visit *v, struct bytes name);

/* What the hub would echo may be meant for who is waited for: true, and it was said that it
 * was not said, where somebody is. */
bool people_hold(struct visit *v, struct bytes line);

/* visit_letters.c: letters to and from people. argument: a name, and a text. */
void letters_here(struct visit *v);
void letters_came(struct visit *v);
void letters_write(struct visit *v, struct bytes argument);

/* visit_history.c */
void history_say(struct visit *v, struct bytes name);

/* visit_talks.c: talks that go on. False where the line is not for one; of visit_talks_switch,
 * too, where it has no connection, and he is to be asked anew. */
void visit_talks_fini(struct visit *v);
bool visit_talks_say(struct visit *v, struct bytes text);
bool visit_talks_switch(struct visit *v, struct bytes name);
void visit_talks_close_front(struct visit *v);
void visit_talks_say_ways(struct visit *v);
const char *visit_talks_name(struct visit *v, struct bytes name); /* NULL: no such talk */
bool visit_talks_is_connected(struct visit *v, struct bytes name);
void visit_talks_close(struct visit *v, struct bytes name);
void visit_talks_forget(struct visit *v, const char *name); /* one that was given up, if any */

/* visit_verify.c: words that two compare, and who is verified. */
void verify_fini(struct visit *v);
bool verify_is_verified(const struct visit *v, struct bytes name);
bool verify_is_open(const struct visit *v); /* the question whether words are the same */
void verify_devices(struct visit *v, struct bytes number, const struct resp_value *values,
                    size_t count);
void verify_prompt(struct visit *v);
void verify_typed(struct visit *v, struct bytes line); /* its answer */
bool verify_put_off(struct visit *v);
void verify_forget(struct visit *v, const char *name); /* another talk begins */
void verify_revoked(struct visit *v, const struct public_key *key);
void verify_ask(struct visit *v, struct bytes name); /* no name: whoever is in front */

#endif

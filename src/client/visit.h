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
 * With a post, a device that logs in and is unsigned is told so, once: on an older one of the
 * account it is to be signed.
 *
 * A visit whose device is revoked meanwhile says so, and what to do, and is over.
 *
 * A talk is another's business (a session between two devices): the visit says when one ought
 * to begin (introduced), is told when it has, and from then on hands what is said to it, until
 * it is told that it has ended. There may be several; one is in front, and gets what is typed.
 * Only one that the person asked for or accepted comes in front by itself, and only while none
 * is; and when the one in front is ended by the other side, the next line is not said to
 * anybody, whoever is in front by then: it was meant for him. Nor is a line that the hub would
 * only echo, from asking for a talk, or accepting one, until it begins, and for one entry after
 * nothing has come of it; closing takes back what was asked for.
 *
 * Letters that wait for this device are shown after login, and as they come (client/post.h).
 *
 * Texts given to the handler are clean, and hold until it returns. */

#include "base/buffer.h"
#include "base/list.h"
#include "base/time.h"
#include "client/agreed.h"
#include "client/notice.h"
#include "client/post.h"
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
    VISIT_DENIED,  /* nobody is there to try another password, or the device was revoked */
    VISIT_STRANGE, /* what answers is no hub */
    VISIT_FAILED,  /* memory */
};

struct visit;

enum { VISIT_WHEN_BYTES = 48 };

struct visit_handler {
    void (*say)(struct visit *v, enum visit_tone tone, struct bytes line);

    /* What the next line answers; secret: it must not be seen. Again for each change. */
    void (*prompt)(struct visit *v, struct bytes text, bool secret);

    /* A request for the hub; its reply goes to visit_reply, in order. secret: it holds a
     * password. Not 0 where memory is out. */
    int (*request)(struct visit *v, const struct bytes *argv, size_t argc, bool secret);

    void (*leave)(struct visit *v, enum visit_end end);

    /* Both have agreed to talk: begin, then visit_talk_begins or visit_talk_ends. NULL, as
     * those behind it: the owner has no talks; nobody is asked to one then, and who asks is
     * told that he is busy. */
    void (*introduced)(struct visit *v, const struct notice *n);
    bool (*has_room)(struct visit *v, struct bytes name); /* for one more; NULL: always */
    void (*devices)(struct visit *v, uint64_t number, const struct resp_value *values,
                    size_t count);                        /* the answer to visit_ask_devices */
    void (*talk_say)(struct visit *v, struct bytes text); /* to whom is in front */
    void (*talk_send)(struct visit *v, struct bytes path);
    /* Files that were offered: by that name, or by anybody where it is empty. False: there are
     * none to answer. */
    bool (*answer_offer)(struct visit *v, struct bytes name, bool accepts);
    void (*transfers)(struct visit *v); /* to be told of */
    void (*cancel)(struct visit *v, struct bytes id);
    void (*talk_close)(struct visit *v, const char *name); /* it has ended, for the visit */

    /* Words are to be compared with him: visit_words or visit_words_fail follows. judged: they
     * were the same, or not, as those of the device with that key; to be remembered. Not 0
     * where that cannot be, which the owner has said. */
    void (*talk_verify)(struct visit *v, const char *name);
    int (*judged)(struct visit *v, const char *name, const struct public_key *key, bool same);

    /* The other of that introduction waits at the relay; does not believe that this device is
     * the person's. NULL, where there are no talks. */
    void (*relay_waits)(struct visit *v, struct bytes id);
    void (*unbelieved)(struct visit *v, struct bytes id);

    /* That device is its owner's no more: talks with it end. back: the hub was away and is
     * back, which devices were revoked meanwhile is to be asked for. NULL, where there are no
     * talks. */
    void (*revoked)(struct visit *v, const struct public_key *key);
    void (*back)(struct visit *v);

    /* What was said with somebody last: visit_said for each. False where nothing is kept. It
     * may be NULL. */
    bool (*history)(struct visit *v, struct bytes name);

    /* "yesterday at 14:03", where the person is; NULL only where history is, and there is no
     * post. */
    void (*when)(struct visit *v, struct walltime t, char out[VISIT_WHEN_BYTES]);
};

/* Somebody who wants to talk, or who was asked to. */
struct visit_call {
    char name[ACCOUNT_NAME_BYTES + 1]; /* empty: no such call */
    char id[RANDOM_ID_TEXT_LEN + 1];   /* empty: the hub has not said yet */
};

/* Words that two compare, and whose they are. */
enum { VISIT_WORDS_BYTES = 80 };
struct visit_words {
    char name[ACCOUNT_NAME_BYTES + 1]; /* empty: there are none */
    char text[VISIT_WORDS_BYTES];
    struct public_key key; /* of the other device */
    bool open;             /* the open question is whether they are the same */
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
    bool invited;        /* the account was asked for with an invitation */
    bool knows_own;      /* its devices were asked for: whether this one is unsigned */
    uint8_t step;        /* of the greeting */
    char where[300];     /* the hub, for messages */
    const struct public_key *device;    /* this one's, the owner's; NULL: none is shown */
    char label[DEVICE_LABEL_BYTES + 1]; /* what the hub is to call the device; empty: nothing */
    char name[ACCOUNT_NAME_BYTES + 1];  /* the person's, once known */
    char front[ACCOUNT_NAME_BYTES + 1]; /* whom what is typed is for; empty: the hub */
    char wanted[ACCOUNT_NAME_BYTES + 1]; /* with whom a talk was asked for, or accepted, last,
                                          * that has not begun */
    bool connecting;                     /* both want it: it is the handler's */
    char left[ACCOUNT_NAME_BYTES + 1];   /* who was in front, and has ended it just now */
    char missed[ACCOUNT_NAME_BYTES + 1]; /* of whose talk nothing has come just now */
    struct list talks;                   /* of struct visit_talk */
    struct list verified;                /* of struct visit_name: folded */
    struct visit_words words;
    char comparing[ACCOUNT_NAME_BYTES + 1]; /* for whose words the person waits; or empty */
    struct buffer secret;                   /* the password, while it is typed again */
    struct list asked;                      /* of struct asked: requests not yet answered */
    size_t asked_count;
    uint64_t devices_asked; /* the last such request's number */
    struct visit_call outgoing;
    struct visit_call going_on;     /* whom visit_go_on has asked */
    struct visit_call incoming[16]; /* LIMIT_INVITATIONS; oldest first */
    size_t incoming_count;
    struct agreed agreed; /* what was accepted */
    struct list names;    /* of struct visit_name: who is present, LIMIT_NAMES of them */
    size_t name_count;
    const struct bytes *candidates; /* where this device can be reached; the owner's */
    size_t candidate_count;
    struct post post;
    bool has_post; /* visit_set_post */
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

/* Letters are to be sent and taken: what post_init takes. Without it there are none. */
void visit_set_post(struct visit *v, const struct post_keep *keep, void *ctx,
                    const uint8_t seed[PEER_LETTER_SEED_BYTES],
                    const uint8_t entropy[CHANCE_SEED_BYTES]);

/* The hub. */
void visit_connected(struct visit *v);
void visit_lost(struct visit *v, const char *why);
void visit_reply(struct visit *v, const struct resp_value *values, size_t count,
                 struct walltime now);
void visit_push(struct visit *v, const struct resp_value *values, size_t count);

/* Asks for DEVICES OF name; the number of the request, 0 where there is no hub. */
uint64_t visit_ask_devices(struct visit *v, const char *name);

/* Who was introduced under that id is not believed, and told so. */
void visit_disbelieve(struct visit *v, struct bytes id);

/* Asks somebody to talk, without a word to the person, since files to him are unfinished; where
 * that cannot be, nothing. */
void visit_go_on(struct visit *v, const char *name);

/* The person. A line without its ending; only while visit_takes_lines. more: others were
 * entered with it, and follow. */
bool visit_takes_lines(const struct visit *v);
void visit_typed(struct visit *v, struct bytes line, bool more);
void visit_interrupted(struct visit *v, bool again); /* Ctrl+C; again: right after another */
void visit_input_over(struct visit *v);              /* Ctrl+D, or the end of the input */

/* A talk. verified: he is, at the device at the other end. way: how it is connected, NULL: not,
 * at present. why: NULL where the other side has ended it, else in words. */
void visit_talk_fails(struct visit *v, const char *name, const char *why);
void visit_talk_begins(struct visit *v, const char *name, bool verified);
void visit_talk_joins(struct visit *v, const char *name, bool verified); /* at another device */
void visit_talk_way(struct visit *v, const char *name, const char *way);
void visit_talk_heard(struct visit *v, const char *name, struct bytes text);
void visit_talk_ends(struct visit *v, const char *name, const char *why);
void visit_talk_undelivered(struct visit *v, const char *name, struct bytes text, bool arrived);
void visit_talk_refused(struct visit *v, const char *why); /* what was said last */

/* Who is verified: so he is shown. */
void visit_verified(struct visit *v, struct bytes name);

/* The n words that he ought to see, too, where the other end is the device with that key; or
 * why there are none. Where the person has asked for them, he is asked whether they are the
 * same; else he is shown them, and is asked once he says /verify. */
void visit_words(struct visit *v, const char *name, const char *const words[], size_t n,
                 const struct public_key *key);
void visit_words_fail(struct visit *v, const char *name, const char *why);

/* He says that they were not the same: there is no answer to them any more. */
void visit_words_differ(struct visit *v, const char *name);

/* Something that was said before. */
void visit_said(struct visit *v, const struct said *said);

#endif

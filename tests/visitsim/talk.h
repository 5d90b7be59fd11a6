#ifndef KITH_TESTS_VISITSIM_TALK_H
#define KITH_TESTS_VISITSIM_TALK_H

/* One device's end of a talk: what the command's talk does (session, dialing, texts), over
 * wires instead of sockets. */

#include "visitor.h"

#include "peer/compare.h"
#include "peer/dialing.h"
#include "peer/peer_session.h"
#include "peer/talk.h"

enum talk_state { TALK_CONNECTING, TALK_TALKING, TALK_LOST, TALK_ENDING };

struct talk_end {
    struct list link;
    struct visitor *visitor;
    struct meeting *meeting;
    unsigned side; /* 0: asked, 1: accepted */
    size_t other;  /* device */
    char name[ACCOUNT_NAME_BYTES + 1];
    struct pair pair;
    struct peer_session session;
    struct dialing dialing;
    struct talk talk;
    struct compare compare;
    struct list paths;
    enum talk_state state;
    struct instant began, since;
    bool over; /* to be freed */
};

/* Two were introduced: they begin to talk if the key is his, which the hub may have to be asked
 * about (visit_ask_devices). close: the person wants none with him; forget: the hub is gone, or
 * the visit is. */
void introduced(struct visitor *v, const struct notice *n, size_t other, struct meeting *m);
void introduced_devices(struct visitor *v, uint64_t number, const struct resp_value *values,
                        size_t count);
void introduced_close(struct visitor *v, const char *name);
void introduced_forget(struct visitor *v);

/* They do begin. */
void talk_begin(struct visitor *v, const struct notice *n, size_t other, struct meeting *m);

/* The one that goes on with that account; NULL: none. */
struct talk_end *talk_find(struct visitor *v, const char *name);

/* The hub says that the other of that introduction waits at the relay. */
void talk_called(struct visitor *v, struct bytes id);

void talk_say_text(struct talk_end *t, struct bytes text);
/* Words are to be compared; they were, and were not the same. */
void talk_compare(struct talk_end *t);
void talk_differ(struct talk_end *t);

void talk_close(struct talk_end *t);

/* It is gone without a word. */
void talk_drop(struct talk_end *t);
void talk_free(struct talk_end *t);

struct instant talk_next(const struct talk_end *t);
void talk_run(struct talk_end *t);

/* Somebody has connected to the device. */
void talk_take_stranger(struct visitor *v, struct wire *x);
void talk_drop_strangers(struct visitor *v);

#endif

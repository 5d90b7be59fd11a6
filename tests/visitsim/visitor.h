#ifndef KITH_TESTS_VISITSIM_VISITOR_H
#define KITH_TESTS_VISITSIM_VISITOR_H

/* A device that is on: somebody visits the hub with it. The visit and the conversation are the
 * real client's; here are the line to the hub below them, and the person. */

#include "world.h"

#include "client/conversation.h"
#include "client/visit.h"

enum { VISITOR_ASKED = 512 };

/* A request that is not answered yet. */
enum visitor_request {
    VISITOR_MEETS,
    VISITOR_REGISTERS,
    VISITOR_WRITES,  /* LETTER */
    VISITOR_TAKES,   /* LETTERS */
    VISITOR_DEVICES, /* of somebody */
    VISITOR_SIGNS,   /* not for the visit */
    VISITOR_OTHER,
};
struct visitor_asked {
    enum visitor_request request;
    size_t account;        /* whom it meets; as whom it registers */
    bool was_seen;         /* REGISTERS: somebody had seen that account before */
    struct mail_copy copy; /* WRITES */
};

struct visitor {
    struct world *world;
    size_t device;
    struct visit visit;
    struct conversation conversation;
    struct tls_config *to_hub, *dials, *answers;
    struct wire *line; /* NULL: none to the hub */
    struct tls *tls;
    struct buffer plain, out;
    struct instant dials_at, acts_at;
    struct visitor_asked asked[VISITOR_ASKED];
    size_t asked_first, asked_count;
    char prompt[80];
    char at[32]; /* where it may be dialed */
    struct bytes candidate;
    struct list talks;     /* of struct talk_end (talk.h) */
    struct list waiting;   /* introductions (introduced.c) */
    struct list strangers; /* of struct path: connections that are nobody's yet */
    bool has_left;
};

void visitor_start(struct world *w, size_t device);
void visitor_stop(struct visitor *v);

/* What there is to do next; does it. */
struct instant visitor_next(const struct visitor *v);
void visitor_run(struct visitor *v);

/* Somebody has connected to it. */
void visitor_arrive(struct visitor *v, struct wire *x);

/* He is in, and as whom he is. */
bool visitor_is_here(const struct visitor *v);

/* The accounts he sees, a bit each. */
unsigned visitor_sees(const struct visitor *v);

#endif

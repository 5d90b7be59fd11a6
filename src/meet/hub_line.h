#ifndef KITH_MEET_HUB_LINE_H
#define KITH_MEET_HUB_LINE_H

/* The line to the hub, of a person who stays: over TLS, or to a Unix socket. It judges who is
 * at the other end, asks and hears, and where it is lost comes back by itself: after
 * LIMIT_BACK_OFF_FIRST_MS, then twice as long each time, up to LIMIT_BACK_OFF_MS, each a
 * little less or more, so that not all come back at once. A reply of more than
 * LIMIT_VISIT_REPLY_BYTES is no hub's. A hub that leaves a request without an answer for longer
 * than the owner's patience, if he has set one, is lost, too. The owner embeds it, and after
 * hub_line_close leaves it alone until the loop has nothing more to do. */

#include "client/conversation.h"
#include "io/channel.h"
#include "meet/self.h"
#include "peer/candidates.h"

struct hub_line;

struct hub_line_handler {
    /* The hub was met for the first time; it is remembered now. It may be NULL. */
    void (*met)(struct hub_line *l);
    void (*up)(struct hub_line *l);
    void (*down)(struct hub_line *l, const char *why); /* it was up */
    void (*answer)(struct hub_line *l, const struct resp_value *values, size_t count);
    void (*push)(struct hub_line *l, const struct resp_value *values, size_t count);
    /* No use to go on: there is nothing at the first attempt, or not the hub that was meant. */
    void (*failed)(struct hub_line *l, const struct trouble *why);
};

struct hub_line {
    const struct hub_line_handler *handler;
    struct self *self;
    uv_loop_t *loop;
    struct channel channel;
    uv_timer_t retry, silence;
    struct conversation conversation;
    uint64_t wait_ms;     /* before the next attempt */
    uint64_t patience_ms; /* for an answer; 0: without end */
    uint64_t unanswered;  /* requests */
    const char *why;      /* it is being closed by this side; or NULL */
    bool was_up;          /* ever */
    bool up;
    bool secret; /* what is to be sent holds a password */
    bool closing;
};

/* Begins to connect. Where that is trouble, nothing follows. */
enum trouble_kind hub_line_open(struct hub_line *l, uv_loop_t *loop, struct self *s,
                                const struct hub_line_handler *handler, struct trouble *ret);

/* From now on, for the answer to each request in its turn. */
void hub_line_set_patience(struct hub_line *l, uint64_t ms);

/* -errno. */
int hub_line_ask(struct hub_line *l, const struct bytes *argv, size_t argc, bool secret);

/* It is up, and the hub is on this machine. */
bool hub_line_is_local(const struct hub_line *l);

/* This device is at other addresses than before: where the line hung on one that is gone, it is
 * lost, and comes back. */
void hub_line_moved(struct hub_line *l, const struct own_address *own, size_t own_count);

/* What was asked still leaves. */
void hub_line_close(struct hub_line *l);
void hub_line_fini(struct hub_line *l);

#endif

#ifndef KITH_MEET_PRESENCE_H
#define KITH_MEET_PRESENCE_H

/* Present on a hub as the account of this device, and able to talk: connects, logs in by the
 * device's key, learns one's own name, and then is READY. After a loss it comes back by itself,
 * and is READY again; talks go on meanwhile, but with a device that the hub says was revoked.
 * The owner embeds it, and leaves it alone until the loop has nothing more to do. */

#include "client/agreed.h"
#include "meet/hub_line.h"
#include "meet/talks.h"

struct presence;

/* None is called from within presence_open. */
struct presence_handler {
    void (*met)(struct presence *p);               /* as hub_line's; it may be NULL */
    void (*ready)(struct presence *p, bool again); /* p->name */
    void (*lost)(struct presence *p, const char *why);
    /* To what presence_ask returned `number` for; what was asked and not answered before a loss
     * never is. */
    void (*answer)(struct presence *p, uint64_t number, const struct resp_value *values,
                   size_t count);
    void (*notice)(struct presence *p,
                   const struct notice *n); /* but RELAY, UNBELIEVED, REVOKED */
    /* No use to go on: the hub is not there, is not the one that was meant, or does not know
     * this device, or no more. presence_close is to follow. */
    void (*failed)(struct presence *p, const struct trouble *why);
    const struct talks_handler *talks; /* presence_of gives the presence */
};

struct presence {
    const struct presence_handler *handler;
    struct hub_line hub;
    struct talks talks;
    char name[ACCOUNT_NAME_BYTES + 1]; /* one's own, once READY */
    uint64_t asked, answered;          /* requests, of all connections */
    struct agreed agreed;              /* introductions that may come */
    uint64_t login;                    /* the number of the login's first request */
    bool present;                      /* the hub has let it in */
    bool ready;
    bool was_ready; /* ever */
};

struct presence *presence_of(struct talks *t);

/* For talks_handler.moved: a line to the hub from an address that is no more is made anew. */
void presence_moved(struct talks *t);

/* port: where other devices reach this one, 0: a free one. What was opened is to be closed even
 * where that failed. */
enum trouble_kind presence_open(struct presence *p, uv_loop_t *loop, struct self *self,
                                uint16_t port, const struct presence_handler *handler,
                                struct trouble *ret);

/* Asks the hub, once it has let this device in, which any notice says, too, before READY; its
 * number, 0 where there is no memory. With addresses: and says
 * where this device can be reached. */
uint64_t presence_ask(struct presence *p, const struct bytes *argv, size_t argc);
uint64_t presence_ask_meeting(struct presence *p, const char *word, struct bytes subject);

/* Accepts an invitation; without room for one more talk with him it declines. */
uint64_t presence_accept(struct presence *p, const struct notice *invited);

/* The hub has said under which id it has asked him. Introductions that nobody has agreed to in
 * one of these two ways are no notices: a hub that lies makes nobody meet. */
void presence_agree(struct presence *p, struct bytes id, struct bytes name);

/* Declines an invitation: this one talks with nobody now. */
uint64_t presence_decline(struct presence *p, struct bytes id);

/* For a talks_handler; the answer is taken care of. */
uint64_t presence_ask_devices(struct talks *t, const char *name);
void presence_disbelieve(struct talks *t, struct bytes id);

/* Begins the talk that a notice introduces. */
enum trouble_kind presence_begin(struct presence *p, const struct notice *n,
                                 struct trouble *ret);

/* Leaves: what was said still arrives, within LIMIT_TALK_LEAVE_MS. */
void presence_close(struct presence *p);
void presence_fini(struct presence *p);

#endif

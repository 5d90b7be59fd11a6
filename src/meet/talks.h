#ifndef KITH_MEET_TALKS_H
#define KITH_MEET_TALKS_H

/* All talks of one process, and the port at which other people's devices reach it. There is one
 * talk with a name at a time; names are accounts', and mean the same in any case of letters.
 *
 * Who connects has LIMIT_CONNECT_MS for the handshake, of which LIMIT_PEER_HANDSHAKES are under
 * way at most; a key that no talk expects is closed before a word.
 *
 * The owner embeds it, and leaves it alone until the loop has nothing more to do. */

#include "client/notice.h"
#include "io/peer_port.h"
#include "meet/peer_trust.h"
#include "meet/talk_link.h"

struct talks;

/* Names hold until the call returns. Any may be NULL. */
struct talks_handler {
    void (*begun)(struct talks *t, const char *name);
    void (*path)(struct talks *t, const char *name, const char *way); /* NULL: none any more */
    void (*heard)(struct talks *t, const char *name, struct bytes text);
    void (*delivered)(struct talks *t, const char *name);
    void (*ended)(struct talks *t, const char *name, const char *why);
    void (*undelivered)(struct talks *t, const char *name, struct bytes text);
};

struct talks {
    const struct talks_handler *handler;
    struct talk_ground ground;
    struct peer_port port;
    struct list links;     /* of struct talk_link */
    struct list strangers; /* of struct talk_path: who has connected, not yet known */
    size_t link_count, stranger_count;
    bool hub_is_local;
    struct own_address own[OWN_ADDRESSES_MAX];
    size_t own_count;
    char candidate_texts[CANDIDATES_MAX][ENDPOINT_TEXT_BYTES];
    struct bytes candidates[CANDIDATES_MAX]; /* where this device can be reached */
    size_t candidate_count;
    uv_timer_t leave;
    bool opened, closing;
};

/* port 0: a free one. */
enum trouble_kind talks_open(struct talks *t, uv_loop_t *loop, struct self *s, uint16_t port,
                             const struct talks_handler *handler, struct trouble *ret);

/* The hub is reached, over loopback or not: finds out anew where this device is. */
void talks_look_around(struct talks *t, bool hub_is_local);

/* Both have agreed to it; own_name: as whom. Another talk with that name ends. TROUBLE_CHANGED
 * where the key is not the one that is remembered. */
enum trouble_kind talks_begin(struct talks *t, const char *own_name, const struct notice *n,
                              struct trouble *ret);

/* NULL: there is none of that name. */
struct talk_link *talks_find(struct talks *t, struct bytes name);

/* Ends all, and the port: what was said still arrives, within LIMIT_TALK_LEAVE_MS. */
void talks_close(struct talks *t);
void talks_fini(struct talks *t);

#endif

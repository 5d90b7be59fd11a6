#ifndef KITH_MEET_TALKS_H
#define KITH_MEET_TALKS_H

/* All talks of one process, and the port at which other people's devices reach it. There is one
 * talk with a name at a time; names are accounts', and mean the same in any case of letters.
 *
 * Who connects has LIMIT_CONNECT_MS for the handshake, of which LIMIT_PEER_HANDSHAKES are under
 * way at most; a key that no talk expects is closed before a word.
 *
 * Every LIMIT_LOOK_AROUND_MS it looks whether this device is at other addresses than before:
 * then what hangs on one that is gone is given up at once, instead of when it is silent too
 * long.
 *
 * The owner embeds it, and leaves it alone until the loop has nothing more to do. */

#include "client/device_list.h"
#include "client/notice.h"
#include "io/peer_port.h"
#include "meet/peer_trust.h"
#include "meet/talk_link.h"

struct talks;

/* Names hold until the call returns. Any may be NULL. */
struct talks_handler {
    /* Who was introduced is believed: he is about to be dialed. */
    void (*connects)(struct talks *t, struct talk_link *l, const struct notice *n);
    void (*begun)(struct talks *t, const char *name);
    void (*path)(struct talks *t, const char *name, const char *way); /* NULL: none any more */
    void (*came)(struct talks *t, const char *name, const struct address *from);
    void (*surveyed)(struct talks *t, const char *name);
    void (*moved)(struct talks *t); /* this device is at other addresses, and so `candidates` */
    void (*heard)(struct talks *t, const char *name, struct bytes text);
    /* In place of heard, for who shows it later, and then says talks_show: text l->talk.heard.
     */
    void (*kept)(struct talks *t, struct talk_link *l, struct bytes text);
    void (*delivered)(struct talks *t, const char *name);
    void (*ended)(struct talks *t, const char *name, const char *why);
    void (*undelivered)(struct talks *t, const char *name, struct bytes text);

    /* The hub is to be asked for DEVICES OF name; what it answers is for talks_devices. A
     * number that tells this request from others, 0 where it cannot be asked. */
    uint64_t (*ask_devices)(struct talks *t, const char *name);
    /* There is no talk after all. */
    void (*refused)(struct talks *t, const char *name, const struct trouble *why);

    /* The words that he ought to see, too: WORDS_COUNT, where the other end has that key. All
     * three NULL: nobody is here to compare any. */
    void (*words)(struct talks *t, const char *name, const char *const words[],
                  const struct public_key *key);
    void (*no_words)(struct talks *t, const char *name, const struct trouble *why);
    /* He says that they were not the same, and ends the talk: nobody is verified by them. */
    void (*differ)(struct talks *t, const char *name);
};

struct talks {
    const struct talks_handler *handler;
    struct talk_ground ground;
    struct peer_port port;
    struct list links;     /* of struct talk_link */
    struct list strangers; /* of struct talk_path: who has connected, not yet known */
    struct list waiting;   /* of struct talks_waiting: for a list of devices */
    size_t link_count, stranger_count, waiting_count;
    bool hub_is_local;
    struct own_address own[OWN_ADDRESSES_MAX];
    size_t own_count;
    char candidate_texts[CANDIDATES_MAX][ENDPOINT_TEXT_BYTES];
    struct bytes candidates[CANDIDATES_MAX]; /* where this device can be reached */
    size_t candidate_count;
    uv_timer_t leave, look;
    bool opened, closing;
};

/* That key is its owner's no more, the hub says: talks with it end at once. */
void talks_revoked(struct talks *t, const struct public_key *key);

/* The hub is back. Who was away does not know who was revoked meanwhile: it is asked for the
 * devices of those one talks with, and a talk with one that is not in its list ends likewise.
 */
void talks_review(struct talks *t);

/* port 0: a free one. The handler's words say whether a person is here to compare any; the
 * owner may set ground.person anew. */
enum trouble_kind talks_open(struct talks *t, uv_loop_t *loop, struct self *s, uint16_t port,
                             const struct talks_handler *handler, struct trouble *ret);

/* The hub is reached, over loopback or not: finds out anew where this device is. */
void talks_look_around(struct talks *t, bool hub_is_local);

/* Both have agreed to it; own_name: as whom. Another talk with that name ends. TROUBLE_CHANGED
 * where the device is not believed to be his. Where the list of his devices has to say so, it
 * is asked for, and what comes of that is told to the handler. */
enum trouble_kind talks_begin(struct talks *t, const char *own_name, const struct notice *n,
                              struct trouble *ret);

/* What the hub has answered to the request of that number; false where that was none of
 * handler.ask_devices. */
bool talks_devices(struct talks *t, uint64_t number, const struct resp_value *values,
                   size_t count);

/* NULL: there is none of that name. */
struct talk_link *talks_find(struct talks *t, struct bytes name);

/* The words compared with him at the device with that key were not the same: he is told, where
 * the talk with it goes on. The owner then closes it. */
void talks_differ(struct talks *t, struct bytes name, const struct public_key *key);

/* The text of this number has been shown, and those before it, of the talk that this
 * introduction began; nothing where that is over. */
void talks_show(struct talks *t, const struct random_id *introduction, uint64_t id);

/* The hub says that the other of that introduction waits at the relay. */
void talks_called(struct talks *t, struct bytes id);

/* How addresses of another device are judged. seen: where the hub sees it. */
struct candidate_rules talks_rules(const struct talks *t, const struct net_address *seen);

/* Ends all, and the port: what was said still arrives, within LIMIT_TALK_LEAVE_MS. */
void talks_close(struct talks *t);
void talks_fini(struct talks *t);

#endif

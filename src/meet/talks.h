#ifndef KITH_MEET_TALKS_H
#define KITH_MEET_TALKS_H

/* All talks of one process, and the port at which other people's devices reach it. There is one
 * talk with a name at a time; names are accounts', and mean the same in any case of letters.
 *
 * A talk is one or more links (meet/talk_link.h), one for each introduction: he may be there at
 * several devices, in several programs of one device, or have asked while he was being asked.
 * What is heard on any of them is his. What is said goes over the one on which he spoke last,
 * else the first; over the same one as before while some of that is not there yet, and over
 * another where that one has lost its connection, unless something waits there and he has said
 * nothing elsewhere since. Where he begins anew at a device over which it was lost, it goes
 * there; what was lost has little time left, and ends with the rest. The talk ends with its
 * last link; LIMIT_TALKS_WITH_ONE may be with one name.
 *
 * Every LIMIT_LOOK_AROUND_MS it looks whether this device is at other addresses than before:
 * then what hangs on one that is gone is given up at once, instead of when it is silent too
 * long.
 *
 * The owner embeds it, and leaves it alone until the loop has nothing more to do. */

#include "client/device_list.h"
#include "client/notice.h"
#include "meet/arrivals.h"
#include "meet/peer_trust.h"
#include "meet/talk_link.h"

struct talks;

/* Names hold until the call returns. Any may be NULL. */
struct talks_handler {
    /* Who was introduced is believed: he is about to be dialed. */
    void (*connects)(struct talks *t, struct talk_link *l, const struct notice *n);
    void (*begun)(struct talks *t, const char *name);
    /* He is there at another device, too. */
    void (*joined)(struct talks *t, const char *name, bool verified);
    /* How what is said gets there, maybe as before; NULL: not, at present. */
    void (*path)(struct talks *t, const char *name, const char *way);
    void (*came)(struct talks *t, const char *name, const struct address *from);
    void (*surveyed)(struct talks *t, const char *name);
    void (*moved)(struct talks *t); /* this device is at other addresses, and so `candidates` */
    /* It is shown then; with neither this nor kept nothing is, and the other side is told so.
     */
    void (*heard)(struct talks *t, const char *name, struct bytes text);
    /* In place of heard, for who shows it later, and then says talks_show: text l->talk.heard.
     */
    void (*kept)(struct talks *t, struct talk_link *l, struct bytes text);
    void (*delivered)(struct talks *t, struct talk_link *l); /* all that was said over it */
    void (*ended)(struct talks *t, const char *name, const char *why);
    /* What was said over l was not delivered there; once it has ended, each. l->arrived: it is
     * there, and was not shown. */
    void (*undelivered)(struct talks *t, struct talk_link *l, struct bytes text);

    /* The hub is to be asked for DEVICES OF name; what it answers is for talks_devices. A
     * number that tells this request from others, 0 where it cannot be asked. */
    uint64_t (*ask_devices)(struct talks *t, const char *name);
    /* The hub is to tell the other side that it is not believed to be who it says, in what was
     * introduced under that id. */
    void (*disbelieve)(struct talks *t, struct bytes id);
    /* There is no talk after all. */
    void (*refused)(struct talks *t, const char *name, const struct trouble *why);

    /* The words that he ought to see, too: WORDS_COUNT, where the other end has that key. All
     * three NULL: nobody is here to compare any. */
    void (*words)(struct talks *t, const char *name, const char *const words[],
                  const struct public_key *key);
    void (*no_words)(struct talks *t, const char *name, const struct trouble *why);
    /* He says that they were not the same, and ends the talk: nobody is verified by them. */
    void (*differ)(struct talks *t, const char *name);

    /* A note about transfers (peer/transfer_note.h), unread. NULL: offers are answered by
     * saying that no files are taken here. */
    void (*noted)(struct talks *t, struct talk_link *l, struct bytes message);
    /* What transfers say over the talk (peer/bulk_message.h), unread; there is room for more of
     * it. */
    void (*bulk)(struct talks *t, struct talk_link *l, struct bytes message);
    void (*room)(struct talks *t, struct talk_link *l);
};

struct talks {
    const struct talks_handler *handler;
    struct talk_ground ground;
    struct arrivals arrivals;
    struct list links;   /* of struct talk_link */
    struct list waiting; /* of struct talks_waiting: for a list of devices */
    size_t link_count, waiting_count;
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

/* The hub says that the other side does not believe that this device is its owner's: what was
 * introduced under that id, and has no way yet, ends. */
void talks_disbelieved(struct talks *t, struct bytes id);

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

/* Both have agreed to it; own_name: as whom. Where there is a talk with that name it is one
 * more link of it. TROUBLE_CHANGED where the device is not believed to be his. Where the list
 * of his devices has to say so, it is asked for, and what comes of that is told to the handler.
 */
enum trouble_kind talks_begin(struct talks *t, const char *own_name, const struct notice *n,
                              struct trouble *ret);

/* What the hub has answered to the request of that number; false where that was none of
 * handler.ask_devices. */
bool talks_devices(struct talks *t, uint64_t number, const struct resp_value *values,
                   size_t count);

/* The link over which the next text goes; NULL: there is no talk of that name. */
struct talk_link *talks_find(struct talks *t, struct bytes name);

/* The link that has a connection to him at the device with that key, the youngest; key NULL: at
 * any. NULL: there is none. */
struct talk_link *talks_find_device(struct talks *t, struct bytes name,
                                    const struct public_key *key);

/* The one that this introduction has begun; NULL: it is over. */
struct talk_link *talks_find_introduced(struct talks *t, const struct random_id *id);

/* May one more link with that name begin? Else an invitation is declined as BUSY. */
bool talks_have_room(const struct talks *t, struct bytes name);

/* Ends the talk with that name, all links of it: talk_link_close; and those that were about to
 * begin. */
void talks_end(struct talks *t, struct bytes name);

/* The words compared with him at the device with that key were not the same: he is told, where
 * the talk with it goes on. The owner then closes it. */
void talks_differ(struct talks *t, struct bytes name, const struct public_key *key);

/* The text of this number has been shown, and those before it, of the talk that this
 * introduction began; nothing where that is over. */
void talks_show(struct talks *t, const struct random_id *introduction, uint64_t id);

/* All that was said to him is there, if not shown yet; and all that was heard from him counts
 * as shown. */
bool talks_have_arrived(struct talks *t, struct bytes name);
void talks_show_all(struct talks *t, struct bytes name);

/* The hub says that the other of that introduction waits at the relay. */
void talks_called(struct talks *t, struct bytes id);

/* Between talks_open and talks_close: a connection with data is expected at the port, or no
 * more (meet/arrivals.h). */
static inline void talks_expect(struct talks *t, struct arrivals_expected *e,
                                const struct preamble *p, void (*came)(void *context, int fd),
                                void *context)
{
    arrivals_expect(&t->arrivals, e, p, came, context);
}

static inline void talks_unexpect(struct arrivals_expected *e)
{
    arrivals_unexpect(e);
}

/* How addresses of another device are judged. seen: where the hub sees it. */
struct candidate_rules talks_rules(const struct talks *t, const struct net_address *seen);

/* Ends all, and the port: what was said still arrives, within LIMIT_TALK_LEAVE_MS. */
void talks_close(struct talks *t);
void talks_fini(struct talks *t);

#endif

#ifndef KITH_CLIENT_POST_H
#define KITH_CLIENT_POST_H

/* Letters to and from people (peer/peer_letter.h), by way of a hub that keeps the sealed ones
 * and is not believed about them: what is to be asked of it, and what its answers mean. It sees
 * no file and no socket; its owner asks for it (post_handler) and keeps for it (post_keep).
 *
 * Sending: the hub is asked for the devices of whom it is for; each one that is believed gets a
 * sealed copy. All copies have one id, which is the letter's for good: when the hub is lost
 * before it has answered, the same copies are sent again, and those it had count once. A letter
 * is written, for its date, when it is sealed.
 *
 * Taking: after login, and when the hub says that one has come, those that wait are listed. Of
 * each:
 *
 *   shown, taken       it is genuine, and from a device that is believed
 *   taken              an id that was shown before: the hub, or who sends, says it again
 *   taken, warned of   not genuine: not sealed for this device, badly signed, or the hub says
 *                      another sender or another id than the letter
 *   left, warned of    from a device that is not believed: it may be after he signs that
 * device, or once what is known of him is forgotten. It ends with its time. left accepts has
 * said no, or another kith of this device is taking letters
 *
 * A letter is shown, then its id is remembered, then the hub is told that it was taken. (Where
 * it is kept, to be shown later, that is done right before: post_show.) So none is lost, and
 * one comes twice only where kith is killed after it was shown and before its id was
 * remembered, or its id is older than LIMIT_LETTERS_SEEN others. What a first letter says of
 * its sender's device is believed as at a first talk, by the owner's rule (trust).
 *
 * States: away -> here -> away; nothing is asked while away. Limits: LIMIT_LETTERS_SENDING
 * letters wait to be sent. The owner embeds it. */

#include "base/buffer.h"
#include "base/chance.h"
#include "base/list.h"
#include "client/said.h"
#include "peer/peer_letter.h"
#include "people/device.h"
#include "wire/resp_reply.h"

struct post;

/* Is that device the person's? */
enum post_trust {
    POST_BELIEVED,
    POST_UNSURE,  /* his list of devices may say; only where none was given */
    POST_STRANGE, /* no */
    POST_UNREAD,  /* what is known of people cannot be read: post_keep.why */
};

/* What the owner keeps, in the profile. All but trust are for who takes letters. */
struct post_keep {
    /* devices: the n the hub says he has; NULL: it was not asked. It may remember the first
     * that is met. */
    enum post_trust (*trust)(void *ctx, struct bytes name, const struct public_key *key,
                             const struct device *devices, size_t n);

    /* Why trust has just said UNREAD, in words that hold until it is called again. It may be
     * NULL where trust never says so. */
    struct bytes (*why)(void *ctx);

    /* Reads the ids that were shown (letters_seen.h), and keeps every other kith of this device
     * from doing so until `remember`. False where one does so now; nothing follows then. */
    bool (*recall)(void *ctx, struct buffer *seen);

    /* They are to be read next; changed: they are other ones. False where they cannot be
     * kept. */
    bool (*remember)(void *ctx, struct bytes seen, bool changed);

    /* A letter was shown, or is with the hub. It may be NULL. */
    void (*record)(void *ctx, struct bytes other, const struct said *said);
};

enum post_warning {
    POST_FORGED,       /* a letter said to be of that name was not genuine, and is gone */
    POST_NOT_BELIEVED, /* one of that name is from the device post.stranger, which is not
                        * believed; it is left. Said once a device, while here */
    POST_NOT_KEPT,     /* what was shown could not be remembered; no name */
    POST_NOT_JUDGED,   /* letters are left: trust says UNREAD; in place of a name, why */
};

enum post_result {
    POST_KEPT,         /* with the hub, for `kept` devices */
    POST_NO_DEVICE,    /* he has none to write to */
    POST_NO_OTHER,     /* it is oneself, who has no other device */
    POST_NO_TRUST,     /* none of his devices is believed */
    POST_BOX_FULL,     /* there is no room for it */
    POST_REFUSED,      /* the hub says `why` */
    POST_UNDECIDED,    /* the hub may have it or not: post_give_up */
    POST_NOT_SEALED,   /* memory was out, or a name is none */
    POST_NO_KNOWLEDGE, /* trust says UNREAD; `why` */
};

/* What became of a letter; it holds for the call. */
struct post_outcome {
    enum post_result result;
    struct bytes name, text;
    size_t kept;      /* devices that get it */
    size_t full;      /* that have no room */
    size_t strangers; /* that are not believed */
    struct bytes why; /* of REFUSED: the hub's error, not clean; of NO_KNOWLEDGE */
};

struct post_handler {
    /* A request for the hub; its reply goes to post_reply, in order. Not 0 where memory is
     * out. */
    int (*request)(struct post *p, const struct bytes *argv, size_t argc);

    /* Whether somebody's letters are to be shown; NULL: everybody's. */
    bool (*accepts)(struct post *p, struct bytes name);

    /* One that came; its text is not clean. False where it could not be shown: it, and those
     * behind it, are left. */
    bool (*show)(struct post *p, const struct peer_letter *letter);

    /* In place of show, for who shows it later, and then says post_show; until then it comes
     * again whenever letters are listed. False where there is no room: those behind it are
     * left. */
    bool (*keep)(struct post *p, const struct peer_letter *letter);
    void (*warn)(struct post *p, enum post_warning warning, struct bytes name);
    void (*sent)(struct post *p, const struct post_outcome *o);
    void (*idle)(struct post *p); /* all that was asked is answered; it may be NULL */
};

struct post {
    const struct post_handler *handler;
    const struct post_keep *keep;
    void *ctx; /* keep's */
    struct chance chance;
    uint8_t seed[PEER_LETTER_SEED_BYTES];
    struct public_key key;
    struct bytes own_name; /* the owner's; while here */
    bool takes;            /* letters are taken, not only sent; the owner sets it */
    bool here;
    bool listing, again; /* LETTERS was asked; something has come since */
    bool told_unread;    /* NOT_JUDGED, since post_here */
    bool was_busy;       /* at the last listing or post_show another kith was taking letters */
    struct fingerprint stranger; /* of the last NOT_BELIEVED */
    struct list asked;           /* of struct post_asked */
    struct list sending;         /* of struct post_sending */
    size_t sending_count;
    struct list doubted; /* of struct post_doubt */
    size_t doubted_count;
};

/* seed: the device's secret key; entropy: for ids and seals. Both are copied, and wiped by
 * post_fini. keep and ctx must last. */
void post_init(struct post *p, const struct post_handler *handler, const struct post_keep *keep,
               void *ctx, const uint8_t seed[PEER_LETTER_SEED_BYTES],
               const uint8_t entropy[CHANCE_SEED_BYTES]);
void post_fini(struct post *p);

/* The hub: logged in, as a name that must last until post_lost; lost; it says that a letter has
 * come; it has answered. */
void post_here(struct post *p, struct bytes own_name);
void post_lost(struct post *p);
void post_letter_came(struct post *p);
void post_reply(struct post *p, const struct resp_value *values, size_t count,
                struct walltime now);

/* A letter that was kept is to be shown now: its id is remembered, and the hub told. False
 * where it was shown before, by another kith of this device, or one is taking letters now. */
bool post_show(struct post *p, const struct random_id *id);

enum { POST_NO_TEXT = 2, POST_TOO_LONG = 3, POST_NO_NAME = 4, POST_TOO_MANY = 5 };

/* Writes to somebody; sent tells what becomes of it, sooner or later. -ENOMEM, or one of the
 * above: nothing follows then. */
int post_send(struct post *p, struct bytes name, struct bytes text);

/* At the end: those under way are UNDECIDED, or KEPT for the devices of which that is known. */
void post_give_up(struct post *p);

#endif

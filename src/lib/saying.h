#ifndef KITH_LIB_SAYING_H
#define KITH_LIB_SAYING_H

/* One text on its way to somebody:
 *
 *   NOTHING -> ASKS           there is no talk: the hub is asked to introduce
 *           -> CONNECTS       both have agreed; or a talk is about to be connected
 *           -> WAITS          it was said, and is not shown yet
 *   all but NOTHING -> DONE   and what became of it is in result
 *
 * The result of all but KITH_OK is noted in the handle. Functions named after what happens take
 * it where it is about this text, and else do nothing. */

#include "client/notice.h"
#include "lib/handle.h"
#include "meet/presence.h"

enum saying_state { SAYING_NOTHING, SAYING_ASKS, SAYING_CONNECTS, SAYING_WAITS, SAYING_DONE };

struct saying {
    struct kith *k;
    struct presence *presence;
    enum saying_state state;
    enum kith_result result;
    char name[ACCOUNT_NAME_BYTES + 1];
    struct bytes text;               /* the caller's */
    const struct talk_link *link;    /* WAITS: over which it was said */
    uint64_t asked;                  /* the number of the invitation's answer; 0: not asked */
    char id[RANDOM_ID_TEXT_LEN + 1]; /* of the invitation, once the hub has said; else empty */
    uv_timer_t again; /* ASKS: another of the account asks him, and then it is one's turn */
};

/* saying_close is to follow, and then the loop runs until it has nothing more to do. */
void saying_init(struct saying *s, struct kith *k, struct presence *presence, uv_loop_t *loop);
void saying_close(struct saying *s);

/* Begins, when NOTHING. The text holds until saying_end. */
void saying_begin(struct saying *s, struct bytes name, struct bytes text);

/* Back to NOTHING. An invitation is taken back; what was said may still be shown. The result;
 * KITH_NOTHING where it is not DONE. */
enum kith_result saying_end(struct saying *s);

/* True where it is to this one. */
bool saying_is_to(const struct saying *s, struct bytes name);

/* Where what was said waits there to be shown, as nobody takes it: what has come from him
 * counts as shown, so that two who say something to each other do not wait for each other. */
void saying_give_way(struct saying *s);

void saying_ready(struct saying *s);
void saying_lost(struct saying *s);
void saying_answer(struct saying *s, uint64_t number, const struct resp_value *reply);
void saying_declined(struct saying *s, const struct notice *n);
void saying_introduced(struct saying *s, const struct notice *n);
void saying_refused(struct saying *s, const char *name, const struct trouble *why);
void saying_begun(struct saying *s, const char *name);
void saying_delivered(struct saying *s, const struct talk_link *link);
void saying_ended(struct saying *s, const char *name, const char *why);
void saying_undelivered(struct saying *s, const struct talk_link *link);

#endif

#ifndef KITH_KITH_MEETING_H
#define KITH_KITH_MEETING_H

/* Somebody a command wants to talk with for as long as it runs: he is asked until he talks, and
 * asked again when that talk is over. Who is not here is waited for.
 *
 *   AWAY -> ASKING -> ASKED -> TALKING -> AWAY
 *   ASKING -> DOUBTED -> AWAY                   not here: is there an account of that name?
 *   ASKING, ASKED -> AWAY                       not here, busy, no answer: again, in a while */

#include "kith/contact.h"

enum meeting_state {
    MEETING_AWAY,
    MEETING_ASKING,  /* the hub has not answered yet */
    MEETING_DOUBTED, /* nor whether there is such an account */
    MEETING_ASKED,   /* he has not */
    MEETING_TALKING
};

struct meeting {
    char name[ACCOUNT_NAME_BYTES + 1];
    enum meeting_state state;
    bool takes;    /* his invitations, too; else another kith of the account may answer */
    bool over;     /* he is wanted no more */
    bool awaits;   /* he is waited for, and it was said so: there is such an account */
    bool has_turn; /* the lock on asking him: one kith of a profile at a time does */
    int turn;
    uint64_t asked;
    char id[RANDOM_ID_TEXT_LEN + 1]; /* ASKED: of the invitation */
    struct instant again;            /* AWAY: not before; ASKED: then he has not answered */
};

enum { MEETING_WHY_BYTES = 200 };

/* What comes of it, for each call: */
enum meeting_news {
    MEETING_NOTHING,
    MEETING_WAITS,   /* he is not here, or does not answer: said once, why in words */
    MEETING_REFUSED, /* he does not want to, or the hub does not; why in words */
};

/* Asks where it is time to; call it a few times a second once the contact is READY. */
void meeting_tick(struct meeting *m, struct contact *c);

/* Is it this one's? */
bool meeting_answer(struct meeting *m, struct contact *c, uint64_t number,
                    const struct resp_value *reply, enum meeting_news *ret,
                    char ret_why[MEETING_WHY_BYTES]);
bool meeting_notice(struct meeting *m, struct contact *c, const struct notice *n,
                    enum meeting_news *ret, char ret_why[MEETING_WHY_BYTES]);

/* He is wanted no more. */
void meeting_end(struct meeting *m);

/* The hub was lost: what was asked is not answered any more. */
void meeting_lost(struct meeting *m);

#endif

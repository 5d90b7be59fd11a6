#ifndef KITH_LIB_COMINGS_H
#define KITH_LIB_COMINGS_H

/* Who comes to the hub and who leaves it, put among a handle's messages: first those who are
 * there already, then each change, and after a loss of the hub what is different. Where there
 * is no room for one, what is different is found out again once there is. Oneself is left out.
 */

#include "lib/crowd.h"
#include "lib/messages.h"
#include "meet/presence.h"

struct comings {
    struct presence *presence;
    struct messages *messages;
    struct crowd crowd;
    uint64_t counting; /* the number of WHO's answer; 0: none is waited for */
    bool missed;       /* something could not be told */
};

void comings_init(struct comings *c, struct presence *presence, struct messages *messages);
void comings_fini(struct comings *c);

/* Asks who is there, where that was not done yet. */
void comings_count(struct comings *c);

/* What the hub says: ONLINE or OFFLINE; it is lost; it answers, true where that was asked here.
 */
void comings_notice(struct comings *c, const struct notice *n);
void comings_lost(struct comings *c);
bool comings_answered(struct comings *c, uint64_t number, const struct resp_value *values,
                      size_t count);

/* There is room again. */
void comings_catch_up(struct comings *c);

#endif

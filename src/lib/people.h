#ifndef KITH_LIB_PEOPLE_H
#define KITH_LIB_PEOPLE_H

/* What a handle does with people, once it has logged in: a presence on a loop of its own, which
 * runs only within these calls. What is no KITH_OK is noted in the handle. */

#include "lib/comings.h"
#include "lib/letters.h"
#include "lib/roll.h"
#include "lib/saying.h"

struct people {
    struct kith *k;
    uv_loop_t loop;
    uv_timer_t alarm; /* the time is over for what is waited for */
    bool late;
    struct presence presence;
    struct saying saying;
    struct messages messages;
    struct letters letters;
    struct comings comings;
    struct roll roll;
    uint64_t listing; /* the number of WHO's answer; 0: none is waited for */
    enum kith_result listed;
    struct instant worked; /* when the loop was last run */
    enum kith_result end;  /* KITH_OK, or what ended the presence */
    char why[HANDLE_PROBLEM_BYTES];
};

/* Logs in: k->people is set where that is done, and nowhere else. */
enum kith_result people_open(struct kith *k);

/* Leaves, and frees; what was said still arrives. Takes NULL. */
void people_free(struct people *p);

enum kith_result people_list(struct people *p);
enum kith_result people_say(struct people *p, struct bytes name, struct bytes text,
                            uint64_t timeout_ms);
enum kith_result people_leave_letter(struct people *p, struct bytes name, struct bytes text,
                                     uint64_t timeout_ms);
enum kith_result people_receive(struct people *p, uint64_t timeout_ms,
                                const struct message **ret);

/* What the handle wants, or whom it accepts, is not what it was. */
void people_wishes(struct people *p);

/* Ends the talk with somebody; false where there is none. */
bool people_end_talk(struct people *p, struct bytes name);

#endif

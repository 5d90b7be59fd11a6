#ifndef KITH_MEET_TURN_H
#define KITH_MEET_TURN_H

/* Of all kiths of a profile, one at a time does the same with the same person on the same hub;
 * or one at least is known to. Locks on a file of the profile's, which end with the process. */

#include "meet/self.h"

/* What is done: the file's name. */
#define TURN_SAYING "saying.lock"
#define TURN_VERIFYING "verifying.lock"

/* The lock, which turn_give_back takes; -EWOULDBLOCK where another kith has it, and another
 * -errno where there can be none. */
int turn_take(const struct self *s, const char *what, struct bytes name);
void turn_give_back(int turn);

/* Has another kith that lock? */
bool turn_is_taken(const struct self *s, const char *what, struct bytes name);

#endif

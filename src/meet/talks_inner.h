#ifndef KITH_MEET_TALKS_INNER_H
#define KITH_MEET_TALKS_INNER_H

/* What the files of talks share: talks.c, how they begin and end; talks_links.c, which link of
 * a talk is meant, and what the owner is told of them as one. */

#include "meet/talks.h"

/* A link's that is in talks.links. */
extern const struct talk_link_handler talks_link_handler;

/* It is a part of the talk with that name. */
bool talks_is_with(const struct talk_link *l, struct bytes name);

/* Nothing is left to be waited for: the timers are closed. */
void talks_end_wait(struct talks *t);

#endif

#ifndef KITH_KITH_PATHS_H
#define KITH_KITH_PATHS_H

/* The files there are, for completion. */

#include "client/completion.h"

/* Offers those of the folder that the word is in; folders end in a slash. Hidden ones only
 * where the word says so; names that a terminal must not be shown never. */
void paths_offer(struct completion *c);

#endif

#ifndef KITH_CLIENT_ACCEPTING_H
#define KITH_CLIENT_ACCEPTING_H

/* A rule that says who may talk without being asked for it each time: "all", or names with
 * commas between; a size among them ("10M") says how much may be sent. */

#include "base/bytes.h"

bool accepting_is_valid(const char *rule);

/* The size, 0 where none is said, or the rule is NULL. */
uint64_t accepting_size(const char *rule);

/* rule NULL: nobody. */
bool accepting_allows(const char *rule, struct bytes name);

#endif

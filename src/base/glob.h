#ifndef KITH_BASE_GLOB_H
#define KITH_BASE_GLOB_H

/* Patterns as Redis has them: * any run, ? any byte, [abc], [a-z], [^a] one of a set, and a
 * backslash that takes the next byte as it is. The time is at most pattern times text. */

#include "base/bytes.h"

bool glob_matches(struct bytes pattern, struct bytes text, bool nocase);

#endif

#ifndef KITH_BASE_SYNONYM_H
#define KITH_BASE_SYNONYM_H

/* What other programs call something that we have under another name: for hints to people who
 * come from there. */

#include "base/bytes.h"

struct synonym {
    const char *theirs, *ours;
};

/* What we call it; NULL where it is in none of the n synonyms. */
const char *synonym_find(const struct synonym *all, size_t n, struct bytes theirs);

#endif

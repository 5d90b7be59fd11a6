#ifndef KITH_PEOPLE_ACCOUNT_NAME_H
#define KITH_PEOPLE_ACCOUNT_NAME_H

/* An account's name: 1 to 32 of letters, digits, '_', '.' and '-' of ASCII, the first neither
 * '.' nor '-', as its owner wrote it. Two that differ in case alone are the same:
 * account_name_fold makes what they are looked up and compared by. */

#include "base/bytes.h"

enum { ACCOUNT_NAME_BYTES = 32 };

bool account_name_is_valid(struct bytes name);

/* Writes it in lower case, with a NUL behind it. The name is valid. */
void account_name_fold(struct bytes name, char out[ACCOUNT_NAME_BYTES + 1]);

/* Both valid: are they one? */
bool account_name_equal(struct bytes a, struct bytes b);

#endif

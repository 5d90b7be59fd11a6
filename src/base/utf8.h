#ifndef KITH_BASE_UTF8_H
#define KITH_BASE_UTF8_H

/* UTF-8 as RFC 3629 has it: shortest form only, no surrogates, nothing past U+10FFFF. */

#include "base/bytes.h"

/* Length of the well-formed sequence at the front of b, which must not be empty; 0 where
 * there is none, *ret_code then untouched. */
size_t utf8_decode(struct bytes b, uint32_t *ret_code);

bool utf8_is_valid(struct bytes b);

#endif

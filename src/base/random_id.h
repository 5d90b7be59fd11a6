#ifndef KITH_BASE_RANDOM_ID_H
#define KITH_BASE_RANDOM_ID_H

/* What an introduction and a letter are known by: 128 random bits, which nobody guesses and
 * which need no one to hand them out; base64url where they are text. */

#include "base/base64url.h"

enum { RANDOM_ID_BYTES = 16, RANDOM_ID_TEXT_LEN = BASE64URL_LEN(RANDOM_ID_BYTES) };

struct random_id {
    uint8_t bytes[RANDOM_ID_BYTES];
};

bool random_id_equal(const struct random_id *a, const struct random_id *b);

/* Ends in a NUL. */
void random_id_write(char out[RANDOM_ID_TEXT_LEN + 1], const struct random_id *id);

/* False where the text is none; ret is then as it was. */
bool random_id_read(struct bytes text, struct random_id *ret);

#endif

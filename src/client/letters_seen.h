#ifndef KITH_CLIENT_LETTERS_SEEN_H
#define KITH_CLIENT_LETTERS_SEEN_H

/* Which letters a device has shown, so that none is shown twice, whatever the hub does. A text,
 * an id a line, the oldest first, at most LIMIT_LETTERS_SEEN of them: the oldest is forgotten
 * for a new one. A line that is no id means nothing. */

#include "base/buffer.h"
#include "base/limits.h"
#include "base/random_id.h"

enum { LETTERS_SEEN_BYTES = LIMIT_LETTERS_SEEN * (RANDOM_ID_TEXT_LEN + 1) };

bool letters_seen_has(struct bytes text, const struct random_id *id);

/* What buffer_append returns. */
int letters_seen_add(struct buffer *text, const struct random_id *id);

#endif

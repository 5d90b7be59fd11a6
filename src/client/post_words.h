#ifndef KITH_CLIENT_POST_WORDS_H
#define KITH_CLIENT_POST_WORDS_H

/* What became of a letter (client/post.h), for a person: clean text without a full stop at its
 * end, cut where it would be too long. */

#include "client/post.h"

enum { POST_WORDS_BYTES = 600 };

/* "a letter waits for bob, sealed, for 2 devices" */
void post_words_outcome(const struct post_outcome *o, char out[POST_WORDS_BYTES]);

/* Why post_send takes it not. */
void post_words_refusal(int result, char out[POST_WORDS_BYTES]);

/* name is an account's, or nothing; of NOT_JUDGED, why. */
void post_words_warning(enum post_warning warning, struct bytes name,
                        char out[POST_WORDS_BYTES]);

/* What to do about the device of NOT_BELIEVED, post.stranger. kith: how a command begins that
 * the person can type. */
void post_words_stranger(const struct fingerprint *print, const char *kith,
                         char out[POST_WORDS_BYTES]);

#endif

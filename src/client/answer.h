#ifndef KITH_CLIENT_ANSWER_H
#define KITH_CLIENT_ANSWER_H

/* What a hub's answers mean, for all that ask it. Texts point into the reply. */

#include "wire/resp_reply.h"

/* Of STORE, whatever its options. */
enum answer_stored {
    ANSWER_SAVED,
    ANSWER_UPDATED,
    ANSWER_NOT_STORED, /* its condition did not hold */
    ANSWER_STRANGE,    /* no answer STORE can have */
};

enum answer_stored answer_stored(const struct resp_value *reply);

/* An error reply's text says that this connection may not do it. */
bool answer_is_denial(struct bytes error);

/* The text without the code that programs go by, where that tells people nothing. */
struct bytes answer_words(struct bytes error);

/* change PREFIX KIND KEY VALUE: what FOLLOW is told (src/hub/subscriber.h). */
enum answer_change_kind { ANSWER_SET, ANSWER_DELETED, ANSWER_EXPIRED, ANSWER_FLUSHED };

struct answer_change {
    enum answer_change_kind kind;
    struct bytes key;   /* of all but FLUSHED */
    struct bytes value; /* of SET */
};

/* False where the reply, with its values, is no change. */
bool answer_change(const struct resp_value *reply, struct answer_change *ret);

/* "set" */
const char *answer_change_word(enum answer_change_kind kind);

#endif

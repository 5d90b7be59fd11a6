#ifndef KITH_PEER_TALK_H
#define KITH_PEER_TALK_H

/* Texts that two people say to each other, and the marks that they were shown: messages on the
 * talk channel of a session, which brings them in order and once (docs/peer-protocol.md).
 *
 * A text is UTF-8, 1 to LIMIT_TALK_TEXT_BYTES. It is as the other side wrote it: to be cleaned
 * (base/clean.h) before it reaches a terminal. Texts are numbered by who says them, from 1. */

#include "base/buffer.h"

enum {
    TALK_INVALID = 2,  /* what one wanted to say is no text */
    TALK_MALFORMED = 3 /* what came is against the protocol: the session must end */
};

enum {
    TALK_TEXT = 1,          /* id, text */
    TALK_DELIVERED = 2,     /* id */
    TALK_WORDS_COMMIT = 16, /* peer/compare.h reads these four */
    TALK_WORDS_REVEAL = 17,
    TALK_WORDS_REFUSE = 18,
    TALK_WORDS_DIFFER = 19,
};

/* No states: what was said and heard is counted, nothing else is kept. */
struct talk {
    uint64_t said;      /* the last text's number; 0: none yet */
    uint64_t delivered; /* texts said that are known to be shown */
    uint64_t heard;     /* the last text's number */
    uint64_t shown;     /* texts heard, of which a mark was sent */
};

enum talk_event_type {
    TALK_EVENT_TEXT,      /* id, text */
    TALK_EVENT_DELIVERED, /* all up to id have been shown */
    TALK_EVENT_OTHER /* of another type: peer/compare.h's, or a later version's; passed over */
};

struct talk_event {
    enum talk_event_type type;
    uint64_t id;
    struct bytes text; /* in what was heard */
    uint8_t other;     /* the type */
};

/* The message that says it, appended to out: TALK_INVALID, -ENOMEM, BUFFER_FULL. */
int talk_say(struct talk *t, struct bytes text, struct buffer *out, uint64_t *ret_id);

/* A message that came. TALK_MALFORMED. */
int talk_hear(struct talk *t, struct bytes message, struct talk_event *ret);

/* The text `id`, and all before it, were shown: the mark of it, appended to out. Nothing is
 * where that was already said or never heard. -ENOMEM, BUFFER_FULL. */
int talk_show(struct talk *t, uint64_t id, struct buffer *out);

#endif

#ifndef KITH_PEER_COMPARE_H
#define KITH_PEER_COMPARE_H

/* Comparing words in a talk: rounds of peer/words.h, one after the other, as either side begins
 * them. Both may begin at once: that is one round. Where no person is there to compare, a round
 * that the other side begins is refused.
 *
 * States:  IDLE -> UNDER_WAY -> IDLE    begun, here or there; shown, or refused
 *          all  -> WRONG                final: somebody lies. The talk must end
 *
 * A round that is late is not over: what was committed to stays so, and words may still come.
 */

#include "base/time.h"
#include "peer/words.h"

enum compare_state { COMPARE_IDLE, COMPARE_UNDER_WAY, COMPARE_WRONG };

enum compare_event {
    COMPARE_NOTHING,
    COMPARE_SHOWN,   /* the words are in words.shown, until the next round */
    COMPARE_REFUSED, /* nobody is there to compare them */
    COMPARE_DIFFER,  /* whom they were shown to there says that they were not the same */
    COMPARE_FAILED,  /* WRONG */
};

struct compare {
    enum compare_state state;
    bool person; /* somebody is here to compare them */
    struct pair pair;
    struct words words;
    struct instant by; /* begun here: when it is late; else never */
};

void compare_init(struct compare *c, const struct pair *pair, bool person);
void compare_fini(struct compare *c);

/* What is to be said is appended to out; nothing where a round is under way. nonce: of new
 * random bytes, used once. -ENOMEM, BUFFER_FULL. */
int compare_begin(struct compare *c, const uint8_t nonce[WORDS_NONCE_BYTES], struct instant now,
                  struct buffer *out);

/* A message of the talk channel came, of any type. nonce: likewise. What is to be said is
 * appended to out. -ENOMEM, BUFFER_FULL: WRONG. */
int compare_hear(struct compare *c, struct bytes message,
                 const uint8_t nonce[WORDS_NONCE_BYTES], struct buffer *out,
                 enum compare_event *ret);

/* The length of the first of the messages that are to be said, of which there is one. */
size_t compare_message_len(struct bytes messages);

/* True, once, where no words have come within LIMIT_WORDS_MS after compare_begin. */
bool compare_is_late(struct compare *c, struct instant now);

#endif

#ifndef KITH_PEER_WORDS_H
#define KITH_PEER_WORDS_H

/* Five words that two people read to each other (`kith verify`): the same on both sides only
 * where each has the other's true key. Against a hub that lies, this is what first contact
 * needs.
 *
 * Both sides first commit to a nonce (its hash, and their key's), and only who has the other's
 * commitment reveals its own. So whoever sits between them must fix what it says before it
 * learns what the words depend on, and has one guess in 2^50. Messages go over the talk channel
 * (peer/talk.h, TALK_WORDS_*); either side may begin, and the other answers.
 *
 * States:  COMMITTED -> REVEALED -> SHOWN   sent ours; got theirs, sent the nonce; got their
 * nonce all but SHOWN -> FAILED          final: a nonce that was not committed to, or anything
 *                                           out of order. Somebody lies: say so, end the
 * session */

#include "base/buffer.h"
#include "peer/pair.h"

enum { WORDS_COUNT = 5, WORDS_LIST = 1024, WORDS_NONCE_BYTES = 32, WORDS_MESSAGE_BYTES = 33 };

enum { WORDS_WRONG = 2 };

enum words_state { WORDS_COMMITTED, WORDS_REVEALED, WORDS_SHOWN, WORDS_FAILED };

struct words {
    enum words_state state;
    struct pair pair;
    uint8_t nonce[WORDS_NONCE_BYTES];
    uint8_t commitment[32];         /* REVEALED: theirs */
    const char *shown[WORDS_COUNT]; /* SHOWN: static */
};

/* Begins, or answers a first COMMIT: nonce is of new random bytes, used once. The message to
 * send is appended to out. -ENOMEM, BUFFER_FULL. */
int words_init(struct words *w, const struct pair *pair, const uint8_t nonce[WORDS_NONCE_BYTES],
               struct buffer *out);
void words_fini(struct words *w);

/* A message of type TALK_WORDS_COMMIT or _REVEAL came; what is to be sent is appended to out.
 * WORDS_WRONG: FAILED. -ENOMEM, BUFFER_FULL: FAILED, too. */
int words_feed(struct words *w, struct bytes message, struct buffer *out);

/* The word of that number, below WORDS_LIST: short, and no two begin with the same four
 * letters. */
const char *words_word(unsigned number);

#endif

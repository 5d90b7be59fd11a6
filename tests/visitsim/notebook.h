#ifndef KITH_TESTS_VISITSIM_NOTEBOOK_H
#define KITH_TESTS_VISITSIM_NOTEBOOK_H

/* What a device keeps while it is off: whom it knows (client/known_peers.h), and which letters
 * it has shown (client/letters_seen.h). Beside it the judge keeps, by his own simple rules,
 * what it may believe: keys are numbers here, those of the devices and one that is nobody's. */

#include "base/buffer.h"
#include "client/post.h"

enum { NOTEBOOK_ACCOUNTS = 3 };

struct world;

struct notebook {
    struct world *world;
    size_t device;
    struct buffer known, seen;
    struct {
        unsigned believed, verified, doubted; /* keys, a bit each */
    } of[NOTEBOOK_ACCOUNTS];
};

/* Is that key one of that name? As the command's trust does (meet/peer_trust.h). */
enum post_trust notebook_trust(struct notebook *b, struct bytes name,
                               const struct public_key *key, const struct device *devices,
                               size_t n);

/* Words were compared. */
void notebook_words(struct notebook *b, struct bytes name, const struct public_key *key,
                    bool same);

/* Nothing is known of him any more. */
void notebook_forget(struct notebook *b, size_t account);

bool notebook_doubts(const struct notebook *b, size_t account, size_t key);
bool notebook_believes(const struct notebook *b, size_t account, size_t key);

/* It has to believe that key where the hub does not lie: it has before, or the word of another
 * that it trusts is with the hub. Of whom nothing is known this says no. */
bool notebook_must_believe(const struct notebook *b, size_t account, size_t key);
bool notebook_knows_nobody(const struct notebook *b, size_t account);

/* A visit's, with the notebook as ctx. */
extern const struct post_keep notebook_keep;

#endif

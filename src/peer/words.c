#include "peer/words.h"

#include "peer/talk.h"

#include <sodium.h>

static const char commit_domain[] = "kith words commit 1", words_domain[] = "kith words 1";

#define BIT(n) (1u << (n))

/* Which states may follow which. */
static const unsigned may_follow[] = {
    [WORDS_COMMITTED] = BIT(WORDS_REVEALED) | BIT(WORDS_FAILED),
    [WORDS_REVEALED] = BIT(WORDS_SHOWN) | BIT(WORDS_FAILED),
    [WORDS_SHOWN] = 0,
    [WORDS_FAILED] = 0,
};

static void set_state(struct words *w, enum words_state state)
{
    assert(may_follow[w->state] & BIT(state));
    w->state = state;
}

static void commit(uint8_t ret[32], const struct random_id *id, const struct public_key *key,
                   const uint8_t nonce[WORDS_NONCE_BYTES])
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, 32);
    crypto_generichash_update(&h, (const uint8_t *)commit_domain, sizeof commit_domain);
    crypto_generichash_update(&h, id->bytes, sizeof id->bytes);
    crypto_generichash_update(&h, key->bytes, sizeof key->bytes);
    crypto_generichash_update(&h, nonce, WORDS_NONCE_BYTES);
    crypto_generichash_final(&h, ret, 32);
}

static int send(struct buffer *out, uint8_t type, const uint8_t content[32])
{
    uint8_t *to;
    int r = buffer_reserve(out, WORDS_MESSAGE_BYTES, &to);
    if (r != 0)
        return r;
    to[0] = type;
    memcpy(to + 1, content, 32);
    buffer_wrote(out, WORDS_MESSAGE_BYTES);
    return 0;
}

int words_init(struct words *w, const struct pair *pair, const uint8_t nonce[WORDS_NONCE_BYTES],
               struct buffer *out)
{
    uint8_t own[32];
    *w = (struct words){.state = WORDS_COMMITTED, .pair = *pair};
    memcpy(w->nonce, nonce, WORDS_NONCE_BYTES);
    commit(own, &pair->id, &pair->own.key, nonce);
    return send(out, TALK_WORDS_COMMIT, own);
}

void words_fini(struct words *w)
{
    sodium_memzero(w, sizeof *w);
}

static void choose(struct words *w, const uint8_t their_nonce[WORDS_NONCE_BYTES])
{
    bool first = pair_is_first(&w->pair);
    const struct pair_side *low = first ? &w->pair.own : &w->pair.other;
    const struct pair_side *high = first ? &w->pair.other : &w->pair.own;
    uint8_t hash[32];
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof hash);
    crypto_generichash_update(&h, (const uint8_t *)words_domain, sizeof words_domain);
    crypto_generichash_update(&h, w->pair.id.bytes, sizeof w->pair.id.bytes);
    crypto_generichash_update(&h, low->key.bytes, PUBLIC_KEY_BYTES);
    crypto_generichash_update(&h, high->key.bytes, PUBLIC_KEY_BYTES);
    crypto_generichash_update(&h, first ? w->nonce : their_nonce, WORDS_NONCE_BYTES);
    crypto_generichash_update(&h, first ? their_nonce : w->nonce, WORDS_NONCE_BYTES);
    crypto_generichash_final(&h, hash, sizeof hash);
    for (size_t i = 0; i < WORDS_COUNT; i++)
        w->shown[i] = words_word(((unsigned)hash[2 * i] << 8 | hash[2 * i + 1]) % WORDS_LIST);
}

static int take_commit(struct words *w, const uint8_t content[32], struct buffer *out)
{
    memcpy(w->commitment, content, 32);
    int r = send(out, TALK_WORDS_REVEAL, w->nonce);
    if (r == 0)
        set_state(w, WORDS_REVEALED);
    return r;
}

static int take_reveal(struct words *w, const uint8_t nonce[32])
{
    uint8_t right[32];
    commit(right, &w->pair.id, &w->pair.other.key, nonce);
    if (sodium_memcmp(right, w->commitment, sizeof right) != 0)
        return WORDS_WRONG;
    choose(w, nonce);
    set_state(w, WORDS_SHOWN);
    return 0;
}

int words_feed(struct words *w, struct bytes message, struct buffer *out)
{
    bool whole = message.len == WORDS_MESSAGE_BYTES;
    int r = WORDS_WRONG;
    if (whole && message.data[0] == TALK_WORDS_COMMIT && w->state == WORDS_COMMITTED)
        r = take_commit(w, message.data + 1, out);
    else if (whole && message.data[0] == TALK_WORDS_REVEAL && w->state == WORDS_REVEALED)
        r = take_reveal(w, message.data + 1);
    if (r != 0 && w->state != WORDS_SHOWN && w->state != WORDS_FAILED)
        set_state(w, WORDS_FAILED);
    return r;
}

#include "peer/peer_letter.h"

#include "base/number.h"
#include "base/utf8.h"

#include <errno.h>
#include <sodium.h>

/* Within the seal: signature, version, id, time, then of both sides name and key, then the
 * text. */
enum {
    VERSION = 1,
    SIGNATURE = crypto_sign_BYTES,
    HEAD_BYTES = SIGNATURE + 1 + RANDOM_ID_BYTES + 8,
};

static const char domain[] = "kith letter 1";

/* What is signed: the domain, its NUL too, and what follows the signature. */
static void hash(crypto_sign_state *h, struct bytes letter)
{
    crypto_sign_init(h);
    crypto_sign_update(h, (const uint8_t *)domain, sizeof domain);
    crypto_sign_update(h, letter.data + SIGNATURE, letter.len - SIGNATURE);
}

static bool is_text(struct bytes text)
{
    return text.len > 0 && text.len <= PEER_LETTER_TEXT_BYTES && utf8_is_valid(text);
}

/* ---- sealing ---- */

static int append_side(struct buffer *b, const struct pair_side *side)
{
    uint8_t len = (uint8_t)strlen(side->name);
    int r = buffer_append(b, &len, 1);
    if (r == 0)
        r = buffer_append(b, side->name, len);
    return r != 0 ? r : buffer_append(b, side->key.bytes, PUBLIC_KEY_BYTES);
}

static int compose(const struct pair *pair, struct walltime written, struct bytes text,
                   struct buffer *b)
{
    uint8_t head[HEAD_BYTES] = {0};
    head[SIGNATURE] = VERSION;
    memcpy(head + SIGNATURE + 1, pair->id.bytes, RANDOM_ID_BYTES);
    number_put_be64(head + SIGNATURE + 1 + RANDOM_ID_BYTES, (uint64_t)written.ms);
    int r = buffer_append(b, head, sizeof head);
    if (r == 0)
        r = append_side(b, &pair->own);
    if (r == 0)
        r = append_side(b, &pair->other);
    return r != 0 ? r : buffer_append_bytes(b, text);
}

/* False where seed is not the sender's. */
static bool sign(struct buffer *letter, const struct public_key *own,
                 const uint8_t seed[PEER_LETTER_SEED_BYTES])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES], key[PUBLIC_KEY_BYTES];
    crypto_sign_state h;
    crypto_sign_seed_keypair(key, secret, seed);
    hash(&h, buffer_view(letter));
    crypto_sign_final_create(&h, letter->data + letter->start, NULL, secret);
    sodium_memzero(secret, sizeof secret);
    return memcmp(key, own->bytes, sizeof key) == 0;
}

/* As crypto_box_seal has it, but the key that is used once is made of the caller's entropy. */
static int seal(struct bytes plain, const struct public_key *to,
                const uint8_t entropy[PEER_LETTER_ENTROPY_BYTES], struct buffer *out)
{
    uint8_t box_key[crypto_box_PUBLICKEYBYTES], once[crypto_box_PUBLICKEYBYTES],
        secret[crypto_box_SECRETKEYBYTES], nonce[crypto_box_NONCEBYTES], *at;
    crypto_generichash_state h;
    if (crypto_sign_ed25519_pk_to_curve25519(box_key, to->bytes) != 0)
        return PEER_LETTER_INVALID;
    int r = buffer_reserve(out, crypto_box_SEALBYTES + plain.len, &at);
    if (r != 0)
        return r;
    crypto_box_seed_keypair(once, secret, entropy);
    crypto_generichash_init(&h, NULL, 0, sizeof nonce);
    crypto_generichash_update(&h, once, sizeof once);
    crypto_generichash_update(&h, box_key, sizeof box_key);
    crypto_generichash_final(&h, nonce, sizeof nonce);
    memcpy(at, once, sizeof once);
    if (crypto_box_easy(at + sizeof once, plain.data, plain.len, nonce, box_key, secret) != 0)
        r = PEER_LETTER_INVALID;
    else
        buffer_wrote(out, crypto_box_SEALBYTES + plain.len);
    sodium_memzero(secret, sizeof secret);
    return r;
}

int peer_letter_seal(const struct pair *pair, struct walltime written, struct bytes text,
                     const uint8_t seed[PEER_LETTER_SEED_BYTES],
                     const uint8_t entropy[PEER_LETTER_ENTROPY_BYTES], struct buffer *out)
{
    if (!is_text(text))
        return PEER_LETTER_INVALID;
    struct buffer letter;
    buffer_init(&letter, LIMIT_LETTER_BYTES);
    int r = buffer_reserve_exactly(&letter, PEER_LETTER_OVERHEAD_BYTES + text.len);
    if (r == 0)
        r = compose(pair, written, text, &letter);
    if (r == 0 && !sign(&letter, &pair->own.key, seed))
        r = PEER_LETTER_INVALID;
    if (r == 0)
        r = seal(buffer_view(&letter), &pair->other.key, entropy, out);
    if (letter.data)
        sodium_memzero(letter.data, letter.capacity);
    buffer_fini(&letter);
    return r;
}

/* ---- opening ---- */

static bool take_side(struct bytes *rest, struct pair_side *ret)
{
    size_t len = rest->len > 0 ? rest->data[0] : 0;
    if (len == 0 || len > PAIR_NAME_BYTES || rest->len < 1 + len + PUBLIC_KEY_BYTES ||
        memchr(rest->data + 1, '\0', len))
        return false;
    *ret = (struct pair_side){0};
    memcpy(ret->name, rest->data + 1, len);
    memcpy(ret->key.bytes, rest->data + 1 + len, PUBLIC_KEY_BYTES);
    *rest = bytes_from(*rest, 1 + len + PUBLIC_KEY_BYTES);
    return true;
}

static bool read(struct bytes letter, struct peer_letter *ret)
{
    if (letter.len < HEAD_BYTES || letter.data[SIGNATURE] != VERSION)
        return false;
    const uint8_t *at = letter.data + SIGNATURE + 1;
    memcpy(ret->id.bytes, at, RANDOM_ID_BYTES);
    ret->written.ms = (int64_t)number_get_be64(at + RANDOM_ID_BYTES);
    struct bytes rest = bytes_from(letter, HEAD_BYTES);
    if (!take_side(&rest, &ret->from) || !take_side(&rest, &ret->to) || !is_text(rest))
        return false;
    ret->text = rest;
    return true;
}

static bool is_signed(struct bytes letter, const struct public_key *by)
{
    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_state h;
    memcpy(signature, letter.data, sizeof signature);
    hash(&h, letter);
    return crypto_sign_final_verify(&h, signature, by->bytes) == 0;
}

/* Decrypts to plain; key becomes the recipient's own. */
static int unseal(struct bytes sealed, const uint8_t seed[PEER_LETTER_SEED_BYTES],
                  struct public_key *key, struct buffer *plain)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES], box_secret[crypto_box_SECRETKEYBYTES],
        box_key[crypto_box_PUBLICKEYBYTES], *to;
    int r = buffer_reserve(plain, sealed.len - crypto_box_SEALBYTES, &to);
    if (r != 0)
        return r;
    crypto_sign_seed_keypair(key->bytes, secret, seed);
    if (crypto_sign_ed25519_sk_to_curve25519(box_secret, secret) != 0 ||
        crypto_sign_ed25519_pk_to_curve25519(box_key, key->bytes) != 0 ||
        crypto_box_seal_open(to, sealed.data, sealed.len, box_key, box_secret) != 0)
        r = PEER_LETTER_WRONG;
    else
        buffer_wrote(plain, sealed.len - crypto_box_SEALBYTES);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(box_secret, sizeof box_secret);
    return r;
}

int peer_letter_open(struct bytes sealed, struct bytes own_name,
                     const uint8_t seed[PEER_LETTER_SEED_BYTES], struct buffer *plain,
                     struct peer_letter *ret)
{
    struct public_key own;
    struct peer_letter l;
    if (sealed.len <= crypto_box_SEALBYTES + SIGNATURE || sealed.len > LIMIT_LETTER_BYTES)
        return PEER_LETTER_WRONG;
    buffer_truncate(plain, 0);
    int r = unseal(sealed, seed, &own, plain);
    if (r != 0)
        return r;
    if (!read(buffer_view(plain), &l) || memcmp(&l.to.key, &own, sizeof own) != 0 ||
        !bytes_equal_nocase_str(own_name, l.to.name) ||
        !is_signed(buffer_view(plain), &l.from.key))
        return PEER_LETTER_WRONG;
    *ret = l;
    return 0;
}

#include "liar.h"

#include "peer/peer_letter.h"
#include "wire/endpoint.h"

#include <sodium.h>
#include <stdlib.h>

/* Replies and pushes as values, each head first: a notice, one of a list of devices, one of a
 * list of letters. */
enum { KIND = 1, WHICH, WHO, PRINT, KEY, SIDE, SEEN, CANDIDATE, NOTICE_VALUES };
enum { OF_PRINT = 1, OF_KEY, OF_LABEL, OF_SINCE, OF_SIGNER, OF_SIGNATURE, DEVICE_VALUES };
enum { L_ID = 1, L_FROM, L_PRINT, L_SEALED, L_SINCE, LETTER_VALUES };

enum { VALUES = 1024, TEXTS_BYTES = 64 * 1024, KEPT_VALUES = 32, KEPT_BYTES = 2048, ROWS = 8 };

/* What was said once. */
struct kept {
    struct resp_value values[KEPT_VALUES];
    size_t count; /* 0: nothing */
    uint8_t texts[KEPT_BYTES];
};

struct liar {
    struct world *world;
    struct resp_value values[VALUES]; /* what is said now */
    size_t count;
    uint8_t texts[TEXTS_BYTES];
    size_t texts_len;
    struct kept introduced[WORLD_DEVICES]; /* the last that each was told */
    struct kept letters[WORLD_DEVICES][ROWS];
    size_t letter_count[WORLD_DEVICES];                  /* of all that it was told */
    char invited[WORLD_DEVICES][RANDOM_ID_TEXT_LEN + 1]; /* by nobody but the liar */
};

void liar_init(struct world *w)
{
    w->lies = true;
    w->liar = calloc(1, sizeof *w->liar);
    if (!w->liar)
        abort();
    w->liar->world = w;
}

void liar_fini(struct world *w)
{
    free(w->liar);
    w->liar = NULL;
}

/* ---- saying ---- */

static struct bytes hold(struct liar *l, struct bytes text)
{
    uint8_t *to = l->texts + l->texts_len;
    if (text.len > sizeof l->texts - l->texts_len)
        abort();
    if (text.len > 0)
        memcpy(to, text.data, text.len);
    l->texts_len += text.len;
    return bytes_make(to, text.len);
}

static void say_first(struct liar *l, const struct resp_value *values, size_t count)
{
    l->count = l->texts_len = 0;
    memcpy(l->values, values, count * sizeof *values);
    l->count = count;
}

static struct resp_value text_value(struct liar *l, struct bytes text)
{
    return (struct resp_value){.kind = RESP_BULK, .text = hold(l, text)};
}

static void put(struct liar *l, size_t at, struct bytes text)
{
    l->values[at] = text_value(l, text);
}

static void put_print(struct liar *l, size_t at, size_t key)
{
    char print[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(print, identity_fingerprint(l->world->identities[key]));
    put(l, at, bytes_from_str(print));
}

static void put_key(struct liar *l, size_t at, size_t key)
{
    char text[PUBLIC_KEY_TEXT_LEN + 1];
    public_key_write(text, identity_key(l->world->identities[key]));
    put(l, at, bytes_from_str(text));
}

static void put_name(struct liar *l, size_t at)
{
    put(l, at, bytes_from_str(world_name(draw(l->world, WORLD_ACCOUNTS))));
}

static void put_new_id(struct liar *l, size_t at)
{
    struct random_id id;
    char text[RANDOM_ID_TEXT_LEN + 1];
    for (size_t i = 0; i < sizeof id.bytes; i++)
        id.bytes[i] = (uint8_t)draw(l->world, 256);
    random_id_write(text, &id);
    put(l, at, bytes_from_str(text));
}

static size_t any_key(struct liar *l)
{
    return draw(l->world, 2) ? (size_t)KEY_OF_NOBODY : (size_t)draw(l->world, WORLD_DEVICES);
}

static void keep(struct kept *k, const struct resp_value *values, size_t count)
{
    size_t at = 0;
    k->count = 0;
    if (count > KEPT_VALUES)
        return;
    for (size_t i = 0; i < count; i++) {
        struct bytes text = values[i].text;
        if (text.len > sizeof k->texts - at)
            return;
        k->values[i] = values[i];
        if (text.len > 0)
            memcpy(k->texts + at, text.data, text.len);
        k->values[i].text = bytes_make(k->texts + at, text.len);
        at += text.len;
    }
    k->count = count;
}

/* ---- introductions ---- */

static void put_other_key(struct liar *l)
{
    size_t key = any_key(l);
    put_print(l, PRINT, key);
    put_key(l, KEY, key);
}

/* Another name, another key, or both; or another id. */
static void change_introduction(struct liar *l)
{
    struct world *w = l->world;
    uint64_t what = draw(w, 4);
    if (what == 3 && w->meeting_count > 0)
        put(l, WHICH, bytes_from_str(w->meetings[draw(w, w->meeting_count)].id));
    if (what < 2)
        put_name(l, WHO);
    if (what > 0 && what < 3)
        put_other_key(l);
}

static void say_notice(struct liar *l, const char *kind, struct bytes id, size_t count)
{
    size_t device = draw(l->world, WORLD_DEVICES);
    char at[32], behind[32];
    world_write_address(l->world, device, at, sizeof at, false);
    world_write_address(l->world, device, behind, sizeof behind, true);
    l->texts_len = 0;
    l->count = count;
    l->values[0] = (struct resp_value){.kind = RESP_PUSH, .number = (int64_t)count - 1};
    put(l, KIND, bytes_from_str(kind));
    put(l, WHICH, id);
    put_name(l, WHO);
    put_other_key(l);
    put(l, SIDE, bytes_from_str("dials"));
    put(l, SEEN, bytes_from_str(at));
    put(l, CANDIDATE, bytes_from_str(behind));
    if (id.len == 0)
        put_new_id(l, WHICH);
}

/* An invitation, and once it was accepted an introduction, of its own making. */
static void make_up(struct liar *l, size_t device)
{
    char *id = l->invited[device];
    if (id[0] && judge_find(l->world, bytes_from_str(id))->accepted & 1u << device) {
        say_notice(l, "introduced", bytes_from_str(id), NOTICE_VALUES);
        return;
    }
    say_notice(l, "invited", bytes_make(NULL, 0), SIDE);
    memcpy(id, l->values[WHICH].text.data, RANDOM_ID_TEXT_LEN);
}

static void give(struct liar *l, const struct resp_value **values, size_t *count)
{
    *values = l->values;
    *count = l->count;
    l->world->told_lies++;
}

void liar_push(struct visitor *v, const struct resp_value **values, size_t *count)
{
    struct liar *l = v->world->liar;
    struct notice n;
    if (!l || !notice_parse(*values, *count, &n) || n.kind != NOTICE_INTRODUCED)
        return;
    keep(&l->introduced[v->device], *values, *count);
    if (draw(v->world, 3) > 0)
        return;
    say_first(l, *values, *count);
    change_introduction(l);
    give(l, values, count);
}

bool liar_says(struct visitor *v, const struct resp_value **values, size_t *count)
{
    struct liar *l = v->world->liar;
    if (!l || v->visit.state != VISIT_HERE || draw(v->world, 8) > 0)
        return false;
    const struct kept *k = &l->introduced[v->device];
    if (k->count > 0 && draw(v->world, 2)) {
        say_first(l, k->values, k->count);
        if (draw(v->world, 2))
            change_introduction(l);
    } else {
        make_up(l, v->device);
    }
    give(l, values, count);
    return true;
}

/* ---- lists of devices ---- */

static size_t add_row(struct liar *l, size_t n)
{
    size_t at = l->count;
    l->values[0].number++;
    l->values[at] = (struct resp_value){.kind = RESP_ARRAY, .number = (int64_t)n - 1};
    l->count += n;
    return at;
}

static void put_device(struct liar *l, size_t at, size_t key)
{
    put_print(l, at + OF_PRINT, key);
    put(l, at + OF_KEY,
        bytes_make(identity_key(l->world->identities[key])->bytes, PUBLIC_KEY_BYTES));
}

static void unsign(struct liar *l, size_t at)
{
    l->values[at + OF_SIGNER] = l->values[at + OF_SIGNATURE] =
        (struct resp_value){.kind = RESP_NULL};
}

static size_t add_device(struct liar *l, size_t key)
{
    size_t at = add_row(l, DEVICE_VALUES);
    put_device(l, at, key);
    put(l, at + OF_LABEL, bytes_make(NULL, 0));
    l->values[at + OF_SINCE] = (struct resp_value){.kind = RESP_INTEGER, .number = 1700000000};
    unsign(l, at);
    return at;
}

/* signer: who is said to have signed. The signature is by the liar's own key, or whichever is
 * there. */
static void sign(struct liar *l, size_t at, size_t signer, const char *name)
{
    uint8_t seed[IDENTITY_SEED_BYTES];
    world_write_seed(KEY_OF_NOBODY, seed);
    struct signature s = device_sign(bytes_from_str(name), seed,
                                     identity_key(l->world->identities[KEY_OF_NOBODY]));
    struct bytes text = bytes_make(s.bytes, sizeof s.bytes);
    for (size_t i = 1; i < at; i += DEVICE_VALUES)
        if (l->values[i + OF_SIGNATURE].kind == RESP_BULK && draw(l->world, 2))
            text = l->values[i + OF_SIGNATURE].text;
    put_print(l, at + OF_SIGNER, signer);
    put(l, at + OF_SIGNATURE, text);
}

static void change_devices(struct liar *l, size_t account)
{
    const char *name = world_name(account);
    size_t n = (size_t)l->values[0].number;
    size_t at = n > 0 ? 1 + draw(l->world, n) * DEVICE_VALUES : 0;
    switch (draw(l->world, 6)) {
    case 0:
        add_device(l, any_key(l));
        break;
    case 1:
        sign(l, add_device(l, KEY_OF_NOBODY), 2 * account + draw(l->world, 2), name);
        break;
    case 2:
        sign(l, add_device(l, KEY_OF_NOBODY), KEY_OF_NOBODY, name);
        break;
    case 3:
        if (at > 0)
            put_device(l, at, KEY_OF_NOBODY);
        break;
    case 4:
        if (at > 0)
            unsign(l, at);
        break;
    default:
        l->values[0].number = 0;
        l->count = 1;
    }
}

/* ---- letters ---- */

static void keep_letters(struct liar *l, size_t device, const struct resp_value *values,
                         size_t count)
{
    for (size_t i = 1; i + LETTER_VALUES <= count; i += LETTER_VALUES)
        keep(&l->letters[device][l->letter_count[device]++ % ROWS], values + i, LETTER_VALUES);
}

/* One that it was told before, or another device. */
static size_t add_kept(struct liar *l, size_t device)
{
    size_t whose = draw(l->world, 4) ? device : (size_t)draw(l->world, WORLD_DEVICES);
    size_t n = l->letter_count[whose] < ROWS ? l->letter_count[whose] : (size_t)ROWS;
    const struct kept *k = n > 0 ? &l->letters[whose][draw(l->world, n)] : NULL;
    if (!k || k->count == 0)
        return 0;
    size_t at = add_row(l, LETTER_VALUES);
    memcpy(&l->values[at], k->values, sizeof *k->values * LETTER_VALUES);
    return at;
}

/* What was sealed for a device is opened and sealed again, its last byte another: whoever seals
 * can do so, but nobody can sign what comes of it. Returns its length. */
static size_t alter_sealed(size_t device, struct bytes sealed, uint8_t *to)
{
    uint8_t seed[IDENTITY_SEED_BYTES], sign_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t sign_secret[crypto_sign_SECRETKEYBYTES];
    uint8_t key[crypto_box_PUBLICKEYBYTES], secret[crypto_box_SECRETKEYBYTES];
    uint8_t plain[KEPT_BYTES];
    size_t n = sealed.len - crypto_box_SEALBYTES;
    world_write_seed(device, seed);
    crypto_sign_seed_keypair(sign_key, sign_secret, seed);
    if (n > sizeof plain || crypto_sign_ed25519_pk_to_curve25519(key, sign_key) != 0 ||
        crypto_sign_ed25519_sk_to_curve25519(secret, sign_secret) != 0 ||
        crypto_box_seal_open(plain, sealed.data, sealed.len, key, secret) != 0)
        abort();
    plain[n - 1] = MAIL_FORGED[sizeof MAIL_FORGED - 2];
    crypto_box_seal(to, plain, n, key);
    return sealed.len;
}

/* Under the liar's key, signed; or under another, the signature being of another text. */
static void seal_forged(struct liar *l, const struct visitor *v, size_t at, size_t key)
{
    struct pair pair;
    uint8_t seed[IDENTITY_SEED_BYTES], entropy[PEER_LETTER_ENTROPY_BYTES] = {1};
    uint8_t altered[KEPT_BYTES];
    struct random_id id;
    struct buffer sealed;
    char text[] = MAIL_FORGED;
    if (key < WORLD_DEVICES)
        text[sizeof text - 2]--;
    world_write_seed(key, seed);
    buffer_init(&sealed, sizeof altered);
    if (!random_id_read(l->values[at + L_ID].text, &id) ||
        pair_init(&pair, &id, l->values[at + L_FROM].text,
                  identity_key(l->world->identities[key]), bytes_from_str(v->visit.name),
                  identity_key(l->world->identities[v->device])) != 0 ||
        peer_letter_seal(&pair, world_wall(l->world), bytes_from_str(text), seed, entropy,
                         &sealed) != 0)
        abort();
    if (key < WORLD_DEVICES)
        put(l, at + L_SEALED,
            bytes_make(altered, alter_sealed(v->device, buffer_view(&sealed), altered)));
    else
        put(l, at + L_SEALED, buffer_view(&sealed));
    buffer_fini(&sealed);
}

static void add_forged(struct liar *l, const struct visitor *v)
{
    size_t key = any_key(l), at = add_row(l, LETTER_VALUES);
    if (key == v->device)
        key = KEY_OF_NOBODY;
    put_new_id(l, at + L_ID);
    put_name(l, at + L_FROM);
    if (key < WORLD_DEVICES)
        put(l, at + L_FROM, bytes_from_str(world_name(account_of(key))));
    put_print(l, at + L_PRINT, key);
    l->values[at + L_SINCE] = (struct resp_value){.kind = RESP_INTEGER, .number = 1700000000};
    seal_forged(l, v, at, key);
}

static void change_letter(struct liar *l, size_t at)
{
    struct bytes sealed;
    uint64_t what = draw(l->world, 4);
    if (what == 0)
        put_new_id(l, at + L_ID);
    if (what == 1)
        put_name(l, at + L_FROM);
    if (what == 2)
        put_print(l, at + L_PRINT, any_key(l));
    if (what != 3)
        return;
    put(l, at + L_SEALED, l->values[at + L_SEALED].text);
    sealed = l->values[at + L_SEALED].text;
    l->texts[l->texts_len - 1 - draw(l->world, sealed.len)] ^= 1;
}

static void change_letters(struct liar *l, const struct visitor *v)
{
    size_t n = (size_t)l->values[0].number, other, at;
    uint64_t what = draw(l->world, 4);
    if (what == 0) {
        add_forged(l, v);
    } else if (what == 1) {
        if ((at = add_kept(l, v->device)) > 0 && draw(l->world, 2))
            change_letter(l, at);
    } else if (what == 2 && n > 0) {
        change_letter(l, 1 + draw(l->world, n) * LETTER_VALUES);
    } else if (n > 1) {
        at = 1 + draw(l->world, n) * LETTER_VALUES;
        other = 1 + draw(l->world, n) * LETTER_VALUES;
        struct resp_value id = l->values[at + L_ID];
        l->values[at + L_ID] = l->values[other + L_ID];
        l->values[other + L_ID] = id;
    }
}

void liar_reply(struct visitor *v, enum visitor_request request,
                const struct resp_value **values, size_t *count)
{
    struct liar *l = v->world->liar;
    if (!l || (*values)->kind != RESP_ARRAY || *count > VALUES / 2)
        return;
    if (request == VISITOR_TAKES)
        keep_letters(l, v->device, *values, *count);
    else if (request != VISITOR_DEVICES)
        return;
    if (draw(v->world, 2))
        return;
    say_first(l, *values, *count);
    if (request == VISITOR_TAKES)
        change_letters(l, v);
    else
        change_devices(l, draw(v->world, WORLD_ACCOUNTS));
    give(l, values, count);
}

#include "base/utf8.h"
#include "client/device_list.h"
#include "client/post_inner.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

void post_init(struct post *p, const struct post_handler *handler, const struct post_keep *keep,
               void *ctx, const uint8_t seed[PEER_LETTER_SEED_BYTES],
               const uint8_t entropy[CHANCE_SEED_BYTES])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    *p = (struct post){.handler = handler, .keep = keep, .ctx = ctx};
    chance_init(&p->chance, entropy, 0);
    memcpy(p->seed, seed, sizeof p->seed);
    crypto_sign_seed_keypair(p->key.bytes, secret, seed);
    sodium_memzero(secret, sizeof secret);
    list_init(&p->asked);
    list_init(&p->sending);
    list_init(&p->doubted);
}

static void forget_asked(struct post *p)
{
    struct list *link;
    while ((link = list_pop(&p->asked)))
        free(list_entry(link, struct post_asked, link));
}

static void forget_sending(struct post *p, struct post_sending *s)
{
    list_remove(&s->link);
    p->sending_count--;
    sodium_memzero(s->text, s->len);
    free(s);
}

static struct post_sending *first_sending(struct post *p)
{
    return list_entry(p->sending.next, struct post_sending, link);
}

void post_fini(struct post *p)
{
    if (!p->handler)
        return;
    forget_asked(p);
    taking_forget(p);
    while (!list_is_empty(&p->sending))
        forget_sending(p, first_sending(p));
    sodium_memzero(p->seed, sizeof p->seed);
    chance_fini(&p->chance);
}

int post_ask(struct post *p, struct post_asked asked, const struct bytes *argv, size_t argc)
{
    struct post_asked *a = malloc(sizeof *a);
    if (!a || p->handler->request(p, argv, argc) != 0) {
        free(a);
        return -ENOMEM;
    }
    *a = asked;
    list_append(&p->asked, &a->link);
    return 0;
}

/* ---- sending ---- */

static void record_sent(struct post *p, const struct post_sending *s)
{
    struct said said = {.when = s->written,
                        .from = p->own_name,
                        .to = bytes_from_str(s->name),
                        .text = bytes_make(s->text, s->len),
                        .letter = true};
    p->keep->record(p->ctx, said.to, &said);
}

static void finish(struct post *p, struct post_sending *s, enum post_result result)
{
    struct post_outcome o = {.result = result,
                             .name = bytes_from_str(s->name),
                             .text = bytes_make(s->text, s->len),
                             .kept = s->kept,
                             .full = s->full,
                             .strangers = s->strangers,
                             .why = bytes_from_str(s->why)};
    if (result == POST_KEPT && p->keep->record)
        record_sent(p, s);
    p->handler->sent(p, &o);
    forget_sending(p, s);
}

static void begin(struct post *p, struct post_sending *s)
{
    struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("OF"),
                           bytes_from_str(s->name)};
    s->waiting = s->kept = s->full = s->strangers = 0;
    s->why[0] = '\0';
    if (post_ask(p, (struct post_asked){.kind = POST_ASKED_DEVICES, .sending = s}, argv, 3) !=
        0)
        finish(p, s, POST_NOT_SEALED);
}

static int check(const struct post *p, struct bytes name, struct bytes text)
{
    if (!account_name_is_valid(name))
        return POST_NO_NAME;
    if (text.len > PEER_LETTER_TEXT_BYTES)
        return POST_TOO_LONG;
    if (text.len == 0 || !utf8_is_valid(text))
        return POST_NO_TEXT;
    return p->sending_count < LIMIT_LETTERS_SENDING ? 0 : POST_TOO_MANY;
}

int post_send(struct post *p, struct bytes name, struct bytes text)
{
    int r = check(p, name, text);
    if (r != 0)
        return r;
    struct post_sending *s = malloc(sizeof *s + text.len);
    if (!s)
        return -ENOMEM;
    *s = (struct post_sending){.len = text.len};
    memcpy(s->name, name.data, name.len);
    memcpy(s->text, text.data, text.len);
    chance_draw(&p->chance, s->id.bytes, sizeof s->id.bytes);
    list_append(&p->sending, &s->link);
    p->sending_count++;
    if (p->here)
        begin(p, s);
    return 0;
}

void post_give_up(struct post *p)
{
    forget_asked(p);
    while (!list_is_empty(&p->sending)) {
        struct post_sending *s = first_sending(p);
        finish(p, s, s->kept > 0 ? POST_KEPT : POST_UNDECIDED);
    }
}

static int seal(struct post *p, const struct post_sending *s, const struct public_key *key,
                struct buffer *sealed)
{
    struct pair pair;
    uint8_t entropy[PEER_LETTER_ENTROPY_BYTES];
    int r = pair_init(&pair, &s->id, p->own_name, &p->key, bytes_from_str(s->name), key);
    chance_draw(&p->chance, entropy, sizeof entropy);
    if (r == 0)
        r = peer_letter_seal(&pair, s->written, bytes_make(s->text, s->len), p->seed, entropy,
                             sealed);
    sodium_memzero(entropy, sizeof entropy);
    return r;
}

static void note_refusal(struct post_sending *s, struct bytes why)
{
    size_t n = why.len < sizeof s->why - 1 ? why.len : sizeof s->why - 1;
    if (n > 0)
        memcpy(s->why, why.data, n);
    s->why[n] = '\0';
}

/* One that nothing can be sealed for gets none. */
static void send_copy(struct post *p, struct post_sending *s, const struct public_key *key)
{
    char print[FINGERPRINT_TEXT_LEN + 1], id[RANDOM_ID_TEXT_LEN + 1];
    struct fingerprint f = fingerprint_of(key);
    struct buffer sealed;
    buffer_init(&sealed, LIMIT_LETTER_BYTES);
    fingerprint_write(print, &f);
    random_id_write(id, &s->id);
    if (seal(p, s, key, &sealed) == 0) {
        struct bytes argv[] = {bytes_from_str("LETTER"), bytes_from_str(s->name),
                               bytes_from_str(print), bytes_from_str(id), buffer_view(&sealed)};
        struct post_asked asked = {.kind = POST_ASKED_COPY, .sending = s};
        s->waiting += post_ask(p, asked, argv, 5) == 0;
    }
    buffer_fini(&sealed);
}

/* False: whether the device is his cannot be told. */
static bool offer_copy(struct post *p, struct post_sending *s, const struct public_key *key,
                       const struct device *devices, size_t n)
{
    enum post_trust t = p->keep->trust(p->ctx, bytes_from_str(s->name), key, devices, n);
    if (t == POST_UNREAD) {
        note_refusal(s, p->keep->why(p->ctx));
        return false;
    }
    if (t == POST_BELIEVED)
        send_copy(p, s, key);
    else
        s->strangers++;
    return true;
}

static enum post_result no_device(const struct post *p, const struct post_sending *s)
{
    bool is_own = account_name_equal(bytes_from_str(s->name), p->own_name);
    return is_own ? POST_NO_OTHER : POST_NO_DEVICE;
}

static void take_devices(struct post *p, struct post_sending *s,
                         const struct resp_value *values, size_t count, struct walltime now)
{
    struct device devices[LIMIT_ACCOUNT_DEVICES];
    size_t n, others = 0;
    bool unread = false;
    if (values->kind == RESP_FAILURE)
        note_refusal(s, values->text);
    if (!device_list_read(values, count, devices, &n)) {
        finish(p, s, POST_REFUSED);
        return;
    }
    if (s->written.ms == 0)
        s->written = now;
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&devices[i].key, &p->key, sizeof p->key) == 0)
            continue; /* a letter to oneself is for one's other devices */
        others++;
        unread = !offer_copy(p, s, &devices[i].key, devices, n) || unread;
    }
    if (s->waiting == 0)
        finish(p, s,
               unread                   ? POST_NO_KNOWLEDGE
               : others == 0            ? no_device(p, s)
               : s->strangers == others ? POST_NO_TRUST
                                        : POST_NOT_SEALED);
}

static void take_copy(struct post *p, struct post_sending *s, const struct resp_value *reply)
{
    s->waiting--;
    if (reply->kind != RESP_FAILURE)
        s->kept++;
    else if (bytes_starts_with(reply->text, "QUOTA"))
        s->full++;
    else
        note_refusal(s, reply->text);
    if (s->waiting == 0)
        finish(p, s, s->kept > 0 ? POST_KEPT : s->full > 0 ? POST_BOX_FULL : POST_REFUSED);
}

/* ---- the hub ---- */

void post_here(struct post *p, struct bytes own_name)
{
    p->here = true;
    p->told_unread = false;
    p->own_name = own_name;
    taking_begin(p);
    for (struct list *at = p->sending.next, *next; at != &p->sending; at = next) {
        next = at->next; /* it may be over at once */
        begin(p, list_entry(at, struct post_sending, link));
    }
}

void post_lost(struct post *p)
{
    p->here = p->listing = p->again = false;
    forget_asked(p);
    taking_forget(p);
}

void post_letter_came(struct post *p)
{
    if (p->here)
        taking_begin(p);
}

static void take_reply(struct post *p, const struct post_asked *a,
                       const struct resp_value *values, size_t count, struct walltime now)
{
    switch (a->kind) {
    case POST_ASKED_DEVICES:
        take_devices(p, a->sending, values, count, now);
        return;
    case POST_ASKED_COPY:
        take_copy(p, a->sending, values);
        return;
    case POST_ASKED_LIST:
        taking_listed(p, values, count);
        return;
    case POST_ASKED_DOUBT:
        taking_doubt_answered(p, a->doubt, values, count);
        return;
    case POST_ASKED_TAKEN:
        return; /* what was not taken is listed again, and known by its id */
    }
}

void post_reply(struct post *p, const struct resp_value *values, size_t count,
                struct walltime now)
{
    struct list *first = list_pop(&p->asked);
    if (!first)
        return;
    struct post_asked *a = list_entry(first, struct post_asked, link);
    take_reply(p, a, values, count, now);
    free(a);
    if (list_is_empty(&p->asked) && p->handler->idle)
        p->handler->idle(p);
}

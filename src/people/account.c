#include "people/account.h"

#include <errno.h>

enum { VERSION = 1, FLAG_ADMIN = 1 };

/* ---- writing ---- */

/* What failed once has failed. */
struct writer {
    struct buffer *out;
    int failed;
};

static void put(struct writer *w, const void *data, size_t n)
{
    if (w->failed == 0)
        w->failed = buffer_append(w->out, data, n);
}

static void put_number(struct writer *w, uint64_t v, size_t bytes)
{
    uint8_t b[8];
    for (size_t i = 0; i < bytes; i++)
        b[i] = (uint8_t)(v >> 8 * i);
    put(w, b, bytes);
}

static void put_text(struct writer *w, const char *text)
{
    put_number(w, strlen(text), 1);
    put(w, text, strlen(text));
}

static void put_device(struct writer *w, const struct device *d)
{
    put(w, d->key.bytes, sizeof d->key.bytes);
    put_number(w, (uint64_t)d->since.ms, 8);
    put_text(w, d->label);
    put_number(w, d->is_signed, 1);
    if (!d->is_signed)
        return;
    put(w, d->signer.bytes, sizeof d->signer.bytes);
    put(w, d->signature.bytes, sizeof d->signature.bytes);
}

static void put_token(struct writer *w, const struct token *t)
{
    put(w, t->ticket.hash, sizeof t->ticket.hash);
    put_number(w, (uint64_t)t->since.ms, 8);
    put_number(w, (uint64_t)t->expires.ms, 8);
    put_text(w, t->label);
}

int account_encode(const struct account *a, struct buffer *out)
{
    struct writer w = {.out = out};
    put_number(&w, VERSION, 1);
    put_number(&w, a->admin ? FLAG_ADMIN : 0, 1);
    put_number(&w, a->generation, 8);
    put_number(&w, (uint64_t)a->since.ms, 8);
    put_number(&w, a->password.cost.passes, 4);
    put_number(&w, a->password.cost.memory_kib, 4);
    put(&w, a->password.salt, sizeof a->password.salt);
    put(&w, a->password.hash, sizeof a->password.hash);
    put_text(&w, a->name);
    put_number(&w, a->device_count, 1);
    for (size_t i = 0; i < a->device_count; i++)
        put_device(&w, &a->devices[i]);
    put_number(&w, a->token_count, 1);
    for (size_t i = 0; i < a->token_count; i++)
        put_token(&w, &a->tokens[i]);
    return w.failed == BUFFER_FULL ? -ENOMEM : w.failed;
}

/* ---- reading ---- */

/* Past the end everything is zero, and wrong. */
struct reader {
    struct bytes rest;
    bool wrong;
};

static void take(struct reader *r, void *to, size_t n)
{
    memset(to, 0, n);
    if (n > r->rest.len)
        r->wrong = true;
    if (r->wrong)
        return;
    memcpy(to, r->rest.data, n);
    r->rest = bytes_from(r->rest, n);
}

static uint64_t take_number(struct reader *r, size_t bytes)
{
    uint8_t b[8];
    uint64_t v = 0;
    take(r, b, bytes);
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)b[i] << 8 * i;
    return v;
}

static struct walltime take_time(struct reader *r)
{
    struct walltime t = {(int64_t)take_number(r, 8)};
    r->wrong |= t.ms < 0;
    return t;
}

static struct bytes take_text(struct reader *r, char *to, size_t max)
{
    size_t n = (size_t)take_number(r, 1);
    r->wrong |= n > max;
    if (r->wrong)
        n = 0;
    take(r, to, n);
    to[n] = '\0';
    return bytes_make(to, n);
}

static bool take_flag(struct reader *r)
{
    uint64_t v = take_number(r, 1);
    r->wrong |= v > 1;
    return v == 1;
}

static void take_device(struct reader *r, struct device *d)
{
    take(r, d->key.bytes, sizeof d->key.bytes);
    d->since = take_time(r);
    r->wrong |= !device_label_is_valid(take_text(r, d->label, DEVICE_LABEL_BYTES));
    d->is_signed = take_flag(r);
    if (!d->is_signed)
        return;
    take(r, d->signer.bytes, sizeof d->signer.bytes);
    take(r, d->signature.bytes, sizeof d->signature.bytes);
}

static void take_token(struct reader *r, struct token *t)
{
    take(r, t->ticket.hash, sizeof t->ticket.hash);
    t->since = take_time(r);
    t->expires = take_time(r);
    r->wrong |= !device_label_is_valid(take_text(r, t->label, DEVICE_LABEL_BYTES));
}

static void take_password(struct reader *r, struct password *p)
{
    p->cost.passes = (uint32_t)take_number(r, 4);
    p->cost.memory_kib = (uint32_t)take_number(r, 4);
    r->wrong |= !password_cost_is_valid(&p->cost);
    take(r, p->salt, sizeof p->salt);
    take(r, p->hash, sizeof p->hash);
}

static void take_lists(struct reader *r, struct account *a)
{
    a->device_count = (size_t)take_number(r, 1);
    r->wrong |= a->device_count > LIMIT_ACCOUNT_DEVICES;
    for (size_t i = 0; i < a->device_count && !r->wrong; i++)
        take_device(r, &a->devices[i]);
    a->token_count = (size_t)take_number(r, 1);
    r->wrong |= a->token_count > LIMIT_ACCOUNT_TOKENS;
    for (size_t i = 0; i < a->token_count && !r->wrong; i++)
        take_token(r, &a->tokens[i]);
}

bool account_decode(struct bytes record, struct account *ret)
{
    struct reader r = {.rest = record};
    r.wrong |= take_number(&r, 1) != VERSION;
    ret->admin = take_flag(&r);
    ret->generation = take_number(&r, 8);
    ret->since = take_time(&r);
    take_password(&r, &ret->password);
    r.wrong |= !account_name_is_valid(take_text(&r, ret->name, ACCOUNT_NAME_BYTES));
    take_lists(&r, ret);
    return !r.wrong && r.rest.len == 0;
}

/* ---- what belongs to it ---- */

struct device *account_device(struct account *a, const struct fingerprint *f)
{
    for (size_t i = 0; i < a->device_count; i++) {
        struct fingerprint own = fingerprint_of(&a->devices[i].key);
        if (fingerprint_equal(&own, f))
            return &a->devices[i];
    }
    return NULL;
}

struct token *account_token(struct account *a, const struct ticket *t)
{
    for (size_t i = 0; i < a->token_count; i++)
        if (ticket_equal(&a->tokens[i].ticket, t))
            return &a->tokens[i];
    return NULL;
}

struct token *account_token_labelled(struct account *a, struct bytes label)
{
    for (size_t i = 0; i < a->token_count; i++)
        if (bytes_equal_str(label, a->tokens[i].label))
            return &a->tokens[i];
    return NULL;
}

bool account_add_device(struct account *a, const struct device *d)
{
    if (a->device_count == LIMIT_ACCOUNT_DEVICES)
        return false;
    a->devices[a->device_count++] = *d;
    return true;
}

bool account_add_token(struct account *a, const struct token *t)
{
    if (a->token_count == LIMIT_ACCOUNT_TOKENS)
        return false;
    a->tokens[a->token_count++] = *t;
    return true;
}

void account_remove_device(struct account *a, struct device *d)
{
    size_t behind = (size_t)(a->devices + --a->device_count - d);
    memmove(d, d + 1, behind * sizeof *d);
}

void account_remove_token(struct account *a, struct token *t)
{
    size_t behind = (size_t)(a->tokens + --a->token_count - t);
    memmove(t, t + 1, behind * sizeof *t);
}

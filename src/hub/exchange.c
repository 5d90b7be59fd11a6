#include "hub/exchange.h"

#include "base/glob.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

size_t exchange_join(struct exchange *x, struct mailbox *box)
{
    size_t worker = atomic_fetch_add(&x->box_count, 1);
    assert(worker < LIMIT_WORKERS);
    atomic_store(&x->boxes[worker], box);
    return worker;
}

void exchange_leave(struct exchange *x, size_t worker)
{
    atomic_store(&x->boxes[worker], NULL);
}

void exchange_put(struct exchange *x, size_t worker, struct push *p)
{
    struct mailbox *box = atomic_load(&x->boxes[worker]);
    if (box)
        mailbox_put(box, p);
}

void exchange_wake(struct exchange *x, size_t worker)
{
    struct mailbox *box = atomic_load(&x->boxes[worker]);
    if (box)
        mailbox_wake(box);
}

struct bytes subscription_text(const struct subscription *s)
{
    return bytes_make(s->text, s->len);
}

bool subscription_matches(const struct subscription *s, struct bytes channel)
{
    if (s->kind == SUBSCRIPTION_PATTERN)
        return glob_matches(subscription_text(s), channel, false);
    return s->kind == SUBSCRIPTION_CHANNEL && bytes_equal(subscription_text(s), channel);
}

/* Channels about the table all begin with "__key". */
static bool may_want_table(const struct subscription *s)
{
    struct bytes text = subscription_text(s);
    if (s->kind == SUBSCRIPTION_PREFIX || bytes_starts_with(text, "__key"))
        return true;
    return s->kind == SUBSCRIPTION_PATTERN && text.len > 0 && strchr("*?[\\_", text.data[0]);
}

static void add(struct exchange *x, struct subscription *s)
{
    s->right = x->first;
    if (x->first)
        x->first->left = s;
    x->first = s;
    x->count++;
    atomic_fetch_add(&x->wanted[s->worker], 1);
    if (may_want_table(s))
        atomic_fetch_add(&x->table_wanted, 1);
}

struct subscription *exchange_subscribe(struct exchange *x, size_t worker,
                                        enum subscription_kind kind, struct bytes text)
{
    struct subscription *s = malloc(sizeof *s + text.len);
    if (!s)
        return NULL;
    *s = (struct subscription){.kind = kind, .worker = worker, .len = text.len};
    if (text.len)
        memcpy(s->text, text.data, text.len);
    pthread_mutex_lock(&x->lock);
    bool fits = x->count < LIMIT_SUBSCRIPTIONS;
    if (fits)
        add(x, s);
    pthread_mutex_unlock(&x->lock);
    if (fits)
        return s;
    free(s);
    return NULL;
}

void exchange_unsubscribe(struct exchange *x, struct subscription *s)
{
    pthread_mutex_lock(&x->lock);
    if (s->left)
        s->left->right = s->right;
    else
        x->first = s->right;
    if (s->right)
        s->right->left = s->left;
    x->count--;
    atomic_fetch_sub(&x->wanted[s->worker], 1);
    if (may_want_table(s))
        atomic_fetch_sub(&x->table_wanted, 1);
    pthread_mutex_unlock(&x->lock);
    free(s);
}

/* To every worker that wants anything; without p, that something was lost. */
static void post(struct exchange *x, struct push *p)
{
    for (size_t i = 0; i < atomic_load(&x->box_count); i++)
        if (atomic_load(&x->wanted[i]) > 0)
            exchange_put(x, i, p);
}

int64_t exchange_publish(struct exchange *x, struct bytes channel, struct bytes message)
{
    struct push *p = push_new_message(channel, message);
    if (!p)
        return -ENOMEM;
    int64_t matching = 0;
    pthread_mutex_lock(&x->lock);
    for (const struct subscription *s = x->first; s; s = s->right)
        matching += subscription_matches(s, channel);
    pthread_mutex_unlock(&x->lock);
    if (matching > 0)
        post(x, p);
    push_unref(p);
    return matching;
}

void exchange_tell_account(struct exchange *x, struct bytes folded)
{
    struct push *p = push_new_account(folded);
    for (size_t i = 0; i < atomic_load(&x->box_count); i++)
        exchange_put(x, i, p);
    if (p)
        push_unref(p);
}

/* In the order of the changes, since the store calls it in that order, one at a time. */
void exchange_on_change(void *ctx, const struct store_change *change)
{
    struct exchange *x = ctx;
    if (change->space != STORE_USER || atomic_load(&x->table_wanted) == 0)
        return;
    struct push *p = push_new_change(change);
    post(x, p);
    if (p)
        push_unref(p);
}

void exchange_each(struct exchange *x, void (*each)(void *ctx, const struct subscription *s),
                   void *ctx)
{
    pthread_mutex_lock(&x->lock);
    for (const struct subscription *s = x->first; s; s = s->right)
        each(ctx, s);
    pthread_mutex_unlock(&x->lock);
}

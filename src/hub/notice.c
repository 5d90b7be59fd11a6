#include "hub/notice.h"

#include "hub/attendant.h"
#include "hub/hub.h"

static struct push *make(const char *key, uint64_t only, uint64_t except, const char *words)
{
    struct push *p = push_new_notice(bytes_from_str(key), bytes_from_str(words));
    if (p) {
        p->only = only;
        p->except = except;
    }
    return p;
}

static void drop(struct push *p)
{
    if (p)
        push_unref(p);
}

static void send_to_all(struct hub_shared *s, struct push *p)
{
    for (size_t i = 0; i < atomic_load(&s->exchange.box_count); i++)
        if (atomic_load(&s->exchange.attending[i]) > 0)
            exchange_put(&s->exchange, i, p);
    drop(p);
}

void notice_to_all(struct hub_shared *s, uint64_t move, const char *words)
{
    struct push *p = make("", 0, 0, words);
    if (p)
        p->move = move;
    send_to_all(s, p);
}

void notice_to_others(struct hub_shared *s, uint64_t except, uint64_t lsn, const char *words)
{
    struct push *p = make("", 0, except, words);
    if (p)
        p->lsn = lsn;
    send_to_all(s, p);
}

/* The workers where the connections are that are to be told. */
struct concern {
    uint64_t only, except;
    bool workers[LIMIT_WORKERS];
};

static void note_worker(void *ctx, const struct presence *p)
{
    struct concern *c = ctx;
    if (p->connection != c->except && (!c->only || p->connection == c->only))
        c->workers[p->worker] = true;
}

static void send(struct hub_shared *s, const char *key, uint64_t only, uint64_t except,
                 uint64_t lsn, const char *words)
{
    struct concern c = {.only = only, .except = except};
    directory_each_of(&s->directory, key, note_worker, &c);
    struct push *p = make(key, only, except, words);
    if (p)
        p->lsn = lsn;
    for (size_t i = 0; i < atomic_load(&s->exchange.box_count); i++)
        if (c.workers[i])
            exchange_put(&s->exchange, i, p);
    drop(p);
}

void notice_to_account(struct hub_shared *s, const char *key, uint64_t except,
                       const char *words)
{
    send(s, key, 0, except, 0, words);
}

void notice_to_account_later(struct hub_shared *s, const char *key, uint64_t except,
                             uint64_t lsn, const char *words)
{
    send(s, key, 0, except, lsn, words);
}

void notice_to_connection(struct hub_shared *s, const char *key, uint64_t connection,
                          const char *words)
{
    send(s, key, connection, 0, 0, words);
}

void notice_to_presence(struct hub_shared *s, const char *key, const struct presence *p,
                        uint64_t lsn, const char *words)
{
    struct push *push = make(key, p->connection, 0, words);
    if (push)
        push->lsn = lsn;
    exchange_put(&s->exchange, p->worker, push);
    drop(push);
}

/* ---- delivering */

static size_t count_words(struct bytes words)
{
    size_t n = 0;
    while (bytes_next_word(&words).len > 0)
        n++;
    return n;
}

static void write_words(struct reply *r, struct bytes words)
{
    if (reply_is_text(r)) {
        reply_text(r, words);
        return;
    }
    reply_push(r, count_words(words));
    for (struct bytes word = bytes_next_word(&words); word.len > 0;
         word = bytes_next_word(&words))
        reply_text(r, word);
}

/* Who came later has found it so, and perhaps the opposite since. */
static bool is_old(const struct connection *c, const struct push *p)
{
    return p->move && p->move <= c->extra->attendant->presence.moves;
}

static bool is_for(const struct connection *c, const struct push *p)
{
    return (!p->only || p->only == c->id) && p->except != c->id && !is_old(c, p);
}

void notice_tell(struct connection *c, struct push *const *notices, size_t n)
{
    struct reply r;
    if (!connection_begin_push(c, &r))
        return;
    for (size_t i = 0; i < n; i++) {
        if (!is_for(c, notices[i]))
            continue;
        reply_depends(&r, notices[i]->lsn);
        write_words(&r, notices[i]->value);
    }
    connection_end_push(c, &r);
}

struct delivery {
    const struct hub *hub;
    struct push *push;
};

static void tell_presence(void *ctx, const struct presence *p)
{
    struct delivery *d = ctx;
    if (p->worker == d->hub->number)
        notice_tell(((const struct attendant *)p->owner)->connection, &d->push, 1);
}

void notice_deliver(struct hub *hub, struct push *p)
{
    if (p->name.len == 0) {
        news_add(hub, p);
        return;
    }
    char key[ACCOUNT_NAME_BYTES + 1] = "";
    memcpy(key, p->name.data, p->name.len);
    directory_each_of(&hub->shared->directory, key, tell_presence, &(struct delivery){hub, p});
}

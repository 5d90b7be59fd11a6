#include "hub/relay.h"

#include "hub/hub.h"
#include "hub/member.h"

#include "base/log_line.h"

#include <errno.h>
#include <stdlib.h>

enum { SIDES = 2, AT_ONCE_BYTES = 64 * 1024, HOUR_MS = 60 * 60 * 1000 };

/* What an account has sent in the hour that began then. */
struct relay_quota {
    struct relay_quota *next;
    size_t ends; /* that use it */
    char key[ACCOUNT_NAME_BYTES + 1];
    atomic_uint_fast64_t began_ns, sent;
};

struct relay {
    struct relay *next;
    struct random_id id;
    pthread_mutex_t lock; /* of what follows; ends change under that of all relays, too */
    struct relay_end *ends[SIDES];
    struct buffer said[SIDES]; /* by each side, not taken by the other yet */
    bool waits[SIDES];         /* that side has more to say, and no room */
    bool joined;               /* both were there at once */
    bool over;
};

static struct relays *relays_of(const struct connection *c)
{
    return &c->hub->shared->relays;
}

/* ---- waking ---- */

/* Under the relay's lock, which keeps the end. NULL: nobody is there. */
static void wake(struct relays *x, struct relay_end *end)
{
    if (!end)
        return;
    struct hub *hub = end->connection->hub;
    pthread_mutex_lock(&x->ready_lock);
    bool linked = list_is_linked(&end->link);
    if (!x->ready[hub->number].next)
        list_init(&x->ready[hub->number]);
    if (!linked)
        list_append(&x->ready[hub->number], &end->link);
    pthread_mutex_unlock(&x->ready_lock);
    if (!linked)
        exchange_wake(&hub->shared->exchange, hub->number);
}

static struct relay_end *take_ready(struct relays *x, size_t worker)
{
    pthread_mutex_lock(&x->ready_lock);
    struct list *head = &x->ready[worker], *link = head->next ? list_pop(head) : NULL;
    pthread_mutex_unlock(&x->ready_lock);
    return link ? list_entry(link, struct relay_end, link) : NULL;
}

/* An end is freed by its own worker alone, which is this one. */
void relay_take_ready(struct hub *hub)
{
    struct relay_end *end;
    while ((end = take_ready(&hub->shared->relays, hub->number)))
        relay_go_on(end->connection);
}

/* ---- quotas; under the lock of all relays ---- */

static bool is_used(const struct relay_quota *q, struct instant now)
{
    return q->ends > 0 ||
           instant_after_ms((struct instant){atomic_load(&q->began_ns)}, HOUR_MS).ns > now.ns;
}

static void sweep_quotas(struct relays *x, struct instant now)
{
    struct relay_quota **link = &x->quotas;
    while (*link) {
        struct relay_quota *q = *link;
        if (is_used(q, now)) {
            link = &q->next;
            continue;
        }
        *link = q->next;
        free(q);
    }
}

static struct relay_quota *find_quota(struct relays *x, const char *key, struct instant now)
{
    struct relay_quota *q = x->quotas;
    while (q && strcmp(q->key, key) != 0)
        q = q->next;
    if (q)
        return q;
    sweep_quotas(x, now);
    q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    memcpy(q->key, key, sizeof q->key);
    atomic_store(&q->began_ns, now.ns);
    q->next = x->quotas;
    return x->quotas = q;
}

/* Counts n bytes more, of any thread; false where that is too much. */
static bool spend(struct relay_quota *q, const struct hub *hub, size_t n)
{
    uint64_t max = hub->shared->config.relay_hour_bytes;
    struct instant began = {atomic_load(&q->began_ns)};
    if (instant_after_ms(began, HOUR_MS).ns <= hub->now.ns) {
        atomic_store(&q->began_ns, hub->now.ns);
        atomic_store(&q->sent, 0);
    }
    return atomic_fetch_add(&q->sent, n) + n <= max || max == 0;
}

/* ---- coming; under the lock of all relays ---- */

static struct relay **find(struct relays *x, const struct random_id *id)
{
    struct relay **link = &x->first;
    while (*link && memcmp((*link)->id.bytes, id->bytes, RANDOM_ID_BYTES) != 0)
        link = &(*link)->next;
    return link;
}

static struct relay *add(struct relays *x, const struct random_id *id)
{
    struct relay *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->id = *id;
    pthread_mutex_init(&r->lock, NULL);
    for (size_t i = 0; i < SIDES; i++)
        buffer_init(&r->said[i], LIMIT_RELAY_PIPE_BYTES);
    r->next = x->first;
    x->first = r;
    x->count++;
    return r;
}

static void remove_relay(struct relays *x, struct relay *r)
{
    struct relay **link = &x->first;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    x->count--;
    for (size_t i = 0; i < SIDES; i++)
        buffer_fini(&r->said[i]);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* Nobody finds it any more; its ends look at it once more and go. */
static void end_relay(struct relays *x, struct relay *r)
{
    pthread_mutex_lock(&r->lock);
    r->over = true;
    r->id = (struct random_id){0};
    for (size_t i = 0; i < SIDES; i++)
        wake(x, r->ends[i]);
    pthread_mutex_unlock(&r->lock);
}

/* The one to enter on that side: where somebody waits at the other, that one. */
static struct relay *take_relay(struct relays *x, const struct random_id *id, size_t side)
{
    struct relay *r = *find(x, id);
    if (r && (r->ends[side] || r->over)) {
        end_relay(x, r);
        r = NULL;
    }
    return r ? r : add(x, id);
}

static int enter(struct relay_end *end, const struct random_id *id)
{
    struct connection *c = end->connection;
    struct relays *x = relays_of(c);
    end->quota = find_quota(x, connection_member(c)->key, c->hub->now);
    if (!end->quota)
        return -ENOMEM;
    if (x->count >= LIMIT_RELAYS || end->quota->ends >= LIMIT_RELAYS_OF_MEMBER)
        return RELAY_TOO_MANY;
    if (!spend(end->quota, c->hub, 0))
        return RELAY_QUOTA;
    end->relay = take_relay(x, id, end->side);
    if (!end->relay)
        return -ENOMEM;
    end->quota->ends++;
    pthread_mutex_lock(&end->relay->lock);
    end->relay->ends[end->side] = end;
    end->relay->joined = end->relay->ends[!end->side] != NULL;
    for (size_t i = 0; i < SIDES && end->relay->joined; i++)
        wake(x, end->relay->ends[i]);
    pthread_mutex_unlock(&end->relay->lock);
    return 0;
}

int relay_enter(struct connection *c, const struct random_id *id, size_t side)
{
    struct relays *x = relays_of(c);
    struct relay_end *end = calloc(1, sizeof *end);
    if (!end)
        return -ENOMEM;
    *end = (struct relay_end){.side = side, .connection = c, .since = c->hub->now};
    pthread_mutex_lock(&x->lock);
    int r = enter(end, id);
    pthread_mutex_unlock(&x->lock);
    if (r != 0) {
        free(end);
        return r;
    }
    c->extra->relay = end;
    connection_set_state(c, CONNECTION_RELAY);
    connection_set_timer(c);
    return 0;
}

bool relay_waits(const struct connection *c)
{
    struct relay *r = connection_relay(c)->relay;
    pthread_mutex_lock(&r->lock);
    bool waits = !r->joined && !r->over;
    pthread_mutex_unlock(&r->lock);
    return waits;
}

/* ---- going ---- */

void relay_leave(struct relay_end *end)
{
    if (!end)
        return;
    struct relay *r = end->relay;
    struct relays *x = relays_of(end->connection);
    pthread_mutex_lock(&x->lock);
    pthread_mutex_lock(&r->lock);
    r->over |= r->ends[!end->side] != NULL;
    r->ends[end->side] = NULL;
    wake(x, r->ends[!end->side]);
    bool last = !r->ends[!end->side];
    pthread_mutex_unlock(&r->lock);
    end->quota->ends--;
    if (last)
        remove_relay(x, r);
    pthread_mutex_unlock(&x->lock);
    pthread_mutex_lock(&x->ready_lock);
    list_remove(&end->link);
    pthread_mutex_unlock(&x->ready_lock);
    end->connection->extra->relay = NULL;
    free(end);
}

void relays_fini(struct relays *x)
{
    assert(!x->first);
    while (x->quotas) {
        struct relay_quota *next = x->quotas->next;
        free(x->quotas);
        x->quotas = next;
    }
}

struct instant relay_deadline(const struct connection *c)
{
    const struct relay_end *end = connection_relay(c);
    return end && !end->answered && c->state == CONNECTION_RELAY
               ? instant_after_ms(end->since, LIMIT_RELAY_WAIT_MS)
               : INSTANT_NEVER;
}

static void say_last(struct connection *c, const char *words)
{
    struct reply r;
    if (!connection_begin_push(c, &r)) {
        connection_abort(c);
        return;
    }
    reply_error(&r, "GONE", words);
    connection_end_push(c, &r);
    connection_drain(c);
}

void relay_give_up(struct connection *c)
{
    say_last(c, "the other side did not come");
}

/* ---- saying ---- */

/* As much as there is room for, under the relay's lock. */
static size_t put(struct relay_end *end, struct bytes in)
{
    struct relay *r = end->relay;
    struct buffer *said = &r->said[end->side];
    size_t room = LIMIT_RELAY_PIPE_BYTES - buffer_len(said), n = in.len < room ? in.len : room;
    if (n > 0 && buffer_append(said, in.data, n) != 0) {
        connection_abort(end->connection);
        return in.len;
    }
    r->waits[end->side] = n == 0;
    if (n > 0)
        wake(relays_of(end->connection), r->ends[!end->side]);
    return n;
}

static void close_past_quota(struct connection *c)
{
    struct log_line line = log_line_begin(&c->hub->log, LOG_WARNING,
                                          "closed a relay: its hour's quota is used up");
    log_line_number(&line, "connection", (int64_t)c->id);
    log_line_str(&line, "account", connection_member(c)->name);
    log_line_end(&line);
    connection_drain(c);
}

size_t relay_put(struct connection *c, struct bytes in)
{
    struct relay_end *end = connection_relay(c);
    pthread_mutex_lock(&end->relay->lock);
    bool over = end->relay->over;
    size_t n = over ? in.len : put(end, in); /* nobody would hear it */
    pthread_mutex_unlock(&end->relay->lock);
    if (n == 0)
        c->rests |= CONNECTION_RESTS_RELAY;
    else if (!over && !spend(end->quota, c->hub, n))
        close_past_quota(c);
    return n;
}

/* ---- hearing ---- */

/* Hands on what the other side has said, as long as not much waits here. */
static void hear(struct connection *c, struct relay_end *end)
{
    struct relay *r = end->relay;
    struct buffer *said = &r->said[!end->side];
    while (buffer_len(said) > 0 && connection_unread(c) < AT_ONCE_BYTES) {
        struct reply reply;
        if (!connection_begin_push(c, &reply)) {
            connection_abort(c); /* without memory for it */
            return;
        }
        struct bytes some = buffer_view(said);
        if (some.len > AT_ONCE_BYTES)
            some = bytes_first(some, AT_ONCE_BYTES);
        reply_raw(&reply, some);
        connection_end_push(c, &reply);
        buffer_consume(said, some.len);
    }
    if (buffer_len(said) == 0)
        buffer_release(said);
    if (r->waits[!end->side] && buffer_len(said) <= LIMIT_RELAY_PIPE_BYTES / 2) {
        r->waits[!end->side] = false;
        wake(relays_of(c), r->ends[!end->side]);
    }
}

/* The other side is there, or was. */
static void answer(struct connection *c, struct relay_end *end)
{
    struct reply reply;
    if (end->answered || !connection_begin_push(c, &reply))
        return;
    end->answered = true;
    reply_status(&reply, c->hub->shared->config.relay == HUB_RELAY_ALL ? "RELAY ALL" : "RELAY");
    connection_end_push(c, &reply);
    connection_set_timer(c);
}

void relay_go_on(struct connection *c)
{
    struct relay_end *end = connection_relay(c);
    struct relay *r = end->relay;
    if (c->state != CONNECTION_RELAY)
        return;
    pthread_mutex_lock(&r->lock);
    if (r->joined) {
        answer(c, end);
        hear(c, end);
    }
    bool over = r->over && buffer_len(&r->said[!end->side]) == 0;
    bool may_say = r->over || (c->rests & CONNECTION_RESTS_RELAY && !r->waits[end->side]);
    pthread_mutex_unlock(&r->lock);
    if (over && !end->answered) {
        say_last(c, "another connection has come for this side");
        return;
    }
    if (over) {
        connection_drain(c);
        return;
    }
    if (may_say && c->rests & CONNECTION_RESTS_RELAY) {
        c->rests &= (uint8_t)~CONNECTION_RESTS_RELAY;
        hub_set_ready(c);
        connection_run(c);
    }
}

#include "hub/handshakes.h"

static void append(struct handshake_queue *q, struct handshake *h)
{
    h->newer = NULL;
    h->older = q->newest;
    if (q->newest)
        q->newest->newer = h;
    else
        q->oldest = h;
    q->newest = h;
    q->count++;
}

static void take_out(struct handshake_queue *q, struct handshake *h)
{
    if (h->older)
        h->older->newer = h->newer;
    else
        q->oldest = h->newer;
    if (h->newer)
        h->newer->older = h->older;
    else
        q->newest = h->older;
    h->older = h->newer = NULL;
    q->count--;
}

/* The one that is to make room for another from there; NULL: there is room. */
static struct handshake *find_surplus(const struct handshakes *x, const struct handshake *from)
{
    struct handshake *first = NULL;
    size_t n = 0;
    for (struct handshake *h = x->under_way.oldest; h; h = h->newer) {
        if (!net_address_equal(&h->source, &from->source))
            continue;
        first = first ? first : h;
        n++;
    }
    if (n >= LIMIT_HANDSHAKES_OF_ADDRESS)
        return first;
    return x->under_way.count >= LIMIT_HANDSHAKES ? x->under_way.oldest : NULL;
}

static bool begin(struct handshakes *x, struct handshake *h, size_t *ret_ousted)
{
    struct handshake *surplus = find_surplus(x, h);
    if (surplus) {
        *ret_ousted = surplus->worker;
        take_out(&x->under_way, surplus);
        append(&x->ousted, surplus);
        surplus->state = HANDSHAKE_OUSTED;
    }
    append(&x->under_way, h);
    h->state = HANDSHAKE_UNDER_WAY;
    return surplus;
}

bool handshakes_begin(struct handshakes *x, struct handshake *h,
                      const struct net_address *address, size_t *ret_ousted)
{
    h->source = address ? net_address_network(address) : (struct net_address){{0}};
    pthread_mutex_lock(&x->lock);
    bool ousts = begin(x, h, ret_ousted);
    pthread_mutex_unlock(&x->lock);
    return ousts;
}

static void end(struct handshakes *x, struct handshake *h)
{
    take_out(h->state == HANDSHAKE_OUSTED ? &x->ousted : &x->under_way, h);
    h->state = HANDSHAKE_NONE;
}

void handshakes_end(struct handshakes *x, struct handshake *h)
{
    pthread_mutex_lock(&x->lock);
    if (h->state != HANDSHAKE_NONE)
        end(x, h);
    pthread_mutex_unlock(&x->lock);
}

void *handshakes_take_ousted(struct handshakes *x, size_t worker)
{
    pthread_mutex_lock(&x->lock);
    struct handshake *h = x->ousted.oldest;
    while (h && h->worker != worker)
        h = h->newer;
    if (h) {
        end(x, h);
        x->closed++;
    }
    pthread_mutex_unlock(&x->lock);
    return h ? h->owner : NULL;
}

uint64_t handshakes_closed(struct handshakes *x)
{
    pthread_mutex_lock(&x->lock);
    uint64_t n = x->closed;
    pthread_mutex_unlock(&x->lock);
    return n;
}

uint64_t handshakes_take_unlogged(struct handshakes *x, struct instant now)
{
    uint64_t n = 0;
    pthread_mutex_lock(&x->lock);
    if (x->closed > x->logged && now.ns >= x->log_after.ns) {
        n = x->closed - x->logged;
        x->logged = x->closed;
        x->log_after = instant_after_ms(now, LIMIT_HANDSHAKES_LOG_MS);
    }
    pthread_mutex_unlock(&x->lock);
    return n;
}

size_t handshakes_count(struct handshakes *x)
{
    pthread_mutex_lock(&x->lock);
    size_t n = x->under_way.count + x->ousted.count;
    pthread_mutex_unlock(&x->lock);
    return n;
}

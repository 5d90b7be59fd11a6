#include "hub/tally.h"

enum { WINDOW_NS = 1000 * 1000 * 1000 };

/* What has been counted in the present window, a second; its length is told. */
static double rate_since(struct tally *t, enum tally_kind kind, uint64_t ns)
{
    uint64_t then = atomic_load_explicit(&t->counts_then[kind], memory_order_relaxed);
    uint64_t count = atomic_load_explicit(&t->counts[kind], memory_order_relaxed);
    return count > then ? (double)(count - then) * 1e9 / (double)ns : 0;
}

static uint64_t window_ns(struct tally *t, struct instant now)
{
    uint64_t since = atomic_load_explicit(&t->since_ns, memory_order_acquire);
    return now.ns > since ? now.ns - since : 0;
}

void tally_tick(struct tally *t, struct instant now)
{
    uint64_t ns = window_ns(t, now);
    if (ns < WINDOW_NS)
        return;
    for (size_t kind = 0; kind < TALLY_KINDS; kind++) {
        double rate = rate_since(t, kind, ns);
        atomic_store_explicit(&t->rates[kind], rate, memory_order_relaxed);
        atomic_store_explicit(&t->counts_then[kind],
                              atomic_load_explicit(&t->counts[kind], memory_order_relaxed),
                              memory_order_relaxed);
    }
    atomic_store_explicit(&t->since_ns, now.ns, memory_order_release);
}

uint64_t tally_sum(struct tally *all, size_t n, enum tally_kind kind)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += atomic_load_explicit(&all[i].counts[kind], memory_order_relaxed);
    return sum;
}

double tally_rate(struct tally *all, size_t n, enum tally_kind kind, struct instant now)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t ns = window_ns(&all[i], now);
        sum += ns < WINDOW_NS ? atomic_load_explicit(&all[i].rates[kind], memory_order_relaxed)
                              : rate_since(&all[i], kind, ns);
    }
    return sum;
}

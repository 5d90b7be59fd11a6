#include "model.h"

#include <inttypes.h>

/* A store held against the table as it was. */

struct found {
    struct buffer bytes;
    int64_t end;
};

static void see(void *ctx, const struct store_value *value)
{
    struct found *found = ctx;
    buffer_truncate(&found->bytes, 0);
    put(&found->bytes, value->bytes);
    found->end = value->expires.ms;
}

/* Who meets what has expired writes: nobody else makes room for that here. */
static void make_room(struct embedded *e, struct instant *now)
{
    struct instant deadline;
    *now = instant_after_ms(*now, 2000);
    embedded_segment_step(e, *now, &deadline);
    while (embedded_log_step(e, *now, &deadline) == 0)
        continue;
}

static int get(struct embedded *e, unsigned key, struct walltime wall, struct found *ret)
{
    enum { ENOUGH = 100 };
    char text[8];
    struct bytes name = key == MODEL_NAME ? bytes_from_str("hub.name") : request_key(key, text);
    struct instant now = {1};
    uint64_t needs;
    int r = STORE_BUSY;
    for (int i = 0; i < ENOUGH && r == STORE_BUSY; i++) {
        r = store_get(embedded_store(e), key == MODEL_NAME ? STORE_SYSTEM : STORE_USER, name,
                      wall, see, ret, &needs);
        if (r == STORE_BUSY)
            make_room(e, &now);
    }
    return r;
}

/* Is it as then? Returns whether it is there. */
static bool compare_entry(const struct model *m, struct embedded *e, struct walltime wall,
                          unsigned key, const struct model_entry *then, uint64_t lsn)
{
    struct found found = {.end = 0};
    buffer_init(&found.bytes, SIZE_MAX / 2);
    int64_t now = store_time(embedded_store(e), wall).ms;
    bool live = then->present && (then->end == 0 || then->end > now);
    int r = get(e, key, wall, &found);
    trace_check(m->trace, r == (live ? 0 : STORE_MISSING),
                "after mutation %" PRIu64 " key %u is %s, ought to be %s", lsn, key,
                r == 0 ? "there" : "missing", live ? "there" : "missing");
    trace_check(m->trace,
                !live ||
                    bytes_equal(buffer_view(&found.bytes), bytes_make(then->data, then->len)),
                "after mutation %" PRIu64 " key %u has another value: '%.*s'", lsn, key,
                (int)buffer_len(&found.bytes), (const char *)buffer_view(&found.bytes).data);
    trace_check(m->trace, !live || found.end == then->end,
                "after mutation %" PRIu64 " key %u ends at %" PRId64 ", ought to at %" PRId64,
                lsn, key, found.end, then->end);
    buffer_fini(&found.bytes);
    return live;
}

void model_compare(const struct model *m, struct embedded *e, struct walltime now, uint64_t lsn)
{
    const struct model_entry *then[MODEL_ENTRIES];
    for (unsigned i = 0; i < MODEL_ENTRIES; i++)
        then[i] = &m->entries[i];
    for (size_t i = m->count; i > 0 && m->changes[i - 1].lsn > lsn; i--)
        then[m->changes[i - 1].key] = &m->changes[i - 1].old;
    size_t count = 0;
    for (unsigned i = 0; i < MODEL_ENTRIES; i++)
        count += compare_entry(m, e, now, i, then[i], lsn) && i != MODEL_NAME;
    uint64_t needs;
    trace_check(m->trace, store_count(embedded_store(e), STORE_USER, &needs) == count,
                "after mutation %" PRIu64 " there are other keys too", lsn);
}

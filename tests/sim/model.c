#include "model_run.h"

#include <inttypes.h>
#include <stdlib.h>

/* The table, and its past. */

void model_init(struct model *m, const struct trace *trace, const struct hub_config *config)
{
    *m = (struct model){.trace = trace, .config = config};
}

static void forget_changes(struct model *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->changes[i].old.data);
    m->count = 0;
}

void model_fini(struct model *m)
{
    forget_changes(m);
    free(m->changes);
    for (size_t i = 0; i < MODEL_ENTRIES; i++)
        free(m->entries[i].data);
}

int64_t model_now(const struct model *m)
{
    return m->wall > m->log_time ? m->wall : m->log_time;
}

bool model_has_expired(const struct model *m, const struct model_entry *e)
{
    return e->present && e->end != 0 && e->end <= model_now(m);
}

/* ---- mutations */

void model_begin(struct model *m)
{
    m->log_time = model_now(m);
    m->lsn++;
}

void model_change(struct model *m, unsigned key, bool present, struct bytes value, int64_t end)
{
    if (m->count == m->capacity) {
        m->capacity = m->capacity ? 2 * m->capacity : 64;
        m->changes = realloc(m->changes, m->capacity * sizeof *m->changes);
        if (!m->changes)
            abort();
    }
    struct model_entry *e = &m->entries[key];
    m->changes[m->count++] = (struct model_change){m->lsn, m->log_time, key, *e};
    if (present != e->present && key != MODEL_NAME)
        m->count_lsn = m->lsn;
    *e = (struct model_entry){.present = present,
                              .data = malloc(value.len + 1),
                              .len = value.len,
                              .end = end,
                              .lsn = m->lsn};
    if (!e->data)
        abort();
    if (value.len)
        memcpy(e->data, value.data, value.len);
}

/* ---- what the store tells */

unsigned model_key_of(const struct model *m, const struct witness_change *change)
{
    if (change->space == STORE_SYSTEM)
        return MODEL_NAME;
    unsigned key = (unsigned)strtoul(change->key + 1, NULL, 10);
    trace_check(m->trace, key < REQUEST_KEYS, "a key that nobody has written: '%s'",
                change->key);
    return key;
}

bool model_tells(const struct model *m, const struct witness_change *change)
{
    bool promises = m->config->holds_replies || change->space == STORE_SYSTEM;
    return change->lsn == (promises ? m->lsn : 0);
}

void model_expire(struct model *m, const struct witness_change *change)
{
    unsigned key = model_key_of(m, change);
    const struct model_entry *e = &m->entries[key];
    trace_check(m->trace, e->present, "key %u is said to expire, and is not there", key);
    trace_check(m->trace, model_has_expired(m, e),
                "key %u ends at %" PRId64 ", and is removed at %" PRId64, key, e->end,
                model_now(m));
    trace_check(m->trace, model_tells(m, change),
                "key %u expires by mutation %" PRIu64 ", told is %" PRIu64, key, m->lsn,
                change->lsn);
    model_change(m, key, false, bytes_make(NULL, 0), 0);
    trace_say(m->trace, "key %u has expired, log at %" PRIu64, key, m->lsn);
}

void model_swept(struct model *m, const struct witness_change *changes, size_t n)
{
    if (n > 0)
        model_begin(m);
    for (size_t i = 0; i < n; i++) {
        trace_check(m->trace, changes[i].kind == STORE_CHANGE_EXPIRE,
                    "key %s is changed by nobody", changes[i].key);
        model_expire(m, &changes[i]);
    }
}

void model_mark(struct model *m, struct embedded *e)
{
    m->lsn = wal_last_lsn(embedded_wal(e));
    m->log_time = wal_time(embedded_wal(e)).ms;
}

bool model_is_swept(struct model *m, int64_t time)
{
    bool swept = true;
    for (unsigned i = 0; i < REQUEST_KEYS; i++) {
        struct model_entry *e = &m->entries[i];
        if (e->doubtful) /* it was not there */
            e->present = e->doubtful = false;
        swept &= !e->present || e->end == 0 || e->end > time;
    }
    return swept;
}

/* ---- recovery */

/* What has expired may be left out of a checkpoint. */
static void doubt_expired(struct model *m)
{
    for (unsigned i = 0; i < REQUEST_KEYS; i++)
        m->entries[i].doubtful = model_has_expired(m, &m->entries[i]);
}

void model_recover(struct model *m, uint64_t lsn, struct embedded *e)
{
    int64_t time = wal_time(embedded_wal(e)).ms, before = m->log_began;
    while (m->count > 0 && m->changes[m->count - 1].lsn > lsn) {
        struct model_change *undone = &m->changes[--m->count];
        free(m->entries[undone->key].data);
        m->entries[undone->key] = undone->old;
    }
    if (m->count > 0)
        before = m->changes[m->count - 1].time;
    trace_check(m->trace, time >= before && time >= m->wall,
                "the log's time was %" PRId64 ", and is %" PRId64, before, time);
    forget_changes(m);
    m->count_lsn = lsn < m->count_lsn ? lsn : m->count_lsn;
    m->lsn = m->told = wal_last_lsn(embedded_wal(e));
    m->log_began = m->log_time = time;
    m->saving = m->stop_granted = m->disk_full = m->disk_strikes = false;
    doubt_expired(m);
}

#include "history.h"

#include "support/faulty_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[HISTORY_KEYS] = {
    "a",      "b",       "c",       "d",       "e",        "f",        "g",        "h",
    "longer", "longer2", "longer3", "longer4", "system a", "system b", "system c", "a",
};

void history_fini(struct history *h)
{
    free(h->mutations);
    *h = (struct history){0};
}

struct history history_copy(const struct history *h)
{
    struct history copy = {0};
    for (size_t i = 0; i < h->count; i++)
        history_add(&copy, &h->mutations[i]);
    return copy;
}

void history_add(struct history *h, const struct history_mutation *m)
{
    if (h->count == h->capacity) {
        h->capacity = h->capacity ? 2 * h->capacity : 64;
        h->mutations = realloc(h->mutations, h->capacity * sizeof *h->mutations);
        if (!h->mutations)
            abort();
    }
    h->mutations[h->count++] = *m;
}

void history_cut(struct history *h, uint64_t lsn)
{
    while (h->count && h->mutations[h->count - 1].lsn > lsn)
        h->count--;
}

enum store_space history_space(size_t key)
{
    return key < HISTORY_USER_KEYS ? STORE_USER : STORE_SYSTEM;
}

struct bytes history_key(size_t key)
{
    return bytes_from_str(names[key]);
}

/* Mostly short; some longer than a sector, a few longer than a small segment. */
static size_t value_bytes(uint64_t version)
{
    uint64_t seed = version;
    uint64_t shape = faulty_random(&seed) % 64;
    if (shape == 0)
        return faulty_random(&seed) % HISTORY_VALUE_BYTES;
    if (shape < 8)
        return faulty_random(&seed) % 1200;
    return faulty_random(&seed) % 60;
}

struct bytes history_value(uint64_t version, uint8_t *room)
{
    size_t n = value_bytes(version);
    uint64_t seed = ~version;
    for (size_t i = 0; i < n; i += sizeof seed) {
        uint64_t word = faulty_random(&seed);
        memcpy(room + i, &word, n - i < sizeof word ? n - i : sizeof word);
    }
    return bytes_make(room, n);
}

struct sight {
    uint64_t version;
    bool matches;
};

static void look(void *ctx, const struct store_value *value)
{
    struct sight *sight = ctx;
    uint8_t room[HISTORY_VALUE_BYTES];
    sight->matches =
        sight->version != 0 && bytes_equal(value->bytes, history_value(sight->version, room));
}

static const char *compare_key(struct store *s, size_t key, uint64_t version)
{
    struct sight sight = {.version = version};
    uint64_t lsn;
    int r = store_get(s, history_space(key), history_key(key), (struct walltime){1}, look,
                      &sight, &lsn);
    if (r == STORE_MISSING)
        return version ? "a key is missing" : NULL;
    if (version == 0)
        return "a removed key is there";
    return sight.matches ? NULL : "a key has another value";
}

static void apply(const struct history_mutation *m, uint64_t versions[HISTORY_KEYS])
{
    for (size_t key = 0; key < HISTORY_KEYS && m->flushes; key++)
        if (history_space(key) == m->space)
            versions[key] = 0;
    for (size_t i = 0; i < m->count; i++)
        versions[m->ops[i].key] = m->ops[i].version;
}

const char *history_compare(const struct history *h, uint64_t lsn, struct store *s)
{
    uint64_t versions[HISTORY_KEYS] = {0};
    for (size_t i = 0; i < h->count && h->mutations[i].lsn <= lsn; i++)
        apply(&h->mutations[i], versions);
    size_t present[2] = {0};
    for (size_t key = 0; key < HISTORY_KEYS; key++) {
        const char *problem = compare_key(s, key, versions[key]);
        if (problem)
            return problem;
        present[history_space(key)] += versions[key] != 0;
    }
    uint64_t ignored;
    if (store_count(s, STORE_USER, &ignored) != present[STORE_USER] ||
        store_count(s, STORE_SYSTEM, &ignored) != present[STORE_SYSTEM])
        return "there are other keys";
    return NULL;
}

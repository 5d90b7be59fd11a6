#include "lib/crowd.h"

#include "base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY_MIN = 16 };

void crowd_fini(struct crowd *c)
{
    free(c->people);
    *c = (struct crowd){0};
}

/* Where he is, or else would be. */
static size_t place_of(const struct crowd *c, const char *key)
{
    size_t from = 0, to = c->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (strcmp(c->people[middle].key, key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct crowd_person *crowd_find(const struct crowd *c, struct bytes name)
{
    char key[ACCOUNT_NAME_BYTES + 1];
    account_name_fold(name, key);
    size_t at = place_of(c, key);
    bool is_there = at < c->count && strcmp(c->people[at].key, key) == 0;
    return is_there ? &c->people[at] : NULL;
}

static int grow(struct crowd *c)
{
    size_t capacity = c->capacity ? 2 * c->capacity : CAPACITY_MIN;
    struct crowd_person *people = realloc(c->people, capacity * sizeof *people);
    if (!people)
        return -ENOMEM;
    c->people = people;
    c->capacity = capacity;
    return 0;
}

int crowd_add(struct crowd *c, struct bytes name)
{
    struct crowd_person new = {.counted = true};
    if (c->count >= LIMIT_CROWD)
        return CROWD_FULL;
    if (c->count == c->capacity && grow(c) != 0)
        return -ENOMEM;
    account_name_fold(name, new.key);
    snprintf(new.name, sizeof new.name, "%.*s", (int)name.len, (const char *)name.data);
    size_t at = place_of(c, new.key);
    memmove(&c->people[at + 1], &c->people[at], (c->count - at) * sizeof new);
    c->people[at] = new;
    c->count++;
    return 0;
}

void crowd_remove(struct crowd *c, struct crowd_person *person)
{
    size_t at = (size_t)(person - c->people);
    c->count--;
    memmove(person, person + 1, (c->count - at) * sizeof *person);
}

void crowd_count_anew(struct crowd *c)
{
    for (size_t i = 0; i < c->count; i++)
        c->people[i].counted = false;
}

struct crowd_person *crowd_uncounted(const struct crowd *c)
{
    for (size_t i = c->count; i > 0; i--)
        if (!c->people[i - 1].counted)
            return &c->people[i - 1];
    return NULL;
}

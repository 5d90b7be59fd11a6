#include "lib/roll.h"

#include "people/account_name.h"

#include <errno.h>
#include <stdlib.h>

/* [name, since, devices], after its head. */
enum { NAME = 1, SINCE, DEVICES, FIELDS = 3 };

static bool is_person(const struct resp_value *p)
{
    return p->kind == RESP_ARRAY && p->number == FIELDS && p[NAME].kind == RESP_BULK &&
           account_name_is_valid(p[NAME].text) && p[SINCE].kind == RESP_INTEGER &&
           p[DEVICES].kind == RESP_INTEGER;
}

static bool is_roll(const struct resp_value *values, size_t count)
{
    size_t n = (count - 1) / (FIELDS + 1);
    if (values->kind != RESP_ARRAY || values->number != (int64_t)n ||
        count != 1 + n * (FIELDS + 1))
        return false;
    for (size_t i = 1; i < count; i += FIELDS + 1)
        if (!is_person(values + i))
            return false;
    return true;
}

int roll_read(struct roll *r, const struct resp_value *values, size_t count)
{
    if (!is_roll(values, count))
        return ROLL_STRANGE;
    size_t n = (size_t)values->number;
    struct kith_person *people = malloc(n * (sizeof *people + ACCOUNT_NAME_BYTES + 1) + 1);
    if (!people)
        return -ENOMEM;
    char *name = (char *)(people + n);
    for (size_t i = 0; i < n; i++) {
        const struct resp_value *p = values + 1 + i * (FIELDS + 1);
        memcpy(name, p[NAME].text.data, p[NAME].text.len);
        name[p[NAME].text.len] = '\0';
        people[i] = (struct kith_person){.name = name, .since = (time_t)p[SINCE].number};
        name += p[NAME].text.len + 1;
    }
    roll_fini(r);
    *r = (struct roll){.people = people, .count = n};
    return 0;
}

void roll_fini(struct roll *r)
{
    free(r->people);
    *r = (struct roll){0};
}

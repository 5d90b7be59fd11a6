#include "lib/comings.h"

#include "lib/roll.h"

#include <stdio.h>

void comings_init(struct comings *c, struct presence *presence, struct messages *messages)
{
    *c = (struct comings){.presence = presence, .messages = messages};
}

void comings_fini(struct comings *c)
{
    crowd_fini(&c->crowd);
}

void comings_count(struct comings *c)
{
    struct bytes who = bytes_from_str("WHO");
    if (c->counting == 0)
        c->counting = presence_ask(c->presence, &who, 1);
}

/* ---- telling ---- */

static bool tell(struct comings *c, enum kith_message_kind kind, const char *name)
{
    struct message m = {.kind = kind};
    snprintf(m.from, sizeof m.from, "%s", name);
    bool told = messages_add(c->messages, &m) == 0;
    c->missed |= !told;
    return told;
}

static void came(struct comings *c, struct bytes name)
{
    struct crowd_person *known = crowd_find(&c->crowd, name);
    if (known)
        known->counted = true;
    if (known || account_name_equal(name, bytes_from_str(c->presence->name)))
        return;
    int r = crowd_add(&c->crowd, name);
    c->missed |= r < 0;
    if (r != 0)
        return;
    struct crowd_person *new = crowd_find(&c->crowd, name);
    if (!tell(c, KITH_CAME, new->name))
        crowd_remove(&c->crowd, new);
}

static bool went(struct comings *c, struct crowd_person *person)
{
    bool told = tell(c, KITH_WENT, person->name);
    if (told)
        crowd_remove(&c->crowd, person);
    return told;
}

/* ---- what the hub says ---- */

void comings_notice(struct comings *c, const struct notice *n)
{
    struct crowd_person *known = crowd_find(&c->crowd, n->name);
    if (n->kind == NOTICE_ONLINE)
        came(c, n->name);
    else if (known)
        went(c, known);
}

void comings_lost(struct comings *c)
{
    c->counting = 0;
}

static void compare(struct comings *c, const struct roll *roll)
{
    struct crowd_person *gone;
    crowd_count_anew(&c->crowd);
    for (size_t i = 0; i < roll->count; i++)
        came(c, bytes_from_str(roll->people[i].name));
    while ((gone = crowd_uncounted(&c->crowd)))
        if (!went(c, gone))
            return;
}

bool comings_answered(struct comings *c, uint64_t number, const struct resp_value *values,
                      size_t count)
{
    struct roll roll = {.people = NULL};
    if (number != c->counting)
        return false;
    c->counting = 0;
    int r = roll_read(&roll, values, count);
    c->missed |= r < 0;
    if (r == 0)
        compare(c, &roll);
    roll_fini(&roll);
    return true;
}

void comings_catch_up(struct comings *c)
{
    if (!c->missed)
        return;
    c->missed = false;
    comings_count(c);
}

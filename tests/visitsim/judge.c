#include "world.h"

struct meeting *judge_find(struct world *w, struct bytes id)
{
    CHECK(w, id.len == RANDOM_ID_TEXT_LEN, "an id that is none");
    for (size_t i = w->meeting_count; i-- > 0;)
        if (bytes_equal_str(id, w->meetings[i].id))
            return &w->meetings[i];
    CHECK(w, w->meeting_count < WORLD_MEETINGS, "more meetings than there is room for");
    struct meeting *m = &w->meetings[w->meeting_count++];
    *m = (struct meeting){.is_asked = false};
    memcpy(m->id, id.data, RANDOM_ID_TEXT_LEN);
    return m;
}

size_t judge_device(struct world *w, const struct public_key *key, struct bytes name)
{
    size_t i = world_key(w, key);
    CHECK(w, i < WORLD_DEVICES, "a key that is nobody's");
    CHECK(w, bytes_equal_str(name, world_name(account_of(i))), "a key under another's name");
    return i;
}

void judge_asked(struct world *w, size_t device, size_t account, struct bytes id)
{
    struct meeting *m = judge_find(w, id);
    CHECK(w, !m->is_asked || (m->from == device && m->to == account),
          "another was invited, or by another");
    m->is_asked = true;
    m->from = device;
    m->to = account;
}

void judge_accepts(struct world *w, size_t device, struct bytes id)
{
    judge_find(w, id)->accepted |= 1u << device;
}

void judge_words(struct world *w, struct meeting *m, unsigned side, const char *const words[])
{
    memcpy(m->words[side], words, sizeof m->words[side]);
    m->rounds[side]++;
    CHECK(w, m->rounds[side] <= m->rounds[1 - side] + 1, "words that only one side sees");
    for (size_t i = 0; m->rounds[0] == m->rounds[1] && i < WORDS_COUNT; i++)
        CHECK(w, strcmp(m->words[0][i], m->words[1][i]) == 0, "both see other words");
    w->compared += m->rounds[0] == m->rounds[1];
}

struct meeting *judge_introduced(struct world *w, size_t device, const struct notice *n,
                                 size_t other)
{
    struct meeting *m = judge_find(w, n->id);
    bool asked = m->from == device;
    size_t taker = asked ? other : device;
    CHECK(w, asked || m->accepted & 1u << device, "introduced, and has not accepted");
    CHECK(w, !asked || !m->is_asked || bytes_equal_str(n->name, world_name(m->to)),
          "introduced to another than he asked for");
    CHECK(w, !(m->introduced & 1u << device), "introduced twice");
    m->introduced |= 1u << device;
    if (w->lies)
        return m;
    CHECK(w, m->is_asked, "introduced, and nobody has asked");
    CHECK(w, asked || other == m->from, "introduced to somebody who has not asked");
    CHECK(w, account_of(taker) == m->to, "introduced to somebody who was not asked");
    CHECK(w, m->accepted & 1u << taker, "introduced, and nobody has accepted");
    return m;
}

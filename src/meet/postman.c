#include "meet/postman.h"

#include "base/limits.h"
#include "io/clock.h"

#include <errno.h>
#include <sodium.h>

enum trouble_kind postman_open(struct postman *m, struct post *post,
                               const struct post_handler *handler, struct presence *presence,
                               const struct self *self, struct chronicle *chronicle,
                               struct trouble *ret)
{
    uint8_t seed[PEER_LETTER_SEED_BYTES] = {0}, entropy[CHANCE_SEED_BYTES] = {0};
    *m = (struct postman){.presence = presence, .post = post, .bag.chronicle = chronicle};
    buffer_init(&m->asked, LIMIT_MIB);
    enum trouble_kind kind = postbag_open(&m->bag, self, seed, entropy, ret);
    if (kind == TROUBLE_NONE)
        post_init(post, handler, &postbag_keep, &m->bag, seed, entropy);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(entropy, sizeof entropy);
    return kind;
}

void postman_close(struct postman *m)
{
    if (!m->post)
        return;
    post_fini(m->post);
    postbag_close(&m->bag);
    buffer_fini(&m->asked);
}

int postman_ask(struct postman *m, const struct bytes *argv, size_t argc)
{
    uint64_t number = presence_ask(m->presence, argv, argc);
    return number != 0 ? buffer_append(&m->asked, &number, sizeof number) : -ENOMEM;
}

void postman_ready(struct postman *m)
{
    post_here(m->post, bytes_from_str(m->presence->name));
}

void postman_lost(struct postman *m)
{
    post_lost(m->post);
    buffer_truncate(&m->asked, 0);
}

static bool take_is_ours(struct postman *m, uint64_t number)
{
    uint64_t next = 0;
    struct bytes asked = buffer_view(&m->asked);
    if (asked.len > 0)
        memcpy(&next, asked.data, sizeof next);
    if (asked.len == 0 || next != number)
        return false;
    buffer_consume(&m->asked, sizeof next);
    return true;
}

bool postman_answered(struct postman *m, uint64_t number, const struct resp_value *values,
                      size_t count)
{
    if (!take_is_ours(m, number))
        return false;
    post_reply(m->post, values, count, clock_walltime());
    return true;
}

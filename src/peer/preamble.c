#include "peer/preamble.h"

#include <sodium.h>

static const uint8_t magic[8] = {'K', 'I', 'T', 'H', 'D', 'A', 'T', 'A'};

void preamble_write(uint8_t out[PREAMBLE_BYTES], const struct preamble *p)
{
    memcpy(out, magic, sizeof magic);
    memcpy(out + sizeof magic, p->id.bytes, sizeof p->id.bytes);
    memcpy(out + sizeof magic + sizeof p->id.bytes, p->token, sizeof p->token);
}

bool preamble_may_begin(struct bytes in)
{
    size_t n = in.len < sizeof magic ? in.len : sizeof magic;
    return memcmp(in.data, magic, n) == 0;
}

struct preamble preamble_read(struct bytes in)
{
    struct preamble p;
    assert(in.len == PREAMBLE_BYTES && preamble_may_begin(in));
    memcpy(p.id.bytes, in.data + sizeof magic, sizeof p.id.bytes);
    memcpy(p.token, in.data + sizeof magic + sizeof p.id.bytes, sizeof p.token);
    return p;
}

bool preamble_equal(const struct preamble *a, const struct preamble *b)
{
    int id = sodium_memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
    int token = sodium_memcmp(a->token, b->token, sizeof a->token);
    return (id | token) == 0;
}

#include "store/lookahead.h"

void lookahead_begin(struct lookahead *l, struct bytes payload, lookahead_fn expect, void *ctx)
{
    l->rest = payload;
    l->expect = expect;
    l->ctx = ctx;
    l->count = l->next = 0;
    l->end = 0;
}

static void read_ahead(struct lookahead *l)
{
    l->count = l->next = 0;
    while (l->count < LOOKAHEAD_OPS && l->end == 0) {
        l->end = record_op_read(&l->rest, &l->ops[l->count]);
        l->count += l->end == 0;
    }
    if (l->expect && l->count > 1)
        l->expect(l->ctx, l->ops, l->count);
}

int lookahead_next(struct lookahead *l, const struct record_op **ret)
{
    if (l->next == l->count && l->end == 0)
        read_ahead(l);
    if (l->next == l->count)
        return l->end;
    *ret = &l->ops[l->next++];
    return 0;
}

bool lookahead_is_at_end(const struct lookahead *l)
{
    return l->next == l->count && l->rest.len == 0;
}

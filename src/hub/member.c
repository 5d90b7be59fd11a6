#include "hub/member.h"

#include "hub/attendant.h"

#include <errno.h>
#include <stdlib.h>

int member_set(struct connection *c, const struct member *m)
{
    struct connection_extra *extra = connection_extra(c);
    struct member *own = extra ? malloc(sizeof *own) : NULL;
    if (!own)
        return -ENOMEM;
    *own = *m;
    attendant_end(extra->attendant);
    member_free(extra->member);
    extra->member = own;
    return 0;
}

void member_appear(struct connection *c)
{
    if (!c->extra->attendant && attendant_begin(c) != 0)
        connection_abort(c);
    else
        c->extra->member->present = true;
}

void member_free(struct member *m)
{
    free(m);
}

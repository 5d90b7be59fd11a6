#include "hub/member.h"

#include "hub/secure.h"

#include <errno.h>
#include <stdlib.h>

int member_set(struct connection *c, const struct member *m)
{
    struct connection_extra *extra = connection_extra(c);
    struct member *own = extra ? malloc(sizeof *own) : NULL;
    if (!own)
        return -ENOMEM;
    *own = *m;
    member_free(extra->member);
    extra->member = own;
    c->peer.rank = m->admin ? ACCESS_ADMIN_MEMBER : ACCESS_MEMBER;
    connection_count_guest(c);
    if (extra->secure)
        secure_logged_in(extra->secure);
    connection_set_timer(c);
    return 0;
}

void member_appear(struct connection *c)
{
    c->extra->member->present = true;
}

void member_free(struct member *m)
{
    free(m);
}

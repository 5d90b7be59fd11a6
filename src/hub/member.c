#include "hub/member.h"

#include "hub/attendant.h"
#include "hub/secure.h"

#include <errno.h>
#include <stdlib.h>

/* Is it the same one, who stays where he is? */
static bool stays(const struct connection_extra *extra, const struct member *m)
{
    return extra->attendant && m->present && strcmp(extra->member->key, m->key) == 0;
}

int member_set(struct connection *c, const struct member *m)
{
    struct connection_extra *extra = connection_extra(c);
    struct member *own = extra ? malloc(sizeof *own) : NULL;
    if (!own)
        return -ENOMEM;
    *own = *m;
    if (!stays(extra, m))
        attendant_end(extra->attendant);
    member_free(extra->member);
    extra->member = own;
    if (extra->attendant)
        attendant_take_device(extra->attendant);
    c->peer.rank = m->admin ? ACCESS_ADMIN_MEMBER : ACCESS_MEMBER;
    connection_leave_guests(c);
    if (extra->secure)
        secure_logged_in(extra->secure);
    connection_set_timer(c);
    return 0;
}

void member_set_password(struct connection *c, const struct password *p)
{
    struct member *m = c->extra->member;
    memcpy(m->password_salt, p->salt, sizeof m->password_salt);
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

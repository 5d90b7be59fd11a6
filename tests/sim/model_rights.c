#include "model_run.h"

/* Who may do what. */

static const char *refusal(const struct model *m, const struct model_session *s, bool admin)
{
    bool remote = s->peer.origin == ACCESS_REMOTE;
    bool open = admin ? m->config->open_admin : m->config->open || m->config->open_admin;
    if (remote && !open)
        return admin
                   ? "from another machine this needs an admin's account, or a hub started "
                     "with "
                     "--open-admin"
                   : "from another machine the table needs a login over TLS, or a hub started "
                     "with --open";
    if (remote || !admin || open)
        return NULL;
    if (s->peer.user != ACCESS_USER_KNOWN)
        return "this is for the hub's own user or root, and who you are cannot be known";
    bool may = s->peer.uid == m->config->uid || s->peer.uid == 0;
    return may ? NULL : "only the hub's own user or root may do this";
}

const char *model_refusal(const struct model *m, const struct model_session *s,
                          const struct request *r)
{
    switch (r->verb) {
    case VERB_NAME:
    case VERB_STOP:
    case VERB_SAVE:
    case VERB_FLUSH:
        return refusal(m, s, true);
    case VERB_MULTI:
    case VERB_EXEC:
    case VERB_DISCARD:
    case VERB_WATCH:
    case VERB_UNWATCH:
    case VERB_FOLLOW:
    case VERB_UNFOLLOW:
    case VERB_SUBSCRIBE:
    case VERB_PUBLISH:
        return refusal(m, s, false);
    default:
        return request_is_about_table(r) ? refusal(m, s, false) : NULL;
    }
}

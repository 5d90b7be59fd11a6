#include "hub/access.h"

static int deny(const char *reason, const char **ret_reason)
{
    *ret_reason = reason;
    return ACCESS_DENIED;
}

static int check_local_admin(const struct hub_config *config, const struct access_peer *peer,
                             const char **ret_reason)
{
    if (peer->user == ACCESS_USER_UNASKED)
        return ACCESS_ASK_USER;
    if (peer->user == ACCESS_USER_KNOWN && (peer->uid == config->uid || peer->uid == 0))
        return ACCESS_GRANTED;
    return deny(peer->user == ACCESS_USER_KNOWN
                    ? "only the hub's own user or root may do this"
                    : "this is for the hub's own user or root, and who you are cannot be known",
                ret_reason);
}

int access_check(const struct hub_config *config, const struct access_peer *peer,
                 enum access_need need, const char **ret_reason)
{
    if (need == ACCESS_ANYONE || peer->rank == ACCESS_ADMIN_MEMBER ||
        (peer->rank == ACCESS_MEMBER && need == ACCESS_TABLE))
        return ACCESS_GRANTED;
    if (peer->origin == ACCESS_REMOTE) {
        if (config->open_admin || (config->open && need == ACCESS_TABLE))
            return ACCESS_GRANTED;
        return deny(need == ACCESS_TABLE
                        ? "from another machine the table needs a login over TLS, or a hub "
                          "started with --open"
                        : "from another machine this needs an admin's account, or a hub "
                          "started with --open-admin",
                    ret_reason);
    }
    if (need == ACCESS_TABLE || config->open_admin)
        return ACCESS_GRANTED;
    return check_local_admin(config, peer, ret_reason);
}

bool access_is_guest(const struct hub_config *config, const struct access_peer *peer)
{
    return peer->origin == ACCESS_REMOTE && peer->rank == ACCESS_NOBODY && !config->open &&
           !config->open_admin;
}

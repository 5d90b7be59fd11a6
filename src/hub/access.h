#ifndef KITH_HUB_ACCESS_H
#define KITH_HUB_ACCESS_H

/* Who may do what. A connection is judged by whose it is and where it comes from and, for admin
 * commands, by the user at its other end. */

#include "hub/config.h"
#include "wire/net_address.h"

enum access_origin {
    ACCESS_UNIX,     /* a Unix socket */
    ACCESS_LOOPBACK, /* TCP from this machine's loopback */
    ACCESS_REMOTE,   /* any other */
};

/* Whose it is. */
enum access_rank { ACCESS_NOBODY, ACCESS_MEMBER, ACCESS_ADMIN_MEMBER };

/* What is known of the other end's user. */
enum access_user { ACCESS_USER_UNASKED, ACCESS_USER_KNOWN, ACCESS_USER_UNKNOWN };

struct access_peer {
    uint8_t origin;              /* enum access_origin */
    uint8_t user;                /* enum access_user */
    uint8_t rank;                /* enum access_rank */
    uint32_t uid;                /* where user is ACCESS_USER_KNOWN */
    struct net_address *address; /* where TCP comes from; NULL: 127.0.0.1, ::1, a Unix socket */
};

/* What a command needs. Echo, and talk about the connection itself, need ACCESS_ANYONE. */
enum access_need { ACCESS_ANYONE, ACCESS_TABLE, ACCESS_ADMIN };

enum {
    ACCESS_GRANTED = 0,
    ACCESS_DENIED = 1,
    ACCESS_ASK_USER = 2, /* it depends on the other end's user, who is not known yet */
};

/* On ACCESS_DENIED *ret_reason is a static sentence. */
int access_check(const struct hub_config *config, const struct access_peer *peer,
                 enum access_need need, const char **ret_reason);

/* A guest may only echo and log in, with small messages. */
bool access_is_guest(const struct hub_config *config, const struct access_peer *peer);

#endif

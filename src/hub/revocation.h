#ifndef KITH_HUB_REVOCATION_H
#define KITH_HUB_REVOCATION_H

/* Devices that are their account's no more, because it has revoked them, or was reset or
 * removed, and who is told of them (hub/notice.h):
 *
 *     revoked NAME FINGERPRINT KEY
 *
 * Everybody present: a talk goes past the hub, so it is not known who talks with them at this
 * moment, and which devices somebody has is no secret among members. And each of their own
 * connections that is present, as the last thing it hears. Nobody is told before it is durable.
 */

#include "hub/connection.h"
#include "people/account.h"

struct revocation {
    char name[ACCOUNT_NAME_BYTES + 1]; /* as its owner wrote it */
    struct public_key devices[LIMIT_ACCOUNT_DEVICES];
    size_t count;
};

/* A device of the account, which is to be taken from it; or all of them, and no other. */
void revocation_note(struct revocation *r, const struct account *a, const struct device *d);
void revocation_note_all(struct revocation *r, const struct account *a);

/* by: the connection that has revoked them, which knows. */
void revocation_tell(const struct revocation *r, const struct connection *by, uint64_t lsn);

/* Its login was taken back. */
void revocation_tell_own(struct connection *c, uint64_t lsn);

#endif

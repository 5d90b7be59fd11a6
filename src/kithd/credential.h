#ifndef KITH_KITHD_CREDENTIAL_H
#define KITH_KITHD_CREDENTIAL_H

/* Who the hub is, at its start: its key out of the store, made there on the first start, and
 * what TLS needs of it. While there is no admin, each start also makes a token for who is to be
 * the first. The certificate is also put into the data folder, as CREDENTIAL_FILE,
 * for clients that want a file to trust. */

#include "io/folder.h"
#include "io/listener.h"
#include "people/ticket.h"
#include "store/embedded.h"
#include "tls/tls.h"

#define CREDENTIAL_FILE "hub.crt"

struct credential {
    struct identity *identity;
    struct tls_config *tls;
    char fingerprint[FINGERPRINT_TEXT_LEN + 1];
    char setup[TICKET_TEXT_LEN + 1]; /* a secret; empty: there is an admin */
};

/* Makes a zeroed credential. The store's log is worked on until the key is durable, so no
 * thread may do that yet. The listeners' addresses, and the machine's name, stand in the
 * certificate. -errno: the credential holds nothing. */
int credential_open(struct credential *c, struct embedded *store,
                    const struct listener *listeners, size_t listener_count);

/* Puts the certificate into CREDENTIAL_FILE. -errno: what was there before stays. */
int credential_publish(const struct credential *c, struct folder *folder);

/* Makes c->setup where there is no admin; the log is worked on, likewise. -errno: it is empty.
 */
int credential_offer_setup(struct credential *c, struct embedded *store);

void credential_close(struct credential *c);

#endif

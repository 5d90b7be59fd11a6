#ifndef KITH_HUB_SECURE_H
#define KITH_HUB_SECURE_H

/* The TLS filter of a connection, between the socket and everything else. It is put in where a
 * connection opens with a handshake, and is all there is of TLS in the hub: behind it, a
 * connection is one like any other.
 *
 * What leaves is encrypted a record at a time, when the socket takes it: replies wait as plain
 * bytes in their queue, by reference where they are large. */

#include "hub/connection.h"
#include "hub/handshakes.h"
#include "tls/tls.h"

struct secure {
    struct tls *tls;
    struct handshake handshake;
    struct buffer out;            /* encrypted, not left */
    struct instant must_open;     /* the end of the handshake's time; INSTANT_NEVER once open */
    struct instant must_log_in;   /* the end of a guest's time; INSTANT_NEVER: it is none */
    struct instant stalled_since; /* as in a reply queue, for out alone */
    bool closed;                  /* the other end has been told that nothing follows */
    bool is_unsettled;            /* it showed a device whose account was not durable yet */
};

/* Does a connection open with a handshake, and is there TLS here? */
bool secure_is_wanted(const struct connection *c, struct bytes in);

/* Puts the filter in. -ENOMEM. */
int secure_begin(struct connection *c);

/* Closes those of a worker whose handshakes had to make room for others (hub/handshakes.h). */
void secure_oust(struct hub *hub);
void secure_free(struct hub *hub, struct secure *s); /* takes NULL */

/* As connection_feed, connection_output and connection_sent. */
void secure_feed(struct connection *c, struct bytes in);
struct bytes secure_output(struct connection *c);
void secure_sent(struct connection *c, size_t n);

/* Has all left that is to leave before the socket may be closed? Says to the other end that
 * nothing follows, once nothing does. */
bool secure_is_drained(struct connection *c);

/* Who showed a device is known to be its account's as soon as that is durable: false, while it
 * is not. Takes a connection without the filter, too. */
bool secure_settle(struct connection *c);

/* It is a member's from now on. */
void secure_logged_in(struct secure *s);

/* The key that the other end showed; NULL: none, or not yet. */
const struct public_key *secure_device(const struct secure *s);

/* When it has to be closed: the handshake takes too long, or the login, or what is encrypted
 * does not leave. */
struct instant secure_deadline(const struct secure *s);

#endif

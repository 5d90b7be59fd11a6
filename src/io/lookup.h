#ifndef KITH_IO_LOOKUP_H
#define KITH_IO_LOOKUP_H

/* The addresses of a host, found within a time.
 *
 * A name is looked up on a thread of its own, which takes no signals, since the system's
 * resolver can be neither interrupted nor told how long it may take. One that is not done in
 * time is left behind, ends by itself and frees what it has; the end of the process does not
 * wait for it. */

#include "base/time.h"

#include <netdb.h>

/* host is a name, or an IPv4 or IPv6 address; *ret is for freeaddrinfo. -errno, -ETIMEDOUT, or
 * one of these. */
enum {
    LOOKUP_NO_HOST = -10001, /* there is none of that name */
    LOOKUP_FAILED = -10002,  /* it could not be found out */
};

int lookup_host(const char *host, uint16_t port, struct instant deadline,
                struct addrinfo **ret);

#endif

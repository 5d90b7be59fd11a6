#ifndef KITH_CLIENT_WHERE_H
#define KITH_CLIENT_WHERE_H

/* Where a hub is, as people write it:
 *
 *     HOST   HOST:PORT   :PORT   V6   [V6]   [V6]:PORT   a path with '/' in it   unix:PATH
 *     kith://ADDRESS   kith://ADDRESS#FINGERPRINT
 *
 * HOST is a name or an IPv4 address. What is left out is 127.0.0.1 and 12345. ADDRESS is any of
 * those but a path; with "kith://" before it, it is spoken to over TLS, and with a fingerprint
 * it has to be the hub whose that is: kithd tells it so at its start. */

#include "base/bytes.h"
#include "base/fingerprint.h"

#define WHERE_DEFAULT_HOST "127.0.0.1"
enum { WHERE_DEFAULT_PORT = 12345 };

enum {
    WHERE_HOST_BYTES = 254, /* a name of the DNS, and a NUL */
    WHERE_PATH_BYTES = 108, /* a Unix socket's path, and a NUL: unix(7) */
    WHERE_TEXT_BYTES = WHERE_HOST_BYTES + 8,
};

struct where {
    char host[WHERE_HOST_BYTES]; /* empty where path is not */
    uint16_t port;
    char path[WHERE_PATH_BYTES];
    bool secure;                                /* over TLS */
    char fingerprint[FINGERPRINT_TEXT_LEN + 1]; /* empty: any */
};

/* NULL, or what is wrong with text, static, to be read after "WHERE: ". */
const char *where_parse(struct bytes text, struct where *ret);

/* The same for what was given, else what the environment says unless that is empty, else
 * 127.0.0.1 and 12345. Both may be NULL. */
const char *where_choose(const char *given, const char *environment, struct where *ret);

/* HOST:PORT, [V6]:PORT or the path; no more, so that it is the same for all who mean it. */
void where_format(const struct where *w, char out[WHERE_TEXT_BYTES]);

#endif

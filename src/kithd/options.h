#ifndef KITH_KITHD_OPTIONS_H
#define KITH_KITHD_OPTIONS_H

/* kithd's command line:
 *
 *     kithd [NAME [ADDR [PORT]]] [--listen ADDR[:PORT][,replies=terse|full]]... [--data DIR]
 *           [--durability commit|second] [--replies terse|full] [--workers N] [--backlog N]
 *           [--maxmemory BYTES] [--one-at-a-time] [--delay MS] [--unframed-ms MS] [--open]
 * [--open-admin]
 *           [--registration open|invite|closed] [--relay off|chat|all]
 *           [--log FILE] [--log-requests]
 *     kithd --check DIR
 *
 * ADDR is an IPv4 or IPv6 address (in brackets before a port), a name, or the path of a Unix
 * socket (with a '/' in it, or as unix:PATH). All strings point into argv. */

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_ADDRESS_DEFAULT "127.0.0.1"
enum { OPTIONS_PORT_DEFAULT = 12345, OPTIONS_HOST_BYTES = 256 };

/* Clients that may wait to be let in. A hub that serves one at a time has a queue worth its
 * name, and keeps it at five; one that serves all at once needs room for bursts. */
enum { OPTIONS_BACKLOG_ONE = 5, OPTIONS_BACKLOG_MANY = 1024 };

struct options_listener {
    char host[OPTIONS_HOST_BYTES]; /* an address, a name, or a path */
    uint16_t port;
    bool is_unix;
    bool replies_full;
    bool replies_given; /* for this listener itself */
};

enum options_registration {
    OPTIONS_REGISTRATION_OPEN,
    OPTIONS_REGISTRATION_INVITE,
    OPTIONS_REGISTRATION_CLOSED,
};

/* What may go through the relay. */
enum options_relay { OPTIONS_RELAY_CHAT, OPTIONS_RELAY_OFF, OPTIONS_RELAY_ALL };

struct options {
    const char *name; /* NULL: the stored one */
    struct options_listener listeners[LIMIT_LISTENERS];
    size_t listener_count;
    const char *data;  /* NULL: a folder of the user's own, by port */
    const char *log;   /* NULL: standard error */
    const char *check; /* a folder to check, and no hub to run; else NULL */
    bool second;       /* --durability second */
    enum options_registration registration;
    enum options_relay relay;
    bool one_at_a_time, open, open_admin, log_requests;
    unsigned workers; /* at least 1 */
    int backlog;
    uint64_t delay_ms, unframed_ms;
    size_t memory_max; /* 0: none */
};

enum {
    OPTIONS_HELP = 1,    /* --help or --version: answered on standard output */
    OPTIONS_INVALID = 2, /* one clear line was written to standard error */
};

int options_parse(struct options *o, int argc, char **argv, FILE *out, FILE *err);

#endif

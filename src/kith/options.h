#ifndef KITH_KITH_OPTIONS_H
#define KITH_KITH_OPTIONS_H

/* The command line. Options begin with two dashes and may stand anywhere; NAME=VALUE and
 * NAME VALUE are the same. After `--` everything is a word, whatever it looks like. Words of
 * one dash, as "-" and "-5", are never options. */

#include "base/buffer.h"

struct options {
    const char *hub;                         /* --hub; NULL: KITH_HUB, or the default */
    const char *as;                          /* --as; NULL: the default profile */
    const char *log;                         /* --log */
    const char *key;                         /* --key */
    const char *value;                       /* --value */
    const char *expire;                      /* --expire, store's */
    const char *if_equal;                    /* --if-equal, store's */
    bool if_absent;                          /* --if-absent, store's */
    const char *match;                       /* --match, ls's */
    const char *logs;                        /* --logs, demo's */
    const char *story;                       /* --story, demo's */
    bool print_story;                        /* --print-story, demo's */
    const char *password_file, *password_fd; /* where a password is read, once */
    const char *token_file;                  /* register's */
    bool invited, setup;                     /* --invite and --setup, register's */
    bool create;                             /* --new, invite's and token's */
    const char *revoke;                      /* --revoke, devices' and token's */
    const char *sign;                        /* --sign, devices' */
    const char *reset, *remove, *admin;      /* account's */
    const char *peer_port;                   /* --peer-port */
    const char *accept;                      /* --accept, listen's, receive's and a visit's */
    const char *from, *into;                 /* receive's */
    bool rename, replace;                    /* likewise */
    bool sha256;                             /* --sha256, send's and receive's */
    const char *title;                       /* send's --as, behind - */
    bool history;                            /* --history, theirs, say's and letters' */
    bool now;                                /* --now, say's */
    const char *discard;                     /* --discard, letters' */
    bool json, quiet, raw;
    bool help, version;

    char **words; /* what is not an option, in order; argv itself, rearranged */
    size_t word_count;
    size_t
        literal_from; /* index of the first word after `--`; word_count where there is none */
};

enum { OPTIONS_PROBLEM_BYTES = 160 };

/* Reads argv[1] on. 0, or -EINVAL with what is wrong in problem. */
int options_parse(struct options *o, int argc, char **argv,
                  char problem[OPTIONS_PROBLEM_BYTES]);

/* What to write instead of an option that there is not, where it is one of other programs';
 * else NULL. */
const char *options_better(const char *name, size_t len);

/* Appends the words from index from on, with a blank between. What buffer_append returns. */
int options_join(const struct options *o, size_t from, struct buffer *out);

#endif

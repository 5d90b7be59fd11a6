#ifndef KITH_KITH_OUTPUT_H
#define KITH_KITH_OUTPUT_H

/* What kith prints. Bytes go to standard output at once, unbuffered by us, so that a
 * transcript appears as it happens. Lines are cleaned, wherever they go: what is in a key must
 * not pass for a line of its own. A value by itself is cleaned for a terminal alone. When
 * whoever reads our output has gone, kith cleans up and then ends by SIGPIPE, silently, as
 * programs do. */

#include "client/json.h"

struct output {
    bool json;     /* --json */
    bool quiet;    /* --quiet */
    bool terminal; /* standard output is one */
    int stop_fd;   /* -1, or: once it is readable, waiting for room fails with -ECANCELED */
    int failed;    /* -errno of the first write that failed: nothing more is written */
};

void output_init(struct output *o, bool json, bool quiet);

/* Exactly these bytes, terminal or not: for what is clean already. */
void output_bytes(struct output *o, struct bytes data);

/* prefix, then text, cleaned, as one line with LF. */
void output_line(struct output *o, const char *prefix, struct bytes text);

/* Each line of text, as output_line does. */
void output_lines(struct output *o, const char *prefix, struct bytes text);

/* Text of any number of lines: exact, or for a terminal cleaned but for LF and tab, and ended
 * with LF. */
void output_text(struct output *o, struct bytes text);

/* Ends j, prints its line and frees its buffer. */
void output_json(struct output *o, struct json *j);

/* words, then text, cleaned and not endless, as one line on standard error. */
void output_error_line(const char *words, struct bytes text);

/* ... with words behind it. */
void output_error_about(const char *before, struct bytes about, const char *after);

#endif

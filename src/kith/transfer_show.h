#ifndef KITH_KITH_TRANSFER_SHOW_H
#define KITH_KITH_TRANSFER_SHOW_H

/* What a command says of transfers: what becomes of them on standard output, a line or a JSON
 * object each; how far they are on standard error, at a terminal as one line that changes, else
 * as a line now and then, with --json as an event on standard output. */

#include "kith/output.h"
#include "meet/transfers.h"

struct transfer_show;

struct transfer_show {
    struct output *output;
    /* Where a visit shows it, line by line, with no JSON and no line that changes; NULL: not
     * there. problem: of what has failed. */
    void (*say)(struct transfer_show *s, bool problem, struct bytes line);
    bool terminal;        /* standard error is one: the line is there */
    bool has_line;        /* something stands on it */
    struct instant shown; /* last */
    int dropped;          /* files that did not come, of all */
};

void transfer_show_init(struct transfer_show *s, struct output *output);

/* Takes the line away: something else is to be written. */
void transfer_show_clear(struct transfer_show *s);

/* "kith: " and text on standard error, unless it is to be quiet; or to `say`. */
void transfer_show_note(struct transfer_show *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a transfer holds, in words: "report.pdf, 3.4 MiB", "photos, 120 files and folders, 340
 * MiB". */
enum { TRANSFER_SHOW_BYTES = 512 };
void transfer_show_what(const struct transfer_record *r, char out[TRANSFER_SHOW_BYTES]);

/* For the handlers of transfers; the context of a transfer is its. */
void transfer_show_listed(struct transfer_show *s, struct transfer *t);
void transfer_show_again(struct transfer_show *s, struct transfer *t); /* it was begun before */
void transfer_show_news(struct transfer_show *s, struct transfer *t,
                        const struct transfer_news *news);
/* Nothing was begun, for that reason, which people are told elsewhere. */
void transfer_show_given_up(struct transfer_show *s, struct transfer *t, const char *why);
void transfer_show_over(struct transfer_show *s, struct transfer *t, const char *why);

#endif

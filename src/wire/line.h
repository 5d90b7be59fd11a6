#ifndef KITH_WIRE_LINE_H
#define KITH_WIRE_LINE_H

/* Text messages on a byte stream. A message ends at LF or CR LF; what is left at the end of
 * the input, or after a silence, is a bare message: the caller, who knows of ends and
 * silences, takes it with line_take_bare.
 *
 * Input is parsed in place: `in` always begins at the first byte not yet consumed and holds
 * everything that came since; a byte is searched only once. A struct line is 8 bytes and
 * owns nothing; zeroed, it is ready. */

#include "base/bytes.h"

enum line_ending { LINE_LF, LINE_CRLF, LINE_BARE };

enum {
    LINE_MORE = 1,     /* no whole message yet */
    LINE_TOO_LONG = 2, /* more than max bytes and no end in sight: the stream is lost */
};

struct line {
    size_t searched; /* bytes of `in` known to hold no LF */
};

/* One message, without its ending. Consumed counts the ending too. ret_text points into in.
 * max bounds the message without its ending. */
int line_parse(struct line *l, struct bytes in, size_t max, size_t *ret_consumed,
               struct bytes *ret_text, enum line_ending *ret_ending);

/* The rest of the input as one bare message; the next message starts afresh. */
void line_take_bare(struct line *l);

/* The bytes an answer ends with, so that it ends as the question did. */
struct bytes line_ending_bytes(enum line_ending ending);

#endif

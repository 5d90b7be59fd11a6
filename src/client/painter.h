#ifndef KITH_CLIENT_PAINTER_H
#define KITH_CLIENT_PAINTER_H

/* Shows the line somebody is typing at the bottom of what a terminal has shown so far, and
 * takes it away again, so that a line that comes in meanwhile stands above it, whole. Writes
 * nothing but ECMA-48's cursor movements and erasures; knows where the cursor is because
 * nobody else writes while a line is shown.
 *
 * A line that is wider than the terminal takes several rows, at most half of them; of a longer
 * one the part around the cursor is shown. Pasted line ends and tabs are shown as a sign, a
 * secret not at all. After a resize the terminal is believed to have wrapped the rows anew, as
 * those of today do. */

#include "base/buffer.h"

struct painter {
    size_t width, height; /* of the terminal */
    bool shown;
    size_t cursor_row;   /* of the cursor, from the line's first row on */
    size_t rows_columns; /* columns before the cursor, of all its rows together */
};

struct painter_line {
    struct bytes prompt; /* clean */
    struct bytes text;   /* as of client/editor.h */
    size_t cursor;       /* offset in text */
    bool secret;
    bool color; /* the prompt stands out */
};

void painter_init(struct painter *p, size_t width, size_t height);

/* The terminal is another size now. */
void painter_resize(struct painter *p, size_t width, size_t height);

/* Takes the line away, where one is shown; the cursor stands where it began. Both append to
 * out, and return what buffer_append returns. */
int painter_hide(struct painter *p, struct buffer *out);

/* Shows the line, in place of the one that is shown. */
int painter_show(struct painter *p, const struct painter_line *line, struct buffer *out);

/* Leaves the whole line behind, as part of what the terminal has shown. */
int painter_leave(struct painter *p, const struct painter_line *line, struct buffer *out);

#endif

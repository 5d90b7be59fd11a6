#include "client/painter.h"

#include "base/columns.h"
#include "base/utf8.h"

enum { PAINTER_WIDTH_MIN = 8, PAINTER_HEIGHT_MIN = 2 };

static void set_size(struct painter *p, size_t width, size_t height)
{
    p->width = width < PAINTER_WIDTH_MIN ? PAINTER_WIDTH_MIN : width;
    p->height = height < PAINTER_HEIGHT_MIN ? PAINTER_HEIGHT_MIN : height;
}

void painter_init(struct painter *p, size_t width, size_t height)
{
    *p = (struct painter){0};
    set_size(p, width, height);
}

void painter_resize(struct painter *p, size_t width, size_t height)
{
    set_size(p, width, height);
    p->cursor_row = p->rows_columns / p->width;
}

int painter_hide(struct painter *p, struct buffer *out)
{
    if (!p->shown)
        return 0;
    p->shown = false;
    int r = buffer_append_str(out, "\r");
    if (r == 0 && p->cursor_row > 0)
        r = buffer_printf(out, "\x1b[%zuA", p->cursor_row);
    return r == 0 ? buffer_append_str(out, "\x1b[J") : r;
}

/* ---- places on the screen ---- */

struct place {
    size_t row, column; /* column == width: the row is full, the next character wraps */
};

/* The character at the front of text: its length; columns, as it is shown. */
static size_t measure(struct bytes text, unsigned *ret_columns)
{
    uint32_t code = ' ';
    size_t n = utf8_decode(text, &code);
    *ret_columns = code < 0x20 ? 1 : columns_of(code);
    return n > 0 ? n : 1;
}

static void advance(const struct painter *p, struct place *at, unsigned columns)
{
    if (at->column + columns > p->width) {
        at->row++;
        at->column = 0;
    }
    at->column += columns;
}

static void advance_over(const struct painter *p, struct place *at, struct bytes text)
{
    while (text.len > 0) {
        unsigned columns;
        size_t n = measure(text, &columns);
        advance(p, at, columns);
        text = bytes_from(text, n);
    }
}

static size_t columns_in(struct bytes text)
{
    size_t sum = 0;
    while (text.len > 0) {
        unsigned columns;
        text = bytes_from(text, measure(text, &columns));
        sum += columns;
    }
    return sum;
}

/* ---- the part that is shown ---- */

/* Bytes at the front of text that take at most so many columns. */
static size_t fitting(struct bytes text, size_t columns_max)
{
    size_t at = 0, sum = 0;
    while (at < text.len) {
        unsigned columns;
        size_t n = measure(bytes_from(text, at), &columns);
        if (sum + columns > columns_max)
            break;
        sum += columns;
        at += n;
    }
    return at;
}

/* Narrows line to the part around the cursor, where all of it takes too many rows. */
static void narrow(const struct painter *p, struct painter_line *line)
{
    size_t rows = p->height / 2;
    size_t used = columns_in(line->prompt) + rows + 1; /* a wide character may leave one free */
    size_t room = rows * p->width;
    room = room > used + 8 ? room - used : 8;
    if (columns_in(line->text) <= room)
        return;
    size_t before = columns_in(bytes_first(line->text, line->cursor));
    size_t skipped = before > room / 2 ? before - room / 2 : 0;
    size_t from = fitting(line->text, skipped);
    line->text = bytes_from(line->text, from);
    line->cursor -= from;
    line->text = bytes_first(line->text, fitting(line->text, room));
    if (line->cursor > line->text.len)
        line->cursor = line->text.len;
}

/* ---- showing ---- */

/* A control character's sign of Unicode's block of them. */
static int append_sign(struct buffer *out, uint8_t c)
{
    const uint8_t sign[] = {0xe2, 0x90, (uint8_t)(0x80 + c)};
    return buffer_append(out, sign, sizeof sign);
}

static int append_text(struct buffer *out, struct bytes text)
{
    int r = 0;
    while (r == 0 && text.len > 0) {
        unsigned columns;
        size_t n = measure(text, &columns);
        r = text.data[0] < 0x20 ? append_sign(out, text.data[0])
                                : buffer_append(out, text.data, n);
        text = bytes_from(text, n);
    }
    return r;
}

static int append_prompt(struct buffer *out, const struct painter_line *line)
{
    int r = line->color ? buffer_append_str(out, "\x1b[1m") : 0;
    if (r == 0)
        r = buffer_append_bytes(out, line->prompt);
    return r == 0 && line->color ? buffer_append_str(out, "\x1b[0m") : r;
}

/* A full row leaves the cursor hanging behind its last column: it is sent on. */
static int settle(const struct painter *p, struct place *at, struct buffer *out)
{
    if (at->column < p->width)
        return 0;
    *at = (struct place){.row = at->row + 1};
    return out ? buffer_append_str(out, "\r\n") : 0;
}

static int move_cursor(struct buffer *out, struct place from, struct place to)
{
    int r = from.row > to.row ? buffer_printf(out, "\x1b[%zuA", from.row - to.row) : 0;
    if (r == 0)
        r = buffer_append_str(out, "\r");
    return r == 0 && to.column > 0 ? buffer_printf(out, "\x1b[%zuC", to.column) : r;
}

static int append_line(struct painter *p, const struct painter_line *line, struct buffer *out)
{
    struct place cursor = {0}, end;
    int r = append_prompt(out, line);
    if (r == 0)
        r = append_text(out, line->text);
    advance_over(p, &cursor, line->prompt);
    advance_over(p, &cursor, bytes_first(line->text, line->cursor));
    end = cursor;
    advance_over(p, &end, bytes_from(line->text, line->cursor));
    if (r == 0)
        r = settle(p, &end, out);
    settle(p, &cursor, NULL);
    if (r == 0 && (cursor.row != end.row || cursor.column != end.column))
        r = move_cursor(out, end, cursor);
    p->shown = true;
    p->cursor_row = cursor.row;
    p->rows_columns = cursor.row * p->width + cursor.column;
    return r;
}

int painter_show(struct painter *p, const struct painter_line *line, struct buffer *out)
{
    struct painter_line part = *line;
    if (part.secret) {
        part.text = bytes_make(NULL, 0);
        part.cursor = 0;
    }
    narrow(p, &part);
    int r = painter_hide(p, out);
    return r == 0 ? append_line(p, &part, out) : r;
}

int painter_leave(struct painter *p, const struct painter_line *line, struct buffer *out)
{
    int r = painter_hide(p, out);
    if (r == 0)
        r = append_prompt(out, line);
    if (r == 0 && !line->secret)
        r = append_text(out, line->text);
    return r == 0 ? buffer_append_str(out, "\r\n") : r;
}

/* Keys, the line they change, and what a terminal is made to show of it. The terminal here is a
 * small one of its own: it knows what painter.h says it writes, and nothing else. */

#include "client/editor.h"
#include "client/keys.h"
#include "client/painter.h"

#include "base/columns.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "unit.h"

#include <stdio.h>

/* ---- typing ---- */

static enum editor_result type(struct editor *e, struct keys *k, struct bytes in)
{
    struct key key;
    enum editor_result last = EDITOR_SAME;
    while (keys_next(k, &in, &key))
        last = editor_key(e, &key);
    return last;
}

static const struct {
    struct bytes typed, text;
    size_t cursor;
} lines[] = {
    {BYTES("hello"), BYTES("hello"), 5},
    {BYTES("helo\x1b[Dl"), BYTES("hello"), 4},
    {BYTES("ello\x01h"), BYTES("hello"), 1},
    {BYTES("ello\x1b[Hh\x1b[F!"), BYTES("hello!"), 6},
    {BYTES("ello\x1bOHh\x1bOF!"), BYTES("hello!"), 6},
    {BYTES("ello\x1b[1~h\x1b[4~!"), BYTES("hello!"), 6},
    {BYTES("abc\x7f\b"), BYTES("a"), 1},
    {BYTES("abc\x1b[D\x1b[D\x1b[3~"), BYTES("ac"), 1},
    {BYTES("abc\x02\x04"), BYTES("ab"), 2},
    {BYTES("one two three\x17"), BYTES("one two "), 8},
    {BYTES("one two three\x1b"
           "b\x1b[1;5D\x0b"),
     BYTES("one "), 4},
    {BYTES("one two\x1b\x7f\x19\x19"), BYTES("one twotwo"), 10},
    {BYTES("one two\x15\x19"), BYTES("one two"), 7},
    {BYTES("one two\x01\x1b[1;3C\x1b"
           "d"),
     BYTES("one"), 3},
    {BYTES("gr\xc3\xbc\xc3\x9f\x1b[D\x7f"), BYTES("gr\xc3\x9f"), 2},
    {BYTES("e\xcc\x81x\x1b[D\x1b[D"), BYTES("e\xcc\x81x"), 0}, /* an accent of its own */
    {BYTES("e\xcc\x81x\x1b[D\x7f"), BYTES("x"), 0},
    /* what is none is passed over */
    {BYTES("a\xff\xc3"
           "b\xc3"),
     BYTES("ab"), 2},
    {BYTES("a\xe2\x80\xae"
           "b"),
     BYTES("ab"), 2},
    {BYTES("a\x1b[99;1zb"), BYTES("ab"), 2},
    {BYTES("a\x1b[1111111111111111111111~b"), BYTES("ab"), 2},
    {BYTES("a\x1b\x1b[Db"), BYTES("ba"), 1},
    {BYTES("a\x1b[\rb"), BYTES("ab"), 2}, /* Enter is another test's */
    /* pasted: nothing in it is a key */
    {BYTES("\x1b[200~one\rtwo\x03\x1b[D\tx\x1b[201~!"), BYTES("one\ntwo\tx!"), 10},
    {BYTES("\x1b[200~a\r\nb\n\nc\x1b[201~"), BYTES("a\nb\n\nc"), 6},
    {BYTES("\x1b[200~a\x1b"
           "bc\x1b[200~d\x1b[201~\x7f"),
     BYTES("ac"), 2},
};

static void check_line(size_t i, bool byte_by_byte)
{
    struct editor e;
    struct keys k = {0};
    editor_init(&e);
    for (size_t at = 0; at < lines[i].typed.len;) {
        size_t n = byte_by_byte ? 1 : lines[i].typed.len;
        type(&e, &k, bytes_first(bytes_from(lines[i].typed, at), n));
        at += n;
    }
    assert_bytes(editor_text(&e), lines[i].text);
    if (e.cursor != lines[i].cursor)
        print_error("line %zu\n", i);
    assert_int_equal(e.cursor, lines[i].cursor);
    editor_fini(&e);
}

static void test_lines(void **state)
{
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        check_line(i, false);
        check_line(i, true);
    }
}

static void test_what_a_key_does(void **state)
{
    struct editor e;
    struct keys k = {0};
    editor_init(&e);
    assert_int_equal(type(&e, &k, BYTES("\x04")), EDITOR_CLOSED);
    assert_int_equal(type(&e, &k, BYTES("\x7f")), EDITOR_SAME);
    assert_int_equal(type(&e, &k, BYTES("a")), EDITOR_CHANGED);
    assert_int_equal(type(&e, &k, BYTES("\x04")), EDITOR_SAME);
    assert_int_equal(type(&e, &k, BYTES("\x03")), EDITOR_INTERRUPTED);
    assert_int_equal(type(&e, &k, BYTES("\x1a")), EDITOR_SUSPENDED);
    assert_int_equal(type(&e, &k, BYTES("\x0c")), EDITOR_CLEAR);
    assert_int_equal(type(&e, &k, BYTES("\t")), EDITOR_COMPLETE);
    assert_int_equal(type(&e, &k, BYTES("\r")), EDITOR_ENTERED);
    assert_int_equal(type(&e, &k, BYTES("\n")), EDITOR_ENTERED);
    editor_fini(&e);
}

static void enter(struct editor *e, struct keys *k, const char *line)
{
    type(e, k, bytes_from_str(line));
    editor_clear(e);
}

static void test_history(void **state)
{
    struct editor e;
    struct keys k = {0};
    editor_init(&e);
    enter(&e, &k, "first");
    enter(&e, &k, "second");
    enter(&e, &k, "second");
    enter(&e, &k, "");
    type(&e, &k, BYTES("draft\x1b[A"));
    assert_bytes(editor_text(&e), BYTES("second"));
    type(&e, &k, BYTES("\x1b[A\x1b[A\x1b[A"));
    assert_bytes(editor_text(&e), BYTES("first"));
    type(&e, &k, BYTES("\x1b[B\x1b[B\x1b[B"));
    assert_bytes(editor_text(&e), BYTES("draft"));
    for (size_t i = 0; i < HISTORY_LINES + 3; i++) {
        char line[16];
        snprintf(line, sizeof line, "l%zu", i);
        enter(&e, &k, line);
    }
    assert_int_equal(e.history.count, HISTORY_LINES);
    assert_bytes(history_line(&e.history, HISTORY_LINES - 1), BYTES("l3"));
    editor_fini(&e);
}

static void test_a_secret_leaves_no_trace(void **state)
{
    struct editor e;
    struct keys k = {0};
    editor_init(&e);
    enter(&e, &k, "open");
    editor_set_secret(&e, true);
    assert_int_equal(type(&e, &k, BYTES("pass\t")), EDITOR_SAME);
    type(&e, &k, BYTES("word\x1b[A\x15\x19word"));
    assert_bytes(editor_text(&e), BYTES("word"));
    editor_clear(&e);
    editor_set_secret(&e, false);
    type(&e, &k, BYTES("\x19\x1b[A"));
    assert_bytes(editor_text(&e), BYTES("open"));
    editor_fini(&e);
}

static void test_a_line_has_an_end(void **state)
{
    struct editor e;
    struct keys k = {0};
    editor_init(&e);
    for (size_t i = 0; i < LIMIT_TYPED_BYTES; i++)
        assert_int_equal(type(&e, &k, BYTES("x")), EDITOR_CHANGED);
    assert_int_equal(type(&e, &k, BYTES("x")), EDITOR_FULL);
    assert_int_equal(editor_replace(&e, 1, BYTES("yy")), BUFFER_FULL);
    assert_int_equal(editor_replace(&e, 1, BYTES("y")), 0);
    assert_int_equal(buffer_len(&e.text), LIMIT_TYPED_BYTES);
    assert_int_equal(type(&e, &k, BYTES("z")), EDITOR_SAME);
    assert_int_equal(type(&e, &k, BYTES("\r")), EDITOR_TOO_LONG); /* no half of a line */
    editor_drop(&e);
    assert_int_equal(type(&e, &k, BYTES("x\r")), EDITOR_ENTERED);
    assert_bytes(editor_text(&e), BYTES("x"));
    editor_fini(&e);
}

/* ---- a terminal ---- */

enum { ROWS = 8, COLUMNS_MAX = 40 };

struct screen {
    size_t width, row, column;
    bool hanging; /* behind the last column: the next character wraps */
    uint32_t cells[ROWS][COLUMNS_MAX];
};

static void line_feed(struct screen *s)
{
    if (++s->row < ROWS)
        return;
    s->row = ROWS - 1;
    memmove(s->cells[0], s->cells[1], sizeof s->cells - sizeof s->cells[0]);
    memset(s->cells[ROWS - 1], 0, sizeof s->cells[0]);
}

static void put(struct screen *s, uint32_t code)
{
    unsigned columns = columns_of(code);
    if (columns == 0)
        return;
    if (s->hanging || s->column + columns > s->width) {
        s->column = 0;
        line_feed(s);
    }
    s->hanging = false;
    s->cells[s->row][s->column] = code;
    if (columns == 2)
        s->cells[s->row][s->column + 1] = 0;
    s->column += columns;
    if (s->column == s->width) {
        s->column--;
        s->hanging = true;
    }
}

static void erase_below(struct screen *s)
{
    memset(&s->cells[s->row][s->column], 0, (COLUMNS_MAX - s->column) * sizeof(uint32_t));
    for (size_t row = s->row + 1; row < ROWS; row++)
        memset(s->cells[row], 0, sizeof s->cells[row]);
}

static size_t control(struct screen *s, struct bytes in)
{
    size_t n = 0, at = 2;
    for (; in.data[at] >= '0' && in.data[at] <= '9'; at++)
        n = n * 10 + in.data[at] - '0';
    s->hanging = false;
    if (in.data[at] == 'A') {
        assert_in_range(n, 1, s->row);
        s->row -= n;
    } else if (in.data[at] == 'C') {
        s->column += n;
        assert_true(s->column < s->width);
    } else if (in.data[at] == 'J') {
        assert_int_equal(n, 0);
        erase_below(s);
    } else {
        assert_int_equal(in.data[at], 'm');
    }
    return at + 1;
}

static void show(struct screen *s, struct bytes in)
{
    uint32_t code;
    while (in.len > 0) {
        size_t n = 1;
        if (in.data[0] == 0x1b)
            n = control(s, in);
        else if (in.data[0] == '\r')
            s->column = 0, s->hanging = false;
        else if (in.data[0] == '\n')
            line_feed(s);
        else {
            n = utf8_decode(in, &code);
            assert_true(n > 0 && code >= 0x20);
            put(s, code);
        }
        in = bytes_from(in, n);
    }
}

static void assert_row(const struct screen *s, size_t row, const char *want)
{
    char got[COLUMNS_MAX + 1] = "";
    size_t n = 0;
    for (size_t i = 0; i < s->width && s->cells[row][i]; i++)
        got[n++] = s->cells[row][i] < 0x7f ? (char)s->cells[row][i] : '?';
    got[n] = '\0';
    assert_string_equal(got, want);
}

static void paint(struct painter *p, struct screen *s, struct painter_line line)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    assert_int_equal(painter_show(p, &line, &out), 0);
    show(s, buffer_view(&out));
    buffer_fini(&out);
}

/* A line comes in from elsewhere. */
static void interrupt(struct painter *p, struct screen *s, struct painter_line line,
                      const char *news)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    painter_hide(p, &out);
    buffer_append_str(&out, news);
    buffer_append_str(&out, "\r\n");
    show(s, buffer_view(&out));
    buffer_fini(&out);
    paint(p, s, line);
}

static struct painter_line line_of(const char *prompt, const char *text, size_t cursor)
{
    return (struct painter_line){
        .prompt = bytes_from_str(prompt), .text = bytes_from_str(text), .cursor = cursor};
}

static void test_news_stand_above_what_is_typed(void **state)
{
    struct painter p;
    struct screen s = {.width = 10};
    painter_init(&p, 10, ROWS);
    struct painter_line line = line_of("> ", "hello", 2);
    line.color = true;
    paint(&p, &s, line);
    interrupt(&p, &s, line, "news");
    interrupt(&p, &s, line, "more");
    assert_row(&s, 0, "news");
    assert_row(&s, 1, "more");
    assert_row(&s, 2, "> hello");
    assert_row(&s, 3, "");
    assert_int_equal(s.row, 2);
    assert_int_equal(s.column, 4);
}

static void test_lines_of_many_rows(void **state)
{
    /* ends before the last column, in it, behind it; a wide one that does not fit */
    static const char *const texts[] = {"1234567",
                                        "12345678",
                                        "123456789",
                                        "12345678123456789",
                                        "1234567\xe4\xb8\x96",
                                        ("1234567\xe4\xb8\x96\xe4\xb8\x96"
                                         "123456")};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        for (size_t cursor = 0; cursor <= strlen(texts[i]); cursor++) {
            struct painter p;
            struct screen s = {.width = 10};
            if (cursor < strlen(texts[i]) && ((uint8_t)texts[i][cursor] & 0xc0) == 0x80)
                continue;
            painter_init(&p, 10, ROWS);
            struct painter_line line = line_of("> ", texts[i], cursor);
            paint(&p, &s, line);
            paint(&p, &s, line);
            interrupt(&p, &s, line, "news");
            interrupt(&p, &s, line_of("> ", "", 0), "more");
            assert_row(&s, 0, "news");
            assert_row(&s, 1, "more");
            assert_row(&s, 2, "> ");
            assert_row(&s, 3, "");
        }
    }
}

static void test_the_cursor_stands_where_typing_goes_on(void **state)
{
    struct painter p;
    struct screen s = {.width = 10};
    painter_init(&p, 10, ROWS);
    paint(&p, &s, line_of("> ", "12345678", 8)); /* the row is full */
    assert_int_equal(s.row, 1);
    assert_int_equal(s.column, 0);
    paint(&p, &s, line_of("> ", "123456789abc", 5));
    assert_int_equal(s.row, 0);
    assert_int_equal(s.column, 7);
    assert_row(&s, 0, "> 12345678");
    assert_row(&s, 1, "9abc");
}

static void test_of_a_very_long_line_a_part_is_shown(void **state)
{
    struct painter p;
    struct screen s = {.width = 10};
    char text[1001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + 500, "HERE", 4);
    painter_init(&p, 10, ROWS);
    paint(&p, &s, line_of("> ", text, 502));
    interrupt(&p, &s, line_of("> ", text, 502), "news");
    assert_row(&s, 0, "news");
    assert_int_equal(s.cells[s.row][s.column], 'R');
    assert_row(&s, 1 + ROWS / 2, "");
}

static void test_signs_and_secrets(void **state)
{
    struct painter p;
    struct screen s = {.width = 20};
    painter_init(&p, 20, ROWS);
    paint(&p, &s, line_of("> ", "a\nb\tc", 5));
    assert_row(&s, 0, "> a?b?c");
    assert_int_equal(s.cells[0][3], 0x240a);
    assert_int_equal(s.cells[0][5], 0x2409);
    struct painter_line line = line_of("Password: ", "abc", 3);
    line.secret = true;
    paint(&p, &s, line);
    assert_row(&s, 0, "Password: ");
}

static void test_a_narrower_terminal(void **state)
{
    struct painter p;
    struct screen s = {.width = 20};
    struct painter_line line = line_of("> ", "123456789012345", 15);
    painter_init(&p, 20, ROWS);
    paint(&p, &s, line);
    /* what it makes of the row when it has but 10 columns */
    struct screen narrow = {.width = 10};
    show(&narrow, BYTES("> 123456789012345"));
    painter_resize(&p, 10, ROWS);
    interrupt(&p, &narrow, line, "news");
    assert_row(&narrow, 0, "news");
    assert_row(&narrow, 1, "> 12345678");
    assert_row(&narrow, 2, "9012345");
    assert_row(&narrow, 3, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_what_a_key_does),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_a_secret_leaves_no_trace),
        cmocka_unit_test(test_a_line_has_an_end),
        cmocka_unit_test(test_news_stand_above_what_is_typed),
        cmocka_unit_test(test_lines_of_many_rows),
        cmocka_unit_test(test_the_cursor_stands_where_typing_goes_on),
        cmocka_unit_test(test_of_a_very_long_line_a_part_is_shown),
        cmocka_unit_test(test_signs_and_secrets),
        cmocka_unit_test(test_a_narrower_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

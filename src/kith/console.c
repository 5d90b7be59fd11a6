#include "kith/console.h"

#include "base/limits.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PASTE_ON "\x1b[?2004h"
#define PASTE_OFF "\x1b[?2004l"

enum { DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24 };

/* ---- output ---- */

static void show_line(struct console *c)
{
    struct painter_line line = {.prompt = buffer_view(&c->prompt),
                                .text = editor_text(&c->editor),
                                .cursor = c->editor.cursor,
                                .secret = c->editor.secret,
                                .color = c->color};
    if (buffer_len(&c->prompt) == 0 && line.text.len == 0)
        painter_hide(&c->painter, &c->out);
    else
        painter_show(&c->painter, &line, &c->out);
    c->dirty = false;
}

void console_flush(struct console *c)
{
    if (c->terminal && c->dirty)
        show_line(c);
    if (buffer_len(&c->out) == 0)
        return;
    output_bytes(c->output, buffer_view(&c->out));
    buffer_truncate(&c->out, 0);
    if (c->output->failed != 0)
        c->handler->broken(c);
}

static void on_before_waiting(uv_prepare_t *prepare)
{
    console_flush(prepare->data);
}

static const char *tone_color(enum visit_tone tone)
{
    static const char *const colors[] = {
        [VISIT_ANSWER] = "",
        [VISIT_NEWS] = "\x1b[36m",
        [VISIT_NOTE] = "\x1b[2m",
        [VISIT_PROBLEM] = "\x1b[33m",
    };
    return colors[tone];
}

/* What cannot be kept for want of memory is not shown. */
static void say_at_terminal(struct console *c, enum visit_tone tone, struct bytes line)
{
    const char *color = c->color ? tone_color(tone) : "";
    painter_hide(&c->painter, &c->out);
    buffer_append_str(&c->out, color);
    buffer_append_bytes(&c->out, line);
    buffer_append_str(&c->out, color[0] ? "\x1b[0m\r\n" : "\r\n");
    c->dirty = true;
}

void console_say(struct console *c, enum visit_tone tone, struct bytes line)
{
    bool aside = tone == VISIT_NOTE || tone == VISIT_PROBLEM;
    if (tone == VISIT_NOTE && c->output->quiet)
        return;
    if (c->terminal) {
        say_at_terminal(c, tone, line);
    } else if (aside) {
        output_error_line("kith: ", line);
    } else {
        buffer_append_bytes(&c->out, line);
        buffer_append_str(&c->out, "\n");
    }
}

void console_prompt(struct console *c, struct bytes text, bool secret)
{
    if (!c->terminal)
        return;
    buffer_truncate(&c->prompt, 0);
    buffer_append_bytes(&c->prompt, text);
    editor_set_secret(&c->editor, secret);
    c->dirty = true;
}

/* ---- a terminal's input ---- */

/* The line is whole: it stays on the screen, and waits to be handed out. */
static void enter(struct console *c)
{
    struct painter_line line = {.prompt = buffer_view(&c->prompt),
                                .text = editor_text(&c->editor),
                                .secret = c->editor.secret,
                                .color = c->color};
    painter_leave(&c->painter, &line, &c->out);
    if (buffer_append_bytes(&c->in, line.text) != 0 || buffer_append_str(&c->in, "\n") != 0)
        c->handler->too_long(c);
    editor_clear(&c->editor);
    c->dirty = true;
}

static void leave_line(struct console *c)
{
    painter_hide(&c->painter, &c->out);
    buffer_append_str(&c->out, PASTE_OFF);
    console_flush(c);
    input_set_raw(&c->input, false);
}

static void enter_line(struct console *c)
{
    input_set_raw(&c->input, true);
    buffer_append_str(&c->out, PASTE_ON);
    c->painter.shown = false;
    c->dirty = true;
}

static void suspend(struct console *c)
{
    c->dirty = false;
    leave_line(c);
    raise(SIGTSTP);
}

static void take_result(struct console *c, enum editor_result result)
{
    bool again = c->interrupted;
    c->interrupted = result == EDITOR_INTERRUPTED;
    switch (result) {
    case EDITOR_SAME:
        return;
    case EDITOR_CHANGED:
        c->dirty = true;
        return;
    case EDITOR_ENTERED:
        enter(c);
        return;
    case EDITOR_COMPLETE:
        c->handler->complete(c, bytes_first(editor_text(&c->editor), c->editor.cursor));
        return;
    case EDITOR_CLEAR:
        buffer_append_str(&c->out, "\x1b[H\x1b[2J");
        c->painter.shown = false;
        c->dirty = true;
        return;
    case EDITOR_INTERRUPTED:
        editor_clear(&c->editor);
        c->dirty = true;
        c->handler->interrupted(c, again);
        return;
    case EDITOR_CLOSED:
        c->over = true;
        return;
    case EDITOR_SUSPENDED:
        suspend(c);
        return;
    case EDITOR_FULL:
        buffer_append_str(&c->out, "\a");
        return;
    case EDITOR_TOO_LONG:
        editor_drop(&c->editor);
        c->dirty = true;
        c->handler->no_room(c);
    }
}

static void type(struct console *c, struct bytes in)
{
    struct key key;
    while (keys_next(&c->keys, &in, &key)) {
        take_result(c, editor_key(&c->editor, &key));
        c->more = in.len > 0;
        console_pump(c); /* the next key may be for another question */
    }
    c->more = false;
}

/* ---- lines ---- */

static bool next_line(struct console *c, struct buffer *ret_line)
{
    size_t consumed;
    struct bytes line;
    enum line_ending ending;
    struct bytes in = buffer_view(&c->in);
    int r = line_parse(&c->line, in, LIMIT_TEXT_LINE_BYTES, &consumed, &line, &ending);
    if (r == LINE_TOO_LONG) {
        c->over = true;
        buffer_truncate(&c->in, 0);
        c->handler->too_long(c);
        return false;
    }
    if (r == LINE_MORE && (!c->over || in.len == 0))
        return false;
    if (r == LINE_MORE) {
        line_take_bare(&c->line);
        line = in;
        consumed = in.len;
    }
    r = line.len > 0 ? buffer_append_bytes(ret_line, line) : 0;
    buffer_consume(&c->in, consumed);
    return r == 0;
}

/* Lines may be passwords: no copy of one is left. */
static void wipe(struct buffer *b)
{
    if (b->data)
        sodium_memzero(b->data, b->capacity);
    buffer_fini(b);
}

void console_pump(struct console *c)
{
    struct buffer line;
    bool more = true;
    while (more && c->handler->takes_lines(c)) {
        buffer_init(&line, LIMIT_TEXT_LINE_BYTES);
        more = next_line(c, &line);
        if (more)
            c->handler->line(c, buffer_view(&line), c->more || buffer_len(&c->in) > 0);
        wipe(&line);
    }
    if (c->over && !c->said && buffer_len(&c->in) == 0) {
        c->said = true;
        c->handler->over(c);
    }
    if (c->input_open)
        input_set_reading(&c->input, buffer_len(&c->in) < LIMIT_TYPED_BYTES);
}

static struct console *console_of(struct input *i)
{
    return (struct console *)((char *)i - offsetof(struct console, input));
}

static void on_read(struct input *i, struct bytes in)
{
    struct console *c = console_of(i);
    if (c->terminal)
        type(c, in);
    else if (buffer_append_bytes(&c->in, in) != 0)
        c->handler->too_long(c);
    sodium_memzero(i->in, in.len);
    console_pump(c);
}

static void on_end(struct input *i)
{
    struct console *c = console_of(i);
    c->over = true;
    console_pump(c);
}

static void on_closed(struct input *i)
{
    console_of(i)->input_open = false;
}

static const struct input_handler input_handler = {
    .read = on_read, .end = on_end, .closed = on_closed};

/* ---- the terminal itself ---- */

static void measure(struct console *c)
{
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    painter_resize(&c->painter, size.ws_col ? size.ws_col : DEFAULT_COLUMNS,
                   size.ws_row ? size.ws_row : DEFAULT_ROWS);
}

static void on_resized(uv_signal_t *signal, int number)
{
    struct console *c = signal->data;
    measure(c);
    c->dirty = true;
}

static void on_continued(uv_signal_t *signal, int number)
{
    struct console *c = signal->data;
    measure(c);
    enter_line(c);
}

static void open_terminal(struct console *c, uv_loop_t *loop)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    c->color = !(no_color && no_color[0]) && !(term && strcmp(term, "dumb") == 0);
    painter_init(&c->painter, DEFAULT_COLUMNS, DEFAULT_ROWS);
    measure(c);
    uv_signal_start(&c->resized, on_resized, SIGWINCH);
    uv_signal_start(&c->continued, on_continued, SIGCONT);
    enter_line(c);
}

int console_open(struct console *c, uv_loop_t *loop, struct output *output,
                 const struct console_handler *handler)
{
    *c = (struct console){.handler = handler, .output = output};
    int r = input_open(&c->input, loop, &input_handler);
    if (r < 0)
        return r;
    c->input_open = true;
    c->terminal = c->input.terminal && output->terminal;
    editor_init(&c->editor);
    buffer_init(&c->prompt, LIMIT_TYPED_BYTES);
    buffer_init(&c->in, 2 * LIMIT_TEXT_LINE_BYTES);
    buffer_init(&c->out, SIZE_MAX);
    uv_prepare_init(loop, &c->before_waiting);
    uv_signal_init(loop, &c->resized);
    uv_signal_init(loop, &c->continued);
    c->before_waiting.data = c->resized.data = c->continued.data = c;
    uv_prepare_start(&c->before_waiting, on_before_waiting);
    if (c->terminal)
        open_terminal(c, loop);
    input_set_reading(&c->input, true);
    return 0;
}

void console_close(struct console *c)
{
    c->dirty = false;
    if (c->terminal)
        leave_line(c);
    console_flush(c);
    input_close(&c->input);
    uv_close((uv_handle_t *)&c->before_waiting, NULL);
    uv_close((uv_handle_t *)&c->resized, NULL);
    uv_close((uv_handle_t *)&c->continued, NULL);
}

void console_fini(struct console *c)
{
    editor_fini(&c->editor);
    buffer_fini(&c->prompt);
    wipe(&c->in);
    buffer_fini(&c->out);
}

void console_hide(struct console *c)
{
    if (!c->terminal)
        return;
    c->dirty = false;
    painter_hide(&c->painter, &c->out);
    console_flush(c);
    c->dirty = true;
}

void console_replace(struct console *c, size_t n, struct bytes text)
{
    if (editor_replace(&c->editor, n, text) == 0)
        c->dirty = true;
    else
        buffer_append_str(&c->out, "\a");
}

#include "kith/output.h"

#include "base/clean.h"
#include "base/limits.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

/* An error line shows this much of what came from outside. */
enum { OUTPUT_DETAIL_BYTES = 700 }; /* of struct trouble, all */

void output_init(struct output *o, bool json, bool quiet)
{
    *o = (struct output){
        .json = json, .quiet = quiet, .terminal = isatty(STDOUT_FILENO) == 1, .stop_fd = -1};
}

static int write_all(int fd, struct bytes data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            data = bytes_from(data, (size_t)n);
    }
    return 0;
}

/* Waits until a piece of PIPE_BUF bytes can be written without waiting. */
static int await_room(const struct output *o)
{
    struct pollfd fds[] = {{.fd = o->stop_fd, .events = POLLIN},
                           {.fd = STDOUT_FILENO, .events = POLLOUT}};
    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return fds[0].revents ? -ECANCELED : 0;
}

static int write_pieces(const struct output *o, struct bytes data)
{
    int r = 0;
    while (r == 0 && data.len > 0) {
        size_t n = data.len < PIPE_BUF ? data.len : PIPE_BUF;
        r = await_room(o);
        if (r == 0)
            r = write_all(STDOUT_FILENO, bytes_first(data, n));
        data = bytes_from(data, n);
    }
    return r;
}

void output_bytes(struct output *o, struct bytes data)
{
    if (o->failed == 0)
        o->failed = o->stop_fd < 0 ? write_all(STDOUT_FILENO, data) : write_pieces(o, data);
}

static void write_buffer(struct output *o, struct buffer *b, int r)
{
    if (r == 0)
        output_bytes(o, buffer_view(b));
    else if (o->failed == 0)
        o->failed = -ENOMEM;
    buffer_fini(b);
}

static int clean_line(struct buffer *b, const char *prefix, struct bytes text)
{
    int r = buffer_append_str(b, prefix);
    if (r == 0)
        r = clean_append(b, text, SIZE_MAX);
    return r == 0 ? buffer_append_str(b, "\n") : r;
}

void output_line(struct output *o, const char *prefix, struct bytes text)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    write_buffer(o, &b, clean_line(&b, prefix, text));
}

void output_lines(struct output *o, const char *prefix, struct bytes text)
{
    struct buffer b;
    int r;
    buffer_init(&b, SIZE_MAX);
    do {
        r = clean_line(&b, prefix, bytes_next_line(&text));
    } while (r == 0 && text.len > 0);
    write_buffer(o, &b, r);
}

/* Up to and with the next LF or tab, which are kept as they are. */
static int clean_piece(struct buffer *b, struct bytes *text)
{
    size_t n = bytes_find(*text, '\n');
    n = bytes_find(bytes_first(*text, n), '\t');
    int r = clean_append(b, bytes_first(*text, n), SIZE_MAX);
    if (r == 0 && n < text->len)
        r = buffer_append(b, text->data + n++, 1);
    *text = bytes_from(*text, n);
    return r;
}

void output_text(struct output *o, struct bytes text)
{
    if (!o->terminal) {
        output_bytes(o, text);
        return;
    }
    bool ended = text.len > 0 && text.data[text.len - 1] == '\n';
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    int r = 0;
    while (r == 0 && text.len > 0)
        r = clean_piece(&b, &text);
    if (r == 0 && !ended)
        r = buffer_append_str(&b, "\n");
    write_buffer(o, &b, r);
}

void output_json(struct output *o, struct json *j)
{
    write_buffer(o, j->out, json_end(j));
}

void output_error_line(const char *words, struct bytes text)
{
    output_error_about(words, text, "");
}

void output_error_about(const char *before, struct bytes about, const char *after)
{
    struct buffer b;
    buffer_init(&b, 8 * LIMIT_KIB);
    int r = buffer_append_str(&b, before);
    if (r == 0)
        r = clean_append(&b, about, OUTPUT_DETAIL_BYTES);
    if (r == 0)
        r = buffer_append_str(&b, after);
    if (r == 0)
        r = buffer_append_str(&b, "\n");
    if (r == 0)
        write_all(STDERR_FILENO, buffer_view(&b)); /* there is nowhere else to say it */
    buffer_fini(&b);
}

#include "io/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_closed(uv_handle_t *handle)
{
    struct input *i = handle->data;
    i->polled = false;
    i->handler->closed(i);
}

static void take(struct input *i, ssize_t n)
{
    if (n > 0) {
        i->handler->read(i, bytes_make(i->in, (size_t)n));
        return;
    }
    i->over = true;
    input_set_reading(i, false);
    i->handler->end(i);
}

/* ---- terminals, pipes and sockets ---- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct input *i = poll->data;
    ssize_t n = read(STDIN_FILENO, i->in, sizeof i->in);
    if (n >= 0 || (errno != EINTR && errno != EAGAIN))
        take(i, n);
}

/* ---- files ---- */

static void read_file(struct input *i);

static void on_file_read(uv_fs_t *request)
{
    struct input *i = request->data;
    ssize_t n = request->result;
    uv_fs_req_cleanup(request);
    i->waiting = false;
    if (i->closing)
        i->handler->closed(i);
    else
        take(i, n);
    if (i->reading)
        read_file(i);
}

static void read_file(struct input *i)
{
    uv_buf_t buf = uv_buf_init((char *)i->in, sizeof i->in);
    if (i->waiting)
        return;
    i->file.data = i;
    i->waiting = true;
    if (uv_fs_read(i->loop, &i->file, STDIN_FILENO, &buf, 1, -1, on_file_read) < 0) {
        i->waiting = false;
        take(i, 0);
    }
}

/* ---- all ---- */

/* What epoll has no use for: regular files, and devices such as /dev/null. */
static bool is_file(void)
{
    struct stat st;
    if (isatty(STDIN_FILENO) == 1)
        return false;
    return fstat(STDIN_FILENO, &st) == 0 && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode);
}

int input_open(struct input *i, uv_loop_t *loop, const struct input_handler *handler)
{
    *i = (struct input){.handler = handler, .loop = loop};
    i->terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &i->before) == 0;
    i->is_file = is_file();
    if (i->is_file)
        return 0;
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    int r = uv_poll_init(loop, &i->poll, STDIN_FILENO);
    if (flags >= 0)
        fcntl(STDIN_FILENO, F_SETFL,
              flags); /* it is not ours alone: libuv's way is not for it */
    i->poll.data = i;
    i->polled = r == 0;
    return r;
}

void input_set_reading(struct input *i, bool reading)
{
    reading = reading && !i->over && !i->closing;
    if (i->reading == reading)
        return;
    i->reading = reading;
    if (i->is_file && reading)
        read_file(i);
    else if (!i->is_file && reading)
        uv_poll_start(&i->poll, UV_READABLE, on_readable);
    else if (!i->is_file)
        uv_poll_stop(&i->poll);
}

void input_set_raw(struct input *i, bool raw)
{
    struct termios mode = i->before;
    if (!i->terminal || i->raw == raw)
        return;
    if (raw) {
        mode.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
        mode.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
        mode.c_cc[VMIN] = 1;
        mode.c_cc[VTIME] = 0;
    }
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0)
        i->raw = raw;
}

void input_close(struct input *i)
{
    input_set_raw(i, false);
    input_set_reading(i, false);
    i->closing = true;
    if (i->polled)
        uv_close((uv_handle_t *)&i->poll, on_closed);
    else if (!i->waiting)
        i->handler->closed(i);
}

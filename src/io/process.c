#include "io/process.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static void on_signal(uv_signal_t *handle, int signum)
{
    struct process_set *s = handle->data;
    s->signum = signum;
}

int process_set_init(struct process_set *s)
{
    *s = (struct process_set){0};
    int r = uv_loop_init(&s->loop);
    if (r < 0)
        return r;
    uv_timer_init(&s->loop, &s->timer);
    s->timer.data = s;
    static const int signums[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        r = uv_signal_start(&s->signals[i], on_signal, signums[i]);
        assert(r == 0);
    }
    return 0;
}

void process_set_fini(struct process_set *s)
{
    uv_close((uv_handle_t *)&s->timer, NULL);
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    int r = uv_loop_close(&s->loop);
    assert(r == 0);
}

static void on_time(uv_timer_t *timer)
{
    struct process_set *s = timer->data;
    s->expired = true;
}

static void on_exit_seen(uv_process_t *handle, int64_t status, int signum)
{
    struct process *p = handle->data;
    p->exited = true;
    p->status = (int)status;
    p->killed = signum;
}

static void on_space(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
    struct process *p = handle->data;
    uint8_t *space;
    bool ok = buffer_reserve(&p->heard, 4096, &space) == 0;
    *ret = uv_buf_init(ok ? (char *)space : NULL, ok ? 4096 : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *space)
{
    struct process *p = stream->data;
    if (n > 0)
        buffer_wrote(&p->heard, (size_t)n);
    if (n < 0) { /* its end, or more than a line can be */
        p->ended = true;
        uv_read_stop(stream);
    }
}

static void close_and_run(struct process *p)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&p->handle, (uv_handle_t *)&p->input,
                              (uv_handle_t *)&p->output};
    for (size_t i = 0; i < 3; i++) {
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], NULL);
    }
    uv_run(&p->set->loop, UV_RUN_NOWAIT);
}

int process_spawn(struct process *p, struct process_set *s, const char *const *argv)
{
    *p = (struct process){.set = s};
    buffer_init(&p->heard, PROCESS_LINE_BYTES_MAX);
    uv_pipe_init(&s->loop, &p->input, 0);
    uv_pipe_init(&s->loop, &p->output, 0);
    p->handle.data = p->input.data = p->output.data = p;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&p->input},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->output},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {
        .file = argv[0],
        .args = (char **)(uintptr_t)argv, /* libuv does not write there */
        .exit_cb = on_exit_seen,
        .stdio = stdio,
        .stdio_count = 3,
    };
    int r = uv_spawn(&s->loop, &p->handle, &options);
    if (r == 0)
        r = uv_read_start((uv_stream_t *)&p->output, on_space, on_read);
    else
        p->exited = true;
    if (r < 0)
        process_fini(p);
    return r;
}

void process_fini(struct process *p)
{
    if (!p || !p->set)
        return;
    process_kill(p, SIGKILL);
    while (!p->exited)
        uv_run(&p->set->loop, UV_RUN_ONCE);
    close_and_run(p);
    buffer_fini(&p->heard);
    *p = (struct process){0};
}

void process_kill(struct process *p, int signum)
{
    if (p->set && !p->exited)
        uv_process_kill(&p->handle, signum);
}

/* Runs the loop until *done; the timer is the set's only one, for only one call waits. */
static int wait_for(struct process_set *s, const bool *done, uint64_t timeout_ms)
{
    s->expired = false;
    uv_update_time(&s->loop);
    uv_timer_start(&s->timer, on_time, timeout_ms, 0);
    while (!*done && !s->expired && s->signum == 0)
        uv_run(&s->loop, UV_RUN_ONCE);
    uv_timer_stop(&s->timer);
    return *done ? 0 : s->signum != 0 ? PROCESS_INTERRUPTED : PROCESS_TIMEOUT;
}

static void on_said(uv_write_t *request, int status)
{
    free(request);
}

int process_say(struct process *p, struct bytes text)
{
    uv_write_t *request = malloc(sizeof *request + text.len);
    if (!request)
        return -ENOMEM;
    char *copy = (char *)(request + 1);
    memcpy(copy, text.data, text.len);
    uv_buf_t buf = uv_buf_init(copy, (unsigned)text.len);
    int r = uv_write(request, (uv_stream_t *)&p->input, &buf, 1, on_said);
    if (r < 0)
        free(request);
    return r;
}

void process_end_input(struct process *p)
{
    if (p->set && !uv_is_closing((uv_handle_t *)&p->input))
        uv_close((uv_handle_t *)&p->input, NULL);
}

int process_hear(struct process *p, uint64_t timeout_ms, struct bytes *ret_line)
{
    struct process_set *s = p->set;
    buffer_consume(&p->heard, p->taken);
    p->taken = 0;
    s->expired = false;
    uv_update_time(&s->loop);
    uv_timer_start(&s->timer, on_time, timeout_ms, 0);
    int r = 0;
    while (r == 0) {
        struct bytes view = buffer_view(&p->heard);
        size_t n = bytes_find(view, '\n');
        if (n < view.len) {
            *ret_line = bytes_first(view, n);
            p->taken = n + 1;
            break;
        }
        r = p->ended         ? PROCESS_ENDED
            : s->signum != 0 ? PROCESS_INTERRUPTED
            : s->expired     ? PROCESS_TIMEOUT
                             : 0;
        if (r == 0)
            uv_run(&s->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&s->timer);
    return r;
}

int process_wait(struct process *p, uint64_t timeout_ms)
{
    return wait_for(p->set, &p->exited, timeout_ms);
}

#include "io/process.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those that shall be held back: blocked or ignored ones end nobody. */
static void choose_signals(struct process_set *s, sigset_t *held)
{
    static const int signums[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action;
    pthread_sigmask(SIG_BLOCK, NULL, &s->before);
    sigemptyset(held);
    for (size_t i = 0; i < 3; i++) {
        sigaction(signums[i], NULL, &action);
        if (action.sa_handler != SIG_IGN && sigismember(&s->before, signums[i]) == 0)
            sigaddset(held, signums[i]);
    }
}

static bool is_interrupted(const struct process_set *s)
{
    struct pollfd fd = {.fd = s->signal_fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

/* The loop is woken, once: the signal stays where it is. */
static void on_signal(uv_poll_t *handle, int status, int events)
{
    uv_poll_stop(handle);
}

int process_set_init(struct process_set *s)
{
    sigset_t held;
    *s = (struct process_set){0};
    choose_signals(s, &held);
    s->signal_fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signal_fd < 0)
        return -errno;
    int r = uv_loop_init(&s->loop);
    if (r < 0)
        goto fail_loop;
    r = uv_poll_init(&s->loop, &s->signals, s->signal_fd);
    if (r < 0)
        goto fail_poll;
    uv_timer_init(&s->loop, &s->timer);
    s->timer.data = s;
    uv_poll_start(&s->signals, UV_READABLE, on_signal);
    pthread_sigmask(SIG_BLOCK, &held, NULL);
    return 0;
fail_poll:
    uv_loop_close(&s->loop);
fail_loop:
    close(s->signal_fd);
    return r;
}

void process_set_fini(struct process_set *s)
{
    uv_close((uv_handle_t *)&s->timer, NULL);
    uv_close((uv_handle_t *)&s->signals, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    int r = uv_loop_close(&s->loop);
    assert(r == 0);
    close(s->signal_fd);
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}

static void on_time(uv_timer_t *timer)
{
    struct process_set *s = timer->data;
    s->expired = true;
}

static void on_exit_seen(uv_poll_t *handle, int problem, int events)
{
    struct process *p = handle->data;
    int status;
    if (waitpid(p->child.pid, &status, WNOHANG) != p->child.pid)
        return;
    p->exited = true;
    p->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    p->killed = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    uv_poll_stop(handle);
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
    uv_handle_t *handles[] = {(uv_handle_t *)&p->exit, (uv_handle_t *)&p->input,
                              (uv_handle_t *)&p->output};
    for (size_t i = 0; i < 3; i++) {
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], NULL);
    }
    uv_run(&p->set->loop, UV_RUN_NOWAIT);
}

static void open_pipe(struct process *p, uv_pipe_t *pipe, int fd)
{
    uv_pipe_init(&p->set->loop, pipe, 0);
    pipe->data = p;
    int r = uv_pipe_open(pipe, fd);
    assert(r == 0);
}

int process_spawn(struct process *p, struct process_set *s, const char *const *argv)
{
    struct process new = {.set = s};
    int r = child_start(&new.child, argv, &s->before);
    if (r < 0)
        return r;
    *p = new;
    r = uv_poll_init(&s->loop, &p->exit, p->child.exit_fd);
    if (r < 0) {
        child_abandon(&p->child);
        *p = (struct process){0};
        return r;
    }
    p->exit.data = p;
    buffer_init(&p->heard, PROCESS_LINE_BYTES_MAX);
    open_pipe(p, &p->input, p->child.input);
    open_pipe(p, &p->output, p->child.output);
    uv_read_start((uv_stream_t *)&p->output, on_space, on_read);
    uv_poll_start(&p->exit, UV_READABLE, on_exit_seen);
    return 0;
}

void process_fini(struct process *p)
{
    if (!p || !p->set)
        return;
    process_kill(p, SIGKILL);
    while (!p->exited)
        uv_run(&p->set->loop, UV_RUN_ONCE);
    close_and_run(p);
    close(p->child.exit_fd);
    buffer_fini(&p->heard);
    *p = (struct process){0};
}

void process_kill(struct process *p, int signum)
{
    if (p->set && !p->exited)
        kill(p->child.pid, signum);
}

/* The timer is the set's only one, for only one call waits. */
static void start_timer(struct process_set *s, uint64_t timeout_ms)
{
    s->expired = false;
    uv_update_time(&s->loop);
    uv_timer_start(&s->timer, on_time, timeout_ms, 0);
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

/* The next line, if it has come. */
static bool take_line(struct process *p, struct bytes *ret_line)
{
    struct bytes view = buffer_view(&p->heard);
    size_t n = bytes_find(view, '\n');
    if (n == view.len)
        return false;
    *ret_line = bytes_first(view, n);
    p->taken = n + 1;
    return true;
}

int process_hear(struct process *p, uint64_t timeout_ms, struct bytes *ret_line)
{
    struct process_set *s = p->set;
    buffer_consume(&p->heard, p->taken);
    p->taken = 0;
    start_timer(s, timeout_ms);
    int r = 0;
    while (r == 0 && !take_line(p, ret_line)) {
        r = is_interrupted(s) ? PROCESS_INTERRUPTED
            : p->ended        ? PROCESS_ENDED
            : s->expired      ? PROCESS_TIMEOUT
                              : 0;
        if (r == 0)
            uv_run(&s->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&s->timer);
    return r;
}

static int wait_exit(struct process *p, uint64_t timeout_ms, bool anyway)
{
    struct process_set *s = p->set;
    start_timer(s, timeout_ms);
    while (!p->exited && !s->expired && (anyway || !is_interrupted(s)))
        uv_run(&s->loop, UV_RUN_ONCE);
    uv_timer_stop(&s->timer);
    return p->exited ? 0 : s->expired ? PROCESS_TIMEOUT : PROCESS_INTERRUPTED;
}

int process_wait(struct process *p, uint64_t timeout_ms)
{
    return wait_exit(p, timeout_ms, false);
}

int process_wait_anyway(struct process *p, uint64_t timeout_ms)
{
    return wait_exit(p, timeout_ms, true);
}

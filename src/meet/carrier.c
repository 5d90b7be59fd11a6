#include "meet/carrier.h"

#include "io/child.h"
#include "io/courier.h"
#include "io/program.h"
#include "wire/field.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_closed(uv_handle_t *handle)
{
    struct carrier *c = handle->data;
    c->running = false;
    c->handler->ended(c, c->over ? c->how : CARRIER_CUT, c->reason,
                      c->over ? c->words : "the process that carries it was ended");
}

/* All its words were heard, since it holds the other end until it ends. */
static void finish(struct carrier *c)
{
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(c->exit_fd);
    uv_poll_stop(&c->news);
    close(c->courier);
    uv_close((uv_handle_t *)&c->news, on_closed);
}

static void take_end(struct carrier *c, struct bytes news)
{
    uint64_t how, reason;
    if (!field_next_number(&news, &how) || !field_next_number(&news, &reason) ||
        !field_next_text(&news, c->words, sizeof c->words) || how > CARRIER_STOPPED)
        return;
    c->over = true;
    c->how = (enum carrier_end)how;
    c->reason = (enum transfer_reason)reason;
}

static void take_one(struct carrier *c, struct bytes news)
{
    uint64_t what;
    if (!field_next_number(&news, &what))
        return;
    if (what == CARRIER_END)
        take_end(c, news);
    else
        c->handler->told(c, (enum carrier_news)what, news);
}

static void take(struct carrier *c, struct bytes message)
{
    struct bytes news;
    while (field_next(&message, &news))
        take_one(c, news);
}

static bool hear(struct carrier *c)
{
    struct buffer message;
    int fd = -1;
    buffer_init(&message, COURIER_BYTES);
    int r = courier_receive(c->courier, false, &message, &fd);
    if (fd >= 0)
        close(fd);
    if (r == 0)
        take(c, buffer_view(&message));
    buffer_fini(&message);
    if (r == COURIER_OVER || (r < 0 && r != -EAGAIN))
        finish(c);
    return r == 0;
}

enum { AT_ONCE = 64 };

static void on_news(uv_poll_t *poll, int status, int events)
{
    struct carrier *c = poll->data;
    for (int i = 0; i < AT_ONCE && hear(c); i++)
        continue;
}

static int watch(struct carrier *c, uv_loop_t *loop)
{
    int r = uv_poll_init(loop, &c->news, c->courier);
    c->news.data = c;
    return r == 0 ? uv_poll_start(&c->news, UV_READABLE, on_news) : r;
}

static int start(int courier, struct child *ret)
{
    static const char *const argv[] = {CARRIER_NAME, NULL};
    sigset_t none;
    sigemptyset(&none);
    return child_start_program(ret, "/proc/self/exe", argv, &none, courier, STDOUT_FILENO);
}

int carrier_start(struct carrier *c, uv_loop_t *loop, const struct carrier_handler *handler)
{
    struct child child;
    int ends[2];
    int r = courier_pair(ends);
    if (r < 0)
        return r;
    r = start(ends[1], &child);
    close(ends[1]);
    if (r < 0) {
        close(ends[0]);
        return r;
    }
    *c = (struct carrier){.handler = handler,
                          .running = true,
                          .pid = child.pid,
                          .exit_fd = child.exit_fd,
                          .courier = ends[0]};
    r = watch(c, loop);
    if (r < 0) {
        child_abandon(&child);
        close(ends[0]);
        c->running = false;
    }
    return r;
}

void carrier_order(struct carrier *c, struct bytes message, int fd)
{
    if (courier_send(c->courier, message, fd) != 0)
        kill(c->pid, SIGKILL);
}

void carrier_kill(struct carrier *c)
{
    if (c->running)
        kill(c->pid, SIGKILL);
}

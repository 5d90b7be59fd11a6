#include "meet/sluice.h"

#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Taken, and not said so yet: a part of what may be said ahead. */
enum { TELL_BYTES = LIMIT_TRANSFER_RELAYED_BYTES / 4 };

/* ---- saying ---- */

/* Nothing can be said any more: the carrier learns it, and ends. */
static void lose(struct sluice *s)
{
    s->state = SLUICE_LOST;
    buffer_release(&s->unsaid);
    uv_poll_stop(&s->poll);
    shutdown(s->fd, SHUT_RDWR);
}

/* True where nothing is left of what was to be said. */
static bool say_rest(struct sluice *s)
{
    if (buffer_len(&s->unsaid) == 0)
        return true;
    int r = s->handler->say(s, buffer_view(&s->unsaid));
    if (r == SLUICE_FULL)
        return false;
    buffer_release(&s->unsaid);
    if (r != 0)
        lose(s);
    return r == 0;
}

/* Only where say_rest has left nothing. */
static bool say(struct sluice *s, const struct bulk_message *m)
{
    if (bulk_message_write(&s->unsaid, m) == 0)
        return say_rest(s);
    lose(s);
    return false;
}

static void tell_taken(struct sluice *s)
{
    if (s->taken - s->told < TELL_BYTES || s->is_alone || !say_rest(s))
        return;
    s->told = s->taken;
    say(s, &(struct bulk_message){.type = BULK_TAKEN, .token = s->token, .taken = s->taken});
}

static size_t window(const struct sluice *s)
{
    uint64_t left = LIMIT_TRANSFER_RELAYED_BYTES - (s->said - s->let_go);
    return s->is_alone || left > BULK_DATA_BYTES ? BULK_DATA_BYTES : (size_t)left;
}

/* True where there may be more. Nobody hears what is said to who is gone. */
static bool say_some(struct sluice *s)
{
    uint8_t data[BULK_DATA_BYTES];
    ssize_t n = recv(s->fd, data, window(s), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        s->is_left = true;
        return false;
    }
    if (s->is_alone)
        return true;
    s->said += (size_t)n;
    return say(s, &(struct bulk_message){.type = BULK_DATA,
                                         .token = s->token,
                                         .data = bytes_make(data, (size_t)n)});
}

static bool may_say(struct sluice *s)
{
    return s->state == SLUICE_OPEN && !s->is_left && window(s) > 0 && say_rest(s);
}

static void say_end(struct sluice *s)
{
    if (s->state != SLUICE_OPEN || !s->is_left || !say_rest(s))
        return;
    s->state = SLUICE_ENDED;
    uv_poll_stop(&s->poll);
    if (!s->is_alone)
        say(s, &(struct bulk_message){.type = BULK_END, .token = s->token});
}

/* ---- hearing ---- */

/* The carrier's end is closed: nobody reads it. */
static void drop_unread(struct sluice *s)
{
    s->taken += buffer_len(&s->unread);
    buffer_release(&s->unread);
}

static void hand_on(struct sluice *s)
{
    while (buffer_len(&s->unread) > 0) {
        struct bytes some = buffer_view(&s->unread);
        ssize_t n = send(s->fd, some.data, some.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            drop_unread(s);
            return;
        }
        buffer_consume(&s->unread, (size_t)n);
        s->taken += (size_t)n;
    }
    buffer_release(&s->unread);
    if (s->is_alone)
        shutdown(s->fd, SHUT_WR);
}

/* ---- the socket ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct sluice *s)
{
    bool waits = window(s) == 0 || buffer_len(&s->unsaid) > 0;
    int events = (waits ? 0 : UV_READABLE) | (buffer_len(&s->unread) > 0 ? UV_WRITABLE : 0);
    if (s->state != SLUICE_OPEN)
        return;
    if (s->is_left || events == 0)
        uv_poll_stop(&s->poll);
    else
        uv_poll_start(&s->poll, events, on_poll);
}

enum { AT_ONCE = 4 };

static void work(struct sluice *s)
{
    if (s->state != SLUICE_OPEN)
        return;
    hand_on(s);
    tell_taken(s);
    for (int i = 0; i < AT_ONCE && may_say(s) && say_some(s); i++)
        continue;
    say_end(s);
    watch(s);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    work(poll->data);
}

void sluice_room(struct sluice *s)
{
    if (s->state == SLUICE_ENDED)
        say_rest(s);
    work(s);
}

/* ---- what is heard ---- */

static int take_data(struct sluice *s, struct bytes data)
{
    if (s->is_alone || s->heard + data.len - s->told > LIMIT_TRANSFER_RELAYED_BYTES)
        return SLUICE_BROKEN;
    s->heard += data.len;
    if (buffer_append_bytes(&s->unread, data) != 0)
        lose(s);
    return 0;
}

static int take_taken(struct sluice *s, uint64_t taken)
{
    if (taken < s->let_go || taken > s->said)
        return SLUICE_BROKEN;
    s->let_go = taken;
    return 0;
}

int sluice_take(struct sluice *s, const struct bulk_message *m)
{
    int r = 0;
    if (m->type == BULK_DATA)
        r = take_data(s, m->data);
    else if (m->type == BULK_TAKEN)
        r = take_taken(s, m->taken);
    else
        s->is_alone = true;
    if (r == 0)
        work(s);
    return r;
}

/* ---- begin and end ---- */

void sluice_leave(struct sluice *s)
{
    while (may_say(s) && say_some(s))
        continue;
    s->is_left = true;
    drop_unread(s);
    work(s);
}

void sluice_cut(struct sluice *s)
{
    if (s->state == SLUICE_OPEN)
        shutdown(s->fd, SHUT_RDWR);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void sluice_free(struct sluice *s)
{
    list_remove(&s->link);
    buffer_fini(&s->unsaid);
    buffer_fini(&s->unread);
    uv_poll_stop(&s->poll);
    close(s->fd);
    uv_close((uv_handle_t *)&s->poll, on_closed);
}

static int begin(struct sluice *s, uv_loop_t *loop)
{
    int r = uv_poll_init(loop, &s->poll, s->fd);
    s->poll.data = s;
    if (r == 0)
        watch(s);
    return r;
}

int sluice_new(struct sluice **ret, uv_loop_t *loop, const struct random_id *token,
               const struct sluice_handler *handler, void *owner, int *ret_fd)
{
    struct sluice *s = calloc(1, sizeof *s);
    int ends[2], r;
    if (!s)
        return -ENOMEM;
    *s = (struct sluice){.handler = handler, .owner = owner, .token = *token};
    buffer_init(&s->unsaid, BULK_MESSAGE_BYTES);
    buffer_init(&s->unread, LIMIT_TRANSFER_RELAYED_BYTES);
    r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : -errno;
    if (r == 0) {
        s->fd = ends[0];
        r = begin(s, loop);
        if (r != 0) {
            close(ends[0]);
            close(ends[1]);
        }
    }
    if (r != 0) {
        free(s);
        return r;
    }
    *ret = s;
    *ret_fd = ends[1];
    return 0;
}

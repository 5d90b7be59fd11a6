#include "meet/hub_line.h"

#include "base/limits.h"
#include "io/dial.h"
#include "io/entropy.h"
#include "io/own_addresses.h"

#include <errno.h>
#include <sodium.h>

static struct hub_line *line_of(struct channel *c)
{
    return (struct hub_line *)((char *)c - offsetof(struct hub_line, channel));
}

/* ---- out ---- */

static void wipe(struct buffer *b)
{
    if (b->data)
        sodium_memzero(b->data, b->capacity);
}

static void send_all(struct hub_line *l)
{
    struct bytes out = conversation_output(&l->conversation);
    if (!l->up || out.len == 0 || channel_is_full(&l->channel))
        return;
    size_t n = out.len;
    channel_write(&l->channel, out);
    conversation_sent(&l->conversation, n);
    if (l->secret && buffer_len(&l->conversation.out) == 0)
        wipe(&l->conversation.out);
    l->secret = false;
}

static void give_up(struct hub_line *l, const char *why)
{
    l->why = why;
    channel_close(&l->channel);
}

static void on_silence(uv_timer_t *timer)
{
    give_up(timer->data, "it does not answer");
}

/* Something was asked, or answered. */
static void await_answer(struct hub_line *l)
{
    if (l->closing)
        return;
    if (l->unanswered > 0 && l->patience_ms > 0)
        uv_timer_start(&l->silence, on_silence, l->patience_ms, 0);
    else
        uv_timer_stop(&l->silence);
}

void hub_line_set_patience(struct hub_line *l, uint64_t ms)
{
    l->patience_ms = ms;
    await_answer(l);
}

int hub_line_ask(struct hub_line *l, const struct bytes *argv, size_t argc, bool secret)
{
    l->secret = l->secret || secret;
    int r = conversation_ask(&l->conversation, argv, argc);
    if (r != 0)
        return r;
    if (l->unanswered++ == 0)
        await_answer(l);
    send_all(l);
    return 0;
}

static void on_room(struct channel *c)
{
    send_all(line_of(c));
}

/* ---- in ---- */

static void hear(struct hub_line *l, const struct resp_value *values, size_t count)
{
    if (values->kind == RESP_PUSH) {
        l->handler->push(l, values, count);
        return;
    }
    l->unanswered -= l->unanswered > 0;
    await_answer(l);
    l->handler->answer(l, values, count);
}

static void strange(struct hub_line *l)
{
    struct trouble t;
    if (l->closing)
        return;
    self_strange(l->self, &t);
    l->handler->failed(l, &t);
}

static void on_read(struct channel *c, struct bytes in)
{
    struct hub_line *l = line_of(c);
    const struct resp_value *values;
    size_t count;
    int r = conversation_feed(&l->conversation, in);
    while (r == 0 && !l->closing) {
        r = conversation_next(&l->conversation, &values, &count);
        if (r == 0)
            hear(l, values, count);
    }
    if (r != 0 && r != CONVERSATION_MORE)
        strange(l);
}

/* ---- up and down ---- */

static void on_open(struct channel *c)
{
    struct hub_line *l = line_of(c);
    const struct tls *tls = channel_tls(c);
    struct trouble t;
    bool met = false;
    if (tls && self_judge_hub(l->self, tls_peer(tls), &met, &t) != TROUBLE_NONE) {
        l->handler->failed(l, &t);
        return;
    }
    if (met && l->handler->met)
        l->handler->met(l);
    l->up = l->was_up = true;
    l->wait_ms = LIMIT_BACK_OFF_FIRST_MS;
    l->handler->up(l);
}

static int dial(struct hub_line *l);

static void on_retry(uv_timer_t *timer)
{
    struct hub_line *l = timer->data;
    struct trouble t;
    int r = dial(l);
    if (r < 0) {
        trouble_set(&t, TROUBLE_UNREACHABLE, "%s", dial_problem(r));
        l->handler->failed(l, &t);
    }
}

/* From three quarters to five quarters of the time. */
static uint64_t vary(uint64_t ms)
{
    uint16_t chance = 0;
    entropy_fill(&chance, sizeof chance);
    return ms * 3 / 4 + ms / 2 * chance / 65536;
}

static void try_again(struct hub_line *l)
{
    uv_timer_start(&l->retry, on_retry, vary(l->wait_ms), 0);
    l->wait_ms = l->wait_ms * 2 < LIMIT_BACK_OFF_MS ? l->wait_ms * 2 : LIMIT_BACK_OFF_MS;
}

static void on_closed(struct channel *c, const char *why)
{
    struct hub_line *l = line_of(c);
    bool was_up = l->up;
    l->up = false;
    l->unanswered = 0;
    conversation_fini(&l->conversation);
    conversation_init(&l->conversation, LIMIT_VISIT_REPLY_BYTES);
    if (l->closing)
        return;
    await_answer(l);
    if (!l->was_up) {
        struct trouble t;
        bool refused = why && strcmp(why, dial_problem(-ECONNREFUSED)) == 0;
        self_no_hub(l->self, why, refused, &t);
        l->handler->failed(l, &t);
        return;
    }
    if (l->why)
        why = l->why;
    l->why = NULL;
    if (was_up)
        l->handler->down(l, why ? why : "it was closed");
    if (!l->closing)
        try_again(l);
}

static const struct channel_handler channel_handler = {
    .open = on_open, .read = on_read, .room = on_room, .closed = on_closed};

static int dial(struct hub_line *l)
{
    const struct where *w = l->self->where;
    if (w->path[0])
        return channel_dial_unix(&l->channel, l->loop, w->path, &channel_handler);
    return channel_dial_tcp(&l->channel, l->loop, w->host, w->port, l->self->to_hub,
                            &channel_handler);
}

enum trouble_kind hub_line_open(struct hub_line *l, uv_loop_t *loop, struct self *s,
                                const struct hub_line_handler *handler, struct trouble *ret)
{
    *l = (struct hub_line){.handler = handler, .self = s, .loop = loop};
    conversation_init(&l->conversation, LIMIT_VISIT_REPLY_BYTES);
    l->wait_ms = LIMIT_BACK_OFF_FIRST_MS;
    uv_timer_init(loop, &l->retry);
    uv_timer_init(loop, &l->silence);
    l->retry.data = l->silence.data = l;
    enum trouble_kind kind = s->where->path[0] ? TROUBLE_NONE : self_config(s, ret);
    if (kind != TROUBLE_NONE)
        return kind;
    int r = dial(l);
    return r == 0 ? TROUBLE_NONE : trouble_set(ret, TROUBLE_UNREACHABLE, "%s", dial_problem(r));
}

bool hub_line_is_local(const struct hub_line *l)
{
    struct address hub;
    return l->up && (!channel_other_end(&l->channel, &hub) || address_is_loopback(&hub));
}

void hub_line_moved(struct hub_line *l, const struct own_address *own, size_t own_count)
{
    if (!l->up || !own_addresses_lack(own, own_count, &l->channel))
        return;
    give_up(l, "this device is at another address");
}

void hub_line_close(struct hub_line *l)
{
    if (!l->loop || l->closing)
        return;
    l->closing = true;
    l->up = false;
    channel_close(&l->channel);
    uv_close((uv_handle_t *)&l->retry, NULL);
    uv_close((uv_handle_t *)&l->silence, NULL);
}

void hub_line_fini(struct hub_line *l)
{
    wipe(&l->conversation.out);
    conversation_fini(&l->conversation);
}

#include "meet/peer_line.h"

#include "base/limits.h"
#include "wire/resp_write.h"

#include <errno.h>

enum { ANSWER_BYTES = 512 };

static struct peer_line *line_of(struct channel *c)
{
    return (struct peer_line *)((char *)c - offsetof(struct peer_line, channel));
}

static struct tls *tls_of(const struct peer_line *l)
{
    return l->relayed ? l->within : channel_tls(&l->channel);
}

const struct public_key *peer_line_key(const struct peer_line *l)
{
    return l->open ? tls_peer(tls_of(l)) : NULL;
}

int peer_line_export(struct peer_line *l, uint8_t exporter[PROOF_EXPORTER_BYTES])
{
    return tls_export(tls_of(l), PROOF_LABEL, exporter, PROOF_EXPORTER_BYTES);
}

/* ---- the end ---- */

static enum dialing_outcome outcome_of(int error)
{
    switch (error) {
    case 0:
        return DIALING_NO_TLS;
    case -ECONNREFUSED:
        return DIALING_REFUSED;
    case -ETIMEDOUT:
        return DIALING_TIMEOUT;
    default:
        return DIALING_UNREACHABLE;
    }
}

static void on_closed(struct channel *c, const char *why)
{
    struct peer_line *l = line_of(c);
    if (l->outcome == DIALING_UNDER_WAY)
        l->outcome = why ? outcome_of(c->error) : DIALING_GIVEN_UP;
    l->open = false;
    tls_free(l->within);
    l->within = NULL;
    buffer_fini(&l->said);
    buffer_fini(&l->plain);
    buffer_fini(&l->out);
    l->handler->closed(l);
}

static void give_up(struct peer_line *l, enum dialing_outcome outcome)
{
    if (l->outcome == DIALING_UNDER_WAY)
        l->outcome = outcome;
    channel_close(&l->channel);
}

void peer_line_close(struct peer_line *l)
{
    if (l->within && l->open && tls_close(l->within, &l->out) == 0)
        channel_write(&l->channel, buffer_view(&l->out));
    l->open = false;
    give_up(l, DIALING_GIVEN_UP);
}

static void open_up(struct peer_line *l)
{
    l->open = true;
    l->carries_files = l->carries_files || !l->relayed;
    l->handler->open(l);
}

/* ---- TLS within the one to the hub ---- */

static void send_within(struct peer_line *l)
{
    channel_write(&l->channel, buffer_view(&l->out));
    buffer_consume(&l->out, buffer_len(&l->out));
}

static void hand_on(struct peer_line *l)
{
    struct buffer plain = l->plain;
    buffer_init(&l->plain, LIMIT_TLS_PLAIN_BYTES);
    if (l->open && buffer_len(&plain) > 0)
        l->handler->read(l, buffer_view(&plain));
    buffer_fini(&plain);
}

static void feed_within(struct peer_line *l, struct bytes in)
{
    int r = tls_feed(l->within, in, &l->plain, &l->out);
    bool unread = buffer_len(&l->out) > 0 && channel_is_full(&l->channel);
    send_within(l);
    if (r != 0 || unread) { /* as a channel does with its own TLS */
        give_up(l, DIALING_NO_TLS);
        return;
    }
    if (!l->open && tls_state(l->within) == TLS_OPEN && l->outcome == DIALING_UNDER_WAY)
        open_up(l);
    hand_on(l);
    if (l->within && tls_state(l->within) == TLS_OVER)
        give_up(l, DIALING_NO_TLS);
}

static void begin_within(struct peer_line *l)
{
    l->joined = true;
    int r = tls_new(&l->within, l->config);
    if (r == 0 && l->role == PROOF_DIALS)
        r = tls_begin(l->within, &l->out);
    if (r != 0)
        give_up(l, DIALING_NO_TLS);
    else
        send_within(l);
}

/* False where it does not relay. */
static bool read_answer(struct peer_line *l, struct bytes line)
{
    l->carries_files = bytes_equal_str(line, "+RELAY ALL\r");
    l->is_used_up = bytes_equal_str(bytes_first(line, bytes_find(line, ' ')), "-QUOTA");
    return l->carries_files || bytes_equal_str(line, "+RELAY\r");
}

/* The hub's answer is a line, and from its end on the other device speaks. */
static void take_answer(struct peer_line *l, struct bytes in)
{
    if (buffer_append_bytes(&l->said, in) != 0) {
        give_up(l, DIALING_DENIED);
        return;
    }
    struct bytes said = buffer_view(&l->said);
    size_t end = bytes_find(said, '\n');
    if (end == said.len)
        return;
    if (!read_answer(l, bytes_first(said, end))) {
        give_up(l, DIALING_DENIED);
        return;
    }
    begin_within(l);
    if (l->within && said.len > end + 1)
        feed_within(l, bytes_from(said, end + 1));
}

/* ---- the channel ---- */

static bool is_the_hub(const struct peer_line *l)
{
    char print[FINGERPRINT_TEXT_LEN + 1];
    const struct public_key *key = tls_peer(channel_tls(&l->channel));
    if (!key)
        return false;
    struct fingerprint f = fingerprint_of(key);
    fingerprint_write(print, &f);
    return strcmp(print, l->hub_print) == 0;
}

static void ask_relay(struct peer_line *l)
{
    char id[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(id, &l->id);
    struct bytes argv[] = {bytes_from_str("RELAY"), bytes_make(id, RANDOM_ID_TEXT_LEN)};
    if (resp_write_request(&l->out, argv, 2) != 0)
        give_up(l, DIALING_DENIED);
    else
        send_within(l);
}

static void on_open(struct channel *c)
{
    struct peer_line *l = line_of(c);
    if (!l->relayed)
        open_up(l);
    else if (!is_the_hub(l))
        give_up(l, DIALING_WRONG_KEY);
    else
        ask_relay(l);
}

static void on_read(struct channel *c, struct bytes in)
{
    struct peer_line *l = line_of(c);
    if (!l->relayed)
        l->handler->read(l, in);
    else if (l->joined && l->within)
        feed_within(l, in);
    else if (!l->joined)
        take_answer(l, in);
}

static void on_room(struct channel *c)
{
    struct peer_line *l = line_of(c);
    if (l->open)
        l->handler->room(l);
}

static const struct channel_handler channel_handler = {
    .open = on_open, .read = on_read, .room = on_room, .closed = on_closed};

static void prepare(struct peer_line *l, enum proof_role role,
                    const struct peer_line_handler *handler)
{
    *l = (struct peer_line){.handler = handler, .role = role, .outcome = DIALING_UNDER_WAY};
    buffer_init(&l->said, ANSWER_BYTES + LIMIT_TLS_PLAIN_BYTES);
    buffer_init(&l->plain, LIMIT_TLS_PLAIN_BYTES);
    buffer_init(&l->out, SIZE_MAX);
}

int peer_line_dial(struct peer_line *l, uv_loop_t *loop, const char *address, uint16_t port,
                   const struct tls_config *config, const struct peer_line_handler *handler)
{
    prepare(l, PROOF_DIALS, handler);
    return channel_dial_tcp(&l->channel, loop, address, port, config, &channel_handler);
}

int peer_line_take(struct peer_line *l, uv_loop_t *loop, int fd,
                   const struct tls_config *config, const struct peer_line_handler *handler)
{
    prepare(l, PROOF_ANSWERS, handler);
    return channel_take(&l->channel, loop, fd, config, &channel_handler);
}

int peer_line_relay(struct peer_line *l, uv_loop_t *loop, const struct peer_line_relay *how,
                    const struct peer_line_handler *handler)
{
    prepare(l, how->role, handler);
    l->relayed = true;
    l->id = how->id;
    l->hub_print = how->hub_print;
    l->config = how->within;
    return channel_dial_tcp(&l->channel, loop, how->host, how->port, how->to_hub,
                            &channel_handler);
}

void peer_line_write(struct peer_line *l, struct bytes data)
{
    if (!l->open)
        return;
    if (!l->relayed)
        channel_write(&l->channel, data);
    else if (tls_write(l->within, data, &l->out) == 0)
        send_within(l);
    else
        give_up(l, DIALING_NO_TLS);
}

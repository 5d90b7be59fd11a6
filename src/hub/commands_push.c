#include "base/glob.h"
#include "hub/hub.h"
#include "hub/subscriber.h"

#include <errno.h>
#include <stdlib.h>

/* Being told: channels, and the table's changes. */

/* ---- subscribing */

struct words {
    const char *add, *remove; /* as the answers call it */
    enum subscription_kind kind;
};

static const struct words channels = {"subscribe", "unsubscribe", SUBSCRIPTION_CHANNEL};
static const struct words patterns = {"psubscribe", "punsubscribe", SUBSCRIPTION_PATTERN};
static const struct words prefixes = {"follow", "unfollow", SUBSCRIPTION_PREFIX};

/* Redis counts channels and patterns together; prefixes are counted by themselves. */
static int64_t count_of(const struct connection *c, enum subscription_kind kind)
{
    const struct subscriber *s = connection_subscriber(c);
    if (!s)
        return 0;
    if (kind == SUBSCRIPTION_PREFIX)
        return (int64_t)s->counts[SUBSCRIPTION_PREFIX];
    return (int64_t)(s->counts[SUBSCRIPTION_CHANNEL] + s->counts[SUBSCRIPTION_PATTERN]);
}

static void answer(struct call *call, const char *word, const struct words *w,
                   const struct bytes *text)
{
    reply_push(call->reply, 3);
    reply_text(call->reply, bytes_from_str(word));
    if (text)
        reply_text(call->reply, *text);
    else
        reply_null(call->reply);
    reply_integer(call->reply, count_of(call->connection, w->kind));
}

static int subscribe(struct call *call, const struct words *w)
{
    struct subscriber *s = subscriber_of(call->connection);
    if (!s)
        return command_error(call, "OOM", "out of memory for the subscription");
    for (size_t i = 1; i < call->argc; i++) {
        int r = subscriber_add(s, w->kind, call->argv[i]);
        if (r < 0)
            return command_error(call, "OOM", "no room for more subscriptions");
        if (r > 0)
            return command_error(call, "ERR", "too many subscriptions of this connection");
        answer(call, w->add, w, &call->argv[i]);
    }
    return COMMAND_DONE;
}

static void unsubscribe_all(struct call *call, const struct words *w)
{
    struct subscriber *s = connection_subscriber(call->connection);
    const struct subscription *at = s ? subscriber_first(s, w->kind) : NULL;
    if (!at)
        answer(call, w->remove, w, NULL);
    for (; at; at = subscriber_first(s, w->kind)) {
        struct bytes text = subscription_text(at);
        void *copy = command_take(call, text.len);
        if (!copy) {
            call->reply->failed = -ENOMEM;
            return;
        }
        memcpy(copy, text.data, text.len);
        text = bytes_make(copy, text.len);
        subscriber_remove(s, w->kind, text);
        answer(call, w->remove, w, &text);
    }
}

static int unsubscribe(struct call *call, const struct words *w)
{
    struct connection *c = call->connection;
    if (call->argc == 1)
        unsubscribe_all(call, w);
    for (size_t i = 1; i < call->argc; i++) {
        if (connection_subscriber(c))
            subscriber_remove(connection_subscriber(c), w->kind, call->argv[i]);
        answer(call, w->remove, w, &call->argv[i]);
    }
    if (connection_subscriber(c) && !connection_subscriber(c)->first)
        subscriber_free(connection_subscriber(c));
    arena_reset(&call->hub->arena);
    return COMMAND_DONE;
}

static int run_subscribe(struct call *call)
{
    return subscribe(call, &channels);
}

static int run_unsubscribe(struct call *call)
{
    return unsubscribe(call, &channels);
}

static int run_psubscribe(struct call *call)
{
    return subscribe(call, &patterns);
}

static int run_punsubscribe(struct call *call)
{
    return unsubscribe(call, &patterns);
}

/* ---- the table's changes */

static int run_follow(struct call *call)
{
    if (!reply_is_text(call->reply))
        return subscribe(call, &prefixes);
    struct subscriber *s = subscriber_of(call->connection);
    int r = s ? subscriber_add(s, SUBSCRIPTION_PREFIX, call->argv[1]) : 1;
    if (r != 0)
        return command_error(call, "ERR", "too many subscriptions");
    reply_text(call->reply, bytes_from_str("WATCHING"));
    return COMMAND_DONE;
}

static int run_unfollow(struct call *call)
{
    if (!reply_is_text(call->reply))
        return unsubscribe(call, &prefixes);
    subscriber_free(connection_subscriber(call->connection));
    reply_text(call->reply, bytes_from_str("UNWATCHED"));
    return COMMAND_DONE;
}

/* ---- publishing */

static int run_publish(struct call *call)
{
    int64_t n = exchange_publish(&call->hub->shared->exchange, call->argv[1], call->argv[2]);
    if (n < 0)
        return command_store_failed(call, (int)n);
    reply_integer(call->reply, n);
    return COMMAND_DONE;
}

/* ---- PUBSUB */

struct census {
    struct bytes pattern; /* no data: any */
    struct bytes channel;
    int64_t subscribers; /* of the channel */
    int64_t patterns;
    struct buffer names; /* of channels: a length, and so many bytes, each */
    size_t count;
    int problem;
};

static void count_channel(void *ctx, const struct subscription *s)
{
    struct census *c = ctx;
    c->subscribers +=
        s->kind == SUBSCRIPTION_CHANNEL && bytes_equal(subscription_text(s), c->channel);
    c->patterns += s->kind == SUBSCRIPTION_PATTERN;
}

static void note_channel(void *ctx, const struct subscription *s)
{
    struct census *c = ctx;
    struct bytes text = subscription_text(s);
    if (s->kind != SUBSCRIPTION_CHANNEL || c->problem ||
        (c->pattern.data && !glob_matches(c->pattern, text, false)))
        return;
    c->problem = buffer_append(&c->names, &text.len, sizeof text.len);
    if (c->problem == 0)
        c->problem = buffer_append_bytes(&c->names, text);
    c->count++;
}

static int compare_names(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int order = n ? memcmp(x->data, y->data, n) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Each channel once, whoever listens. */
static void answer_names(struct call *call, const struct census *c, struct bytes *names)
{
    struct bytes rest = buffer_view(&c->names);
    for (size_t i = 0; i < c->count; i++) {
        size_t len;
        memcpy(&len, rest.data, sizeof len);
        names[i] = bytes_first(bytes_from(rest, sizeof len), len);
        rest = bytes_from(rest, sizeof len + len);
    }
    if (c->count > 0)
        qsort(names, c->count, sizeof *names, compare_names);
    size_t different = 0;
    for (size_t i = 0; i < c->count; i++)
        if (i == 0 || !bytes_equal(names[i], names[different - 1]))
            names[different++] = names[i];
    reply_array(call->reply, different);
    for (size_t i = 0; i < different; i++)
        reply_text(call->reply, names[i]);
}

static void answer_channels(struct call *call)
{
    struct census c = {0};
    if (call->argc > 2)
        c.pattern = call->argv[2];
    buffer_init(&c.names, LIMIT_REPLY_BYTES);
    exchange_each(&call->hub->shared->exchange, note_channel, &c);
    struct bytes *names = command_take(call, c.count * sizeof *names);
    if (c.problem || !names)
        call->reply->failed = c.problem ? c.problem : -ENOMEM;
    else
        answer_names(call, &c, names);
    buffer_fini(&c.names);
    arena_reset(&call->hub->arena);
}

static int run_pubsub(struct call *call)
{
    struct exchange *x = &call->hub->shared->exchange;
    struct bytes what = call->argv[1];
    if (bytes_equal_nocase_str(what, "CHANNELS") && call->argc <= 3) {
        answer_channels(call);
    } else if (bytes_equal_nocase_str(what, "NUMPAT") && call->argc == 2) {
        struct census c = {0};
        exchange_each(x, count_channel, &c);
        reply_integer(call->reply, c.patterns);
    } else if (bytes_equal_nocase_str(what, "NUMSUB")) {
        reply_array(call->reply, 2 * (call->argc - 2));
        for (size_t i = 2; i < call->argc; i++) {
            struct census c = {.channel = call->argv[i]};
            exchange_each(x, count_channel, &c);
            reply_text(call->reply, call->argv[i]);
            reply_integer(call->reply, c.subscribers);
        }
    } else {
        return command_error_about(call, "unknown subcommand or wrong number of arguments for",
                                   what);
    }
    return COMMAND_DONE;
}

#define FLAGS (COMMAND_FAST | COMMAND_SUBSCRIBED)

static const struct command commands[] = {
    {"FOLLOW", -2, ACCESS_TABLE, FLAGS, 0, 0, 0, run_follow, NULL,
     "Tells of each change of keys that begin so"},
    {"PSUBSCRIBE", -2, ACCESS_TABLE, FLAGS, 0, 0, 0, run_psubscribe, NULL,
     "Listens to channels that match patterns"},
    {"PUBLISH", 3, ACCESS_TABLE, COMMAND_FAST, 0, 0, 0, run_publish, NULL,
     "Sends a message to a channel; how many listen"},
    {"PUBSUB", -2, ACCESS_TABLE, 0, 0, 0, 0, run_pubsub, NULL,
     "Who listens: CHANNELS [pattern], NUMSUB [channel ...], NUMPAT"},
    {"PUNSUBSCRIBE", -1, ACCESS_TABLE, FLAGS, 0, 0, 0, run_punsubscribe, NULL,
     "Ends PSUBSCRIBE"},
    {"SUBSCRIBE", -2, ACCESS_TABLE, FLAGS, 0, 0, 0, run_subscribe, NULL, "Listens to channels"},
    {"UNFOLLOW", -1, ACCESS_TABLE, FLAGS, 0, 0, 0, run_unfollow, NULL, "Ends FOLLOW"},
    {"UNSUBSCRIBE", -1, ACCESS_TABLE, FLAGS, 0, 0, 0, run_unsubscribe, NULL, "Ends SUBSCRIBE"},
};

const struct command_part commands_push = {commands, sizeof commands / sizeof *commands};

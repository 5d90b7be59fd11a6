#include "hub/subscriber.h"

#include "base/clean.h"
#include "hub/hub.h"
#include "wire/text_request.h"

#include <errno.h>
#include <stdlib.h>

struct subscriber *subscriber_of(struct connection *c)
{
    struct connection_extra *extra = connection_extra(c);
    if (!extra || extra->subscriber)
        return extra ? extra->subscriber : NULL;
    struct subscriber *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->connection = c;
    list_append(&c->hub->subscribers, &s->link);
    return extra->subscriber = s;
}

static struct exchange *exchange_of(const struct subscriber *s)
{
    return &s->connection->hub->shared->exchange;
}

void subscriber_free(struct subscriber *s)
{
    if (!s)
        return;
    while (s->first) {
        struct subscription *gone = s->first;
        s->first = gone->next;
        exchange_unsubscribe(exchange_of(s), gone);
    }
    list_remove(&s->link);
    s->connection->extra->subscriber = NULL;
    free(s);
}

/* The link that holds it, or the NULL at the end. */
static struct subscription **find(struct subscriber *s, enum subscription_kind kind,
                                  struct bytes text)
{
    struct subscription **link = &s->first;
    while (*link && ((*link)->kind != kind || !bytes_equal(subscription_text(*link), text)))
        link = &(*link)->next;
    return link;
}

int subscriber_add(struct subscriber *s, enum subscription_kind kind, struct bytes text)
{
    struct subscription **end = find(s, kind, text);
    if (*end)
        return 0;
    size_t all = s->counts[0] + s->counts[1] + s->counts[2];
    if (all >= LIMIT_CONNECTION_SUBSCRIPTIONS)
        return BUFFER_FULL;
    *end = exchange_subscribe(exchange_of(s), s->connection->hub->number, kind, text);
    if (!*end)
        return -ENOMEM;
    s->counts[kind]++;
    return 0;
}

bool subscriber_remove(struct subscriber *s, enum subscription_kind kind, struct bytes text)
{
    struct subscription **link = find(s, kind, text), *gone = *link;
    if (!gone)
        return false;
    *link = gone->next;
    s->counts[kind]--;
    exchange_unsubscribe(exchange_of(s), gone);
    return true;
}

const struct subscription *subscriber_first(const struct subscriber *s,
                                            enum subscription_kind kind)
{
    const struct subscription *at = s->first;
    while (at && at->kind != kind)
        at = at->next;
    return at;
}

/* ---- telling */

static void tell_message(struct reply *r, const struct subscription *s, struct bytes channel,
                         struct bytes message)
{
    bool by_pattern = s->kind == SUBSCRIPTION_PATTERN;
    reply_push(r, by_pattern ? 4 : 3);
    reply_text(r, bytes_from_str(by_pattern ? "pmessage" : "message"));
    if (by_pattern)
        reply_text(r, subscription_text(s));
    reply_text(r, channel);
    reply_text(r, message);
}

static void tell_on_channel(const struct subscriber *s, struct reply *r, struct bytes channel,
                            struct bytes message)
{
    for (const struct subscription *at = s->first; at; at = at->next)
        if (subscription_matches(at, channel))
            tell_message(r, at, channel, message);
}

static const char *event_of(const struct push *p)
{
    switch (p->change) {
    case STORE_CHANGE_PUT:
        return "set";
    case STORE_CHANGE_REMOVE:
        return "del";
    case STORE_CHANGE_EXPIRE:
        return "expired";
    case STORE_CHANGE_FLUSH:
        break;
    }
    return "flush";
}

static void tell_on_key_channels(const struct subscriber *s, struct reply *r,
                                 const struct push *p)
{
    if (p->change == STORE_CHANGE_FLUSH)
        return;
    struct bytes event = bytes_from_str(event_of(p));
    struct buffer channel;
    buffer_init(&channel, LIMIT_KEY_BYTES + 64);
    if (buffer_append_str(&channel, "__keyspace@0__:") != 0 ||
        buffer_append_bytes(&channel, p->name) != 0)
        r->failed = -ENOMEM;
    else
        tell_on_channel(s, r, buffer_view(&channel), event);
    buffer_truncate(&channel, 0);
    if (buffer_append_str(&channel, "__keyevent@0__:") != 0 ||
        buffer_append_bytes(&channel, event) != 0)
        r->failed = -ENOMEM;
    else
        tell_on_channel(s, r, buffer_view(&channel), p->name);
    buffer_fini(&channel);
}

static void tell_line(struct reply *r, const struct push *p)
{
    static const char *const words[] = {"CHANGED ", "REMOVED ", "EXPIRED ", "FLUSHED"};
    struct buffer line;
    buffer_init(&line, SIZE_MAX);
    bool carried = p->change == STORE_CHANGE_PUT && !text_value_problem(p->value);
    int e = buffer_append_str(&line, words[p->change]);
    if (e == 0)
        e = clean_append(&line, p->name, LIMIT_KEY_BYTES);
    if (e == 0 && carried)
        e = buffer_append_str(&line, " = ");
    if (e == 0 && carried)
        e = buffer_append_bytes(&line, p->value);
    if (e == 0)
        reply_text(r, buffer_view(&line));
    else
        r->failed = e;
    buffer_fini(&line);
}

static void tell_change(struct reply *r, const struct subscription *s, const struct push *p)
{
    if (reply_is_text(r)) {
        tell_line(r, p);
        return;
    }
    reply_push(r, 5);
    reply_text(r, bytes_from_str("change"));
    reply_text(r, subscription_text(s));
    reply_text(r, bytes_from_str(event_of(p)));
    if (p->change == STORE_CHANGE_FLUSH)
        reply_null(r);
    else
        reply_text(r, p->name);
    if (p->change == STORE_CHANGE_PUT)
        reply_shared_value(r, p->value, p->blob);
    else
        reply_null(r);
}

static bool begins_with(struct bytes b, struct bytes prefix)
{
    return b.len >= prefix.len && bytes_equal(bytes_first(b, prefix.len), prefix);
}

/* Where several prefixes match it is told once. */
static void tell_by_prefix(const struct subscriber *s, struct reply *r, const struct push *p)
{
    for (const struct subscription *at = s->first; at; at = at->next) {
        if (at->kind == SUBSCRIPTION_PREFIX &&
            (p->change == STORE_CHANGE_FLUSH || begins_with(p->name, subscription_text(at)))) {
            tell_change(r, at, p);
            return;
        }
    }
}

void subscriber_tell(struct subscriber *s, const struct push *p)
{
    struct reply r;
    if (!connection_begin_push(s->connection, &r))
        return;
    r.lsn = p->lsn;
    if (p->kind == PUSH_MESSAGE) {
        tell_on_channel(s, &r, p->name, p->value);
    } else {
        tell_by_prefix(s, &r, p);
        if (s->counts[SUBSCRIPTION_CHANNEL] + s->counts[SUBSCRIPTION_PATTERN] > 0)
            tell_on_key_channels(s, &r, p);
    }
    connection_end_push(s->connection, &r);
}

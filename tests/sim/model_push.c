#include "model_push.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- subscriptions */

static struct bytes prefix_text(unsigned prefix, char out[8])
{
    if (prefix == 0)
        return bytes_from_str("k");
    return request_key(prefix - 1, out);
}

static void answer_subscription(struct run *x, const char *word, const unsigned *prefix)
{
    char text[8];
    put_str(x->out, ">3\r\n");
    put_bulk(x->out, bytes_from_str(word));
    if (prefix)
        put_bulk(x->out, prefix_text(*prefix, text));
    else
        answer_null(x);
    answer_integer(x, (int64_t)x->s->prefix_count);
}

static void follow(struct run *x)
{
    struct model_session *s = x->s;
    unsigned prefix = x->r->keys[0];
    size_t i = 0;
    while (i < s->prefix_count && s->prefixes[i] != prefix)
        i++;
    if (i == s->prefix_count)
        s->prefixes[s->prefix_count++] = prefix;
    if (s->resp)
        answer_subscription(x, "follow", &prefix);
    else
        answer_line(x, "WATCHING");
}

static void unfollow(struct run *x)
{
    struct model_session *s = x->s;
    size_t n = s->prefix_count;
    if (!s->resp) {
        s->prefix_count = 0;
        answer_line(x, "UNWATCHED");
        return;
    }
    if (n == 0)
        answer_subscription(x, "unfollow", NULL);
    for (size_t i = 0; i < n; i++) {
        s->prefix_count--;
        answer_subscription(x, "unfollow", &s->prefixes[i]);
    }
}

static void subscribe(struct run *x)
{
    struct model_session *s = x->s;
    char text[8];
    unsigned channel = x->r->keys[0];
    s->channel_count += !s->listens[channel];
    x->m->listeners[channel] += !s->listens[channel];
    s->listens[channel] = true;
    put_str(x->out, ">3\r\n$9\r\nsubscribe\r\n");
    put_bulk(x->out, request_channel(channel, text));
    answer_integer(x, (int64_t)s->channel_count);
}

static void publish(struct run *x)
{
    size_t listeners = x->m->listeners[x->r->keys[0]];
    answer_integer(x, (int64_t)listeners);
    if (listeners > 0)
        x->m->published = x->r;
}

void model_session_fini(struct model *m, struct model_session *s)
{
    model_end_transaction(s);
    for (size_t i = 0; i < REQUEST_CHANNELS; i++)
        m->listeners[i] -= s->listens[i];
}

bool run_subscription(struct run *x)
{
    if (x->r->verb == VERB_FOLLOW)
        follow(x);
    else if (x->r->verb == VERB_UNFOLLOW)
        unfollow(x);
    else if (x->r->verb == VERB_SUBSCRIBE)
        subscribe(x);
    else if (x->r->verb == VERB_PUBLISH)
        publish(x);
    else
        return false;
    return true;
}

/* ---- pushes */

void model_push_init(struct model_push *p, const struct model *m,
                     const struct witness_change *change)
{
    *p = (struct model_push){.kind = change->kind, .lsn = change->lsn};
    if (change->kind != STORE_CHANGE_FLUSH)
        p->key = model_key_of(m, change);
    if (change->kind != STORE_CHANGE_PUT)
        return;
    const struct model_entry *e = &m->entries[p->key];
    p->len = e->len;
    p->value = malloc(e->len + 1);
    if (!p->value)
        abort();
    memcpy(p->value, e->data, e->len);
}

void model_push_init_message(struct model_push *p, const struct model *m)
{
    struct buffer value;
    buffer_init(&value, SIZE_MAX / 2);
    value_write(&m->published->values[0], &value);
    size_t len = buffer_len(&value);
    *p = (struct model_push){
        .message = true, .key = m->published->keys[0], .value = malloc(len + 1), .len = len};
    if (!p->value)
        abort();
    if (len)
        memcpy(p->value, buffer_view(&value).data, len);
    buffer_fini(&value);
}

void model_push_fini(struct model_push *p)
{
    free(p->value);
}

static void tell_line(const struct model_push *p, struct buffer *out)
{
    static const char *const words[] = {"CHANGED ", "REMOVED ", "EXPIRED ", "FLUSHED"};
    char key[8];
    struct bytes value = bytes_make(p->value, p->len);
    put_str(out, words[p->kind]);
    if (p->kind != STORE_CHANGE_FLUSH)
        put(out, request_key(p->key, key));
    if (p->kind == STORE_CHANGE_PUT && value_is_text(value)) {
        put_str(out, " = ");
        put(out, value);
    }
    put_str(out, "\n");
}

static void put_bulk_or_null(struct buffer *out, bool null, struct bytes b)
{
    if (null)
        put_str(out, "_\r\n");
    else
        put_bulk(out, b);
}

static void tell_push(const struct model_push *p, struct bytes prefix, struct buffer *out)
{
    static const char *const words[] = {"set", "del", "expired", "flush"};
    char key[8];
    put_str(out, ">5\r\n$6\r\nchange\r\n");
    put_bulk(out, prefix);
    put_bulk(out, bytes_from_str(words[p->kind]));
    put_bulk_or_null(out, p->kind == STORE_CHANGE_FLUSH, request_key(p->key, key));
    put_bulk_or_null(out, p->kind != STORE_CHANGE_PUT, bytes_make(p->value, p->len));
}

static void tell_message(const struct model_push *p, struct buffer *out)
{
    char channel[8];
    put_str(out, ">3\r\n$7\r\nmessage\r\n");
    put_bulk(out, request_channel(p->key, channel));
    put_bulk(out, bytes_make(p->value, p->len));
}

static void tell_change(const struct model_session *s, const struct model_push *p,
                        struct buffer *out)
{
    char room[8], key[8];
    struct bytes name = request_key(p->key, key);
    for (size_t i = 0; i < s->prefix_count; i++) {
        struct bytes prefix = prefix_text(s->prefixes[i], room);
        if (p->kind != STORE_CHANGE_FLUSH &&
            !bytes_starts_with(name, (const char *)prefix.data))
            continue;
        if (s->resp)
            tell_push(p, prefix, out);
        else
            tell_line(p, out);
        return;
    }
}

void model_tell(const struct model_session *s, const struct model_push *p, struct buffer *out)
{
    if (!p->message)
        tell_change(s, p, out);
    else if (s->listens[p->key])
        tell_message(p, out);
}

#include "request.h"

#include <stdio.h>
#include <stdlib.h>

/* Requests as bytes. */

void put(struct buffer *out, struct bytes data)
{
    if (buffer_append_bytes(out, data) != 0)
        abort();
}

void put_str(struct buffer *out, const char *s)
{
    put(out, bytes_from_str(s));
}

void put_bulk(struct buffer *out, struct bytes data)
{
    char head[32];
    snprintf(head, sizeof head, "$%zu\r\n", data.len);
    put_str(out, head);
    put(out, data);
    put_str(out, "\r\n");
}

void value_write(const struct value *v, struct buffer *out)
{
    char head[16];
    snprintf(head, sizeof head, v->kind == VALUE_NUMBER ? "%u" : "v%06u-", v->tag);
    if (v->kind == VALUE_NUMBER || v->len >= 8)
        put_str(out, head);
    if (v->kind == VALUE_NUMBER || v->len <= 8)
        return;
    const char *fill = v->kind == VALUE_BINARY ? "\r\n$3\0x" : "words =";
    uint8_t *space;
    if (buffer_reserve(out, v->len - 8, &space) != 0)
        abort();
    for (size_t i = 0; i < v->len - 8; i++)
        space[i] = (uint8_t)fill[i % 7 % 6];
    space[v->len - 9] = (uint8_t)fill[0]; /* no blank at its end */
    buffer_wrote(out, v->len - 8);
}

bool value_is_text(struct bytes value)
{
    return value.len > 0 && !memchr(value.data, '\r', value.len) &&
           !memchr(value.data, '\n', value.len) && !memchr(value.data, '\0', value.len);
}

struct bytes request_key(unsigned key, char out[8])
{
    snprintf(out, 8, "k%u", key % 1000);
    return bytes_from_str(out);
}

struct bytes request_channel(unsigned channel, char out[8])
{
    snprintf(out, 8, "c%u", channel % 10);
    return bytes_from_str(out);
}

static void write_text(const struct request *r, struct buffer *out)
{
    static const char *const fixed[] = {
        [VERB_STOP] = "QUIT",           [VERB_FULL] = "REPLIES full",
        [VERB_TERSE] = "REPLIES terse", [VERB_NOSTORE] = "STORE k1",
        [VERB_NOGET] = "GET k1 k2",     [VERB_HTTP] = "GET / HTTP/1.1",
        [VERB_STORE] = "STORE ",        [VERB_GET] = "GET ",
        [VERB_NAME] = "NAME=",          [VERB_FOLLOW] = "WATCH k",
        [VERB_UNFOLLOW] = "UNWATCH",
    };
    char key[8];
    if (r->verb != VERB_ECHO)
        put_str(out, fixed[r->verb]);
    if (r->verb == VERB_FOLLOW && r->keys[0] > 0)
        put(out, bytes_from(request_key(r->keys[0] - 1, key), 1));
    if (r->verb == VERB_STORE || r->verb == VERB_GET)
        put(out, request_key(r->keys[0], key));
    if (r->verb == VERB_STORE)
        put_str(out, r->values[0].tag % 2 ? " = " : "=");
    if (r->verb == VERB_STORE || r->verb == VERB_NAME || r->verb == VERB_ECHO)
        value_write(&r->values[0], out);
    put(out, line_ending_bytes(r->ending));
}

static void put_count(struct buffer *out, size_t n)
{
    char head[32];
    snprintf(head, sizeof head, "*%zu\r\n", n);
    put_str(out, head);
}

static void put_word(struct buffer *out, const char *word)
{
    put_bulk(out, bytes_from_str(word));
}

static void put_value(struct buffer *out, const struct value *v)
{
    struct buffer value;
    buffer_init(&value, SIZE_MAX / 2);
    value_write(v, &value);
    put_bulk(out, buffer_view(&value));
    buffer_fini(&value);
}

static void put_number(struct buffer *out, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    put_word(out, digits);
}

static void write_keys(const struct request *r, const char *name, bool values,
                       struct buffer *out)
{
    char key[8];
    put_count(out, 1 + r->n * (values ? 2 : 1));
    put_word(out, name);
    for (size_t i = 0; i < r->n; i++) {
        put_bulk(out, request_key(r->keys[i], key));
        if (values)
            put_value(out, &r->values[i]);
    }
}

static void write_copy(const struct request *r, struct buffer *out)
{
    char key[8];
    put_count(out, r->number % 2 ? 4 : 3);
    put_word(out, "COPY");
    put_bulk(out, request_key(r->keys[0], key));
    put_bulk(out, request_key(r->keys[1], key));
    if (r->number % 2)
        put_word(out, "replace");
}

static void write_channel(const struct request *r, struct buffer *out)
{
    char channel[8];
    bool publishes = r->verb == VERB_PUBLISH;
    put_count(out, publishes ? 3 : 2);
    put_word(out, request_word(r));
    put_bulk(out, request_channel(r->keys[0], channel));
    if (publishes)
        put_value(out, &r->values[0]);
}

static void write_add(const struct request *r, struct buffer *out)
{
    char key[8];
    bool one = r->number == 1 || r->number == -1;
    bool down = r->number < 0;
    put_count(out, one ? 2 : 3);
    put_word(out, one ? (down ? "decr" : "INCR") : (down ? "DECRBY" : "IncrBy"));
    put_bulk(out, request_key(r->keys[0], key));
    if (!one)
        put_number(out, down ? -r->number : r->number);
}

static void write_term(const struct request *r, struct buffer *out)
{
    static const char *const words[] = {[TERM_KEEP] = "KEEPTTL",
                                        [TERM_NEVER] = "PERSIST",
                                        [TERM_SECONDS] = "EX",
                                        [TERM_MILLIS] = "px",
                                        [TERM_AT] = "PXAT"};
    if (r->term != TERM_NONE)
        put_word(out, words[r->term]);
    if (r->term >= TERM_SECONDS)
        put_number(out, r->time);
}

static size_t term_words(const struct request *r)
{
    return r->term == TERM_NONE ? 0 : r->term < TERM_SECONDS ? 1 : 2;
}

/* SET and GETEX. */
static void write_options(const struct request *r, struct buffer *out)
{
    char key[8];
    bool set = r->verb == VERB_SET;
    put_count(out, (set ? 3 : 2) + (r->when != WHEN_ANY) + term_words(r));
    put_word(out, set ? "SET" : "getex");
    put_bulk(out, request_key(r->keys[0], key));
    if (set)
        put_value(out, &r->values[0]);
    if (r->when != WHEN_ANY)
        put_word(out, r->when == WHEN_ABSENT ? "NX" : "xx");
    write_term(r, out);
}

static void write_expire(const struct request *r, struct buffer *out)
{
    char key[8];
    put_count(out, 3);
    put_word(out, r->term == TERM_SECONDS  ? "EXPIRE"
                  : r->term == TERM_MILLIS ? "PEXPIRE"
                                           : "PEXPIREAT");
    put_bulk(out, request_key(r->keys[0], key));
    put_number(out, r->time);
}

static void write_words(struct buffer *out, const char *a, const char *b)
{
    put_count(out, b ? 2 : 1);
    put_word(out, a);
    if (b)
        put_word(out, b);
}

const char *request_word(const struct request *r)
{
    static const char *const words[] = {
        [VERB_DBSIZE] = "DBSIZE",       [VERB_TELL_NAME] = "NAME",
        [VERB_NAME] = "NAME",           [VERB_SAVE] = "BGSAVE",
        [VERB_STOP] = "SHUTDOWN",       [VERB_CLOSE] = "QUIT",
        [VERB_HELLO] = "HELLO",         [VERB_ID] = "CLIENT",
        [VERB_PING] = "PING",           [VERB_MULTI] = "MULTI",
        [VERB_EXEC] = "exec",           [VERB_DISCARD] = "DISCARD",
        [VERB_UNWATCH] = "UNWATCH",     [VERB_UNFOLLOW] = "UNFOLLOW",
        [VERB_SUBSCRIBE] = "SUBSCRIBE", [VERB_PUBLISH] = "publish",
    };
    if (r->verb == VERB_FLUSH)
        return r->number % 2 ? "FLUSHDB" : "FLUSHALL";
    return words[r->verb];
}

/* The command of a verb that is asked with keys, or keys and values, alone; NULL: it is none.
 */
static const char *command_of_keys(const struct request *r)
{
    static const char *const words[] = {
        [VERB_STORE] = "STORE",   [VERB_GET] = "get",         [VERB_DEL] = "DEL",
        [VERB_EXISTS] = "EXISTS", [VERB_MGET] = "MGET",       [VERB_MSET] = "MSET",
        [VERB_MSETNX] = "MSETNX", [VERB_GETDEL] = "GETDEL",   [VERB_APPEND] = "APPEND",
        [VERB_STRLEN] = "STRLEN", [VERB_PERSIST] = "PERSIST", [VERB_WATCH] = "WATCH",
    };
    if (r->verb == VERB_TTL)
        return r->number % 2 ? "PEXPIRETIME" : "PTTL";
    if (r->verb == VERB_RENAME)
        return r->number % 2 ? "RENAMENX" : "RENAME";
    return r->verb < sizeof words / sizeof *words ? words[r->verb] : NULL;
}

static bool has_values(enum verb verb)
{
    return verb == VERB_STORE || verb == VERB_MSET || verb == VERB_MSETNX ||
           verb == VERB_APPEND;
}

static void write_follow(const struct request *r, struct buffer *out)
{
    char key[8];
    put_count(out, 2);
    put_word(out, "FOLLOW");
    put_bulk(out, r->keys[0] ? request_key(r->keys[0] - 1, key) : bytes_from_str("k"));
}

/* What is neither of keys alone nor one word. */
static void write_special(const struct request *r, struct buffer *out)
{
    switch (r->verb) {
    case VERB_SET:
    case VERB_GETEX:
        write_options(r, out);
        break;
    case VERB_EXPIRE:
        write_expire(r, out);
        break;
    case VERB_FOLLOW:
        write_follow(r, out);
        break;
    case VERB_SUBSCRIBE:
    case VERB_PUBLISH:
        write_channel(r, out);
        break;
    case VERB_COPY:
        write_copy(r, out);
        break;
    case VERB_ADD:
        write_add(r, out);
        break;
    case VERB_ECHO:
    case VERB_NAME:
        put_count(out, 2);
        put_word(out, r->verb == VERB_ECHO ? "ECHO" : request_word(r));
        put_value(out, &r->values[0]);
        break;
    case VERB_HELLO:
        write_words(out, request_word(r), r->number == 0 ? NULL : r->number == 2 ? "2" : "3");
        break;
    case VERB_ID:
        write_words(out, request_word(r), "ID");
        break;
    case VERB_UNKNOWN:
        write_words(out, "NONSUCH", "1");
        break;
    case VERB_ARITY:
        write_words(out, "GET", NULL);
        break;
    case VERB_NOTHING:
        put_str(out, "*0\r\n");
        break;
    case VERB_NONSENSE:
        put_str(out, "*1\r\n:");
        break;
    default:
        write_words(out, request_word(r), NULL);
        break;
    }
}

static void write_resp(const struct request *r, struct buffer *out)
{
    const char *command = command_of_keys(r);
    if (command)
        write_keys(r, command, has_values(r->verb), out);
    else
        write_special(r, out);
}

void request_write(const struct request *r, bool resp, struct buffer *out)
{
    if (resp)
        write_resp(r, out);
    else
        write_text(r, out);
}

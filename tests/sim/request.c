#include "request.h"

#include "support/faulty_disk.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const verb_names[] = {
    [VERB_ECHO] = "echo",         [VERB_STORE] = "store",     [VERB_GET] = "get",
    [VERB_NAME] = "name",         [VERB_STOP] = "stop",       [VERB_FULL] = "full",
    [VERB_TERSE] = "terse",       [VERB_NOSTORE] = "nostore", [VERB_NOGET] = "noget",
    [VERB_HTTP] = "http",         [VERB_SET] = "set",         [VERB_DEL] = "del",
    [VERB_EXISTS] = "exists",     [VERB_MGET] = "mget",       [VERB_MSET] = "mset",
    [VERB_ADD] = "add",           [VERB_APPEND] = "append",   [VERB_STRLEN] = "strlen",
    [VERB_DBSIZE] = "dbsize",     [VERB_TELL_NAME] = "name?", [VERB_PING] = "ping",
    [VERB_HELLO] = "hello",       [VERB_ID] = "id",           [VERB_NOTHING] = "nothing",
    [VERB_UNKNOWN] = "unknown",   [VERB_ARITY] = "arity",     [VERB_CLOSE] = "close",
    [VERB_NONSENSE] = "nonsense", [VERB_SAVE] = "save",
};

const char *request_name(const struct request *r)
{
    return verb_names[r->verb];
}

/* ---- making up */

/* How often each is asked, by door. */
struct weight {
    enum verb verb;
    unsigned weight;
};

static const struct weight text_weights[] = {
    {VERB_STORE, 40}, {VERB_GET, 40},  {VERB_ECHO, 12}, {VERB_NAME, 3},
    {VERB_FULL, 2},   {VERB_TERSE, 2}, {VERB_NOGET, 2}, {VERB_NOSTORE, 2},
};

static const struct weight resp_weights[] = {
    {VERB_STORE, 6},  {VERB_GET, 24},      {VERB_SET, 20},   {VERB_DEL, 14},
    {VERB_MGET, 10},  {VERB_MSET, 12},     {VERB_EXISTS, 8}, {VERB_ADD, 10},
    {VERB_APPEND, 8}, {VERB_STRLEN, 5},    {VERB_DBSIZE, 5}, {VERB_NAME, 2},
    {VERB_ECHO, 5},   {VERB_TELL_NAME, 2}, {VERB_PING, 4},   {VERB_HELLO, 2},
    {VERB_ID, 1},     {VERB_NOTHING, 1},   {VERB_SAVE, 2},   {VERB_UNKNOWN, 1},
    {VERB_ARITY, 1},
};

static enum verb choose_weighted(const struct weight *weights, size_t n, uint64_t *seed)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[i].weight;
    unsigned at = (unsigned)(faulty_random(seed) % sum);
    size_t i = 0;
    while (at >= weights[i].weight)
        at -= weights[i++].weight;
    return weights[i].verb;
}

static enum verb choose_verb(const struct request_taste *taste, uint64_t *seed)
{
    unsigned rare = (unsigned)(faulty_random(seed) % 1000);
    if (taste->loud && rare >= 300)
        return VERB_ECHO;
    if (rare < taste->stops_per_mille)
        return VERB_STOP;
    if (rare == 999)
        return taste->resp ? VERB_NONSENSE : VERB_HTTP;
    if (rare >= 995 && taste->resp)
        return VERB_CLOSE;
    return taste->resp
               ? choose_weighted(resp_weights, sizeof resp_weights / sizeof *resp_weights, seed)
               : choose_weighted(text_weights, sizeof text_weights / sizeof *text_weights,
                                 seed);
}

static struct value choose_value(const struct request_taste *taste, uint64_t *seed)
{
    struct value v = {.kind = VALUE_WORDS, .tag = ++*taste->tags};
    unsigned kind = (unsigned)(faulty_random(seed) % 100);
    if (kind < 20)
        v.kind = VALUE_NUMBER;
    else if (kind < 35 && taste->resp)
        v.kind = VALUE_BINARY;
    unsigned size = (unsigned)(faulty_random(seed) % 100);
    v.len = (uint32_t)(faulty_random(seed) % (size < 80   ? 40
                                              : size < 97 ? 600
                                                          : taste->value_bytes_max));
    if (kind >= 98 && taste->resp)
        v = (struct value){.kind = VALUE_BINARY, .tag = v.tag};
    else
        v.len += 8;
    return v;
}

static size_t keys_of(enum verb verb, uint64_t *seed)
{
    switch (verb) {
    case VERB_DEL:
    case VERB_EXISTS:
    case VERB_MGET:
    case VERB_MSET:
        return 1 + faulty_random(seed) % REQUEST_KEYS_MAX;
    default:
        return 1;
    }
}

void request_make(struct request *r, const struct request_taste *taste, uint64_t *seed)
{
    *r = (struct request){.verb = choose_verb(taste, seed), .ending = LINE_LF};
    if (faulty_random(seed) % 4 == 0)
        r->ending = LINE_CRLF;
    r->n = keys_of(r->verb, seed);
    for (size_t i = 0; i < r->n; i++) {
        r->keys[i] = (unsigned)(faulty_random(seed) % REQUEST_KEYS);
        r->values[i] = choose_value(taste, seed);
    }
    if (r->verb == VERB_ECHO && taste->loud)
        r->values[0] = (struct value){VALUE_WORDS, r->values[0].tag, taste->value_bytes_max};
    if (r->verb == VERB_NAME)
        r->values[0] = (struct value){VALUE_WORDS, r->values[0].tag, 8 + r->values[0].tag % 3};
    if (r->verb == VERB_HELLO)
        r->number = (int64_t[]){0, 2, 3}[faulty_random(seed) % 3];
    else if (faulty_random(seed) % 8 == 0)
        r->number = INT64_MAX - 3;
    else
        r->number = (int64_t)(faulty_random(seed) % 5) - 2;
}

bool request_is_logged(const struct request *r)
{
    switch (r->verb) {
    case VERB_FULL:
    case VERB_TERSE:
    case VERB_NOSTORE:
    case VERB_NOGET:
    case VERB_HTTP:
    case VERB_NOTHING:
    case VERB_UNKNOWN:
    case VERB_ARITY:
    case VERB_NONSENSE:
        return false;
    default:
        return true;
    }
}

/* ---- writing */

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

struct bytes request_key(unsigned key, char out[8])
{
    snprintf(out, 8, "k%u", key % 1000);
    return bytes_from_str(out);
}

static void write_text(const struct request *r, struct buffer *out)
{
    static const char *const fixed[] = {
        [VERB_STOP] = "QUIT",           [VERB_FULL] = "REPLIES full",
        [VERB_TERSE] = "REPLIES terse", [VERB_NOSTORE] = "STORE k1",
        [VERB_NOGET] = "GET k1 k2",     [VERB_HTTP] = "GET / HTTP/1.1",
        [VERB_STORE] = "STORE ",        [VERB_GET] = "GET ",
        [VERB_NAME] = "NAME=",
    };
    char key[8];
    if (r->verb != VERB_ECHO)
        put_str(out, fixed[r->verb]);
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

static void write_words(struct buffer *out, const char *a, const char *b)
{
    put_count(out, b ? 2 : 1);
    put_word(out, a);
    if (b)
        put_word(out, b);
}

static void write_resp(const struct request *r, struct buffer *out)
{
    switch (r->verb) {
    case VERB_STORE:
        write_keys(r, "STORE", true, out);
        break;
    case VERB_SET:
        write_keys(r, "SET", true, out);
        break;
    case VERB_MSET:
        write_keys(r, "MSET", true, out);
        break;
    case VERB_APPEND:
        write_keys(r, "APPEND", true, out);
        break;
    case VERB_GET:
        write_keys(r, "get", false, out);
        break;
    case VERB_DEL:
        write_keys(r, "DEL", false, out);
        break;
    case VERB_EXISTS:
        write_keys(r, "EXISTS", false, out);
        break;
    case VERB_MGET:
        write_keys(r, "MGET", false, out);
        break;
    case VERB_STRLEN:
        write_keys(r, "STRLEN", false, out);
        break;
    case VERB_ADD:
        write_add(r, out);
        break;
    case VERB_ECHO:
    case VERB_NAME:
        put_count(out, 2);
        put_word(out, r->verb == VERB_ECHO ? "ECHO" : "NAME");
        put_value(out, &r->values[0]);
        break;
    case VERB_HELLO:
        write_words(out, "HELLO", r->number == 0 ? NULL : r->number == 2 ? "2" : "3");
        break;
    case VERB_ID:
        write_words(out, "CLIENT", "ID");
        break;
    case VERB_DBSIZE:
        write_words(out, "DBSIZE", NULL);
        break;
    case VERB_TELL_NAME:
        write_words(out, "NAME", NULL);
        break;
    case VERB_SAVE:
        write_words(out, "BGSAVE", NULL);
        break;
    case VERB_STOP:
        write_words(out, "SHUTDOWN", NULL);
        break;
    case VERB_CLOSE:
        write_words(out, "QUIT", NULL);
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
        write_words(out, "PING", NULL);
        break;
    }
}

void request_write(const struct request *r, bool resp, struct buffer *out)
{
    if (resp)
        write_resp(r, out);
    else
        write_text(r, out);
}

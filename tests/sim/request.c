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
    [VERB_NONSENSE] = "nonsense", [VERB_SAVE] = "save",       [VERB_SUBSCRIBE] = "subscribe",
    [VERB_PUBLISH] = "publish",   [VERB_MSETNX] = "msetnx",   [VERB_GETDEL] = "getdel",
    [VERB_RENAME] = "rename",     [VERB_COPY] = "copy",       [VERB_FOLLOW] = "follow",
    [VERB_UNFOLLOW] = "unfollow", [VERB_MULTI] = "multi",     [VERB_EXEC] = "exec",
    [VERB_DISCARD] = "discard",   [VERB_WATCH] = "watch",     [VERB_UNWATCH] = "unwatch",
    [VERB_EXPIRE] = "expire",     [VERB_TTL] = "ttl",         [VERB_PERSIST] = "persist",
    [VERB_GETEX] = "getex",       [VERB_FLUSH] = "flush",
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
    {VERB_STORE, 6},   {VERB_GET, 24},      {VERB_SET, 20},    {VERB_DEL, 14},
    {VERB_MGET, 10},   {VERB_MSET, 12},     {VERB_EXISTS, 8},  {VERB_ADD, 10},
    {VERB_APPEND, 8},  {VERB_STRLEN, 5},    {VERB_DBSIZE, 5},  {VERB_NAME, 2},
    {VERB_ECHO, 5},    {VERB_TELL_NAME, 2}, {VERB_PING, 4},    {VERB_HELLO, 2},
    {VERB_ID, 1},      {VERB_NOTHING, 1},   {VERB_SAVE, 2},    {VERB_EXPIRE, 10},
    {VERB_TTL, 6},     {VERB_PERSIST, 3},   {VERB_GETEX, 4},   {VERB_FLUSH, 1},
    {VERB_PUBLISH, 4}, {VERB_MSETNX, 3},    {VERB_GETDEL, 4},  {VERB_RENAME, 6},
    {VERB_COPY, 5},    {VERB_MULTI, 7},     {VERB_WATCH, 7},   {VERB_UNWATCH, 1},
    {VERB_EXEC, 1},    {VERB_DISCARD, 1},   {VERB_UNKNOWN, 1}, {VERB_ARITY, 1},
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

static const struct weight ending_weights[] = {
    {VERB_EXEC, 40}, {VERB_DISCARD, 3}, {VERB_MULTI, 1}, {VERB_WATCH, 1}};

/* Of a transaction that is being gathered. */
static enum verb choose_gathered(uint64_t *seed)
{
    struct request r = {0};
    if (faulty_random(seed) % 5 == 0)
        return choose_weighted(ending_weights, sizeof ending_weights / sizeof *ending_weights,
                               seed);
    do
        r.verb =
            choose_weighted(resp_weights, sizeof resp_weights / sizeof *resp_weights, seed);
    while (!request_may_queue(&r) && faulty_random(seed) % 60 != 0);
    return r.verb;
}

static enum verb choose_any(const struct request_taste *taste, uint64_t *seed)
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
    if (taste->gathers)
        return choose_gathered(seed);
    return taste->resp
               ? choose_weighted(resp_weights, sizeof resp_weights / sizeof *resp_weights, seed)
               : choose_weighted(text_weights, sizeof text_weights / sizeof *text_weights,
                                 seed);
}

/* It must be known what has been run when a push comes between. */
static enum verb choose_verb(const struct request_taste *taste, uint64_t *seed)
{
    struct request r = {0};
    if (taste->follows && faulty_random(seed) % 8 == 0)
        return (enum verb[]){VERB_FOLLOW, VERB_FOLLOW, VERB_UNFOLLOW,
                             taste->resp ? VERB_SUBSCRIBE
                                         : VERB_FOLLOW}[faulty_random(seed) % 4];
    do
        r.verb = choose_any(taste, seed);
    while (taste->follows &&
           (!request_is_logged(&r) || r.verb == VERB_HELLO || r.verb == VERB_MULTI));
    return r.verb;
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
    case VERB_MSETNX:
        return 1 + faulty_random(seed) % REQUEST_KEYS_MAX;
    case VERB_RENAME:
    case VERB_COPY:
        return 2;
    default:
        return 1;
    }
}

static int64_t choose_time(const struct request_taste *taste, enum request_term term,
                           uint64_t *seed)
{
    static const int64_t spans[] = {5, 20, 20, 300, 3000, 60000, 4 * 3600000};
    int64_t span = spans[faulty_random(seed) % 7];
    int64_t time = 1 + (int64_t)(faulty_random(seed) % (uint64_t)span);
    if (faulty_random(seed) % 30 == 0)
        time = -time / 2;
    if (term == TERM_SECONDS)
        return time / 1000;
    return term == TERM_AT ? taste->now + time : time;
}

static void choose_end(struct request *r, const struct request_taste *taste, uint64_t *seed)
{
    static const enum request_term of_set[] = {TERM_NONE,    TERM_NONE,   TERM_KEEP,
                                               TERM_SECONDS, TERM_MILLIS, TERM_AT};
    static const enum request_term of_getex[] = {TERM_NONE, TERM_NEVER, TERM_SECONDS,
                                                 TERM_MILLIS, TERM_AT};
    if (r->verb == VERB_SET) {
        r->when = faulty_random(seed) % 3 ? WHEN_ANY : 1 + faulty_random(seed) % 2;
        r->term = of_set[faulty_random(seed) % 6];
    } else if (r->verb == VERB_GETEX) {
        r->term = of_getex[faulty_random(seed) % 5];
    } else if (r->verb == VERB_EXPIRE) {
        r->term = TERM_SECONDS + (enum request_term)(faulty_random(seed) % 3);
    }
    if (r->term >= TERM_SECONDS)
        r->time = choose_time(taste, r->term, seed);
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
    if (r->verb == VERB_FOLLOW && faulty_random(seed) % 2)
        r->keys[0] = 0;
    if (r->verb == VERB_SUBSCRIBE || r->verb == VERB_PUBLISH)
        r->keys[0] %= REQUEST_CHANNELS;
    if (r->verb == VERB_HELLO)
        r->number = (int64_t[]){0, 2, 3}[faulty_random(seed) % 3];
    else if (faulty_random(seed) % 8 == 0)
        r->number = INT64_MAX - 3;
    else
        r->number = (int64_t)(faulty_random(seed) % 5) - 2;
    choose_end(r, taste, seed);
}

bool request_may_queue(const struct request *r)
{
    return (request_is_about_table(r) && r->verb != VERB_DBSIZE) || r->verb == VERB_PING ||
           r->verb == VERB_ECHO || r->verb == VERB_UNWATCH;
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

bool request_is_about_table(const struct request *r)
{
    switch (r->verb) {
    case VERB_STORE:
    case VERB_GET:
    case VERB_SET:
    case VERB_DEL:
    case VERB_EXISTS:
    case VERB_MGET:
    case VERB_MSET:
    case VERB_MSETNX:
    case VERB_GETDEL:
    case VERB_RENAME:
    case VERB_COPY:
    case VERB_ADD:
    case VERB_APPEND:
    case VERB_STRLEN:
    case VERB_DBSIZE:
    case VERB_EXPIRE:
    case VERB_TTL:
    case VERB_PERSIST:
    case VERB_GETEX:
        return true;
    default:
        return false;
    }
}

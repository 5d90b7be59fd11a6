#include "wire/resp_reply.h"

#include "base/limits.h"
#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

void resp_reply_init(struct resp_reply *r, size_t max_bytes)
{
    *r = (struct resp_reply){.max_bytes = max_bytes};
}

void resp_reply_fini(struct resp_reply *r)
{
    free(r->values);
    *r = (struct resp_reply){0};
}

static int add_value(struct resp_reply *r, const struct resp_value *value)
{
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? r->capacity * 2 : 8;
        struct resp_value *values = realloc(r->values, capacity * sizeof *values);
        if (!values)
            return -ENOMEM;
        r->values = values;
        r->capacity = capacity;
    }
    r->values[r->count++] = *value;
    return 0;
}

/* The line at place->at, which begins with a type byte, without its CR LF; *ret_end is where
 * the next byte is. */
static int read_line(struct resp_reply_place *place, struct bytes in, struct bytes *ret_line,
                     size_t *ret_end)
{
    size_t from = place->searched > place->at ? place->searched : place->at;
    size_t newline = from + bytes_find(bytes_from(in, from), '\n');
    place->searched = newline;
    if (newline == in.len)
        return RESP_REPLY_MORE;
    if (in.data[newline - 1] != '\r')
        return RESP_REPLY_ERROR;
    *ret_line = bytes_make(in.data + place->at, newline - 1 - place->at);
    *ret_end = newline + 1;
    return 0;
}

/* The body of a bulk string of len bytes at *end, which moves past it. */
static int read_body(struct bytes in, size_t max, size_t len, size_t *end, struct bytes *ret)
{
    if (*end > max || len > max - *end)
        return RESP_REPLY_ERROR;
    if (in.len - *end < len + 2)
        return RESP_REPLY_MORE;
    const uint8_t *body = in.data + *end;
    if (body[len] != '\r' || body[len + 1] != '\n')
        return RESP_REPLY_ERROR;
    *ret = bytes_make(body, len);
    *end += len + 2;
    return 0;
}

static int read_bulk(const struct resp_reply *r, struct bytes in, uint8_t type, size_t *end,
                     struct resp_value *value)
{
    if (type == '$' && value->number == -1) {
        value->kind = RESP_NULL;
        return 0;
    }
    if (value->number < 0)
        return RESP_REPLY_ERROR;
    int result = read_body(in, r->max_bytes, (size_t)value->number, end, &value->text);
    if (result != 0 || type != '=')
        return result;
    if (value->text.len < 4 || value->text.data[3] != ':')
        return RESP_REPLY_ERROR;
    value->text = bytes_from(value->text, 4); /* "txt:" */
    return 0;
}

static int read_aggregate(const struct resp_reply *r, uint8_t type, struct resp_value *value)
{
    if (type == '*' && value->number == -1) {
        value->kind = RESP_NULL;
        return 0;
    }
    /* An element is three bytes or more. */
    if (value->number < 0 || (uint64_t)value->number > r->max_bytes / 3 ||
        (uint64_t)value->number > LIMIT_REPLY_VALUES)
        return RESP_REPLY_ERROR;
    if (type == '%')
        value->number *= 2;
    return 0;
}

static int read_scalar(uint8_t type, struct resp_value *value)
{
    if (value->kind == RESP_NULL)
        return value->text.len == 0 ? 0 : RESP_REPLY_ERROR;
    if (value->kind == RESP_BOOLEAN) {
        value->number = bytes_equal_str(value->text, "t");
        return value->number || bytes_equal_str(value->text, "f") ? 0 : RESP_REPLY_ERROR;
    }
    bool is_text = type == '+' || type == '-';
    return is_text || value->text.len > 0 ? 0 : RESP_REPLY_ERROR;
}

static bool kind_of(uint8_t type, enum resp_kind *ret)
{
    static const char types[] = "+-:$=!(,_#*~%>";
    static const enum resp_kind kinds[] = {
        RESP_STATUS,  RESP_FAILURE, RESP_INTEGER, RESP_BULK, RESP_BULK,
        RESP_FAILURE, RESP_BULK,    RESP_BULK,    RESP_NULL, RESP_BOOLEAN,
        RESP_ARRAY,   RESP_ARRAY,   RESP_MAP,     RESP_PUSH,
    };
    const char *at = type ? strchr(types, type) : NULL;
    if (at)
        *ret = kinds[at - types];
    return at != NULL;
}

static bool is_aggregate(enum resp_kind kind)
{
    return kind == RESP_ARRAY || kind == RESP_MAP || kind == RESP_PUSH;
}

/* One value at the place; *ret_end is where the next one begins. */
static int read_value(struct resp_reply *r, struct bytes in, struct resp_value *ret,
                      size_t *ret_end)
{
    struct resp_value value = {0};
    if (r->place.at == in.len)
        return RESP_REPLY_MORE;
    uint8_t type = in.data[r->place.at];
    if (!kind_of(type, &value.kind))
        return RESP_REPLY_ERROR;
    int result = read_line(&r->place, in, &value.text, ret_end);
    if (result != 0)
        return result;
    value.text = bytes_from(value.text, 1);
    bool bulk = type == '$' || type == '=' || type == '!';
    if (bulk || is_aggregate(value.kind) || value.kind == RESP_INTEGER) {
        if (!number_parse_i64(value.text, &value.number))
            return RESP_REPLY_ERROR;
        value.text = bytes_make(NULL, 0);
    }
    if (bulk)
        result = read_bulk(r, in, type, ret_end, &value);
    else if (is_aggregate(value.kind))
        result = read_aggregate(r, type, &value);
    else if (value.kind != RESP_INTEGER)
        result = read_scalar(type, &value);
    if (result == 0)
        *ret = value;
    return result;
}

/* Enters or leaves aggregates after a value. */
static int move_on(struct resp_reply_place *place, const struct resp_value *value)
{
    if (++place->values > LIMIT_REPLY_VALUES)
        return RESP_REPLY_ERROR;
    if (is_aggregate(value->kind)) {
        if (place->depth == RESP_REPLY_DEPTH_MAX)
            return RESP_REPLY_ERROR;
        place->left[place->depth++] = (size_t)value->number + 1;
    }
    while (place->depth > 0 && --place->left[place->depth - 1] == 0)
        place->depth--;
    return 0;
}

/* Goes on from the place to the end of the reply; lists values where keep is set. */
static int walk(struct resp_reply *r, struct bytes in, bool keep)
{
    do {
        struct resp_value value;
        size_t end;
        int result = read_value(r, in, &value, &end);
        if (result == 0)
            result = move_on(&r->place, &value);
        if (result == 0 && keep)
            result = add_value(r, &value);
        if (result != 0)
            return result;
        r->place.at = end;
    } while (r->place.depth > 0);
    return 0;
}

/* Values of an incomplete reply are checked but not kept, since `in` may move: once it is
 * whole it is walked again from the front. */
int resp_reply_parse(struct resp_reply *r, struct bytes in, size_t *ret_consumed)
{
    bool first = r->place.at == 0 && r->place.searched == 0;
    if (in.len > r->max_bytes)
        in.len = r->max_bytes;
    r->count = 0;
    int result = walk(r, in, first);
    if (result == RESP_REPLY_MORE)
        return in.len == r->max_bytes ? RESP_REPLY_ERROR : RESP_REPLY_MORE;
    if (result == 0 && !first) {
        r->place = (struct resp_reply_place){0};
        result = walk(r, in, true);
    }
    if (result != 0)
        return result;
    *ret_consumed = r->place.at;
    r->place = (struct resp_reply_place){0};
    return 0;
}

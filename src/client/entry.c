#include "client/entry.h"

#include "base/limits.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROBLEM_BYTES = 200 };

#define ENTRY_EXAMPLE "{\"key\":\"k\",\"value\":\"v\"}"

struct entry_reader {
    json_t *object; /* what the last entry lies in */
    struct buffer decoded[2];
    char problem[PROBLEM_BYTES];
};

int entry_write(struct buffer *out, const struct entry *e)
{
    struct json j = json_begin(out);
    json_bytes(&j, "key", e->key);
    json_bytes(&j, "value", e->value);
    if (e->expires.ms != 0)
        json_number(&j, "expires_ms", e->expires.ms);
    return json_end(&j);
}

int entry_reader_new(struct entry_reader **ret)
{
    struct entry_reader *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    buffer_init(&r->decoded[0], SIZE_MAX);
    buffer_init(&r->decoded[1], SIZE_MAX);
    *ret = r;
    return 0;
}

void entry_reader_free(struct entry_reader *r)
{
    if (!r)
        return;
    json_decref(r->object);
    buffer_fini(&r->decoded[0]);
    buffer_fini(&r->decoded[1]);
    free(r);
}

static const char *say(struct entry_reader *r, const char *name, const char *what)
{
    snprintf(r->problem, sizeof r->problem, "\"%.64s\" %s", name, what);
    return r->problem;
}

/* A string's own bytes, or what it says in base64. */
static const char *take_bytes(struct entry_reader *r, const char *name, const json_t *value,
                              struct buffer *decoded, struct bytes *ret)
{
    if (!json_is_string(value))
        return say(r, name, "is not a string");
    if (ret->data)
        return say(r, name, "is there twice, as text and as base64");
    *ret = bytes_make(json_string_value(value), json_string_length(value));
    size_t len = strlen(name);
    if (len < 7 || strcmp(name + len - 7, "_base64") != 0)
        return NULL;
    uint8_t *space;
    size_t n;
    if (buffer_reserve(decoded, ret->len + 1, &space) != 0)
        return "out of memory";
    if (sodium_base642bin(space, ret->len + 1, (const char *)ret->data, ret->len, NULL, &n,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return say(r, name, "is not base64");
    *ret = bytes_make(space, n);
    return NULL;
}

static const char *take_expiry(struct entry_reader *r, const char *name, const json_t *value,
                               struct walltime *ret)
{
    if (!json_is_integer(value) || json_integer_value(value) <= 0)
        return say(r, name, "is not a time in ms since 1970");
    ret->ms = json_integer_value(value);
    return NULL;
}

static const char *take_field(struct entry_reader *r, const char *name, const json_t *value,
                              struct entry *ret)
{
    if (strcmp(name, "key") == 0 || strcmp(name, "key_base64") == 0)
        return take_bytes(r, name, value, &r->decoded[0], &ret->key);
    if (strcmp(name, "value") == 0 || strcmp(name, "value_base64") == 0)
        return take_bytes(r, name, value, &r->decoded[1], &ret->value);
    if (strcmp(name, "expires_ms") == 0)
        return take_expiry(r, name, value, &ret->expires);
    return say(r, name, "is no field of an entry");
}

static const char *check(const struct entry *e)
{
    if (!e->key.data)
        return "it has no \"key\"";
    if (!e->value.data)
        return "it has no \"value\"";
    if (e->key.len == 0 || e->key.len > LIMIT_KEY_BYTES)
        return "a key is 1 byte to 64 KiB";
    return e->value.len > LIMIT_VALUE_BYTES ? "a value is at most 64 MiB" : NULL;
}

const char *entry_read(struct entry_reader *r, struct bytes line, struct entry *ret)
{
    json_error_t error;
    json_decref(r->object);
    buffer_truncate(&r->decoded[0], 0);
    buffer_truncate(&r->decoded[1], 0);
    r->object = json_loadb((const char *)line.data, line.len,
                           JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!r->object) {
        snprintf(r->problem, sizeof r->problem,
                 "not JSON: %.100s; a line is a JSON object, as in %s", error.text,
                 ENTRY_EXAMPLE);
        return r->problem;
    }
    if (!json_is_object(r->object))
        return "not a JSON object, as in " ENTRY_EXAMPLE;
    *ret = (struct entry){0};
    const char *name, *problem = NULL;
    json_t *value;
    json_object_foreach(r->object, name, value)
    {
        if (!problem)
            problem = take_field(r, name, value, ret);
    }
    return problem ? problem : check(ret);
}

#include "client/said.h"

#include "client/json.h"
#include "people/account_name.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

struct said_reader {
    json_t *object;
};

int said_write(struct buffer *out, const struct said *s)
{
    struct json j = json_begin(out);
    json_number(&j, "when_ms", s->when.ms);
    json_bytes(&j, "from", s->from);
    json_bytes(&j, "to", s->to);
    json_bytes(&j, "text", s->text);
    if (s->letter)
        json_bool(&j, "letter", true);
    if (s->undelivered)
        json_bool(&j, "undelivered", true);
    return json_end(&j);
}

int said_reader_new(struct said_reader **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? 0 : -ENOMEM;
}

void said_reader_free(struct said_reader *r)
{
    if (r)
        json_decref(r->object);
    free(r);
}

/* No bytes where there is no such string. */
static struct bytes text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return bytes_make(json_string_value(value), json_string_length(value));
}

bool said_read(struct said_reader *r, struct bytes line, struct said *ret)
{
    json_decref(r->object);
    r->object = json_loadb(line.len > 0 ? (const char *)line.data : "", line.len,
                           JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    const json_t *when = json_object_get(r->object, "when_ms");
    struct said s = {.when.ms = json_integer_value(when),
                     .from = text_of(r->object, "from"),
                     .to = text_of(r->object, "to"),
                     .text = text_of(r->object, "text"),
                     .letter = json_is_true(json_object_get(r->object, "letter")),
                     .undelivered = json_is_true(json_object_get(r->object, "undelivered"))};
    if (!json_is_integer(when) || !account_name_is_valid(s.from) ||
        !account_name_is_valid(s.to) || s.text.len == 0)
        return false;
    *ret = s;
    return true;
}

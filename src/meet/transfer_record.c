#include "meet/transfer_record.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/number.h"
#include "io/clock.h"
#include "wire/field.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const prefixes[] = {"sending-", "receiving-"};

enum { SUM_BYTES = 8, RECORD_BYTES = 16 * 1024, FORMAT = 1 };

void transfer_record_file(const struct transfer_record *r, const char *suffix,
                          char out[TRANSFER_FILE_NAME_BYTES])
{
    char id[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(id, &r->id);
    snprintf(out, TRANSFER_FILE_NAME_BYTES, "%s%s%s", prefixes[r->incoming], id, suffix);
}

/* ---- as bytes ---- */

static void put_text(struct buffer *b, const char *text, int *r)
{
    if (*r == 0)
        *r = field_append(b, bytes_from_str(text));
}

static void put_number(struct buffer *b, uint64_t number, int *r)
{
    if (*r == 0)
        *r = field_append_number(b, number);
}

static int encode(const struct transfer_record *t, struct buffer *b)
{
    uint8_t sum[SUM_BYTES] = {0};
    int r = buffer_append(b, sum, sizeof sum);
    put_number(b, FORMAT, &r);
    put_text(b, t->hub, &r);
    put_text(b, t->name, &r);
    if (r == 0)
        r = field_append(b, bytes_make(&t->device, t->has_device ? sizeof t->device : 0));
    put_text(b, t->title, &r);
    put_number(b, t->entries, &r);
    put_number(b, t->bytes, &r);
    put_number(b, t->tops, &r);
    put_number(b, t->sha256, &r);
    put_number(b, t->wish, &r);
    put_number(b, t->stream, &r);
    put_text(b, t->into, &r);
    put_number(b, t->rule, &r);
    put_number(b, t->cap, &r);
    put_number(b, t->result, &r);
    put_number(b, t->reason, &r);
    put_number(b, t->kept, &r);
    put_number(b, t->when, &r);
    if (r == 0)
        number_put_u64(b->data + b->start,
                       hash_bytes(bytes_from(buffer_view(b), SUM_BYTES), 0));
    return r;
}

static bool decode_device(struct bytes *rest, struct transfer_record *t)
{
    struct bytes key;
    if (!field_next(rest, &key) || (key.len != 0 && key.len != sizeof t->device))
        return false;
    t->has_device = key.len > 0;
    if (t->has_device)
        memcpy(&t->device, key.data, key.len);
    return true;
}

static bool decode_numbers(struct bytes *rest, struct transfer_record *t)
{
    uint64_t sha256, stream, result, reason;
    if (!field_next_number(rest, &t->entries) || !field_next_number(rest, &t->bytes) ||
        !field_next_number(rest, &t->tops) || !field_next_number(rest, &sha256) ||
        !field_next_number(rest, &t->wish) || !field_next_number(rest, &stream) ||
        !field_next_text(rest, t->into, sizeof t->into) || !field_next_number(rest, &t->rule) ||
        !field_next_number(rest, &t->cap) || !field_next_number(rest, &result) ||
        !field_next_number(rest, &reason) || !field_next_number(rest, &t->kept) ||
        !field_next_number(rest, &t->when) || result > TRANSFER_STUCK)
        return false;
    t->sha256 = sha256 != 0;
    t->stream = stream != 0;
    t->result = (enum transfer_result)result;
    t->reason = (enum transfer_reason)reason;
    return true;
}

static bool decode(struct bytes in, struct transfer_record *t)
{
    uint64_t format;
    if (in.len < SUM_BYTES ||
        number_get_u64(in.data) != hash_bytes(bytes_from(in, SUM_BYTES), 0))
        return false;
    in = bytes_from(in, SUM_BYTES);
    return field_next_number(&in, &format) && format == FORMAT &&
           field_next_text(&in, t->hub, sizeof t->hub) &&
           field_next_text(&in, t->name, sizeof t->name) && decode_device(&in, t) &&
           field_next_text(&in, t->title, sizeof t->title) && decode_numbers(&in, t) &&
           in.len == 0;
}

/* ---- in the profile ---- */

int transfer_record_write(const struct profile *p, struct transfer_record *r)
{
    char file[TRANSFER_FILE_NAME_BYTES];
    struct buffer b;
    r->when = (uint64_t)clock_walltime().ms;
    buffer_init(&b, RECORD_BYTES);
    int code = encode(r, &b);
    transfer_record_file(r, "", file);
    if (code == 0)
        code = profile_write(p, file, buffer_view(&b));
    buffer_fini(&b);
    return code == BUFFER_FULL ? -ENAMETOOLONG : code;
}

int transfer_record_read(const struct profile *p, const struct random_id *id, bool incoming,
                         struct transfer_record *ret)
{
    struct transfer_record t = {.id = *id, .incoming = incoming};
    char file[TRANSFER_FILE_NAME_BYTES];
    struct buffer b;
    buffer_init(&b, RECORD_BYTES + LIMIT_READ_BYTES);
    transfer_record_file(&t, "", file);
    int r = profile_read(p, file, &b);
    bool whole = r == 0 && decode(buffer_view(&b), &t);
    buffer_fini(&b);
    if (whole)
        *ret = t;
    return r < 0 ? r : whole ? 0 : TRANSFER_RECORD_NONE;
}

bool transfer_record_exists(const struct profile *p, const struct transfer_record *r)
{
    char file[TRANSFER_FILE_NAME_BYTES];
    transfer_record_file(r, "", file);
    return profile_has(p, file);
}

void transfer_record_remove(const struct profile *p, const struct transfer_record *r)
{
    static const char *const suffixes[] = {"", ".list", ".spool", ".lock"};
    char file[TRANSFER_FILE_NAME_BYTES];
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        transfer_record_file(r, suffixes[i], file);
        profile_remove(p, file);
    }
}

int transfer_record_lock(const struct profile *p, const struct transfer_record *r)
{
    char file[TRANSFER_FILE_NAME_BYTES];
    transfer_record_file(r, ".lock", file);
    return profile_try_lock(p, file);
}

/* ---- all of them ---- */

struct search {
    const struct profile *profile;
    void (*see)(void *ctx, const struct transfer_record *r);
    void *ctx;
};

static void look(void *ctx, const char *file)
{
    const struct search *s = ctx;
    struct transfer_record t;
    struct random_id id;
    for (int incoming = 0; incoming < 2; incoming++) {
        struct bytes name = bytes_from_str(file);
        size_t n = strlen(prefixes[incoming]);
        if (bytes_starts_with(name, prefixes[incoming]) &&
            random_id_read(bytes_from(name, n), &id) &&
            transfer_record_read(s->profile, &id, incoming, &t) == 0)
            s->see(s->ctx, &t);
    }
}

int transfer_record_each(const struct profile *p,
                         void (*see)(void *ctx, const struct transfer_record *r), void *ctx)
{
    struct search s = {.profile = p, .see = see, .ctx = ctx};
    return profile_each(p, look, &s);
}

struct census {
    const char *prefix;
    size_t count;
};

static void count(void *ctx, const char *file)
{
    struct census *c = ctx;
    struct bytes name = bytes_from_str(file);
    struct random_id id;
    size_t n = strlen(c->prefix);
    c->count += bytes_starts_with(name, c->prefix) && random_id_read(bytes_from(name, n), &id);
}

size_t transfer_record_count(const struct profile *p, bool incoming)
{
    struct census c = {.prefix = prefixes[incoming]};
    profile_each(p, count, &c);
    return c.count;
}

#include "model_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Requests on keys: their values, and when those end. */

static void set(struct run *x, unsigned key, const struct value *v, int64_t end)
{
    struct buffer value;
    buffer_init(&value, SIZE_MAX / 2);
    value_write(v, &value);
    run_put(x, key, buffer_view(&value), end);
    buffer_fini(&value);
}

static void run_store(struct run *x)
{
    bool existed = run_see(x, x->r->keys[0]).present;
    set(x, x->r->keys[0], &x->r->values[0], 0);
    if (x->s->resp)
        answer_status(x, existed ? "Updated" : "Saved");
    else if (x->s->full)
        answer_about_key(
            x, existed ? "Update Successfully for key:" : "Saved Successfully for key:", NULL);
    else
        answer_line(x, "1");
}

static void run_get(struct run *x)
{
    struct run_value v = run_see(x, x->r->keys[0]);
    if (x->s->resp) {
        answer_value(x, v);
    } else if (!v.present && x->s->full) {
        answer_about_key(x, "Invalid Key:", NULL);
    } else if (!v.present || !value_is_text(v.bytes)) {
        answer_line(x, "ERROR");
    } else {
        put(x->out, v.bytes);
        answer_end_line(x);
    }
}

/* ---- several keys */

static void run_del(struct run *x)
{
    int64_t count = 0;
    for (size_t i = 0; i < x->r->n; i++) {
        if (!run_see(x, x->r->keys[i]).present)
            continue;
        run_remove(x, x->r->keys[i]);
        count++;
    }
    answer_integer(x, count);
}

static void run_exists(struct run *x)
{
    int64_t count = 0;
    for (size_t i = 0; i < x->r->n; i++)
        count += run_see(x, x->r->keys[i]).present;
    answer_integer(x, count);
}

static void run_mget(struct run *x)
{
    answer_array(x, x->r->n);
    for (size_t i = 0; i < x->r->n; i++)
        answer_value(x, run_see(x, x->r->keys[i]));
}

static void run_mset(struct run *x)
{
    for (size_t i = 0; i < x->r->n; i++)
        set(x, x->r->keys[i], &x->r->values[i], 0);
    answer_status(x, "OK");
}

static void run_msetnx(struct run *x)
{
    bool present = false;
    for (size_t i = 0; i < x->r->n; i++)
        present |= run_see(x, x->r->keys[i]).present;
    for (size_t i = 0; i < x->r->n && !present; i++)
        set(x, x->r->keys[i], &x->r->values[i], 0);
    answer_integer(x, !present);
}

/* ---- from one key to another */

static void run_getdel(struct run *x)
{
    struct run_value old = run_see(x, x->r->keys[0]);
    answer_value(x, old);
    if (old.present)
        run_remove(x, x->r->keys[0]);
}

static void run_rename(struct run *x)
{
    unsigned from = x->r->keys[0], to = x->r->keys[1];
    struct run_value moved = run_see(x, from);
    bool only_new = x->r->number % 2;
    bool stays = run_see(x, to).present && only_new;
    if (!moved.present) {
        answer_error(x, "ERR", "no such key");
        return;
    }
    if (!stays && from != to) {
        run_put(x, to, moved.bytes, moved.end);
        run_remove(x, from);
    }
    if (only_new)
        answer_integer(x, !stays);
    else
        answer_status(x, "OK");
}

static void run_copy(struct run *x)
{
    unsigned from = x->r->keys[0], to = x->r->keys[1];
    struct run_value copied = run_see(x, from), old = run_see(x, to);
    if (from == to) {
        answer_error(x, "ERR", "source and destination objects are the same");
        return;
    }
    bool copies = copied.present && (x->r->number % 2 || !old.present);
    if (copies)
        run_put(x, to, copied.bytes, copied.end);
    answer_integer(x, copies);
}

/* ---- numbers and parts */

/* A number as Redis has them: no sign but '-', no zeros ahead. */
static bool parse_number(struct bytes b, int64_t *ret)
{
    char text[24], again[24];
    if (b.len == 0 || b.len >= sizeof text)
        return false;
    memcpy(text, b.data, b.len);
    text[b.len] = 0;
    *ret = strtoll(text, NULL, 10);
    snprintf(again, sizeof again, "%" PRId64, *ret);
    return strlen(again) == b.len && memcmp(again, text, b.len) == 0;
}

static void run_add(struct run *x)
{
    struct run_value v = run_see(x, x->r->keys[0]);
    int64_t old = 0, sum;
    char digits[24];
    if (v.present && !parse_number(v.bytes, &old)) {
        answer_error(x, "ERR", "value is not an integer or out of range");
    } else if (__builtin_add_overflow(old, x->r->number, &sum)) {
        answer_error(x, "ERR", "increment or decrement would overflow");
    } else {
        snprintf(digits, sizeof digits, "%" PRId64, sum);
        run_put(x, x->r->keys[0], bytes_from_str(digits), v.end);
        answer_integer(x, sum);
    }
}

static void run_append(struct run *x)
{
    struct buffer whole;
    buffer_init(&whole, SIZE_MAX / 2);
    struct run_value v = run_see(x, x->r->keys[0]);
    put(&whole, v.bytes);
    value_write(&x->r->values[0], &whole);
    run_put(x, x->r->keys[0], buffer_view(&whole), v.end);
    answer_integer(x, (int64_t)buffer_len(&whole));
    buffer_fini(&whole);
}

static void run_strlen(struct run *x)
{
    answer_integer(x, (int64_t)run_see(x, x->r->keys[0]).bytes.len);
}

/* ---- when they end */

/* The moment a request names; false where it may not: then that is answered. */
static bool read_term(struct run *x, const char *command, int64_t *ret)
{
    char reason[64];
    int64_t now = model_now(x->m);
    bool timed = x->r->term >= TERM_SECONDS;
    if (timed && x->r->time <= 0) {
        snprintf(reason, sizeof reason, "invalid expire time in '%s' command", command);
        answer_error(x, "ERR", reason);
        return false;
    }
    *ret = x->r->term == TERM_SECONDS  ? now + 1000 * x->r->time
           : x->r->term == TERM_MILLIS ? now + x->r->time
           : x->r->term == TERM_AT     ? x->r->time
                                       : 0;
    return true;
}

/* What is to end at a moment that has passed is removed. */
static bool has_passed(const struct run *x, int64_t end)
{
    return end != 0 && end <= model_now(x->m);
}

static void run_set(struct run *x)
{
    unsigned key = x->r->keys[0];
    int64_t end;
    struct run_value old = run_see(x, key);
    if (!read_term(x, "set", &end))
        return;
    if (x->r->when != (old.present ? WHEN_ABSENT : WHEN_PRESENT)) {
        end = x->r->term == TERM_KEEP ? old.end : end;
        if (!has_passed(x, end))
            set(x, key, &x->r->values[0], end);
        else if (old.present)
            run_remove(x, key);
        answer_status(x, "OK");
    } else {
        answer_null(x);
    }
}

/* The same value, with another end. */
static void move_end(struct run *x, struct run_value old, int64_t end)
{
    if (has_passed(x, end))
        run_remove(x, x->r->keys[0]);
    else
        run_put(x, x->r->keys[0], old.bytes, end);
}

static void run_expire(struct run *x)
{
    struct run_value old = run_see(x, x->r->keys[0]);
    int64_t now = model_now(x->m);
    int64_t end = x->r->term == TERM_SECONDS  ? now + 1000 * x->r->time
                  : x->r->term == TERM_MILLIS ? now + x->r->time
                                              : x->r->time;
    if (old.present)
        move_end(x, old, end > 0 ? end : 1);
    answer_integer(x, old.present);
}

static void run_persist(struct run *x)
{
    struct run_value old = run_see(x, x->r->keys[0]);
    if (old.end != 0)
        move_end(x, old, 0);
    answer_integer(x, old.end != 0);
}

static void run_getex(struct run *x)
{
    int64_t end;
    struct run_value old = run_see(x, x->r->keys[0]);
    if (!read_term(x, "getex", &end))
        return;
    answer_value(x, old);
    if (old.present && x->r->term != TERM_NONE)
        move_end(x, old, end);
}

static void run_ttl(struct run *x)
{
    struct run_value v = run_see(x, x->r->keys[0]);
    int64_t from = x->r->number % 2 ? 0 : model_now(x->m);
    answer_integer(x, !v.present ? -2 : v.end == 0 ? -1 : v.end - from);
}

bool run_values(struct run *x)
{
    static void (*const runs[])(struct run *) = {
        [VERB_STORE] = run_store,   [VERB_GET] = run_get,         [VERB_SET] = run_set,
        [VERB_DEL] = run_del,       [VERB_EXISTS] = run_exists,   [VERB_MGET] = run_mget,
        [VERB_MSET] = run_mset,     [VERB_ADD] = run_add,         [VERB_APPEND] = run_append,
        [VERB_MSETNX] = run_msetnx, [VERB_GETDEL] = run_getdel,   [VERB_RENAME] = run_rename,
        [VERB_COPY] = run_copy,     [VERB_STRLEN] = run_strlen,   [VERB_EXPIRE] = run_expire,
        [VERB_TTL] = run_ttl,       [VERB_PERSIST] = run_persist, [VERB_GETEX] = run_getex,
    };
    if (x->r->verb >= sizeof runs / sizeof *runs || !runs[x->r->verb])
        return false;
    runs[x->r->verb](x);
    return true;
}

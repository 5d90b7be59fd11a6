#include "model.h"

#include "hub/hub_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void model_init(struct model *m, const struct trace *trace, const struct hub_config *config)
{
    *m = (struct model){.trace = trace, .config = config};
}

static void forget_changes(struct model *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->changes[i].old.data);
    m->count = 0;
}

void model_fini(struct model *m)
{
    forget_changes(m);
    free(m->changes);
    for (size_t i = 0; i < MODEL_ENTRIES; i++)
        free(m->entries[i].data);
}

/* ---- rights */

static bool is_remote(const struct model_session *s)
{
    return s->peer.origin == ACCESS_REMOTE;
}

static const char *refusal(const struct model *m, const struct model_session *s, bool admin)
{
    bool open = admin ? m->config->open_admin : m->config->open || m->config->open_admin;
    if (is_remote(s) && !open)
        return admin ? "from another machine this needs a hub started with --open-admin"
                     : "from another machine the table needs a hub started with --open";
    if (is_remote(s) || !admin || open)
        return NULL;
    if (s->peer.user != ACCESS_USER_KNOWN)
        return "this is for the hub's own user or root, and who you are cannot be known";
    bool may = s->peer.uid == m->config->uid || s->peer.uid == 0;
    return may ? NULL : "only the hub's own user or root may do this";
}

static const char *request_refusal(const struct model *m, const struct model_session *s,
                                   const struct request *r)
{
    switch (r->verb) {
    case VERB_STORE:
    case VERB_GET:
    case VERB_SET:
    case VERB_DEL:
    case VERB_EXISTS:
    case VERB_MGET:
    case VERB_MSET:
    case VERB_ADD:
    case VERB_APPEND:
    case VERB_STRLEN:
    case VERB_DBSIZE:
        return refusal(m, s, false);
    case VERB_NAME:
    case VERB_STOP:
    case VERB_SAVE:
        return refusal(m, s, true);
    default:
        return NULL;
    }
}

bool model_updates(const struct model *m, const struct model_session *s,
                   const struct request *r)
{
    switch (r->verb) {
    case VERB_STORE:
    case VERB_SET:
    case VERB_DEL:
    case VERB_EXISTS:
    case VERB_MGET:
    case VERB_MSET:
    case VERB_ADD:
    case VERB_APPEND:
    case VERB_STRLEN:
    case VERB_NAME:
        return request_refusal(m, s, r) == NULL;
    default:
        return false;
    }
}

/* ---- answers */

struct run {
    struct model *m;
    struct model_session *s;
    const struct request *r;
    struct buffer *out;
    uint64_t needs; /* of the users' table */
    uint64_t needs_always;
    bool changed;
};

static void end_line(struct run *x)
{
    put(x->out, line_ending_bytes(x->r->ending));
}

static void answer_line(struct run *x, const char *text)
{
    put_str(x->out, text);
    end_line(x);
}

static void answer_status(struct run *x, const char *text)
{
    put_str(x->out, "+");
    put_str(x->out, text);
    put_str(x->out, "\r\n");
}

static void answer_integer(struct run *x, int64_t n)
{
    char text[32];
    snprintf(text, sizeof text, ":%" PRId64 "\r\n", n);
    put_str(x->out, text);
}

static void answer_null(struct run *x)
{
    put_str(x->out, x->s->version == 3 ? "_\r\n" : "$-1\r\n");
}

static void answer_about_key(struct run *x, const char *words, const char *reason)
{
    char key[8];
    put_str(x->out, words);
    put(x->out, request_key(x->r->keys[0], key));
    put_str(x->out, reason ? ": " : "");
    answer_line(x, reason ? reason : "");
}

static void answer_error(struct run *x, const char *code, const char *reason)
{
    if (x->s->resp) {
        put_str(x->out, "-");
        put_str(x->out, code);
        put_str(x->out, " ");
        put_str(x->out, reason);
        put_str(x->out, "\r\n");
    } else if (x->r->verb == VERB_STORE && !x->s->full) {
        answer_line(x, "0");
    } else if (x->r->verb == VERB_STORE) {
        answer_about_key(x, "Not Saved for key:", reason);
    } else if (x->r->verb == VERB_GET && !x->s->full) {
        answer_line(x, "ERROR");
    } else {
        put_str(x->out, "ERROR: ");
        answer_line(x, reason);
    }
}

/* ---- the table */

static struct model_entry *look(struct run *x, unsigned key)
{
    struct model_entry *e = &x->m->entries[key];
    uint64_t *needs = key == MODEL_NAME ? &x->needs_always : &x->needs;
    if (e->lsn > *needs)
        *needs = e->lsn;
    return e;
}

/* The next mutation, of which this is a part. */
static void change(struct run *x, unsigned key, bool present, struct bytes value)
{
    struct model *m = x->m;
    if (!x->changed)
        m->lsn++;
    x->changed = true;
    if (m->count == m->capacity) {
        m->capacity = m->capacity ? 2 * m->capacity : 64;
        m->changes = realloc(m->changes, m->capacity * sizeof *m->changes);
        if (!m->changes)
            abort();
    }
    struct model_entry *e = &m->entries[key];
    m->changes[m->count++] = (struct model_change){m->lsn, key, *e};
    if (present != e->present && key != MODEL_NAME)
        m->count_lsn = m->lsn;
    *e = (struct model_entry){present, malloc(value.len + 1), value.len, m->lsn};
    if (!e->data)
        abort();
    if (value.len)
        memcpy(e->data, value.data, value.len);
    look(x, key);
}

static struct bytes entry_bytes(const struct model_entry *e)
{
    return bytes_make(e->data, e->len);
}

static void set(struct run *x, unsigned key, const struct value *v)
{
    struct buffer value;
    buffer_init(&value, SIZE_MAX / 2);
    value_write(v, &value);
    change(x, key, true, buffer_view(&value));
    buffer_fini(&value);
}

static void run_store(struct run *x)
{
    bool existed = x->m->entries[x->r->keys[0]].present;
    set(x, x->r->keys[0], &x->r->values[0]);
    if (x->s->resp)
        answer_status(x, existed ? "Updated" : "Saved");
    else if (x->s->full)
        answer_about_key(
            x, existed ? "Update Successfully for key:" : "Saved Successfully for key:", NULL);
    else
        answer_line(x, "1");
}

static bool is_text(struct bytes value)
{
    return value.len > 0 && !memchr(value.data, '\r', value.len) &&
           !memchr(value.data, '\n', value.len) && !memchr(value.data, '\0', value.len);
}

static void run_get(struct run *x)
{
    const struct model_entry *e = look(x, x->r->keys[0]);
    if (x->s->resp && e->present)
        put_bulk(x->out, entry_bytes(e));
    else if (x->s->resp)
        answer_null(x);
    else if (!e->present && x->s->full)
        answer_about_key(x, "Invalid Key:", NULL);
    else if (!e->present || !is_text(entry_bytes(e)))
        answer_line(x, "ERROR");
    else {
        put(x->out, entry_bytes(e));
        end_line(x);
    }
}

static void run_name(struct run *x)
{
    struct buffer value;
    buffer_init(&value, SIZE_MAX / 2);
    value_write(&x->r->values[0], &value);
    const struct model_entry *e = look(x, MODEL_NAME);
    if (!e->present || !bytes_equal(entry_bytes(e), buffer_view(&value)))
        change(x, MODEL_NAME, true, buffer_view(&value));
    if (x->s->resp) {
        put_bulk(x->out, buffer_view(&value));
    } else {
        put(x->out, buffer_view(&value));
        end_line(x);
    }
    buffer_fini(&value);
}

static void run_tell_name(struct run *x)
{
    const struct model_entry *e = look(x, MODEL_NAME);
    put_bulk(x->out, e->present ? entry_bytes(e) : bytes_from_str(HUB_NAME_DEFAULT));
}

static void run_del(struct run *x)
{
    int64_t count = 0;
    for (size_t i = 0; i < x->r->n; i++) {
        if (!look(x, x->r->keys[i])->present)
            continue;
        change(x, x->r->keys[i], false, bytes_make(NULL, 0));
        count++;
    }
    answer_integer(x, count);
}

static void run_exists(struct run *x)
{
    int64_t count = 0;
    for (size_t i = 0; i < x->r->n; i++)
        count += look(x, x->r->keys[i])->present;
    answer_integer(x, count);
}

static void run_mget(struct run *x)
{
    char head[32];
    snprintf(head, sizeof head, "*%zu\r\n", x->r->n);
    put_str(x->out, head);
    for (size_t i = 0; i < x->r->n; i++) {
        const struct model_entry *e = look(x, x->r->keys[i]);
        if (e->present)
            put_bulk(x->out, entry_bytes(e));
        else
            answer_null(x);
    }
}

/* Of several values for one key the last counts. */
static void run_mset(struct run *x)
{
    for (size_t i = 0; i < x->r->n; i++) {
        bool again = false;
        for (size_t j = i + 1; j < x->r->n; j++)
            again |= x->r->keys[j] == x->r->keys[i];
        if (!again)
            set(x, x->r->keys[i], &x->r->values[i]);
    }
    answer_status(x, "OK");
}

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
    const struct model_entry *e = look(x, x->r->keys[0]);
    int64_t old = 0, sum;
    char digits[24];
    if (e->present && !parse_number(entry_bytes(e), &old)) {
        answer_error(x, "ERR", "value is not an integer or out of range");
    } else if (__builtin_add_overflow(old, x->r->number, &sum)) {
        answer_error(x, "ERR", "increment or decrement would overflow");
    } else {
        snprintf(digits, sizeof digits, "%" PRId64, sum);
        change(x, x->r->keys[0], true, bytes_from_str(digits));
        answer_integer(x, sum);
    }
}

static void run_append(struct run *x)
{
    struct buffer whole;
    buffer_init(&whole, SIZE_MAX / 2);
    const struct model_entry *e = &x->m->entries[x->r->keys[0]];
    if (e->present)
        put(&whole, entry_bytes(e));
    value_write(&x->r->values[0], &whole);
    change(x, x->r->keys[0], true, buffer_view(&whole));
    answer_integer(x, (int64_t)buffer_len(&whole));
    buffer_fini(&whole);
}

static void run_dbsize(struct run *x)
{
    int64_t count = 0;
    for (size_t i = 0; i < REQUEST_KEYS; i++)
        count += x->m->entries[i].present;
    if (x->m->count_lsn > x->needs)
        x->needs = x->m->count_lsn;
    answer_integer(x, count);
}

/* ---- the connection's own */

static void answer_pairs(struct run *x)
{
    char text[64];
    put_str(x->out, x->s->version == 3 ? "%7\r\n" : "*14\r\n");
    put_str(x->out, "$6\r\nserver\r\n$4\r\nkith\r\n$7\r\nversion\r\n");
    put_bulk(x->out, bytes_from_str(KITH_VERSION));
    snprintf(text, sizeof text, "$5\r\nproto\r\n:%d\r\n$2\r\nid\r\n:%" PRIu64 "\r\n",
             x->s->version, x->s->id);
    put_str(x->out, text);
    put_str(x->out, "$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
                    "$7\r\nmodules\r\n*0\r\n");
}

static void run_hello(struct run *x)
{
    if (x->r->number)
        x->s->version = (int)x->r->number;
    answer_pairs(x);
}

static void run_echo(struct run *x)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX / 2);
    value_write(&x->r->values[0], &text);
    if (x->s->resp) {
        put_bulk(x->out, buffer_view(&text));
    } else {
        put(x->out, buffer_view(&text));
        end_line(x);
    }
    buffer_fini(&text);
}

static void run_stop(struct run *x)
{
    x->m->stop_granted = x->s->over = true;
    if (!x->s->resp)
        answer_line(x, "Server Quitting..!");
}

static void run_save(struct run *x)
{
    if (x->m->saving)
        answer_error(x, "ERR", "Background save already in progress");
    else
        answer_status(x, "Background saving started");
    x->m->saving = true;
}

static void run_odd(struct run *x)
{
    switch (x->r->verb) {
    case VERB_FULL:
    case VERB_TERSE:
        x->s->full = x->r->verb == VERB_FULL;
        answer_line(x, x->s->full ? "full" : "terse");
        break;
    case VERB_NOSTORE:
        answer_line(x, !x->s->full ? "0"
                                   : "Not Saved for key:k1: there is no '=' between key and "
                                     "value");
        break;
    case VERB_NOGET:
        answer_line(x, x->s->full ? "Invalid Key:k1 k2" : "ERROR");
        break;
    case VERB_UNKNOWN:
        answer_error(x, "ERR", "unknown command 'NONSUCH'");
        break;
    case VERB_ARITY:
        answer_error(x, "ERR", "wrong number of arguments for 'get' command");
        break;
    case VERB_NONSENSE:
        answer_error(x, "ERR", "Protocol error: expected '$', got ':'");
        x->s->over = true;
        break;
    case VERB_HTTP:
        x->s->over = true;
        break;
    default: /* no answer */
        break;
    }
}

static void run_allowed(struct run *x)
{
    switch (x->r->verb) {
    case VERB_STORE:
        run_store(x);
        break;
    case VERB_GET:
        run_get(x);
        break;
    case VERB_NAME:
        run_name(x);
        break;
    case VERB_TELL_NAME:
        run_tell_name(x);
        break;
    case VERB_SET:
        set(x, x->r->keys[0], &x->r->values[0]);
        answer_status(x, "OK");
        break;
    case VERB_DEL:
        run_del(x);
        break;
    case VERB_EXISTS:
        run_exists(x);
        break;
    case VERB_MGET:
        run_mget(x);
        break;
    case VERB_MSET:
        run_mset(x);
        break;
    case VERB_ADD:
        run_add(x);
        break;
    case VERB_APPEND:
        run_append(x);
        break;
    case VERB_STRLEN:
        answer_integer(
            x, look(x, x->r->keys[0])->present ? (int64_t)x->m->entries[x->r->keys[0]].len : 0);
        break;
    case VERB_DBSIZE:
        run_dbsize(x);
        break;
    case VERB_ECHO:
        run_echo(x);
        break;
    case VERB_PING:
        answer_status(x, "PONG");
        break;
    case VERB_HELLO:
        run_hello(x);
        break;
    case VERB_ID:
        answer_integer(x, (int64_t)x->s->id);
        break;
    case VERB_CLOSE:
        answer_status(x, "OK");
        x->s->over = true;
        break;
    case VERB_SAVE:
        run_save(x);
        break;
    case VERB_STOP:
        run_stop(x);
        break;
    default:
        run_odd(x);
        break;
    }
}

uint64_t model_run(struct model *m, struct model_session *s, const struct request *r,
                   int outcome, struct buffer *out)
{
    struct run x = {.m = m, .s = s, .r = r, .out = out};
    const char *refused = request_refusal(m, s, r);
    if (refused)
        answer_error(&x, "NOPERM", refused);
    else if (outcome == STORE_READ_ONLY)
        answer_error(&x, "MISCONF", "the disk is full: the table can be read, not changed");
    else if (outcome < 0)
        answer_error(&x, "IOERR", "the disk has failed: the hub is stopping");
    else
        run_allowed(&x);
    uint64_t needs = m->config->holds_replies ? x.needs : 0;
    return needs > x.needs_always ? needs : x.needs_always;
}

/* ---- what is found after a crash */

static void see(void *ctx, const struct store_value *value)
{
    struct buffer *out = ctx;
    buffer_truncate(out, 0);
    put(out, value->bytes);
}

static void compare_entry(const struct model *m, struct store *s, struct walltime now,
                          unsigned key, const struct model_entry *e, uint64_t lsn)
{
    char text[8];
    struct buffer found;
    buffer_init(&found, SIZE_MAX / 2);
    struct bytes name = key == MODEL_NAME ? bytes_from_str("hub.name") : request_key(key, text);
    uint64_t needs;
    int r = store_get(s, key == MODEL_NAME ? STORE_SYSTEM : STORE_USER, name, now, see, &found,
                      &needs);
    trace_check(m->trace, r == (e->present ? 0 : STORE_MISSING),
                "after mutation %" PRIu64 " key %u is %s, ought to be %s", lsn, key,
                r == 0 ? "there" : "missing", e->present ? "there" : "missing");
    trace_check(m->trace, !e->present || bytes_equal(buffer_view(&found), entry_bytes(e)),
                "after mutation %" PRIu64 " key %u has another value: '%.*s'", lsn, key,
                (int)buffer_len(&found), (const char *)buffer_view(&found).data);
    buffer_fini(&found);
}

void model_compare(const struct model *m, struct store *s, struct walltime now, uint64_t lsn)
{
    const struct model_entry *then[MODEL_ENTRIES];
    for (unsigned i = 0; i < MODEL_ENTRIES; i++)
        then[i] = &m->entries[i];
    for (size_t i = m->count; i > 0 && m->changes[i - 1].lsn > lsn; i--)
        then[m->changes[i - 1].key] = &m->changes[i - 1].old;
    size_t count = 0;
    for (unsigned i = 0; i < MODEL_ENTRIES; i++) {
        compare_entry(m, s, now, i, then[i], lsn);
        count += then[i]->present && i != MODEL_NAME;
    }
    uint64_t needs;
    trace_check(m->trace, store_count(s, STORE_USER, &needs) == count,
                "after mutation %" PRIu64 " there are other keys too", lsn);
}

void model_recover(struct model *m, uint64_t lsn, uint64_t last)
{
    while (m->count > 0 && m->changes[m->count - 1].lsn > lsn) {
        struct model_change *undone = &m->changes[--m->count];
        free(m->entries[undone->key].data);
        m->entries[undone->key] = undone->old;
    }
    forget_changes(m);
    m->count_lsn = lsn < m->count_lsn ? lsn : m->count_lsn;
    m->lsn = m->told = last;
    m->saving = m->stop_granted = false;
}

#include "model_run.h"

#include "hub/hub_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- answers */

void answer_end_line(struct run *x)
{
    put(x->out, line_ending_bytes(x->r->ending));
}

void answer_line(struct run *x, const char *text)
{
    put_str(x->out, text);
    answer_end_line(x);
}

void answer_status(struct run *x, const char *text)
{
    put_str(x->out, "+");
    put_str(x->out, text);
    put_str(x->out, "\r\n");
}

void answer_integer(struct run *x, int64_t n)
{
    char text[32];
    snprintf(text, sizeof text, ":%" PRId64 "\r\n", n);
    put_str(x->out, text);
}

void answer_null(struct run *x)
{
    put_str(x->out, x->s->version == 3 ? "_\r\n" : "$-1\r\n");
}

void answer_array(struct run *x, size_t n)
{
    char head[32];
    snprintf(head, sizeof head, "*%zu\r\n", n);
    put_str(x->out, head);
}

void answer_value(struct run *x, struct run_value v)
{
    if (v.present)
        put_bulk(x->out, v.bytes);
    else
        answer_null(x);
}

void answer_about_key(struct run *x, const char *words, const char *reason)
{
    char key[8];
    put_str(x->out, words);
    put(x->out, request_key(x->r->keys[0], key));
    put_str(x->out, reason ? ": " : "");
    answer_line(x, reason ? reason : "");
}

void answer_error(struct run *x, const char *code, const char *reason)
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

/* ---- what it sees and does */

static void depend(struct run *x, unsigned key, uint64_t lsn)
{
    uint64_t *needs = key == MODEL_NAME ? &x->needs_always : &x->needs;
    if (lsn > *needs)
        *needs = lsn;
}

struct run_value run_see(struct run *x, unsigned key)
{
    const struct model_entry *e = &x->m->entries[key];
    struct run_key *k = &x->keys[key];
    depend(x, key, e->lsn);
    k->met = true;
    if (k->written)
        return (struct run_value){k->present, bytes_make(k->data, k->len), k->end};
    if (!e->present || model_has_expired(x->m, e))
        return (struct run_value){0};
    return (struct run_value){true, bytes_make(e->data, e->len), e->end};
}

static struct run_key *write_key(struct run *x, unsigned key)
{
    struct run_key *k = &x->keys[key];
    k->met = k->written = true;
    return k;
}

void run_put(struct run *x, unsigned key, struct bytes value, int64_t end)
{
    uint8_t *data = malloc(value.len + 1); /* before the old one goes: it may be that */
    if (!data)
        abort();
    if (value.len)
        memcpy(data, value.data, value.len);
    struct run_key *k = write_key(x, key);
    free(k->data);
    k->present = true;
    k->data = data;
    k->len = value.len;
    k->end = end;
}

void run_remove(struct run *x, unsigned key)
{
    struct run_key *k = write_key(x, key);
    k->present = false;
    free(k->data);
    k->data = NULL;
    k->len = 0;
    k->end = 0;
}

/* ---- what becomes of the table */

/* What has expired goes when it is met, by the same mutation as the rest. */
static size_t take_expired(struct run *x)
{
    size_t n = 0;
    for (size_t i = 0; i < x->call->change_count; i++) {
        if (x->call->changes[i].kind != STORE_CHANGE_EXPIRE)
            continue;
        if (n++ == 0)
            model_begin(x->m);
        model_expire(x->m, &x->call->changes[i]);
    }
    return n;
}

/* Met, but neither removed nor replaced. */
static void check_stays(struct run *x, unsigned key)
{
    struct model_entry *e = &x->m->entries[key];
    if (!model_has_expired(x->m, e) || x->m->disk_full || x->m->disk_strikes)
        return;
    trace_check(x->m->trace, e->doubtful, "key %u has expired, was met, and stays", key);
    e->present = e->doubtful = false; /* it was not there */
}

static void commit_key(struct run *x, unsigned key, size_t *changes)
{
    const struct model_entry *e = &x->m->entries[key];
    struct run_key *k = &x->keys[key];
    bool live = e->present && !model_has_expired(x->m, e);
    if (k->written && (k->present || live)) {
        if ((*changes)++ == 0)
            model_begin(x->m);
        model_change(x->m, key, k->present, bytes_make(k->data, k->len), k->end);
    } else if (k->met) {
        check_stays(x, key);
    }
    if (k->met)
        depend(x, key, e->lsn);
    free(k->data);
}

/* Was this told, and rightly? */
static void check_told(struct run *x, const struct witness_change *change)
{
    const struct trace *t = x->m->trace;
    unsigned key = model_key_of(x->m, change);
    const struct model_entry *e = &x->m->entries[key];
    trace_check(t, x->keys[key].written && e->lsn == x->m->lsn && model_tells(x->m, change),
                "key %u: a change is told that was none, of mutation %" PRIu64, key,
                change->lsn);
    trace_check(t, change->kind == (e->present ? STORE_CHANGE_PUT : STORE_CHANGE_REMOVE),
                "key %u: a change of another kind is told: %d", key, (int)change->kind);
}

/* All as one mutation, where anything changes; the store tells as much. */
static void commit(struct run *x, size_t expired)
{
    size_t changes = expired;
    for (unsigned key = 0; key < MODEL_ENTRIES; key++)
        commit_key(x, key, &changes);
    for (size_t i = 0; i < x->call->change_count; i++)
        if (x->call->changes[i].kind != STORE_CHANGE_EXPIRE)
            check_told(x, &x->call->changes[i]);
    trace_check(x->m->trace, changes == x->call->change_count,
                "%zu keys are changed, and %zu are told", changes, x->call->change_count);
}

/* ---- the table as a whole */

static void run_name(struct run *x)
{
    struct buffer value;
    buffer_init(&value, SIZE_MAX / 2);
    value_write(&x->r->values[0], &value);
    struct run_value old = run_see(x, MODEL_NAME);
    if (!old.present || !bytes_equal(old.bytes, buffer_view(&value)))
        run_put(x, MODEL_NAME, buffer_view(&value), 0);
    if (x->s->resp) {
        put_bulk(x->out, buffer_view(&value));
    } else {
        put(x->out, buffer_view(&value));
        answer_end_line(x);
    }
    buffer_fini(&value);
}

static void run_tell_name(struct run *x)
{
    struct run_value v = run_see(x, MODEL_NAME);
    put_bulk(x->out, v.present ? v.bytes : bytes_from_str(HUB_NAME_DEFAULT));
}

/* What has expired counts until it is removed. */
static void run_dbsize(struct run *x)
{
    size_t count = 0, doubtful = 0;
    for (size_t i = 0; i < REQUEST_KEYS; i++) {
        count += x->m->entries[i].present && !x->m->entries[i].doubtful;
        doubtful += x->m->entries[i].present && x->m->entries[i].doubtful;
    }
    depend(x, 0, x->m->count_lsn);
    trace_check(x->m->trace, x->call->count >= count && x->call->count <= count + doubtful,
                "%zu keys are counted, ought to be %zu, or up to %zu more", x->call->count,
                count, doubtful);
    answer_integer(x, (int64_t)x->call->count);
}

static void run_flush(struct run *x)
{
    struct model *m = x->m;
    const struct witness_change *told = x->call->changes;
    model_begin(m);
    for (unsigned key = 0; key < REQUEST_KEYS; key++)
        model_change(m, key, false, bytes_make(NULL, 0), 0);
    m->count_lsn = m->lsn;
    depend(x, 0, m->lsn);
    trace_check(m->trace,
                x->call->change_count == 1 && told->kind == STORE_CHANGE_FLUSH &&
                    told->space == STORE_USER && model_tells(m, told),
                "a flush is not told");
    answer_status(x, "OK");
}

static void run_save(struct run *x)
{
    if (x->m->saving)
        answer_error(x, "ERR", "Background save already in progress");
    else
        answer_status(x, "Background saving started");
    x->m->saving = true;
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
        answer_end_line(x);
    }
    buffer_fini(&text);
}

void run_plain(struct run *x)
{
    if (x->r->verb == VERB_ECHO)
        run_echo(x);
    else
        answer_status(x, x->r->verb == VERB_PING ? "PONG" : "OK");
}

static void run_stop(struct run *x)
{
    x->m->stop_granted = x->s->over = true;
    if (!x->s->resp)
        answer_line(x, "Server Quitting..!");
}

/* An error of a request that was to be queued. */
static void spoil(struct run *x)
{
    x->s->transaction.spoiled |= x->s->transaction.gathers;
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
        spoil(x);
        answer_error(x, "ERR", "unknown command 'NONSUCH'");
        break;
    case VERB_ARITY:
        spoil(x);
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

static void run_other(struct run *x)
{
    switch (x->r->verb) {
    case VERB_NAME:
        run_name(x);
        break;
    case VERB_TELL_NAME:
        run_tell_name(x);
        break;
    case VERB_DBSIZE:
        run_dbsize(x);
        break;
    case VERB_SAVE:
        run_save(x);
        break;
    case VERB_UNWATCH:
        model_end_transaction(x->s);
        run_plain(x);
        break;
    case VERB_ECHO:
    case VERB_PING:
        run_plain(x);
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
    case VERB_STOP:
        run_stop(x);
        break;
    default:
        run_odd(x);
        break;
    }
}

bool model_calls(const struct model *m, const struct model_session *s, const struct request *r)
{
    if (model_refusal(m, s, r) || model_queues(s, r))
        return false;
    if (r->verb == VERB_EXEC)
        return s->transaction.gathers && !s->transaction.spoiled;
    if (r->verb == VERB_WATCH)
        return !s->transaction.gathers;
    return request_is_about_table(r) || r->verb == VERB_NAME || r->verb == VERB_TELL_NAME ||
           r->verb == VERB_SAVE || r->verb == VERB_FLUSH;
}

static void run_allowed(struct run *x)
{
    if (x->r->verb == VERB_FLUSH) {
        run_flush(x);
        return;
    }
    size_t expired = take_expired(x);
    if (!run_values(x) && !run_transaction(x) && !run_subscription(x))
        run_other(x);
    commit(x, expired);
}

static void fail(struct run *x, const char *code, const char *reason)
{
    answer_error(x, code, reason);
    if (x->r->verb == VERB_EXEC)
        model_end_transaction(x->s);
}

uint64_t model_run(struct model *m, struct model_session *s, const struct request *r,
                   const struct witness_call *call, struct buffer *out)
{
    struct run x = {.m = m, .s = s, .r = r, .call = call, .out = out};
    m->published = NULL;
    bool queues = model_queues(s, r);
    if (!queues)
        model_see_watched(&x);
    const char *refused = model_refusal(m, s, r);
    if (refused && !(queues && r->verb == VERB_NAME)) { /* whose rights are looked at later */
        spoil(&x);
        answer_error(&x, "NOPERM", refused);
    } else if (queues)
        model_queue(&x);
    else if (call->result == STORE_READ_ONLY)
        fail(&x, "MISCONF", "the disk is full: the table can be read, not changed");
    else if (call->result == STORE_STUCK)
        fail(&x, "MISCONF",
             "the log's next file cannot be made (the hub's log says why): "
             "the table can be read, not changed");
    else if (call->result < 0)
        fail(&x, "IOERR", "the disk has failed: the hub is stopping");
    else
        run_allowed(&x);
    uint64_t needs = m->config->holds_replies ? x.needs : 0;
    return needs > x.needs_always ? needs : x.needs_always;
}

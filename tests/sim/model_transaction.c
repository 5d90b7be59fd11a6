#include "model_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Several requests as one. */

static bool is_direct(enum verb verb)
{
    return verb == VERB_MULTI || verb == VERB_EXEC || verb == VERB_DISCARD ||
           verb == VERB_WATCH || verb == VERB_CLOSE;
}

bool model_queues(const struct model_session *s, const struct request *r)
{
    return s->transaction.gathers && request_is_logged(r) && !is_direct(r->verb);
}

void model_queue(struct run *x)
{
    struct model_transaction *t = &x->s->transaction;
    if (!request_may_queue(x->r)) {
        char reason[64];
        snprintf(reason, sizeof reason, "not possible within a transaction: '%s'",
                 request_word(x->r));
        t->spoiled = true;
        answer_error(x, "ERR", reason);
        return;
    }
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 8;
        t->queue = realloc(t->queue, t->capacity * sizeof *t->queue);
        if (!t->queue)
            abort();
    }
    t->queue[t->count++] = *x->r;
    answer_status(x, "QUEUED");
}

static void end(struct model_transaction *t)
{
    free(t->queue);
    free(t->watches);
    *t = (struct model_transaction){0};
}

void model_end_transaction(struct model_session *s)
{
    end(&s->transaction);
}

/* ---- watching */

static void watch(struct run *x)
{
    struct model_transaction *t = &x->s->transaction;
    unsigned key = x->r->keys[0];
    t->watches = realloc(t->watches, (t->watch_count + 1) * sizeof *t->watches);
    if (!t->watches)
        abort();
    uint64_t lsn = run_see(x, key).present ? x->m->entries[key].lsn : 0;
    t->watches[t->watch_count++] = (struct model_watch){key, lsn, x->m->lsn};
    answer_status(x, "OK");
}

static bool watches_as_missing(const struct model_transaction *t, unsigned key)
{
    for (size_t i = 0; i < t->watch_count; i++)
        if (t->watches[i].key == key && t->watches[i].lsn == 0)
            return true;
    return false;
}

void model_see_watched(struct run *x)
{
    struct model_transaction *t = &x->s->transaction;
    if (!request_is_about_table(x->r) || x->r->verb == VERB_DBSIZE)
        return;
    for (size_t i = 0; i < x->r->n; i++) {
        const struct model_entry *e = &x->m->entries[x->r->keys[i]];
        t->came |=
            e->present && !model_has_expired(x->m, e) && watches_as_missing(t, x->r->keys[i]);
    }
}

static bool was_removed_since(const struct model *m, unsigned key, uint64_t lsn)
{
    for (size_t i = m->count; i > 0 && m->changes[i - 1].lsn > lsn; i--)
        if (m->changes[i - 1].key == key && m->changes[i - 1].old.present)
            return true;
    return false;
}

/* A missing key has no version: where it came and went, only who has seen it there has
 * something to lose. He may have by a request that was put off, and run when it was gone. */
static bool watch_holds(struct run *x, const struct model_watch *w)
{
    bool present = run_see(x, w->key).present;
    const struct model_entry *e = &x->m->entries[w->key];
    if (present || w->lsn != 0)
        return present && e->lsn == w->lsn;
    bool refused = x->call->result >= STORE_FN_FIRST;
    return !refused || !was_removed_since(x->m, w->key, w->since);
}

/* ---- all at once */

/* What has expired goes, whatever comes of it. */
static void meet_keys(struct run *x, const struct model_transaction *t)
{
    for (size_t i = 0; i < t->count; i++)
        for (size_t key = 0; request_is_about_table(&t->queue[i]) && key < t->queue[i].n; key++)
            run_see(x, t->queue[i].keys[key]);
}

static void run_queue(struct run *x, const struct model_transaction *t)
{
    const struct request *exec = x->r;
    answer_array(x, t->count);
    for (size_t i = 0; i < t->count; i++) {
        x->r = &t->queue[i];
        if (!run_values(x))
            run_plain(x);
    }
    x->r = exec;
}

static void exec(struct run *x)
{
    struct model_transaction *t = &x->s->transaction;
    bool holds = !t->came;
    meet_keys(x, t);
    for (size_t i = 0; i < t->watch_count; i++)
        holds &= watch_holds(x, &t->watches[i]);
    trace_check(x->m->trace, holds == (x->call->result < STORE_FN_FIRST),
                "a transaction is %s, and ought not to be", holds ? "refused" : "run");
    if (holds)
        run_queue(x, t);
    else
        put_str(x->out, x->s->version == 3 ? "_\r\n" : "*-1\r\n");
    end(t);
}

static void exec_or_not(struct run *x)
{
    struct model_transaction *t = &x->s->transaction;
    if (!t->gathers) {
        answer_error(x, "ERR", "EXEC without MULTI");
    } else if (t->spoiled) {
        answer_error(x, "EXECABORT", "Transaction discarded because of previous errors.");
        end(t);
    } else {
        exec(x);
    }
}

bool run_transaction(struct run *x)
{
    struct model_transaction *t = &x->s->transaction;
    bool gathers = t->gathers;
    switch (x->r->verb) {
    case VERB_MULTI:
        if (gathers)
            answer_error(x, "ERR", "MULTI calls can not be nested");
        else
            answer_status(x, "OK");
        t->gathers = true;
        return true;
    case VERB_EXEC:
        exec_or_not(x);
        return true;
    case VERB_DISCARD:
        if (gathers)
            answer_status(x, "OK");
        else
            answer_error(x, "ERR", "DISCARD without MULTI");
        if (gathers)
            end(t);
        return true;
    case VERB_WATCH:
        if (gathers)
            answer_error(x, "ERR", "WATCH inside MULTI is not allowed");
        else
            watch(x);
        return true;
    default:
        return false;
    }
}

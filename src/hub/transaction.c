#include "hub/transaction.h"

#include "base/limits.h"
#include "hub/hub.h"

#include <errno.h>
#include <stdlib.h>

/* An argument, or a watched key: in the transaction's bytes, or in a blob. */
struct piece {
    size_t at, len;
    struct blob *blob;   /* NULL: it is in the bytes */
    const uint8_t *data; /* where it is in the blob */
};

struct queued {
    const struct command *command;
    size_t argc, first_arg;
};

struct watched {
    struct piece key;
    uint64_t version;
};

struct transaction {
    bool gathers, spoiled;
    struct buffer bytes; /* of all small arguments and watched keys */
    size_t large_bytes;  /* of those in blobs */
    struct piece *args;
    size_t arg_count, arg_capacity;
    struct queued *queue;
    size_t queue_count, queue_capacity;
    struct watched *watches;
    size_t watch_count, watch_capacity;
    size_t missing; /* of the watched, how many were */
    bool came;      /* one of those has been seen there */
};

struct transaction *transaction_new(void)
{
    struct transaction *t = calloc(1, sizeof *t);
    if (t)
        buffer_init(&t->bytes, LIMIT_TRANSACTION_BYTES);
    return t;
}

void transaction_free(struct transaction *t)
{
    if (!t)
        return;
    buffer_fini(&t->bytes);
    for (size_t i = 0; i < t->arg_count; i++)
        blob_unref(t->args[i].blob);
    free(t->args);
    free(t->queue);
    free(t->watches);
    free(t);
}

bool transaction_begin(struct transaction *t)
{
    bool begins = !t->gathers;
    t->gathers = true;
    return begins;
}

bool transaction_gathers(const struct transaction *t)
{
    return t->gathers;
}

void transaction_spoil(struct transaction *t)
{
    t->spoiled |= t->gathers;
}

/* ---- gathering */

/* Makes room for one more item of an array. */
static int grow(void *array, size_t *capacity, size_t count, size_t item_bytes)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity ? 2 * *capacity : 8;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, wanted * item_bytes);
    if (!grown)
        return -ENOMEM;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return 0;
}

static int keep_piece(struct transaction *t, struct bytes b, struct blob *blob,
                      struct piece *ret)
{
    size_t blob_bytes = blob ? b.len : 0;
    if (buffer_len(&t->bytes) + t->large_bytes + b.len > LIMIT_TRANSACTION_BYTES)
        return BUFFER_FULL;
    *ret = (struct piece){.at = buffer_len(&t->bytes), .len = b.len};
    t->large_bytes += blob_bytes;
    if (!blob)
        return buffer_append_bytes(&t->bytes, b);
    ret->blob = blob_ref(blob);
    ret->data = b.data;
    return 0;
}

static struct bytes piece_view(const struct transaction *t, struct piece piece)
{
    if (piece.blob)
        return bytes_make(piece.data, piece.len);
    struct bytes all = buffer_view(&t->bytes);
    return bytes_first(bytes_from(all, piece.at), piece.len);
}

static int keep_args(struct transaction *t, const struct call *call)
{
    for (size_t i = 0; i < call->argc; i++) {
        int r = grow(&t->args, &t->arg_capacity, t->arg_count, sizeof *t->args);
        if (r == 0)
            r = keep_piece(t, call->argv[i], call_blob(call, i), &t->args[t->arg_count]);
        if (r != 0)
            return r;
        t->arg_count++;
    }
    return 0;
}

static int keep_command(struct transaction *t, const struct call *call,
                        const struct command *command)
{
    if (t->queue_count == LIMIT_TRANSACTION_COMMANDS)
        return BUFFER_FULL;
    int r = grow(&t->queue, &t->queue_capacity, t->queue_count, sizeof *t->queue);
    struct queued queued = {command, call->argc, t->arg_count};
    if (r == 0)
        r = keep_args(t, call);
    if (r == 0)
        t->queue[t->queue_count++] = queued;
    return r;
}

int transaction_add(struct transaction *t, struct call *call, const struct command *command)
{
    if (!command->apply && !(command->flags & COMMAND_PLAIN)) {
        t->spoiled = true;
        return command_error_about(call, "not possible within a transaction:", call->argv[0]);
    }
    int r = t->spoiled ? 0 : keep_command(t, call, command);
    if (r == 0) {
        reply_status(call->reply, "QUEUED");
        return COMMAND_DONE;
    }
    t->spoiled = true;
    return r < 0 ? command_error(call, "OOM", "out of memory for the transaction")
                 : command_error(call, "ERR", "the transaction is too large");
}

int transaction_watch(struct transaction *t, struct bytes key, uint64_t version)
{
    if (t->watch_count == LIMIT_WATCHED_KEYS)
        return BUFFER_FULL;
    int r = grow(&t->watches, &t->watch_capacity, t->watch_count, sizeof *t->watches);
    struct watched watched = {.version = version};
    if (r == 0)
        r = keep_piece(t, key, NULL, &watched.key);
    if (r == 0) {
        t->watches[t->watch_count++] = watched;
        t->missing += version == 0;
    }
    return r;
}

bool transaction_watches_missing(const struct transaction *t)
{
    return t->missing > 0 && !t->came;
}

static bool watches_as_missing(const struct transaction *t, struct bytes key)
{
    for (size_t i = 0; i < t->watch_count; i++)
        if (t->watches[i].version == 0 && bytes_equal(piece_view(t, t->watches[i].key), key))
            return true;
    return false;
}

void transaction_saw(struct transaction *t, const struct store_slot *slots, size_t n)
{
    enum { COMPARED_MAX = 65536 }; /* this runs under the store's locks */
    if (n * t->watch_count > COMPARED_MAX)
        t->came = true; /* to be on the safe side */
    for (size_t i = 0; i < n && !t->came; i++)
        t->came = slots[i].present && watches_as_missing(t, slots[i].key);
}

struct blob *transaction_blob(const struct transaction *t, size_t argument)
{
    return t->args[argument].blob;
}

/* ---- running */

/* What a key is at this point of the transaction; kept at the index of its first slot. */
struct state {
    bool present;
    struct store_value value;
    size_t seen_by; /* the queued command that met it last, from 1 ... */
    size_t seen_at; /* ... and the first of its slots that did */
};

struct execution {
    struct transaction *transaction;
    struct call *call;
    struct reply_mark before; /* the answer */
    struct bytes *argv;       /* of all commands */
    struct state *states;     /* a slot each */
    struct store_slot *parts; /* the slots of one command, as it sees them */
    size_t made;              /* bytes of values made of others; see struct call */
    size_t hits, misses;      /* of the keys that commands which only read have asked for */
};

static bool watches_hold(const struct transaction *t, const struct store_slot *slots, size_t n)
{
    const struct store_slot *watched = slots + n - t->watch_count;
    if (t->came)
        return false;
    for (size_t i = 0; i < t->watch_count; i++)
        if (watched[i].old.version != t->watches[i].version)
            return false;
    return true;
}

static void show_slots(struct execution *x, const struct store_slot *slots, size_t n,
                       size_t command)
{
    for (size_t i = 0; i < n; i++) {
        struct state *state = &x->states[slots[i].first];
        if (state->seen_by != command + 1) {
            state->seen_by = command + 1;
            state->seen_at = i;
        }
        x->parts[i] = (struct store_slot){.key = slots[i].key,
                                          .present = state->present,
                                          .first = state->seen_at,
                                          .old = state->value};
    }
}

/* What the command decided holds for those after it, and for the store. */
static void take_slots(struct execution *x, struct store_slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct store_slot *part = &x->parts[i];
        if (part->verdict == STORE_KEEP)
            continue;
        slots[i].verdict = part->verdict;
        slots[i].value = part->value;
        slots[i].blob = part->blob;
        slots[i].expires = part->expires;
        struct state *state = &x->states[slots[i].first];
        state->present = part->verdict == STORE_PUT;
        state->value = (struct store_value){0};
        if (state->present)
            state->value =
                (struct store_value){part->value, part->blob, part->expires, UINT64_MAX};
    }
}

static void count_reads(struct execution *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x->hits += x->parts[i].present;
        x->misses += !x->parts[i].present;
    }
}

static int run_queued(struct execution *x, size_t index, struct store_slot *slots, size_t n)
{
    const struct queued *q = &x->transaction->queue[index];
    struct call call = *x->call;
    call.argv = x->argv + q->first_arg;
    call.argc = q->argc;
    call.made = &x->made;
    call.first_in_transaction = q->first_arg;
    if (!q->command->apply) {
        q->command->run(&call);
        return 0;
    }
    show_slots(x, slots, n, index);
    if (!(q->command->flags & COMMAND_WRITES))
        count_reads(x, n);
    int r = q->command->apply(&call, x->parts, n);
    if (r == 0)
        take_slots(x, slots, n);
    return r == COMMAND_REFUSED ? 0 : r;
}

static int run_queue(void *ctx, struct store_slot *slots, size_t n)
{
    struct execution *x = ctx;
    struct transaction *t = x->transaction;
    reply_rewind(x->call->reply, x->before);
    x->made = x->hits = x->misses = 0;
    if (!watches_hold(t, slots, n)) {
        reply_null_array(x->call->reply);
        return COMMAND_REFUSED;
    }
    for (size_t i = 0; i < n; i++)
        x->states[i] = (struct state){.present = slots[i].present, .value = slots[i].old};
    reply_array(x->call->reply, t->queue_count);
    int r = 0;
    size_t at = 0;
    for (size_t i = 0; i < t->queue_count && r == 0; i++) {
        size_t keys = command_key_count(t->queue[i].command, t->queue[i].argc);
        r = run_queued(x, i, slots + at, keys);
        at += keys;
    }
    return r;
}

static size_t count_keys(const struct transaction *t)
{
    size_t n = t->watch_count;
    for (size_t i = 0; i < t->queue_count; i++)
        n += command_key_count(t->queue[i].command, t->queue[i].argc);
    return n;
}

static void name_keys(const struct transaction *t, const struct bytes *argv,
                      struct store_slot *slots)
{
    for (size_t i = 0; i < t->queue_count; i++) {
        const struct queued *q = &t->queue[i];
        for (size_t key = 0; key < command_key_count(q->command, q->argc); key++)
            *slots++ = (struct store_slot){
                .key = argv[q->first_arg + command_key_at(q->command, key)]};
    }
    for (size_t i = 0; i < t->watch_count; i++)
        *slots++ = (struct store_slot){.key = piece_view(t, t->watches[i].key)};
}

static int execute(struct execution *x, struct store_slot *slots, size_t n)
{
    struct call *call = x->call;
    for (size_t i = 0; i < x->transaction->arg_count; i++)
        x->argv[i] = piece_view(x->transaction, x->transaction->args[i]);
    name_keys(x->transaction, x->argv, slots);
    uint64_t lsn = 0;
    int r = store_update(call->hub->shared->store, STORE_USER, slots, n, call->hub->wall,
                         run_queue, x, &lsn);
    if (r >= 0)
        reply_depends(call->reply, lsn);
    if (r == 0 || r == COMMAND_REFUSED) {
        tally_add(call->hub->tally, TALLY_HITS, x->hits);
        tally_add(call->hub->tally, TALLY_MISSES, x->misses);
        return COMMAND_DONE;
    }
    reply_rewind(call->reply, x->before);
    if (r == COMMAND_MAKES_TOO_MUCH)
        return command_error(call, "ERR",
                             "nothing was changed: what a transaction's APPEND, SETRANGE and "
                             "INCRBYFLOAT make is at most 4 MiB in all");
    return command_store_failed(call, r);
}

int transaction_run(struct transaction *t, struct call *call)
{
    if (t->spoiled)
        return command_error(call, "EXECABORT",
                             "Transaction discarded because of previous errors.");
    size_t n = count_keys(t);
    struct execution x = {.transaction = t,
                          .call = call,
                          .before = reply_mark(call->reply),
                          .argv = command_take(call, t->arg_count * sizeof *x.argv),
                          .states = command_take(call, n * sizeof *x.states),
                          .parts = command_take(call, n * sizeof *x.parts)};
    struct store_slot *slots = command_take(call, n * sizeof *slots);
    int r = x.argv && x.states && x.parts && slots ? execute(&x, slots, n)
                                                   : command_store_failed(call, -ENOMEM);
    arena_reset(&call->hub->arena);
    return r;
}

#include "meet/carrying_inner.h"

#include "io/courier.h"
#include "io/outbox_files.h"
#include "io/problem.h"
#include "meet/inbox_place.h"
#include "wire/field.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A piece of news has a path of 4 KiB in it, at most; one more always fits. */
enum { NEWS_BYTES = 16 * 1024, BATCH_BYTES = 32 * 1024 };

/* ---- telling ---- */

struct buffer *carrying_begin(struct carrying *c, enum carrier_news what)
{
    buffer_consume(&c->news, buffer_len(&c->news));
    c->failed = field_append_number(&c->news, what);
    return &c->news;
}

void carrying_number(struct carrying *c, uint64_t number)
{
    if (c->failed == 0)
        c->failed = field_append_number(&c->news, number);
}

void carrying_bytes(struct carrying *c, struct bytes data)
{
    if (c->failed == 0)
        c->failed = field_append(&c->news, data);
}

/* Who asked for it is gone where it cannot be told: nobody wants it any more. */
static void tell_batch(struct carrying *c)
{
    if (c->failed != 0 || courier_send(STDIN_FILENO, buffer_view(&c->batch), -1) != 0)
        _exit(EXIT_FAILURE);
    buffer_consume(&c->batch, buffer_len(&c->batch));
}

void carrying_tell_later(struct carrying *c)
{
    if (c->failed == 0)
        c->failed = field_append(&c->batch, buffer_view(&c->news));
    if (c->failed != 0 || buffer_len(&c->batch) > BATCH_BYTES)
        tell_batch(c);
}

void carrying_tell(struct carrying *c)
{
    carrying_tell_later(c);
    if (buffer_len(&c->batch) > 0)
        tell_batch(c);
}

void carrying_end(struct carrying *c, enum carrier_end how, enum transfer_reason reason,
                  const char *words)
{
    carrying_begin(c, CARRIER_END);
    carrying_number(c, how);
    carrying_number(c, reason);
    carrying_bytes(c, bytes_from_str(words ? words : ""));
    carrying_tell(c);
}

/* ---- its order ---- */

static bool take_key(struct carrying *c, struct bytes *rest)
{
    struct bytes id, secret;
    uint64_t sha256;
    if (!field_next(rest, &id) || id.len != sizeof c->id.bytes || !field_next(rest, &secret) ||
        secret.len != sizeof c->secret || !field_next_number(rest, &sha256))
        return false;
    memcpy(c->id.bytes, id.data, id.len);
    memcpy(c->secret, secret.data, secret.len);
    c->sha256 = sha256 != 0;
    return true;
}

static bool take_terms(struct carrying *c, struct bytes *rest)
{
    uint64_t rule;
    if (!take_key(c, rest) || !field_next_text(rest, c->into, sizeof c->into) ||
        !field_next_number(rest, &rule) || !field_next_number(rest, &c->cap) ||
        !field_next_number(rest, &c->entries) || !field_next_number(rest, &c->bytes))
        return false;
    c->rule = (enum inbox_rule)rule;
    return true;
}

static bool take_clear(struct carrying *c, struct bytes *rest)
{
    struct bytes id;
    if (!field_next(rest, &id) || id.len != sizeof c->id.bytes ||
        !field_next_text(rest, c->into, sizeof c->into))
        return false;
    memcpy(c->id.bytes, id.data, id.len);
    return true;
}

static bool take_dial(struct carrying *c, struct bytes *rest)
{
    struct bytes address, token;
    uint64_t port;
    if (!field_next(rest, &address) || address.len != sizeof c->to.bytes ||
        !field_next_number(rest, &port) || !field_next(rest, &token) ||
        token.len != sizeof c->preamble.token)
        return false;
    memcpy(c->to.bytes, address.data, address.len);
    memcpy(c->preamble.token, token.data, token.len);
    c->port = (uint16_t)port;
    return true;
}

static bool take_connection(struct carrying *c, struct bytes *rest, int fd)
{
    uint64_t dialed;
    if (!field_next_number(rest, &dialed))
        return false;
    c->dialed = dialed != 0;
    c->connection = fd;
    return fd >= 0;
}

static bool take_path(struct carrying *c, struct bytes *rest)
{
    struct bytes path;
    if (!field_next(rest, &path))
        return false;
    if (c->path_count == c->path_room) {
        size_t room = c->path_room ? 2 * c->path_room : 16;
        char **paths = realloc(c->paths, room * sizeof *paths);
        if (!paths)
            return false;
        c->paths = paths;
        c->path_room = room;
    }
    c->paths[c->path_count] = strndup((const char *)path.data, path.len);
    return c->paths[c->path_count++] != NULL;
}

static bool take_as(struct carrying *c, struct bytes *rest)
{
    return field_next_text(rest, c->as, sizeof c->as);
}

/* ret_fd NULL: none belongs to it. */
static bool take(struct carrying *c, uint64_t kind, struct bytes rest, int fd)
{
    switch (kind) {
    case CARRYING_LIST:
        c->what = CARRYING_LIST;
        return true;
    case CARRYING_SEND:
        c->what = CARRYING_SEND;
        return take_key(c, &rest);
    case CARRYING_RECEIVE:
        c->what = CARRYING_RECEIVE;
        return take_terms(c, &rest);
    case CARRYING_CLEAR:
        c->what = CARRYING_CLEAR;
        return take_clear(c, &rest);
    case CARRYING_PATH:
        return take_path(c, &rest);
    case CARRYING_KEYS:
        return field_next_number(&rest, &c->keys.device) &&
               field_next_number(&rest, &c->keys.inode);
    case CARRYING_AS:
        return take_as(c, &rest);
    case CARRYING_DIAL:
        return take_dial(c, &rest);
    case CARRYING_LIST_FILE:
        c->list = fd;
        return fd >= 0;
    case CARRYING_SPOOL:
        c->spool = fd;
        return fd >= 0;
    case CARRYING_INPUT:
        c->input = fd;
        return fd >= 0;
    case CARRYING_CONNECTION:
        return take_connection(c, &rest, fd);
    default:
        return false;
    }
}

/* True where there is more to come; false at GO, or where the order is none (what stays 0). */
static bool read_order(struct carrying *c)
{
    struct buffer message;
    uint64_t kind = 0;
    int fd = -1;
    buffer_init(&message, COURIER_BYTES);
    int r = courier_receive(STDIN_FILENO, true, &message, &fd);
    struct bytes rest = buffer_view(&message);
    bool good = r == 0 && field_next_number(&rest, &kind);
    bool more = good && kind != CARRYING_GO;
    if (!good || (more && !take(c, kind, rest, fd))) {
        c->what = 0;
        more = false;
    }
    buffer_fini(&message);
    return more;
}

/* ---- listing ---- */

static void tell_skipped(void *ctx, const char *path, bool is_named,
                         enum outbox_files_problem problem, int error)
{
    static const char *const words[] = {
        [OUTBOX_FILES_LINK] = "a link",
        [OUTBOX_FILES_SPECIAL] = "neither a file nor a folder",
        [OUTBOX_FILES_KEYS] = "the keys of this device are in it",
        [OUTBOX_FILES_DEEP] = "too many folders in one another (64)",
        [OUTBOX_FILES_LONG] = "its path is too long (4096 bytes)",
        [OUTBOX_FILES_NAMELESS] = "it has no name to be sent under",
        [OUTBOX_FILES_TWICE] = "two of one name cannot be sent at once, so nothing is"};
    struct carrying *c = ctx;
    carrying_begin(c, CARRIER_SKIPPED);
    carrying_bytes(c, bytes_from_str(path));
    carrying_bytes(c, bytes_from_str(problem == OUTBOX_FILES_UNREADABLE ? problem_text(error)
                                                                        : words[problem]));
    carrying_tell(c);
}

/* How many are at the top, and what the first is called. */
static int count_tops(int list, uint64_t *ret_tops, char *ret_name, size_t cap)
{
    struct outbox_files o;
    struct transfer_entry e;
    int r = outbox_files_open(&o, list);
    *ret_tops = 0;
    for (uint64_t n = 0; r == 0 && (r = o.outbox.ops->entry(&o.outbox, n, &e)) == 0; n++) {
        if (e.depth == 0 && (*ret_tops)++ == 0)
            snprintf(ret_name, cap, "%.*s", (int)e.name.len, (const char *)e.name.data);
    }
    outbox_files_close(&o);
    return r == OUTBOX_END ? 0 : r;
}

static void list(struct carrying *c)
{
    struct outbox_totals totals;
    char name[256] = "";
    uint64_t tops = 0;
    int r = outbox_files_walk(c->list, (const char *const *)c->paths, c->path_count, c->keys,
                              &totals, tell_skipped, c);
    if (r == 0)
        r = count_tops(c->list, &tops, name, sizeof name);
    if (r != 0 || tops == 0) {
        carrying_end(c, CARRIER_STOPPED, TRANSFER_SOURCE_FAILED,
                     r < 0 ? problem_text(r) : "there is nothing to send");
        return;
    }
    carrying_begin(c, CARRIER_LISTED);
    carrying_number(c, totals.entries);
    carrying_number(c, totals.bytes);
    carrying_number(c, tops);
    carrying_bytes(c, bytes_from_str(name));
    carrying_tell(c);
    carrying_end(c, CARRIER_DONE, TRANSFER_REASON_NONE, NULL);
}

/* ---- the whole ---- */

int carrying_connect(struct carrying *c)
{
    if (c->connection >= 0)
        return 0;
    c->dialed = true;
    c->preamble.id = c->id;
    return secret_stream_dial(&c->to, c->port, &c->preamble, LIMIT_CONNECT_MS, &c->connection);
}

static void clear(struct carrying *c)
{
    int r = inbox_place_clear(c->into, &c->id);
    carrying_end(c, CARRIER_DONE, TRANSFER_REASON_NONE, r < 0 ? problem_text(r) : NULL);
}

int carrying_run(void)
{
    static struct carrying c = {.list = -1, .spool = -1, .input = -1, .connection = -1};
    signal(SIGPIPE, SIG_IGN); /* who reads what goes to standard output may be gone */
    buffer_init(&c.news, NEWS_BYTES);
    buffer_init(&c.batch, COURIER_BYTES);
    while (read_order(&c))
        continue;
    if (c.what == CARRYING_LIST)
        list(&c);
    else if (c.what == CARRYING_SEND)
        carrying_send(&c);
    else if (c.what == CARRYING_RECEIVE)
        carrying_receive(&c);
    else if (c.what == CARRYING_CLEAR)
        clear(&c);
    else
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}

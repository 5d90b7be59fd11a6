#include "hub/accounts.h"
#include "hub/command.h"
#include "hub/hub.h"
#include "hub/letters.h"
#include "hub/member.h"
#include "hub/notice.h"

#include <errno.h>
#include <stdlib.h>

/* What waits for who is not here. */

static bool has_device(struct call *call)
{
    const struct member *m = connection_member(call->connection);
    if (!m || !m->present)
        command_error(call, "NOLOGIN", "log in first");
    else if (!m->has_device)
        command_error(call, "NODEVICE",
                      "this needs a device of yours: connect by TLS with its certificate");
    return m && m->present && m->has_device;
}

static struct fingerprint own_device(const struct call *call)
{
    return fingerprint_of(&connection_member(call->connection)->device);
}

static int answer_failed(struct call *call, int result)
{
    switch (result) {
    case LETTERS_FULL:
        return command_error(call, "QUOTA",
                             "there is no room for more letters to that device, or none for "
                             "more of yours");
    case LETTERS_DAMAGED:
        return command_error(call, "IOERR", "the letters of that device cannot be read");
    default:
        return command_store_failed(call, result);
    }
}

/* ---- sending one ---- */

/* Tells the device's connections, once it is durable. */
struct telling {
    struct hub_shared *shared;
    struct fingerprint device;
    const char *key;
    uint64_t lsn;
};

static bool is_device(const struct presence *p, const struct fingerprint *device)
{
    struct fingerprint f = fingerprint_of(&p->device);
    return p->has_device && fingerprint_equal(&f, device);
}

static void tell_one(void *ctx, const struct presence *p)
{
    const struct telling *t = ctx;
    if (is_device(p, &t->device))
        notice_to_presence(t->shared, t->key, p, t->lsn, "letter");
}

struct delivery {
    char key[ACCOUNT_NAME_BYTES + 1]; /* the recipient's */
    struct fingerprint device;        /* likewise */
    struct random_id id;
    struct bytes sealed;
};

/* False: what is wrong with the arguments is answered. */
static bool read_delivery(struct call *call, struct delivery *ret)
{
    ret->sealed = call->argv[4];
    if (!account_name_is_valid(call->argv[1]))
        command_error_about(call, "not a name of an account:", call->argv[1]);
    else if (!fingerprint_read(call->argv[2], &ret->device))
        command_error_about(call, "not a fingerprint:", call->argv[2]);
    else if (!random_id_read(call->argv[3], &ret->id))
        command_error_about(call, "not a letter's id:", call->argv[3]);
    else if (ret->sealed.len == 0 || ret->sealed.len > LIMIT_LETTER_BYTES)
        command_error(call, "ERR", "a letter is 1 byte to 64 KiB");
    else {
        account_name_fold(call->argv[1], ret->key);
        return true;
    }
    return false;
}

/* Is the device one of that account's? 0, ACCOUNTS_NONE, or what the store returned. */
static int find_device(struct call *call, const struct delivery *d, uint64_t *ret_lsn)
{
    struct account *a = malloc(sizeof *a);
    if (!a)
        return -ENOMEM;
    int r =
        accounts_by_device(call->hub->shared->store, call->hub->wall, &d->device, a, ret_lsn);
    if (r == 0 && !account_name_equal(bytes_from_str(a->name), bytes_from_str(d->key)))
        r = ACCOUNTS_NONE;
    free(a);
    return r;
}

static int deliver(struct call *call, const struct delivery *d)
{
    const struct member *m = connection_member(call->connection);
    struct letter letter = {.since = call->hub->wall,
                            .from = own_device(call),
                            .from_name = bytes_from_str(m->name),
                            .sealed = d->sealed};
    uint64_t lsn = 0;
    int r = letters_put(call->hub->shared->store, call->hub->wall, &d->device, &d->id, &letter,
                        m->key, &lsn);
    reply_depends(call->reply, lsn);
    if (r != 0 && r != LETTERS_KNOWN)
        return answer_failed(call, r);
    reply_status(call->reply, "OK");
    struct telling telling = {call->hub->shared, d->device, d->key, lsn};
    if (r == 0)
        directory_each_of(&call->hub->shared->directory, d->key, tell_one, &telling);
    return COMMAND_DONE;
}

static int run_letter(struct call *call)
{
    struct delivery d;
    if (!has_device(call) || !read_delivery(call, &d))
        return COMMAND_DONE;
    uint64_t lsn = 0;
    int r = find_device(call, &d, &lsn);
    reply_depends(call->reply, lsn);
    if (r == ACCOUNTS_NONE || r == ACCOUNTS_DAMAGED)
        return command_error_around(call, "there is no such device of", call->argv[1], "");
    return r == 0 ? deliver(call, &d) : command_store_failed(call, r);
}

/* ---- reading and taking ---- */

struct listing {
    struct buffer out;
    size_t count;
    int failed;
};

static void list_letter(void *ctx, const struct random_id *id, const struct letter *l)
{
    struct listing *list = ctx;
    struct reply r = {.out = &list->out, .dialect = REPLY_RESP2};
    char text[RANDOM_ID_TEXT_LEN + 1], from[FINGERPRINT_TEXT_LEN + 1];
    random_id_write(text, id);
    fingerprint_write(from, &l->from);
    reply_array(&r, 5);
    reply_text(&r, bytes_from_str(text));
    reply_text(&r, l->from_name);
    reply_text(&r, bytes_from_str(from));
    reply_text(&r, l->sealed);
    reply_integer(&r, l->since.ms / 1000);
    list->count++;
    if (r.failed)
        list->failed = r.failed;
}

static int list_letters(struct call *call)
{
    struct listing list = {.count = 0};
    struct fingerprint device = own_device(call);
    uint64_t lsn = 0;
    buffer_init(&list.out, LIMIT_REPLY_BYTES);
    int r = letters_each(call->hub->shared->store, call->hub->wall, &device, list_letter, &list,
                         &lsn);
    reply_depends(call->reply, lsn);
    if (r != 0) {
        answer_failed(call, r);
    } else if (list.failed) {
        call->reply->failed = list.failed;
    } else {
        reply_array(call->reply, list.count);
        reply_raw(call->reply, buffer_view(&list.out));
    }
    buffer_fini(&list.out);
    return COMMAND_DONE;
}

static int take_letters(struct call *call)
{
    struct fingerprint device = own_device(call);
    struct random_id ids[LIMIT_LETTERS];
    size_t n = call->argc - 2, taken = 0;
    uint64_t lsn = 0;
    if (n > LIMIT_LETTERS)
        return command_error(call, "ERR", "at most 256 letters at once");
    for (size_t i = 0; i < n; i++)
        if (!random_id_read(call->argv[2 + i], &ids[i]))
            return command_error_about(call, "not a letter's id:", call->argv[2 + i]);
    int r =
        letters_take(call->hub->shared->store, call->hub->wall, &device, ids, n, &taken, &lsn);
    reply_depends(call->reply, lsn);
    if (r != 0)
        return answer_failed(call, r);
    reply_integer(call->reply, (int64_t)taken);
    return COMMAND_DONE;
}

static int run_letters(struct call *call)
{
    if (!has_device(call))
        return COMMAND_DONE;
    if (call->argc == 1)
        return list_letters(call);
    if (call->argc > 2 && bytes_equal_nocase_str(call->argv[1], "TAKEN"))
        return take_letters(call);
    return command_error(call, "ERR", "syntax error");
}

static const struct command commands[] = {
    {"LETTER", 5, ACCESS_ANYONE, COMMAND_GROWS, 0, 0, 0, run_letter, NULL,
     "Keeps a letter for a device: name fingerprint id sealed"},
    {"LETTERS", -1, ACCESS_ANYONE, 0, 0, 0, 0, run_letters, NULL,
     "The letters for this device; TAKEN id ... removes them"},
};

const struct command_part commands_letters = {commands, sizeof commands / sizeof *commands};

#include "hub/commands_account.h"
#include "hub/hashing.h"
#include "hub/hub.h"
#include "hub/login.h"
#include "hub/revocation.h"

#include "base/limits.h"
#include "base/number.h"

/* ACCOUNT: what an admin does with accounts. */

/* ---- LIST ---- */

enum { LIST_BUCKETS = 256, LIST_BYTES_MAX = 4 * 1024 * 1024 };

struct listing {
    struct buffer out;
    struct reply reply; /* of out */
    size_t count;
};

/* [name, admin (0, 1), since, devices] */
static void list_one(void *ctx, const struct account *a)
{
    struct listing *l = ctx;
    l->count++;
    reply_array(&l->reply, 4);
    reply_text(&l->reply, bytes_from_str(a->name));
    reply_integer(&l->reply, a->admin);
    reply_integer(&l->reply, a->since.ms / 1000);
    reply_integer(&l->reply, (int64_t)a->device_count);
}

/* As SCAN: a cursor, 0 at the end, and some of them. */
static void answer_list(struct call *call, const struct listing *l, uint64_t cursor)
{
    char digits[NUMBER_INT64_CHARS];
    reply_array(call->reply, 2);
    reply_text(call->reply, bytes_make(digits, number_format_u64(digits, cursor)));
    reply_array(call->reply, l->count);
    reply_raw(call->reply, buffer_view(&l->out));
    if (l->reply.failed)
        call->reply->failed = l->reply.failed;
}

static int list(struct call *call)
{
    struct listing l = {.count = 0};
    uint64_t cursor = 0, lsn = 0;
    if (call->argc > 3 || (call->argc == 3 && !number_parse_u64(call->argv[2], &cursor)))
        return command_error(call, "ERR", "invalid cursor");
    buffer_init(&l.out, LIST_BYTES_MAX);
    l.reply = (struct reply){.out = &l.out, .dialect = call->reply->dialect};
    int r = accounts_scan(call->hub->shared->store, account_now(call), &cursor, LIST_BUCKETS,
                          list_one, &l, &lsn);
    reply_depends(call->reply, lsn);
    if (r == 0)
        answer_list(call, &l, cursor);
    buffer_fini(&l.out);
    return r == 0 ? COMMAND_DONE : login_answer(call, r);
}

/* ---- RESET ---- */

struct reset {
    const struct password *password;
    uint64_t generation;
    struct revocation revoked;
};

/* What belonged to it is gone: others see that it may be somebody else. */
static int reset(void *ctx, struct account *a, bool exists)
{
    struct reset *r = ctx;
    if (!exists)
        return ACCOUNTS_NONE;
    revocation_note_all(&r->revoked, a);
    a->password = *r->password;
    a->generation = r->generation;
    a->device_count = a->token_count = 0;
    return 0;
}

static int reset_hashed(struct call *call, const struct hashing *h)
{
    struct reset r = {.password = &h->plan.fresh};
    struct accounts_change c = {.name = call->argv[2], .fn = reset, .ctx = &r};
    if (h->result != 0)
        return command_store_failed(call, h->result);
    chance_draw(&call->hub->chance, &r.generation, sizeof r.generation);
    return account_answer_revoked(call, c.name, account_change(call, &c), &r.revoked);
}

static int run_reset(struct call *call)
{
    const struct hashing *h = hashing_result(call->connection);
    if (h) {
        int result = reset_hashed(call, h);
        if (result == COMMAND_DONE)
            hashing_end(call->connection);
        return result;
    }
    if (!password_is_acceptable(call->argv[3]))
        return account_wrong_choice(call);
    if (!login_takes_secrets(call))
        return COMMAND_DONE;
    struct hashing_plan plan = {
        .makes = true, .chosen = call->argv[3], .fresh = account_fresh_password(call)};
    return hashing_begin(call, &plan, 0);
}

/* ---- REMOVE, ADMIN ---- */

static int remove_account(void *ctx, struct account *a, bool exists)
{
    if (!exists)
        return ACCOUNTS_NONE;
    revocation_note_all(ctx, a);
    return ACCOUNTS_REMOVE;
}

static int run_remove(struct call *call)
{
    struct revocation revoked = {.count = 0};
    struct accounts_change c = {.name = call->argv[2], .fn = remove_account, .ctx = &revoked};
    return account_answer_revoked(call, c.name, account_change(call, &c), &revoked);
}

static int set_admin(void *ctx, struct account *a, bool exists)
{
    const bool *admin = ctx;
    if (!exists)
        return ACCOUNTS_NONE;
    a->admin = *admin;
    return 0;
}

static int run_admin(struct call *call)
{
    bool admin = bytes_equal_nocase_str(call->argv[3], "ON");
    struct accounts_change c = {.name = call->argv[2], .fn = set_admin, .ctx = &admin};
    if (!admin && !bytes_equal_nocase_str(call->argv[3], "OFF"))
        return command_error(call, "ERR", "syntax error");
    return account_answer_changed(call, c.name, account_change(call, &c), true);
}

static int run_account(struct call *call)
{
    struct bytes what = call->argv[1];
    if (bytes_equal_nocase_str(what, "LIST"))
        return list(call);
    if (call->argc < 3 || !account_name_is_valid(call->argv[2]))
        return account_wrong_name(call);
    if (bytes_equal_nocase_str(what, "RESET") && call->argc == 4)
        return run_reset(call);
    if (bytes_equal_nocase_str(what, "REMOVE") && call->argc == 3)
        return run_remove(call);
    if (bytes_equal_nocase_str(what, "ADMIN") && call->argc == 4)
        return run_admin(call);
    return command_error(call, "ERR", "syntax error");
}

static const struct command commands[] = {
    {"ACCOUNT", -2, ACCESS_ADMIN, COMMAND_SECRET, 0, 0, 0, run_account, NULL,
     "All accounts: LIST [cursor], RESET name password, REMOVE name, ADMIN name ON|OFF"},
};

const struct command_part commands_admin = {commands, sizeof commands / sizeof *commands};

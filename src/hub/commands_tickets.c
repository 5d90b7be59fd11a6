#include "hub/commands_account.h"
#include "hub/hub.h"
#include "hub/login.h"
#include "hub/member.h"

#include <sodium.h>

/* INVITE and TOKEN: secrets that stand for a right. Each is said once, when it is made. */

static struct ticket draw(struct call *call, char text[TICKET_TEXT_LEN + 1])
{
    uint8_t secret[TICKET_SECRET_BYTES];
    chance_draw(&call->hub->chance, secret, sizeof secret);
    struct ticket t = ticket_new(secret, text);
    sodium_memzero(secret, sizeof secret);
    return t;
}

static void answer_secret(struct call *call, char text[TICKET_TEXT_LEN + 1])
{
    reply_text(call->reply, bytes_from_str(text));
    sodium_memzero(text, TICKET_TEXT_LEN + 1);
}

/* ---- invites ---- */

/* A member may invite, and whoever may do as he likes here: then *ret_by is nothing. */
static bool may_invite(struct call *call, struct bytes *ret_by, int *ret_result)
{
    const struct member *m = connection_member(call->connection);
    *ret_by = bytes_make(NULL, 0);
    if (!m)
        return command_allows(call, ACCESS_ADMIN, ret_result);
    *ret_result = COMMAND_DONE;
    *ret_by = bytes_from_str(m->key);
    return account_owner(call) != NULL;
}

static int run_invite(struct call *call)
{
    struct store *s = call->hub->shared->store;
    char text[TICKET_TEXT_LEN + 1];
    struct walltime now = account_now(call), expires;
    struct bytes by;
    uint64_t lsn = 0;
    int r;
    if (!bytes_equal_nocase_str(call->argv[1], "NEW"))
        return command_error(call, "ERR", "syntax error");
    if (!may_invite(call, &by, &r))
        return r;
    if (call->hub->shared->config.registration == HUB_REGISTRATION_CLOSED)
        return account_closed(call);
    struct walltime usual = {now.ms + (int64_t)LIMIT_INVITE_DEFAULT_MS};
    if (!login_takes_secrets(call) || !account_read_expiry(call, 2, usual, &expires))
        return COMMAND_DONE;
    struct ticket t = draw(call, text);
    r = accounts_invite(s, now, by, &t, expires, &lsn);
    reply_depends(call->reply, lsn);
    if (r != 0)
        return login_answer(call, r);
    answer_secret(call, text);
    return COMMAND_DONE;
}

/* ---- tokens ---- */

enum { TOKEN_IS_NAMED_SO = ACCOUNTS_REFUSED };

static void forget_old_tokens(struct account *a, struct walltime now)
{
    for (size_t i = a->token_count; i-- > 0;)
        if (token_is_over(&a->tokens[i], now))
            account_remove_token(a, &a->tokens[i]);
}

static int add_token(void *ctx, struct account *a, bool exists)
{
    const struct token *t = ctx;
    if (!exists)
        return ACCOUNTS_NONE;
    forget_old_tokens(a, t->since);
    if (account_token_labelled(a, bytes_from_str(t->label)))
        return TOKEN_IS_NAMED_SO;
    return account_add_token(a, t) ? 0 : ACCOUNTS_FULL;
}

static int new_token(struct call *call, const struct member *m)
{
    struct token t = {.since = account_now(call)};
    struct bytes label = call->argv[2];
    char text[TICKET_TEXT_LEN + 1];
    if (label.len == 0 || !device_label_is_valid(label))
        return command_error(call, "ERR",
                             "a label is 1 to 64 bytes of text without control characters");
    if (!login_takes_secrets(call) ||
        !account_read_expiry(call, 3, STORE_NO_EXPIRY, &t.expires))
        return COMMAND_DONE;
    memcpy(t.label, label.data, label.len);
    t.ticket = draw(call, text);
    struct accounts_change c = {.name = bytes_from_str(m->key),
                                .fn = add_token,
                                .ctx = &t,
                                .index = ACCOUNTS_TOKEN,
                                .hash = t.ticket.hash};
    int r = account_change(call, &c);
    if (r == TOKEN_IS_NAMED_SO)
        return command_error(call, "ERR", "there is a token of that label");
    if (r != 0)
        return login_answer(call, r);
    answer_secret(call, text);
    return COMMAND_DONE;
}

/* [label, since, expires or null] */
static int list_tokens(struct call *call, const struct member *m)
{
    struct account a;
    uint64_t lsn = 0;
    struct walltime now = account_now(call);
    int r = accounts_read(call->hub->shared->store, now, bytes_from_str(m->key), &a, &lsn);
    reply_depends(call->reply, lsn);
    if (r != 0)
        return login_answer(call, r);
    forget_old_tokens(&a, now);
    reply_array(call->reply, a.token_count);
    for (size_t i = 0; i < a.token_count; i++) {
        reply_array(call->reply, 3);
        reply_text(call->reply, bytes_from_str(a.tokens[i].label));
        reply_integer(call->reply, a.tokens[i].since.ms / 1000);
        if (a.tokens[i].expires.ms > 0)
            reply_integer(call->reply, a.tokens[i].expires.ms / 1000);
        else
            reply_null(call->reply);
    }
    return COMMAND_DONE;
}

/* The index that pointed to it points to nothing from then on. */
static int drop_token(void *ctx, struct account *a, bool exists)
{
    const struct bytes *label = ctx;
    struct token *t = exists ? account_token_labelled(a, *label) : NULL;
    if (!t)
        return ACCOUNTS_REFUSED;
    account_remove_token(a, t);
    return 0;
}

static int revoke_token(struct call *call, const struct member *m)
{
    struct bytes label = call->argv[2];
    struct accounts_change c = {
        .name = bytes_from_str(m->key), .fn = drop_token, .ctx = &label};
    int r = account_change(call, &c);
    if (r == ACCOUNTS_REFUSED)
        return command_error(call, "ERR", "there is no token of that label");
    return account_answer_changed(call, c.name, r, true);
}

static int run_token(struct call *call)
{
    struct bytes what = call->argv[1];
    const struct member *m = account_owner(call);
    if (!m)
        return COMMAND_DONE;
    if (bytes_equal_nocase_str(what, "NEW") && call->argc >= 3)
        return new_token(call, m);
    if (bytes_equal_nocase_str(what, "LIST") && call->argc == 2)
        return list_tokens(call, m);
    if (bytes_equal_nocase_str(what, "REVOKE") && call->argc == 3)
        return revoke_token(call, m);
    return command_error(call, "ERR", "syntax error");
}

static const struct command commands[] = {
    {"INVITE", -2, ACCESS_ANYONE, 0, 0, 0, 0, run_invite, NULL,
     "NEW [EX seconds]: a token that makes one account, once"},
    {"TOKEN", -2, ACCESS_ANYONE, 0, 0, 0, 0, run_token, NULL,
     "What programs log in with: NEW label [EX seconds], LIST, REVOKE label"},
};

const struct command_part commands_tickets = {commands, sizeof commands / sizeof *commands};

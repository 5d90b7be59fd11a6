#include "hub/commands_account.h"

#include "hub/hashing.h"
#include "hub/hub.h"
#include "hub/login.h"
#include "hub/member.h"
#include "hub/notice.h"
#include "hub/revocation.h"

#include "base/number.h"

#include <errno.h>
#include <stdio.h>

/* Making an account, logging in to one, and its password. Those that take a password run twice:
 * before it is hashed, and after (hub/hashing.h). */

int account_wrong_name(struct call *call)
{
    return command_error(
        call, "ERR",
        "an account's name is 1 to 32 of letters, digits, '_', '.' and '-', and "
        "does not begin with the last two");
}

static int wrong_password(struct call *call)
{
    return command_error(call, "WRONGPASS", "the name or the password is wrong");
}

int account_wrong_choice(struct call *call)
{
    return command_error(call, "ERR", "a password is 8 to 1024 bytes");
}

int account_closed(struct call *call)
{
    return command_error(call, "NOPERM",
                         "this hub takes no new accounts; started with --registration invite "
                         "it takes one for each invite: kith invite --new");
}

struct password account_fresh_password(struct call *call)
{
    struct password p = {.cost = call->hub->shared->config.password_cost};
    chance_draw(&call->hub->chance, p.salt, sizeof p.salt);
    return p;
}

static struct store *store_of(const struct call *call)
{
    return call->hub->shared->store;
}

struct walltime account_now(const struct call *call)
{
    return store_time(store_of(call), call->hub->wall);
}

/* The command is over, unless it has to run again for the log's sake. */
static int finish(struct call *call, int result)
{
    if (result == COMMAND_DONE)
        hashing_end(call->connection);
    return result;
}

int account_change(struct call *call, const struct accounts_change *c)
{
    uint64_t lsn = 0;
    int r = accounts_change(store_of(call), account_now(call), c, &lsn);
    reply_depends(call->reply, lsn);
    return r;
}

int account_answer_changed(struct call *call, struct bytes name, int result, bool told)
{
    if (result != 0)
        return login_answer(call, result);
    if (told)
        login_account_changed(call->hub, name);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

/* First the devices' own connections are reviewed: they are told as they end. */
int account_answer_revoked(struct call *call, struct bytes name, int result,
                           const struct revocation *revoked)
{
    int r = account_answer_changed(call, name, result, true);
    if (result == 0)
        revocation_tell(revoked, call->connection, call->reply->lsn);
    return r;
}

bool account_read_expiry(struct call *call, size_t i, struct walltime fallback,
                         struct walltime *ret)
{
    uint64_t seconds;
    *ret = fallback;
    if (i == call->argc)
        return true;
    if (i + 2 != call->argc || !bytes_equal_nocase_str(call->argv[i], "EX")) {
        command_error(call, "ERR", "syntax error");
        return false;
    }
    if (!number_parse_u64(call->argv[i + 1], &seconds) || seconds == 0 ||
        seconds > LIMIT_TICKET_MS / 1000) {
        command_error(call, "ERR", "EX is 1 to 315360000 seconds");
        return false;
    }
    ret->ms = account_now(call).ms + (int64_t)seconds * 1000;
    return true;
}

/* ---- REGISTER ---- */

/* Does the device shown belong to somebody else? Then that is answered. */
static bool device_is_others(struct call *call, const char *folded)
{
    const struct public_key *key = login_device(call->connection);
    struct account owner;
    uint64_t lsn;
    if (!key)
        return false;
    struct fingerprint f = fingerprint_of(key);
    if (accounts_by_device(store_of(call), account_now(call), &f, &owner, &lsn) != 0)
        return false;
    if (folded && bytes_equal_nocase_str(bytes_from_str(folded), owner.name))
        return false;
    reply_depends(call->reply, lsn);
    command_error_around(call, "this device is that of", bytes_from_str(owner.name),
                         " already: kith --as PROFILE has another");
    return true;
}

/* Is there more than a name and a password, and is it good? */
static bool read_ticket(struct call *call, struct accounts_change *c)
{
    if (call->argc == 3)
        return true;
    if (call->argc != 5)
        return false;
    if (bytes_equal_nocase_str(call->argv[3], "INVITE"))
        c->uses = ACCOUNTS_INVITE;
    else if (bytes_equal_nocase_str(call->argv[3], "SETUP"))
        c->uses = ACCOUNTS_SETUP;
    else
        return false;
    if (!ticket_read(call->argv[4], &c->ticket))
        c->ticket = (struct ticket){.hash = {0}}; /* of no secret that anybody knows */
    return true;
}

static bool may_register(struct call *call, enum accounts_ticket ticket)
{
    enum hub_registration registration = call->hub->shared->config.registration;
    if (registration == HUB_REGISTRATION_OPEN || ticket == ACCOUNTS_SETUP)
        return true;
    if (registration == HUB_REGISTRATION_INVITE && ticket == ACCOUNTS_INVITE)
        return true;
    if (registration == HUB_REGISTRATION_INVITE)
        command_error(call, "NOINVITE", "this hub's accounts are made with an invite");
    else
        account_closed(call);
    return false;
}

struct registration {
    struct bytes name;
    const struct password *password;
    struct walltime now;
    uint64_t generation;
    const struct public_key *device; /* NULL: none */
    struct bytes label;
    bool admin;
};

static struct device make_device(const struct public_key *key, struct bytes label,
                                 struct walltime now)
{
    struct device d = {.key = *key, .since = now};
    if (device_label_is_valid(label) && label.len > 0)
        memcpy(d.label, label.data, label.len);
    return d;
}

static int make_account(void *ctx, struct account *a, bool exists)
{
    struct registration *r = ctx;
    if (exists)
        return ACCOUNTS_TAKEN;
    memcpy(a->name, r->name.data, r->name.len);
    a->admin = r->admin;
    a->generation = r->generation;
    a->since = r->now;
    a->password = *r->password;
    if (r->device) {
        struct device d = make_device(r->device, r->label, r->now);
        account_add_device(a, &d);
    }
    return 0;
}

static bool is_same_password(const struct password *a, const struct password *b)
{
    return memcmp(a->salt, b->salt, sizeof a->salt) == 0 &&
           memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

static bool has_device(struct account *a, const struct public_key *device)
{
    struct fingerprint f = fingerprint_of(device);
    return account_device(a, &f) != NULL;
}

/* What the connection is called names the device. */
static struct bytes label_of(const struct connection *c)
{
    return c->extra && c->extra->name ? bytes_from_str(c->extra->name) : bytes_make(NULL, 0);
}

static int become(struct call *call, const struct account *a)
{
    struct connection *c = call->connection;
    if (login_as(c, a, login_device(c), NULL) != 0)
        return command_store_failed(call, -ENOMEM);
    member_appear(c);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

/* Once the account, or its new device, is durable: nobody else is to be told of one that a
 * crash could undo. */
static int become_when_durable(struct call *call, struct bytes name,
                               const struct password *password, uint64_t made)
{
    const struct public_key *device = login_device(call->connection);
    struct account account;
    uint64_t lsn = 0;
    if (made > store_durable(store_of(call)))
        return COMMAND_AGAIN_LOG;
    int r = accounts_read(store_of(call), account_now(call), name, &account, &lsn);
    reply_depends(call->reply, lsn);
    if (r == 0 && !(is_same_password(&account.password, password) &&
                    (!device || has_device(&account, device))))
        r = ACCOUNTS_STALE;
    return r == 0 ? become(call, &account) : login_answer(call, r);
}

static int made_change(struct call *call, const struct accounts_change *c,
                       const struct password *password)
{
    uint64_t lsn = call->reply->lsn;
    hashing_made_change(call->connection, lsn);
    return become_when_durable(call, c->name, password, lsn);
}

static int register_hashed(struct call *call, struct accounts_change *c,
                           const struct hashing *h)
{
    struct registration r = {.name = c->name,
                             .password = &h->plan.fresh,
                             .now = account_now(call),
                             .device = login_device(call->connection),
                             .label = label_of(call->connection),
                             .admin = c->uses == ACCOUNTS_SETUP};
    struct fingerprint f;
    if (h->result != 0)
        return command_store_failed(call, h->result);
    chance_draw(&call->hub->chance, &r.generation, sizeof r.generation);
    c->fn = make_account;
    c->ctx = &r;
    if (r.device) {
        f = fingerprint_of(r.device);
        c->hash = f.bytes;
    }
    int result = account_change(call, c);
    if (result != 0)
        return login_answer(call, result);
    login_forgive(call, c->name);
    return made_change(call, c, &h->plan.fresh);
}

static int register_begin(struct call *call, const struct accounts_change *c)
{
    struct account taken;
    uint64_t lsn = 0;
    if (connection_member(call->connection))
        return command_error_around(call, "you are",
                                    bytes_from_str(connection_member(call->connection)->name),
                                    " already");
    if (!account_name_is_valid(c->name))
        return account_wrong_name(call);
    if (!password_is_acceptable(call->argv[2]))
        return account_wrong_choice(call);
    if (!login_takes_secrets(call) || !may_register(call, c->uses) ||
        device_is_others(call, NULL))
        return COMMAND_DONE;
    int r = accounts_read(store_of(call), account_now(call), c->name, &taken, &lsn);
    reply_depends(call->reply, lsn);
    if (r != ACCOUNTS_NONE)
        return login_answer(call, r == 0 ? ACCOUNTS_TAKEN : r);
    if (!login_begin_attempt(call, c->name))
        return COMMAND_DONE;
    struct hashing_plan plan = {
        .makes = true, .chosen = call->argv[2], .fresh = account_fresh_password(call)};
    return hashing_begin(call, &plan, 0);
}

static int run_register(struct call *call)
{
    struct accounts_change c = {.name = call->argv[1]};
    const struct hashing *h = hashing_result(call->connection);
    if (h && h->lsn > 0)
        return finish(call, become_when_durable(call, c.name, &h->plan.fresh, h->lsn));
    if (!read_ticket(call, &c))
        return command_error(call, "ERR", "syntax error");
    return h ? finish(call, register_hashed(call, &c, h)) : register_begin(call, &c);
}

/* ---- a password, checked ---- */

/* Begins to check whether that is the account's password; of an account that there is not, in
 * the same time. tag: there is one. */
static int begin_check(struct call *call, struct bytes name, struct bytes given)
{
    struct account account;
    uint64_t lsn = 0;
    if (!account_name_is_valid(name))
        return account_wrong_name(call);
    if (given.len > LIMIT_PASSWORD_BYTES)
        return account_wrong_choice(call);
    if (!login_takes_secrets(call) || !login_begin_attempt(call, name))
        return COMMAND_DONE;
    int r = accounts_read(store_of(call), account_now(call), name, &account, &lsn);
    if (r != 0 && r != ACCOUNTS_NONE)
        return login_answer(call, r);
    struct hashing_plan plan = {.checks = true, .given = given};
    plan.kept = r == 0 ? account.password : account_fresh_password(call);
    return hashing_begin(call, &plan, r == 0);
}

/* Was it right? If not, that is answered. */
static bool was_right(struct call *call, struct bytes name, const struct hashing *h)
{
    if (h->result != 0) {
        command_store_failed(call, h->result);
        return false;
    }
    if (!h->right || !h->tag) {
        wrong_password(call);
        return false;
    }
    login_forgive(call, name);
    return true;
}

/* ---- LOGIN ---- */

struct adding {
    const struct password *password; /* that was checked */
    const struct public_key *device; /* NULL: none */
    struct bytes label;
    struct walltime now;
    bool is_new; /* the device was none of the account's before */
};

static int add_device(void *ctx, struct account *a, bool exists)
{
    struct adding *adding = ctx;
    if (!exists || !is_same_password(&a->password, adding->password))
        return ACCOUNTS_STALE;
    if (adding->device) {
        struct fingerprint f = fingerprint_of(adding->device);
        struct device d = make_device(adding->device, adding->label, adding->now);
        adding->is_new = !account_device(a, &f);
        if (adding->is_new && !account_add_device(a, &d))
            return ACCOUNTS_FULL;
    }
    return 0;
}

/* Whoever is present on another device of the account hears of it: it is his who knows the
 * password, and perhaps not his alone. */
static void tell_added(struct call *call, struct bytes name, const struct adding *adding)
{
    struct fingerprint f = fingerprint_of(adding->device);
    struct device d = make_device(adding->device, adding->label, adding->now);
    char print[FINGERPRINT_TEXT_LEN + 1], folded[ACCOUNT_NAME_BYTES + 1];
    char words[sizeof print + sizeof d.label + 8];
    fingerprint_write(print, &f);
    account_name_fold(name, folded);
    snprintf(words, sizeof words, "added %s%s%s", print, d.label[0] ? " " : "", d.label);
    notice_to_account_later(call->hub->shared, folded, call->connection->id, call->reply->lsn,
                            words);
}

static int login_hashed(struct call *call, const struct hashing *h)
{
    struct connection *c = call->connection;
    struct bytes name = call->argv[1];
    char folded[ACCOUNT_NAME_BYTES + 1];
    if (!was_right(call, name, h))
        return COMMAND_DONE;
    account_name_fold(name, folded);
    if (device_is_others(call, folded))
        return COMMAND_DONE;
    struct adding adding = {.password = &h->plan.kept,
                            .device = login_device(c),
                            .label = label_of(c),
                            .now = account_now(call)};
    struct accounts_change wanted = {.name = name, .fn = add_device, .ctx = &adding};
    struct fingerprint f;
    if (adding.device) {
        f = fingerprint_of(adding.device);
        wanted.hash = f.bytes;
    }
    int r = account_change(call, &wanted);
    if (r != 0)
        return login_answer(call, r);
    if (adding.is_new)
        tell_added(call, name, &adding);
    return made_change(call, &wanted, adding.password);
}

static int login_known(struct call *call)
{
    struct connection *c = call->connection;
    uint64_t lsn = 0;
    int r = connection_member(c) ? 0 : login_by_device(c, &lsn);
    reply_depends(call->reply, lsn);
    if (r == ACCOUNTS_NONE)
        return command_error(call, "NOLOGIN",
                             login_device(c) ? "this device is nobody's yet: register, or log "
                                               "in with a name and a password"
                                             : "no device was shown: log in over TLS, or with "
                                               "a name and a password");
    if (r != 0)
        return login_answer(call, r);
    member_appear(c);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

/* Who others see there is not to become somebody else. */
static bool is_somebody_else(struct call *call, struct bytes name)
{
    const struct member *m = connection_member(call->connection);
    if (!m || !m->present || bytes_equal_nocase_str(name, m->key))
        return false;
    command_error_around(call, "you are", bytes_from_str(m->name), " already");
    return true;
}

static int run_login(struct call *call)
{
    const struct hashing *h = hashing_result(call->connection);
    if (call->argc == 1)
        return login_known(call);
    if (call->argc != 3)
        return command_error_in(call, "wrong number of arguments for");
    if (h && h->lsn > 0)
        return finish(call, become_when_durable(call, call->argv[1], &h->plan.kept, h->lsn));
    if (is_somebody_else(call, call->argv[1]))
        return COMMAND_DONE;
    return h ? finish(call, login_hashed(call, h))
             : begin_check(call, call->argv[1], call->argv[2]);
}

/* ---- AUTH ---- */

/* True where the secret is a token of that account (any, without a name), and the connection is
 * its now. */
static int auth_by_token(struct call *call, const struct bytes *name, struct bytes secret)
{
    struct account account;
    struct ticket ticket;
    uint64_t lsn = 0;
    if (!ticket_read(secret, &ticket))
        return ACCOUNTS_NONE;
    int r = accounts_by_token(store_of(call), account_now(call), &ticket, &account, &lsn);
    reply_depends(call->reply, lsn);
    if (r != 0)
        return r;
    if (name && !bytes_equal_nocase_str(*name, account.name))
        return ACCOUNTS_NONE;
    return login_as(call->connection, &account, NULL, account_token(&account, &ticket));
}

static int auth_hashed(struct call *call, struct bytes name, const struct hashing *h,
                       bool *ret_done)
{
    struct account account;
    uint64_t lsn = 0;
    if (!was_right(call, name, h))
        return COMMAND_DONE;
    int r = accounts_read(store_of(call), account_now(call), name, &account, &lsn);
    reply_depends(call->reply, lsn);
    if (r == 0 && !is_same_password(&account.password, &h->plan.kept))
        r = ACCOUNTS_STALE;
    if (r == 0)
        r = login_as(call->connection, &account, NULL, NULL);
    if (r != 0)
        return login_answer(call, r);
    *ret_done = true;
    return COMMAND_DONE;
}

int account_auth(struct call *call, const struct bytes *name, struct bytes secret,
                 bool *ret_done)
{
    const struct hashing *h = hashing_result(call->connection);
    *ret_done = false;
    if (h && name)
        return finish(call, auth_hashed(call, *name, h, ret_done));
    if (!login_takes_secrets(call) || (name && is_somebody_else(call, *name)))
        return COMMAND_DONE;
    int r = auth_by_token(call, name, secret);
    *ret_done = r == 0;
    if (r == 0)
        return COMMAND_DONE;
    if (r != ACCOUNTS_NONE)
        return login_answer(call, r);
    return name ? begin_check(call, *name, secret) : wrong_password(call);
}

static int run_auth(struct call *call)
{
    bool done = false, named = call->argc == 3;
    if (call->argc > 3)
        return command_error_in(call, "wrong number of arguments for");
    int r =
        account_auth(call, named ? &call->argv[1] : NULL, call->argv[call->argc - 1], &done);
    if (done)
        reply_status(call->reply, "OK");
    return r;
}

/* ---- WHOAMI, PASSWORD ---- */

const struct member *account_member(struct call *call)
{
    const struct member *m = connection_member(call->connection);
    if (!m)
        command_error(call, "NOLOGIN", "log in first");
    return m;
}

const struct member *account_owner(struct call *call)
{
    const struct member *m = account_member(call);
    if (!m || !m->has_token)
        return m;
    command_error(call, "NOPERM", "a program's token may not do this");
    return NULL;
}

static int run_whoami(struct call *call)
{
    const struct member *m = connection_member(call->connection);
    if (m)
        reply_text(call->reply, bytes_from_str(m->name));
    else
        reply_null(call->reply);
    return COMMAND_DONE;
}

static int set_password(void *ctx, struct account *a, bool exists)
{
    const struct hashing *h = ctx;
    if (!exists || !is_same_password(&a->password, &h->plan.kept))
        return ACCOUNTS_STALE;
    a->password = h->plan.fresh;
    return 0;
}

static int password_hashed(struct call *call, struct bytes name, const struct hashing *h)
{
    if (!was_right(call, name, h))
        return COMMAND_DONE;
    struct hashing copy = *h;
    struct accounts_change c = {.name = name, .fn = set_password, .ctx = &copy};
    int r = account_change(call, &c);
    if (r == 0)
        member_set_password(call->connection, &h->plan.fresh);
    return account_answer_changed(call, name, r, true);
}

static int run_password(struct call *call)
{
    const struct hashing *h = hashing_result(call->connection);
    const struct member *m = account_owner(call);
    struct account account;
    uint64_t lsn = 0;
    if (!m)
        return COMMAND_DONE;
    struct bytes name = bytes_from_str(m->key);
    if (h)
        return finish(call, password_hashed(call, name, h));
    if (!password_is_acceptable(call->argv[2]) || call->argv[1].len > LIMIT_PASSWORD_BYTES)
        return account_wrong_choice(call);
    int r = accounts_read(store_of(call), account_now(call), name, &account, &lsn);
    if (r != 0)
        return login_answer(call, r);
    if (!login_takes_secrets(call) || !login_begin_attempt(call, name))
        return COMMAND_DONE;
    struct hashing_plan plan = {.checks = true,
                                .kept = account.password,
                                .given = call->argv[1],
                                .makes = true,
                                .chosen = call->argv[2],
                                .fresh = account_fresh_password(call)};
    return hashing_begin(call, &plan, 1);
}

#define SECRET (COMMAND_SECRET | COMMAND_SUBSCRIBED)

static const struct command commands[] = {
    {"AUTH", -2, ACCESS_ANYONE, SECRET, 0, 0, 0, run_auth, NULL,
     "This connection is an account's: [name] and a password, or a program's token"},
    {"LOGIN", -1, ACCESS_ANYONE, SECRET, 0, 0, 0, run_login, NULL,
     "Logs in and is seen: by this device, or by name and password, which adds it"},
    {"PASSWORD", 3, ACCESS_ANYONE, SECRET, 0, 0, 0, run_password, NULL,
     "Changes the account's password: old, new"},
    {"REGISTER", -3, ACCESS_ANYONE, SECRET, 0, 0, 0, run_register, NULL,
     "Makes an account: name, password, and INVITE token or SETUP token where needed"},
    {"WHOAMI", 1, ACCESS_ANYONE, COMMAND_FAST | COMMAND_SUBSCRIBED, 0, 0, 0, run_whoami, NULL,
     "The account whose this connection is, or null"},
};

const struct command_part commands_account = {commands, sizeof commands / sizeof *commands};

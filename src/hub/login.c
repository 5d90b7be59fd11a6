#include "hub/login.h"

#include "hub/hub.h"
#include "hub/member.h"
#include "hub/revocation.h"
#include "hub/secure.h"

#include "base/log_line.h"

#include <errno.h>
#include <stdio.h>

const struct public_key *login_device(const struct connection *c)
{
    const struct secure *s = connection_secure(c);
    return s ? secure_device(s) : NULL;
}

/* ---- becoming ---- */

int login_as(struct connection *c, const struct account *a, const struct public_key *device,
             const struct token *token)
{
    const struct member *before = connection_member(c);
    struct member m = {.admin = a->admin && !token, /* a program is no admin */
                       .present = before && before->present,
                       .generation = a->generation,
                       .has_device = device != NULL,
                       .has_token = token != NULL};
    memcpy(m.name, a->name, sizeof m.name);
    account_name_fold(bytes_from_str(a->name), m.key);
    if (device)
        m.device = *device;
    if (token) {
        m.token = token->ticket;
        m.token_expires = token->expires;
    }
    memcpy(m.password_salt, a->password.salt, sizeof m.password_salt);
    return member_set(c, &m);
}

int login_by_device(struct connection *c, uint64_t *ret_lsn)
{
    const struct public_key *key = login_device(c);
    struct account account;
    *ret_lsn = 0;
    if (!key)
        return ACCOUNTS_NONE;
    struct fingerprint f = fingerprint_of(key);
    struct store *s = c->hub->shared->store;
    int r = accounts_by_device(s, c->hub->wall, &f, &account, ret_lsn);
    if (r == 0 && *ret_lsn > store_durable(s))
        return STORE_BUSY; /* nobody is to have rights that a crash could undo */
    return r == 0 ? login_as(c, &account, key, NULL) : r;
}

/* ---- guessing ---- */

bool login_takes_secrets(struct call *call)
{
    const struct connection *c = call->connection;
    if (connection_secure(c) || c->peer.origin != ACCESS_REMOTE)
        return true;
    command_error(call, "NOPERM", "from another machine passwords and tokens need TLS");
    return false;
}

struct subject {
    uint8_t bytes[1 + ACCOUNT_NAME_BYTES];
    size_t len;
};

static struct bytes view(const struct subject *s)
{
    return bytes_make(s->bytes, s->len);
}

/* This machine is one, whichever of its loopback addresses it shows. */
static struct subject address_subject(const struct connection *c)
{
    struct net_address source = {{0}};
    struct subject s = {.bytes = {'a'}, .len = 1 + sizeof source.bytes};
    if (c->peer.address && !net_address_is_loopback(c->peer.address))
        source = net_address_network(c->peer.address);
    memcpy(s.bytes + 1, source.bytes, sizeof source.bytes);
    return s;
}

static struct subject account_subject(struct bytes name)
{
    char folded[ACCOUNT_NAME_BYTES + 1];
    struct subject s = {.bytes = {'n'}, .len = 1 + name.len};
    account_name_fold(name, folded);
    memcpy(s.bytes + 1, folded, name.len);
    return s;
}

bool login_begin_attempt(struct call *call, struct bytes name)
{
    struct throttle *t = &call->hub->shared->throttle;
    struct subject address = address_subject(call->connection), account = account_subject(name);
    struct instant now = call->hub->now;
    uint64_t ms = throttle_begin(t, view(&address), LIMIT_ATTEMPTS_FREE_ADDRESS, now);
    if (ms == 0) {
        ms = throttle_begin(t, view(&account), LIMIT_ATTEMPTS_FREE_ACCOUNT, now);
        if (ms == 0)
            return true;
        throttle_forgive(t, view(&address));
    }
    char reason[80];
    snprintf(reason, sizeof reason, "too many attempts: try again in %llu s",
             (unsigned long long)(ms + 999) / 1000);
    command_error(call, "TRYAGAIN", reason);
    return false;
}

void login_forgive(struct call *call, struct bytes name)
{
    struct throttle *t = &call->hub->shared->throttle;
    struct subject address = address_subject(call->connection), account = account_subject(name);
    throttle_forgive(t, view(&address));
    throttle_forgive(t, view(&account));
}

/* ---- still being ---- */

void login_account_changed(struct hub *hub, struct bytes name)
{
    char folded[ACCOUNT_NAME_BYTES + 1];
    account_name_fold(name, folded);
    exchange_tell_account(&hub->shared->exchange, bytes_from_str(folded));
}

static bool is_still(const struct member *m, struct account *a)
{
    struct fingerprint f = fingerprint_of(&m->device);
    if (a->generation != m->generation)
        return false;
    if (m->has_device)
        return account_device(a, &f) != NULL;
    if (m->has_token)
        return account_token(a, &m->token) != NULL;
    return memcmp(a->password.salt, m->password_salt, sizeof m->password_salt) == 0;
}

static void end(struct connection *c)
{
    struct log_line line = log_line_begin(&c->hub->log, LOG_INFO,
                                          "closed a connection whose login was taken back");
    log_line_number(&line, "connection", (int64_t)c->id);
    log_line_str(&line, "account", connection_member(c)->name);
    log_line_end(&line);
    connection_drain(c);
}

static void review(struct connection *c)
{
    struct member *m = c->extra->member;
    struct account account;
    uint64_t lsn = 0;
    int r = accounts_read(c->hub->shared->store, c->hub->wall, bytes_from_str(m->key), &account,
                          &lsn);
    if (r != 0 || !is_still(m, &account)) {
        if (r == 0 || r == ACCOUNTS_NONE)
            revocation_tell_own(c, lsn);
        end(c);
        return;
    }
    m->admin = account.admin && !m->has_token;
    c->peer.rank = m->admin ? ACCESS_ADMIN_MEMBER : ACCESS_MEMBER;
}

struct instant login_deadline(const struct connection *c)
{
    const struct member *m = connection_member(c);
    if (!m || !m->has_token || m->token_expires.ms == 0 || c->state >= CONNECTION_DRAINING)
        return INSTANT_NEVER;
    struct walltime now = store_time(c->hub->shared->store, c->hub->wall);
    int64_t left = m->token_expires.ms - now.ms;
    if (left > (int64_t)LIMIT_TICKET_MS)
        left = (int64_t)LIMIT_TICKET_MS;
    return instant_after_ms(c->hub->now, left > 0 ? (uint64_t)left : 0);
}

void login_expire(struct connection *c)
{
    end(c);
}

void login_review(struct hub *hub, const struct bytes *folded)
{
    list_foreach (link, &hub->connections) {
        struct connection *c = list_entry(link, struct connection, link);
        const struct member *m = connection_member(c);
        if (m && (!folded || bytes_equal_str(*folded, m->key)))
            review(c);
    }
}

/* ---- saying so ---- */

int login_answer(struct call *call, int result)
{
    switch (result) {
    case ACCOUNTS_NONE:
        return command_error(call, "ERR", "there is no such account");
    case ACCOUNTS_TAKEN:
        return command_error(call, "ERR", "that name is taken");
    case ACCOUNTS_NO_TICKET:
        return command_error(call, "NOPERM", "that invite or setup token is not valid");
    case ACCOUNTS_ELSEWHERE:
        return command_error(call, "ERR",
                             "this device is another account's already: kith --as PROFILE has "
                             "another");
    case ACCOUNTS_FULL:
        return command_error(call, "ERR", "the account has as many of these as there may be");
    case ACCOUNTS_STALE:
        return command_error(call, "TRYAGAIN", "the account has changed meanwhile: try again");
    case ACCOUNTS_LAST_ADMIN:
        return command_error(call, "ERR", "this is the last admin");
    case ACCOUNTS_DAMAGED:
        return command_error(call, "IOERR", "the account's record cannot be read");
    default:
        return command_store_failed(call, result);
    }
}

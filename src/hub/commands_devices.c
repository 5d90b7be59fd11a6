#include "hub/commands_account.h"
#include "hub/hub.h"
#include "hub/login.h"
#include "hub/member.h"
#include "hub/revocation.h"

/* DEVICES: those of an account, and what the account's own says of them. */

/* ---- listing ---- */

static void answer_fingerprint(struct reply *r, const struct fingerprint *f)
{
    char text[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(text, f);
    reply_text(r, bytes_from_str(text));
}

/* [fingerprint, key, label, since, signer or null, signature or null] */
static void answer_device(struct reply *r, const struct device *d)
{
    struct fingerprint f = fingerprint_of(&d->key);
    reply_array(r, 6);
    answer_fingerprint(r, &f);
    reply_text(r, bytes_make(d->key.bytes, sizeof d->key.bytes));
    reply_text(r, bytes_from_str(d->label));
    reply_integer(r, d->since.ms / 1000);
    if (device_has_word(d)) {
        answer_fingerprint(r, &d->signer);
        reply_text(r, bytes_make(d->signature.bytes, sizeof d->signature.bytes));
    } else {
        reply_null(r);
        reply_null(r);
    }
}

static int list(struct call *call, struct bytes name)
{
    struct account account;
    uint64_t lsn = 0;
    int r = accounts_read(call->hub->shared->store, account_now(call), name, &account, &lsn);
    reply_depends(call->reply, lsn);
    if (r != 0)
        return login_answer(call, r);
    reply_array(call->reply, account.device_count);
    for (size_t i = 0; i < account.device_count; i++)
        answer_device(call->reply, &account.devices[i]);
    return COMMAND_DONE;
}

static int list_of(struct call *call, struct bytes name)
{
    if (!account_member(call))
        return COMMAND_DONE;
    return account_name_is_valid(name) ? list(call, name) : account_wrong_name(call);
}

/* ---- changing ---- */

struct device_change {
    struct fingerprint target;
    struct revocation revoked;       /* of REVOKE */
    const struct public_key *signer; /* of SIGN */
    struct signature signature;      /* likewise */
    const char *problem;             /* likewise: why it was refused */
};

static int revoke(void *ctx, struct account *a, bool exists)
{
    struct device_change *c = ctx;
    struct device *d = exists ? account_device(a, &c->target) : NULL;
    if (!d)
        return ACCOUNTS_REFUSED;
    c->revoked.count = 0;
    revocation_note(&c->revoked, a, d);
    account_remove_device(a, d);
    return 0;
}

static int run_revoke(struct call *call, struct bytes name, struct device_change *change)
{
    struct accounts_change c = {.name = name,
                                .fn = revoke,
                                .ctx = change,
                                .hash = change->target.bytes,
                                .unindexes = true};
    int r = account_change(call, &c);
    if (r == ACCOUNTS_REFUSED)
        return command_error(call, "ERR", "the account has no such device");
    return account_answer_revoked(call, name, r, &change->revoked);
}

/* By who believes the account's first device. */
static bool is_believed(const struct account *a, const struct device *d)
{
    struct fingerprint first = fingerprint_of(&a->devices[0].key);
    return device_is_believed(bytes_from_str(a->name), a->devices, a->device_count, &first,
                              &d->key);
}

static const char *sign_problem(const struct account *a, const struct device_change *c,
                                const struct device *d, const struct device *by)
{
    if (!d || !by)
        return "the account has no such device";
    if (d == by)
        return "a device does not sign itself; an older one does";
    if (!device_is_vouched_for(bytes_from_str(a->name), &by->key, &d->key, &c->signature))
        return "the signature is not this device's, of that one";
    return NULL;
}

/* A word that others believe a device by is not lost to one by which they would not: whoever
 * knows the password could take it from the device by adding another. */
static int sign(void *ctx, struct account *a, bool exists)
{
    struct device_change *c = ctx;
    struct fingerprint signer = fingerprint_of(c->signer);
    struct device *d = exists ? account_device(a, &c->target) : NULL;
    c->problem = sign_problem(a, c, d, exists ? account_device(a, &signer) : NULL);
    if (c->problem)
        return ACCOUNTS_REFUSED;
    bool was_believed = is_believed(a, d);
    d->is_signed = true;
    d->signer = signer;
    d->signature = c->signature;
    if (!was_believed || is_believed(a, d))
        return 0;
    c->problem = "that device is signed by an older one; this one's word would count less";
    return ACCOUNTS_REFUSED;
}

static int run_sign(struct call *call, const struct member *m, struct device_change *change)
{
    struct accounts_change c = {.name = bytes_from_str(m->key), .fn = sign, .ctx = change};
    if (call->argv[3].len != sizeof change->signature.bytes)
        return command_error(call, "ERR", "a signature is 64 bytes");
    if (!m->has_device)
        return command_error(call, "ERR", "only a device of the account can sign another");
    memcpy(change->signature.bytes, call->argv[3].data, sizeof change->signature.bytes);
    change->signer = &m->device;
    int r = account_change(call, &c);
    return r == ACCOUNTS_REFUSED ? command_error(call, "ERR", change->problem)
                                 : account_answer_changed(call, c.name, r, false);
}

static int change_one(struct call *call)
{
    struct device_change change = {.signer = NULL};
    const struct member *m = account_owner(call);
    struct bytes what = call->argv[1];
    if (!m)
        return COMMAND_DONE;
    if (!fingerprint_read(call->argv[2], &change.target))
        return command_error(call, "ERR", "that is no fingerprint");
    if (bytes_equal_nocase_str(what, "REVOKE") && call->argc == 3)
        return run_revoke(call, bytes_from_str(m->key), &change);
    if (bytes_equal_nocase_str(what, "SIGN") && call->argc == 4)
        return run_sign(call, m, &change);
    return command_error(call, "ERR", "syntax error");
}

static int run_devices(struct call *call)
{
    if (call->argc == 3 && bytes_equal_nocase_str(call->argv[1], "OF"))
        return list_of(call, call->argv[2]);
    if (call->argc >= 3)
        return change_one(call);
    if (call->argc == 2)
        return command_error(call, "ERR", "syntax error");
    const struct member *m = account_member(call);
    return m ? list(call, bytes_from_str(m->key)) : COMMAND_DONE;
}

static const struct command commands[] = {
    {"DEVICES", -1, ACCESS_ANYONE, COMMAND_SUBSCRIBED, 0, 0, 0, run_devices, NULL,
     "An account's devices: [OF name], REVOKE fingerprint, SIGN fingerprint signature"},
};

const struct command_part commands_devices = {commands, sizeof commands / sizeof *commands};

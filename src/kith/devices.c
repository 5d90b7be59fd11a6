/* kith devices: those of one's account; --revoke and --sign change one. */

#include "base/limits.h"
#include "client/device_list.h"
#include "io/profile.h"
#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/trust.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

#define NO_FINGERPRINT "that is no fingerprint, of 43 letters; kith devices lists them"

struct devices {
    struct device all[LIMIT_ACCOUNT_DEVICES];
    size_t count;
};

static void print_json(struct session *s, const struct device *d, const char *print, bool own)
{
    char signer[FINGERPRINT_TEXT_LEN + 1];
    struct buffer b;
    fingerprint_write(signer, &d->signer);
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "fingerprint", bytes_from_str(print));
    json_bytes(&j, "label", bytes_from_str(d->label));
    json_number(&j, "since", d->since.ms / 1000);
    json_bool(&j, "this_device", own);
    json_bool(&j, "signed", d->is_signed);
    if (d->is_signed)
        json_bytes(&j, "signer", bytes_from_str(signer));
    output_json(&s->output, &j);
}

/* "first": of the account, and nobody's word is needed for it. */
static void write_word(const struct device *d, bool is_first, char *out, size_t n)
{
    char signer[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(signer, &d->signer);
    if (d->is_signed)
        snprintf(out, n, "signed by %.8s", signer);
    else
        snprintf(out, n, "%s", is_first ? "first" : "unsigned");
}

static bool is_own(const struct session *s, const struct fingerprint *f)
{
    return s->self.identity && fingerprint_equal(identity_fingerprint(s->self.identity), f);
}

static void print_device(struct session *s, const struct device *d, bool is_first)
{
    char word[32], print[FINGERPRINT_TEXT_LEN + 1], line[256], day[32] = "";
    struct fingerprint f = fingerprint_of(&d->key);
    fingerprint_write(print, &f);
    if (s->output.json) {
        print_json(s, d, print, is_own(s, &f));
        return;
    }
    time_t since = (time_t)(d->since.ms / 1000);
    struct tm when;
    if (localtime_r(&since, &when))
        strftime(day, sizeof day, "%F", &when);
    write_word(d, is_first, word, sizeof word);
    snprintf(line, sizeof line, "%s  %s  %-18s  %s%s", print, day, word,
             is_own(s, &f) ? "(this device) " : "", d->label);
    output_line(&s->output, "", bytes_from_str(line));
}

static int ask_devices(struct session *s, struct devices *ret)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("DEVICES")};
    int code = session_ask(s, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    return device_list_read(reply, 1 + 7 * (size_t)reply->number, ret->all, &ret->count)
               ? EXIT_DONE
               : session_strange(s);
}

static int list(struct session *s)
{
    struct devices devices = {.count = 0};
    int code = ask_devices(s, &devices);
    for (size_t i = 0; i < devices.count; i++)
        print_device(s, &devices.all[i], i == 0);
    return code;
}

static int revoke(struct session *s, struct bytes fingerprint)
{
    const struct resp_value *reply;
    struct fingerprint print;
    if (!fingerprint_read(fingerprint, &print))
        return session_fail(s, EXIT_USAGE, NO_FINGERPRINT);
    struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("REVOKE"), fingerprint};
    int code = session_ask(s, argv, 3, &reply);
    return code == EXIT_DONE ? account_say(s, "revoked", fingerprint, "Revoked ") : code;
}

/* ---- signing ---- */

/* Which is to be signed: another than this one. */
static int read_other(struct session *s, struct bytes text, struct fingerprint *ret)
{
    if (!fingerprint_read(text, ret))
        return session_fail(s, EXIT_USAGE, NO_FINGERPRINT);
    if (is_own(s, ret))
        return session_fail(s, EXIT_USAGE, "that is this device; do it on an older one");
    return EXIT_DONE;
}

/* The key is the one whose fingerprint was given, whatever the hub says. */
static int find_key(struct session *s, const struct fingerprint *wanted, struct public_key *ret)
{
    struct devices devices;
    int code = ask_devices(s, &devices);
    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; i < devices.count; i++) {
        struct fingerprint f = fingerprint_of(&devices.all[i].key);
        if (!fingerprint_equal(&f, wanted))
            continue;
        *ret = devices.all[i].key;
        return EXIT_DONE;
    }
    return session_fail(s, EXIT_NO, "your account has no such device; kith devices lists them");
}

static int ask_name(struct session *s, char name[ACCOUNT_NAME_BYTES + 1])
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("WHOAMI")};
    int code = session_ask(s, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_BULK || !account_name_is_valid(reply->text))
        return session_strange(s);
    account_name_fold(reply->text, name);
    return EXIT_DONE;
}

static int make_signature(struct session *s, const char *name, const struct public_key *key,
                          struct signature *ret)
{
    uint8_t seed[PROFILE_KEY_BYTES];
    int code = trust_seed(s, seed);
    if (code == EXIT_DONE)
        *ret = device_sign(bytes_from_str(name), seed, key);
    sodium_memzero(seed, sizeof seed);
    return code;
}

static int sign(struct session *s, struct bytes fingerprint)
{
    char name[ACCOUNT_NAME_BYTES + 1];
    struct public_key key;
    struct fingerprint other;
    struct signature signature;
    const struct resp_value *reply;
    int code = read_other(s, fingerprint, &other);
    if (code == EXIT_DONE)
        code = ask_name(s, name);
    if (code == EXIT_DONE)
        code = find_key(s, &other, &key);
    if (code == EXIT_DONE)
        code = make_signature(s, name, &key, &signature);
    if (code != EXIT_DONE)
        return code;
    struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("SIGN"), fingerprint,
                           bytes_make(signature.bytes, sizeof signature.bytes)};
    code = session_ask(s, argv, 4, &reply);
    return code == EXIT_DONE ? account_say(s, "signed", fingerprint, "Signed ") : code;
}

int devices_run(struct session *s)
{
    const struct options *o = &s->options;
    if (o->revoke && o->sign)
        return session_fail(s, EXIT_USAGE, "--revoke and --sign exclude each other");
    int code = account_login(s);
    if (code != EXIT_DONE)
        return code;
    if (o->revoke)
        return revoke(s, bytes_from_str(o->revoke));
    return o->sign ? sign(s, bytes_from_str(o->sign)) : list(s);
}

/* kith devices: those of one's account; --revoke and --sign change one. */

#include "io/profile.h"
#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/trust.h"
#include "people/device.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

/* [fingerprint, key, label, since, signer or null, signature or null], after its head. */
enum { FINGERPRINT, KEY, LABEL, SINCE, SIGNER, SIGNATURE, FIELDS };

static bool is_device(const struct resp_value *d)
{
    return d[0].kind == RESP_ARRAY && d[0].number == FIELDS &&
           d[1 + FINGERPRINT].kind == RESP_BULK && d[1 + KEY].kind == RESP_BULK &&
           d[1 + KEY].text.len == PUBLIC_KEY_BYTES && d[1 + LABEL].kind == RESP_BULK &&
           d[1 + SINCE].kind == RESP_INTEGER;
}

static bool is_signed(const struct resp_value *d)
{
    return d[1 + SIGNER].kind == RESP_BULK;
}

static void print_json(struct session *s, const struct resp_value *d, bool own)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "fingerprint", d[1 + FINGERPRINT].text);
    json_bytes(&j, "label", d[1 + LABEL].text);
    json_number(&j, "since", d[1 + SINCE].number);
    json_bool(&j, "this_device", own);
    json_bool(&j, "signed", is_signed(d));
    if (is_signed(d))
        json_bytes(&j, "signer", d[1 + SIGNER].text);
    output_json(&s->output, &j);
}

/* "first": of the account, and nobody's word is needed for it. */
static void write_word(const struct resp_value *d, bool is_first, char *out, size_t n)
{
    struct bytes signer = d[1 + SIGNER].text;
    if (is_signed(d))
        snprintf(out, n, "signed by %.*s", signer.len < 8 ? (int)signer.len : 8,
                 signer.len ? (const char *)signer.data : "");
    else
        snprintf(out, n, "%s", is_first ? "first" : "unsigned");
}

static void print_device(struct session *s, const struct resp_value *d, bool is_first)
{
    char word[32];
    char own[FINGERPRINT_TEXT_LEN + 1] = "", line[256], day[32] = "";
    if (s->self.identity)
        fingerprint_write(own, identity_fingerprint(s->self.identity));
    bool is_own = bytes_equal_str(d[1 + FINGERPRINT].text, own);
    if (s->output.json) {
        print_json(s, d, is_own);
        return;
    }
    struct bytes f = d[1 + FINGERPRINT].text, label = d[1 + LABEL].text;
    time_t since = (time_t)d[1 + SINCE].number;
    struct tm when;
    if (localtime_r(&since, &when))
        strftime(day, sizeof day, "%F", &when);
    write_word(d, is_first, word, sizeof word);
    snprintf(line, sizeof line, "%.*s  %s  %-18s  %s%.*s", (int)f.len, (const char *)f.data,
             day, word, is_own ? "(this device) " : "", label.len < 64 ? (int)label.len : 64,
             label.len ? (const char *)label.data : "");
    output_line(&s->output, "", bytes_from_str(line));
}

/* Asks for the list; *ret is the first device's head, n of them follow. */
static int ask_devices(struct session *s, const struct resp_value **ret, size_t *ret_n)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("DEVICES")};
    int code = session_ask(s, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_ARRAY)
        return session_strange(s);
    *ret_n = (size_t)reply->number;
    *ret = reply + 1;
    for (size_t i = 0; i < *ret_n; i++)
        if (!is_device(*ret + i * (FIELDS + 1)))
            return session_strange(s);
    return EXIT_DONE;
}

static int list(struct session *s)
{
    const struct resp_value *d = NULL;
    size_t n = 0;
    int code = ask_devices(s, &d, &n);
    for (size_t i = 0; code == EXIT_DONE && i < n; i++, d += FIELDS + 1)
        print_device(s, d, i == 0);
    return code;
}

static int revoke(struct session *s, struct bytes fingerprint)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("REVOKE"), fingerprint};
    int code = session_ask(s, argv, 3, &reply);
    return code == EXIT_DONE ? account_say(s, "revoked", fingerprint, "Revoked ") : code;
}

/* ---- signing ---- */

/* The key is the one whose fingerprint was given, whatever the hub says. */
static int find_key(struct session *s, struct bytes fingerprint, struct public_key *ret)
{
    const struct resp_value *d = NULL;
    size_t n = 0;
    struct fingerprint wanted;
    if (!fingerprint_read(fingerprint, &wanted))
        return session_fail(s, EXIT_USAGE, "that is no fingerprint; kith devices lists them");
    int code = ask_devices(s, &d, &n);
    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; i < n; i++, d += FIELDS + 1) {
        struct fingerprint f;
        memcpy(ret->bytes, d[1 + KEY].text.data, PUBLIC_KEY_BYTES);
        f = fingerprint_of(ret);
        if (fingerprint_equal(&f, &wanted))
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
    struct signature signature;
    const struct resp_value *reply;
    int code = ask_name(s, name);
    if (code == EXIT_DONE)
        code = find_key(s, fingerprint, &key);
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

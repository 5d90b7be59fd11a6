/* kith id: who this device is, and whose it is on the hub; kith id NAME: which devices of
 * somebody are known, and why they are believed. */

#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/trust.h"
#include "meet/peer_trust.h"

#include <stdio.h>
#include <time.h>

/* What the hub says, where it can be asked without a word of complaint. */
static bool ask_account(struct session *s, struct bytes *ret)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("WHOAMI")};
    bool quiet = s->silent;
    s->silent = true;
    if (!s->where.path[0])
        s->where.secure = true;
    bool asked = session_ask(s, argv, 1, &reply) == EXIT_DONE;
    s->silent = quiet;
    *ret = asked && reply->kind == RESP_BULK ? reply->text : (struct bytes){0};
    return asked;
}

static void print_json(struct session *s, const char *fingerprint, bool asked,
                       struct bytes account)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_str(&j, "fingerprint", fingerprint);
    json_str(&j, "profile", s->self.profile);
    json_str(&j, "hub", s->where_text);
    json_bool(&j, "reached", asked);
    if (account.len > 0)
        json_bytes(&j, "account", account);
    output_json(&s->output, &j);
}

static void print(struct session *s, const char *fingerprint, bool asked, struct bytes account)
{
    struct output *o = &s->output;
    if (o->quiet) {
        output_line(o, "", bytes_from_str(fingerprint));
        return;
    }
    char text[WHERE_TEXT_BYTES + 64];
    struct bytes who = account.len > 0 ? account : bytes_from_str("nobody");
    output_line(o, "fingerprint  ", bytes_from_str(fingerprint));
    output_line(o, "profile      ", bytes_from_str(s->self.profile));
    if (asked)
        snprintf(text, sizeof text, "%.*s at %s", who.len < 40 ? (int)who.len : 40,
                 (const char *)who.data, s->where_text);
    else
        snprintf(text, sizeof text, "not known: %s cannot be asked", s->where_text);
    output_line(o, "account      ", bytes_from_str(text));
}

/* ---- somebody else ---- */

static const char *describe(enum known_how how)
{
    static const char *const texts[] = {
        [KNOWN_DOUBTED] = "NOT BELIEVED: its words were not the same",
        [KNOWN_MET] = "believed since it was met first",
        [KNOWN_SIGNED] = "signed by a device that was known",
        [KNOWN_VOUCHED] = "verified: signed by a verified device",
        [KNOWN_WORDS] = "verified: words were compared",
    };
    return texts[how];
}

static void print_known_json(struct session *s, const char *name, const struct known_device *d,
                             const char *fingerprint)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_str(&j, "name", name);
    json_str(&j, "fingerprint", fingerprint);
    json_str(&j, "how", known_how_word(d->how));
    json_bool(&j, "believed", d->how != KNOWN_DOUBTED);
    json_bool(&j, "verified", known_how_is_verified(d->how));
    if (d->since.ms > 0)
        json_number(&j, "since", d->since.ms / 1000);
    output_json(&s->output, &j);
}

static void print_known(struct session *s, const char *name, const struct known_device *d)
{
    char fingerprint[FINGERPRINT_TEXT_LEN + 1], day[32] = "          ", text[200];
    time_t since = (time_t)(d->since.ms / 1000);
    struct tm when;
    fingerprint_write(fingerprint, &d->print);
    if (s->output.json) {
        print_known_json(s, name, d, fingerprint);
        return;
    }
    if (since > 0 && localtime_r(&since, &when))
        strftime(day, sizeof day, "%F", &when);
    snprintf(text, sizeof text, "%s  %s  %s", fingerprint, day, describe(d->how));
    output_line(&s->output, "", bytes_from_str(s->output.quiet ? fingerprint : text));
}

static int tell_known(struct session *s, struct bytes word)
{
    char name[ACCOUNT_NAME_BYTES + 1];
    struct known_peer known;
    struct trouble t;
    if (!account_name_is_valid(word))
        return session_fail(s, EXIT_USAGE, "nobody can be called that");
    account_name_fold(word, name);
    if (self_known_hub(&s->self, &t) != TROUBLE_NONE ||
        peer_trust_known(&s->self, name, &known, &t) != TROUBLE_NONE)
        return session_trouble(s, &t);
    if (known.count == 0)
        return session_fail(s, EXIT_NO, "nothing is known of %s at %s", name, s->where_text);
    for (size_t i = 0; i < known.count; i++)
        print_known(s, name, &known.devices[i]);
    return EXIT_DONE;
}

int id_run(struct session *s)
{
    char fingerprint[FINGERPRINT_TEXT_LEN + 1];
    struct bytes account;
    if (s->options.word_count > 1)
        return tell_known(s, bytes_from_str(s->options.words[1]));
    int code = trust_identity(s);
    if (code == EXIT_DONE && !s->self.identity)
        code = session_fail(s, EXIT_NO, "there is no home folder to keep a key in");
    if (code != EXIT_DONE)
        return code;
    fingerprint_write(fingerprint, identity_fingerprint(s->self.identity));
    bool asked = ask_account(s, &account);
    if (s->output.json)
        print_json(s, fingerprint, asked, account);
    else
        print(s, fingerprint, asked, account);
    return EXIT_DONE;
}

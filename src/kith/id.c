/* kith id: who this device is, and whose it is on the hub. */

#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/trust.h"

#include <stdio.h>

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

int id_run(struct session *s)
{
    char fingerprint[FINGERPRINT_TEXT_LEN + 1];
    struct bytes account;
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

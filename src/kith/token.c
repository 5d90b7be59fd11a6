/* kith token: what programs log in with. --new LABEL makes one, --revoke LABEL ends one. */

#include "base/number.h"
#include "kith/account_hub.h"
#include "kith/command.h"

#include <stdio.h>
#include <time.h>

static int make(struct session *s)
{
    const struct resp_value *reply;
    char digits[NUMBER_INT64_CHARS];
    uint64_t seconds = 0;
    int code = account_expiry(s, &seconds);
    if (code != EXIT_DONE)
        return code;
    struct bytes argv[] = {bytes_from_str("TOKEN"), bytes_from_str("NEW"),
                           bytes_from_str(s->options.words[1]), bytes_from_str("EX"),
                           bytes_make(digits, number_format_u64(digits, seconds))};
    code = session_ask_unheard(s, argv, seconds > 0 ? 5 : 3, &reply);
    if (code != EXIT_DONE)
        return code;
    return reply->kind == RESP_BULK ? account_print(s, "token", reply->text)
                                    : session_strange(s);
}

static int revoke(struct session *s)
{
    const struct resp_value *reply;
    struct bytes label = bytes_from_str(s->options.revoke);
    struct bytes argv[] = {bytes_from_str("TOKEN"), bytes_from_str("REVOKE"), label};
    int code = session_ask(s, argv, 3, &reply);
    return code == EXIT_DONE ? account_say(s, "revoked", label, "Revoked ") : code;
}

/* [label, since, expires or null], after its head. */
enum { LABEL = 1, SINCE, EXPIRES, FIELDS = 3 };

static bool is_token(const struct resp_value *t)
{
    return t->kind == RESP_ARRAY && t->number == FIELDS && t[LABEL].kind == RESP_BULK &&
           t[SINCE].kind == RESP_INTEGER &&
           (t[EXPIRES].kind == RESP_INTEGER || t[EXPIRES].kind == RESP_NULL);
}

static void print_json(struct session *s, const struct resp_value *t)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "label", t[LABEL].text);
    json_number(&j, "since", t[SINCE].number);
    if (t[EXPIRES].kind == RESP_INTEGER)
        json_number(&j, "expires", t[EXPIRES].number);
    output_json(&s->output, &j);
}

static void print_token(struct session *s, const struct resp_value *t)
{
    char until[64] = "";
    time_t expires = (time_t)t[EXPIRES].number;
    struct tm when;
    if (t[EXPIRES].kind == RESP_INTEGER && localtime_r(&expires, &when))
        strftime(until, sizeof until, "until %F %R  ", &when);
    output_line(&s->output, until, t[LABEL].text);
}

static int list(struct session *s)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("TOKEN"), bytes_from_str("LIST")};
    int code = session_ask(s, argv, 2, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_ARRAY)
        return session_strange(s);
    const struct resp_value *t = reply + 1;
    for (int64_t i = 0; i < reply->number; i++, t += FIELDS + 1) {
        if (!is_token(t))
            return session_strange(s);
        if (s->output.json)
            print_json(s, t);
        else
            print_token(s, t);
    }
    return EXIT_DONE;
}

int token_run(struct session *s)
{
    const struct options *o = &s->options;
    if (o->create && o->revoke)
        return session_fail(s, EXIT_USAGE, "--new and --revoke exclude each other");
    if (o->create != (o->word_count > 1))
        return session_fail(s, EXIT_USAGE, "a new token has a label: kith token --new LABEL");
    int code = account_login(s);
    if (code != EXIT_DONE)
        return code;
    if (o->create)
        return make(s);
    return o->revoke ? revoke(s) : list(s);
}

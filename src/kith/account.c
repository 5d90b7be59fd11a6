/* kith account: all accounts of a hub, for its admins; --reset, --remove and --admin change
 * one. */

#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/secret.h"

#include <stdio.h>
#include <time.h>

/* ---- listing ---- */

/* [name, admin, since, devices], after its head. */
enum { NAME = 1, ADMIN, SINCE, DEVICES, FIELDS = 4 };

static bool is_account(const struct resp_value *a)
{
    return a->kind == RESP_ARRAY && a->number == FIELDS && a[NAME].kind == RESP_BULK &&
           a[ADMIN].kind == RESP_INTEGER && a[SINCE].kind == RESP_INTEGER &&
           a[DEVICES].kind == RESP_INTEGER;
}

static void print_account(struct session *s, const struct resp_value *a)
{
    char line[128], day[32] = "";
    struct bytes name = a[NAME].text;
    time_t since = (time_t)a[SINCE].number;
    struct tm when;
    if (s->output.json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_bytes(&j, "account", name);
        json_bool(&j, "admin", a[ADMIN].number != 0);
        json_number(&j, "since", a[SINCE].number);
        json_number(&j, "devices", a[DEVICES].number);
        output_json(&s->output, &j);
        return;
    }
    if (localtime_r(&since, &when))
        strftime(day, sizeof day, "%F", &when);
    snprintf(line, sizeof line, "%.*s  %s  devices: %lld%s", name.len < 32 ? (int)name.len : 32,
             (const char *)name.data, day, (long long)a[DEVICES].number,
             a[ADMIN].number ? "  admin" : "");
    output_line(&s->output, "", bytes_from_str(line));
}

/* Prints one piece of the list; the cursor, 0 at the end, goes into next. */
static int list_some(struct session *s, struct buffer *cursor)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("ACCOUNT"), bytes_from_str("LIST"),
                           buffer_view(cursor)};
    int code = session_ask(s, argv, 3, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_ARRAY || reply->number != 2 || reply[1].kind != RESP_BULK ||
        reply[2].kind != RESP_ARRAY)
        return session_strange(s);
    const struct resp_value *a = reply + 3;
    for (int64_t i = 0; i < reply[2].number; i++, a += FIELDS + 1) {
        if (!is_account(a))
            return session_strange(s);
        print_account(s, a);
    }
    buffer_truncate(cursor, 0);
    return buffer_append_bytes(cursor, reply[1].text) == 0 ? EXIT_DONE : session_strange(s);
}

static int list(struct session *s)
{
    struct buffer cursor;
    int code = EXIT_DONE;
    buffer_init(&cursor, 32);
    if (buffer_append_str(&cursor, "0") != 0)
        code = session_fail(s, EXIT_NO, "out of memory");
    do
        code = code == EXIT_DONE ? list_some(s, &cursor) : code;
    while (code == EXIT_DONE && !bytes_equal_str(buffer_view(&cursor), "0"));
    buffer_fini(&cursor);
    return code;
}

/* ---- changing ---- */

static int reset(struct session *s, struct bytes name)
{
    struct secrets from;
    struct buffer password = {.max = 0};
    const struct resp_value *reply;
    int code = secrets_open(&from, s, NULL);
    if (code == EXIT_DONE)
        code = secret_choose(&from, s, &password);
    struct bytes argv[] = {bytes_from_str("ACCOUNT"), bytes_from_str("RESET"), name,
                           buffer_view(&password)};
    if (code == EXIT_DONE)
        code = session_ask_secretly(s, argv, 4, &reply);
    secret_wipe(&password);
    secrets_close(&from);
    return code == EXIT_DONE ? account_say(s, "reset", name, "Reset ") : code;
}

static int remove_account(struct session *s, struct bytes name)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("ACCOUNT"), bytes_from_str("REMOVE"), name};
    int code = session_ask(s, argv, 3, &reply);
    return code == EXIT_DONE ? account_say(s, "removed", name, "Removed ") : code;
}

static int set_admin(struct session *s, struct bytes name)
{
    const struct resp_value *reply;
    struct bytes how = bytes_from_str(s->options.words[1]);
    struct bytes argv[] = {bytes_from_str("ACCOUNT"), bytes_from_str("ADMIN"), name, how};
    int code = session_ask(s, argv, 4, &reply);
    if (code != EXIT_DONE)
        return code;
    bool on = bytes_equal_nocase_str(how, "on");
    return account_say(s, on ? "admin" : "no_admin", name,
                       on ? "An admin now: " : "No admin any more: ");
}

int account_run(struct session *s)
{
    const struct options *o = &s->options;
    int changes = !!o->reset + !!o->remove + !!o->admin;
    bool switched = o->word_count > 1;
    if (changes > 1)
        return session_fail(s, EXIT_USAGE, "--reset, --remove and --admin exclude each other");
    if (switched != !!o->admin)
        return session_fail(s, EXIT_USAGE, "kith account --admin NAME on, or off");
    int code = account_connect(s);
    if (code != EXIT_DONE)
        return code;
    if (o->reset)
        return reset(s, bytes_from_str(o->reset));
    if (o->remove)
        return remove_account(s, bytes_from_str(o->remove));
    return o->admin ? set_admin(s, bytes_from_str(o->admin)) : list(s);
}

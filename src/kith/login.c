/* kith login [NAME]: this device logs in, or is added to the account of that name. */

#include "base/limits.h"
#include "client/device_list.h"
#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/secret.h"

#include <stdio.h>

/* Whose it is now; nothing: nobody's. */
static int ask_whose(struct session *s, struct bytes *ret)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("WHOAMI")};
    int code = session_ask(s, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_BULK && reply->kind != RESP_NULL)
        return session_strange(s);
    *ret = reply->kind == RESP_BULK ? reply->text : (struct bytes){0};
    return EXIT_DONE;
}

/* Others may refuse this device: on which one to do what about it. */
static int warn_if_unsigned(struct session *s)
{
    struct device devices[LIMIT_ACCOUNT_DEVICES];
    char print[FINGERPRINT_TEXT_LEN + 1], line[FINGERPRINT_TEXT_LEN + 160];
    const struct resp_value *reply;
    size_t n = 0;
    struct bytes argv[] = {bytes_from_str("DEVICES")};
    if (!s->self.identity || s->output.quiet || s->output.json)
        return EXIT_DONE;
    int code = session_ask(s, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (!device_list_read(reply, 1 + 7 * (size_t)reply->number, devices, &n))
        return session_strange(s);
    if (!device_list_is_unsigned(devices, n, identity_key(s->self.identity)))
        return EXIT_DONE;
    fingerprint_write(print, identity_fingerprint(s->self.identity));
    snprintf(line, sizeof line,
             "this device is unsigned, and others may refuse it; on an older device of yours: "
             "kith devices --sign %s",
             print);
    output_error_line("kith: ", bytes_from_str(line));
    return EXIT_DONE;
}

static int add_device(struct session *s, struct bytes name)
{
    struct secrets from;
    struct buffer password = {.max = 0};
    const struct resp_value *reply;
    int code = secrets_open(&from, s, NULL);
    if (code == EXIT_DONE)
        code = secret_take(&from, s, "Password: ", NULL, &password);
    struct bytes argv[] = {bytes_from_str("LOGIN"), name, buffer_view(&password)};
    if (code == EXIT_DONE)
        code = session_ask_secretly(s, argv, 3, &reply);
    if (code == EXIT_DONE)
        code = account_say(s, "logged_in", name, "Logged in as ");
    if (code == EXIT_DONE)
        code = warn_if_unsigned(s);
    secret_wipe(&password);
    secrets_close(&from);
    return code;
}

int login_run(struct session *s)
{
    struct bytes name, owner = {0};
    bool named = s->options.word_count > 1;
    int code = account_connect(s);
    if (code == EXIT_DONE)
        code = ask_whose(s, &owner);
    if (code != EXIT_DONE)
        return code;
    if (owner.len > 0 && (!named || bytes_equal_nocase_str(owner, s->options.words[1]))) {
        code = account_say(s, "logged_in", owner, "Logged in as ");
        return code == EXIT_DONE ? warn_if_unsigned(s) : code;
    }
    code = account_name(s, 1, &name);
    return code == EXIT_DONE ? add_device(s, name) : code;
}

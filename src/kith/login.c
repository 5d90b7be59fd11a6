/* kith login [NAME]: this device logs in, or is added to the account of that name. */

#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/secret.h"

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
    if (owner.len > 0 && (!named || bytes_equal_nocase_str(owner, s->options.words[1])))
        return account_say(s, "logged_in", owner, "Logged in as ");
    code = account_name(s, 1, &name);
    return code == EXIT_DONE ? add_device(s, name) : code;
}

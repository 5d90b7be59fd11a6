/* kith password: changes one's own; from a file, the old one and the new one are its lines. */

#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/secret.h"

int password_run(struct session *s)
{
    struct secrets from = {.fd = -1};
    struct buffer old = {.max = 0}, fresh = {.max = 0};
    const struct resp_value *reply;
    int code = account_login(s);
    if (code == EXIT_DONE)
        code = secrets_open(&from, s, NULL);
    if (code == EXIT_DONE)
        code = secret_take(&from, s, "Old password: ", NULL, &old);
    if (code == EXIT_DONE)
        code = secret_choose(&from, s, &fresh);
    struct bytes argv[] = {bytes_from_str("PASSWORD"), buffer_view(&old), buffer_view(&fresh)};
    if (code == EXIT_DONE)
        code = session_ask_secretly(s, argv, 3, &reply);
    if (code == EXIT_DONE)
        code = account_say(s, "password", bytes_from_str("changed"), "Password ");
    secret_wipe(&old);
    secret_wipe(&fresh);
    secrets_close(&from);
    return code;
}

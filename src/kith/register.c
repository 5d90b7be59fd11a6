/* kith register [NAME]: makes an account on the hub; this device is its first. */

#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/secret.h"

enum { ARGS = 5 };

/* A token from the file is the setup token or an invite: whoever keeps the hub calls it so. */
static int ask(struct session *s, struct bytes name, const struct buffer *password,
               const struct buffer *token)
{
    const struct resp_value *reply;
    bool setup = s->options.setup;
    struct bytes argv[ARGS] = {bytes_from_str("REGISTER"), name, buffer_view(password),
                               bytes_from_str(setup ? "SETUP" : "INVITE")};
    if (token)
        argv[4] = buffer_view(token);
    return session_ask_secretly(s, argv, token ? 5 : 3, &reply);
}

static int take_token(struct session *s, struct buffer *token)
{
    struct secrets from;
    const char *prompt = s->options.setup ? "Setup token: " : "Invite: ";
    int code = secrets_open(&from, s, s->options.token_file);
    if (!s->options.token_file) /* --password-file is not it */
        from.fd = -1;
    if (code == EXIT_DONE)
        code = secret_take(&from, s, prompt,
                           "the token is missing: it is typed at a terminal, or read with "
                           "--token-file",
                           token);
    secrets_close(&from);
    return code;
}

static int choose_password(struct session *s, struct buffer *password)
{
    struct secrets from;
    int code = secrets_open(&from, s, NULL);
    if (code == EXIT_DONE)
        code = secret_choose(&from, s, password);
    secrets_close(&from);
    return code;
}

int register_run(struct session *s)
{
    struct bytes name;
    struct buffer password = {.max = 0}, token = {.max = 0};
    bool with_token = s->options.setup || s->options.invited || s->options.token_file;
    int code = account_connect(s);
    if (code == EXIT_DONE)
        code = account_name(s, 1, &name);
    if (code == EXIT_DONE && with_token)
        code = take_token(s, &token);
    if (code == EXIT_DONE)
        code = choose_password(s, &password);
    if (code == EXIT_DONE)
        code = ask(s, name, &password, with_token ? &token : NULL);
    if (code == EXIT_DONE)
        code = account_say(s, "registered", name, "Registered ");
    secret_wipe(&password);
    secret_wipe(&token);
    return code;
}

#include "kith/account_hub.h"

#include "kith/duration.h"

#include <unistd.h>

void account_label(char out[DEVICE_LABEL_BYTES + 1])
{
    memset(out, 0, DEVICE_LABEL_BYTES + 1);
    if (gethostname(out, DEVICE_LABEL_BYTES) != 0)
        out[0] = '\0';
    for (char *c = out; *c; c++)
        if (*c <= ' ' || *c > '~')
            *c = '?';
}

static int name_device(struct session *s)
{
    char label[DEVICE_LABEL_BYTES + 1];
    const struct resp_value *reply;
    account_label(label);
    if (!label[0])
        return EXIT_DONE;
    struct bytes argv[] = {bytes_from_str("CLIENT"), bytes_from_str("SETNAME"),
                           bytes_from_str(label)};
    return session_ask(s, argv, 3, &reply);
}

int account_connect(struct session *s)
{
    if (!s->where.path[0])
        s->where.secure = true;
    int code = session_connect(s);
    return code == EXIT_DONE ? name_device(s) : code;
}

int account_login(struct session *s)
{
    struct trouble t;
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("WHOAMI")};
    int code = account_connect(s);
    if (code == EXIT_DONE)
        code = session_ask(s, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind == RESP_BULK)
        return EXIT_DONE;
    self_nobody(&s->self, &t);
    return session_trouble(s, &t);
}

int account_print(struct session *s, const char *key, struct bytes value)
{
    if (!s->output.json) {
        output_line(&s->output, "", value);
        return EXIT_DONE;
    }
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, key, value);
    output_json(&s->output, &j);
    return EXIT_DONE;
}

int account_say(struct session *s, const char *key, struct bytes value, const char *text)
{
    if (s->output.json)
        return account_print(s, key, value);
    if (!s->output.quiet)
        output_line(&s->output, text, value);
    return EXIT_DONE;
}

int account_name(struct session *s, size_t i, struct bytes *ret)
{
    return session_word(s, i, "Name: ", "the account's name is missing", ret);
}

int account_expiry(struct session *s, uint64_t *ret_seconds)
{
    int64_t ms = 0;
    const char *text = s->options.expire;
    if (text && (!duration_read(text, &ms) || ms < 1000))
        return session_fail(s, EXIT_USAGE,
                            "--expire takes a time, as in 30s, 10m, 12h or 7d, not '%.64s'",
                            text);
    *ret_seconds = (uint64_t)ms / 1000;
    return EXIT_DONE;
}

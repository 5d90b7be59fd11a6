/* kith invite --new [--expire TIME]: a token with which somebody makes an account, once. */

#include "base/number.h"
#include "kith/account_hub.h"
#include "kith/command.h"

int invite_run(struct session *s)
{
    const struct resp_value *reply;
    char digits[NUMBER_INT64_CHARS];
    uint64_t seconds = 0;
    if (!s->options.create)
        return session_fail(s, EXIT_USAGE, "kith invite --new makes an invite");
    int code = account_expiry(s, &seconds);
    if (code == EXIT_DONE)
        code = account_connect(s);
    struct bytes argv[] = {bytes_from_str("INVITE"), bytes_from_str("NEW"),
                           bytes_from_str("EX"),
                           bytes_make(digits, number_format_u64(digits, seconds))};
    if (code == EXIT_DONE)
        code = session_ask_unheard(s, argv, seconds > 0 ? 4 : 2, &reply);
    if (code != EXIT_DONE)
        return code;
    return reply->kind == RESP_BULK ? account_print(s, "invite", reply->text)
                                    : session_strange(s);
}

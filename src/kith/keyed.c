/* kith --key=K [--value=V]: the origins' clients, whose arguments choose the request. */

#include "kith/command.h"

int keyed_run(struct session *s)
{
    const struct options *o = &s->options;
    struct bytes key;
    if (o->key && !o->value && strcmp(o->key, "QUIT") == 0)
        return quit_run(s);
    int code = EXIT_DONE;
    if (o->key)
        key = bytes_from_str(o->key);
    else
        code = session_prompt(s, "Key: ", "the key is missing", &key);
    if (code != EXIT_DONE)
        return code;
    return o->value ? store_pair(s, key, bytes_from_str(o->value)) : get_key(s, key);
}

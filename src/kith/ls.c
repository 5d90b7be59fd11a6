/* kith ls [PREFIX]: the keys there are. */

#include "kith/command.h"
#include "kith/scan.h"

static void print_key(struct session *s, struct bytes key)
{
    if (!s->output.json) {
        output_line(&s->output, "", key);
        return;
    }
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "key", key);
    output_json(&s->output, &j);
}

static int print_some(struct session *s, struct scan *scan)
{
    const struct resp_value *keys;
    size_t count;
    int code = scan_next(scan, &keys, &count);
    for (size_t i = 0; code == EXIT_DONE && i < count && s->output.failed == 0; i++)
        print_key(s, keys[i].text);
    return code;
}

int ls_run(struct session *s)
{
    struct scan scan;
    int code = EXIT_DONE;
    if (scan_init(&scan, s, s->options.word_count > 1 ? s->options.words[1] : "") != 0)
        code = session_fail(s, EXIT_NO, "out of memory");
    while (code == EXIT_DONE && s->output.failed == 0 && !scan.is_over)
        code = print_some(s, &scan);
    scan_fini(&scan);
    return code;
}

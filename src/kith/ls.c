/* kith ls [PREFIX], kith ls --match PATTERN: the keys there are. */

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

static int print_some(struct session *s, struct scan *scan, bool *ret_any)
{
    const struct resp_value *keys;
    size_t count;
    int code = scan_next(scan, &keys, &count);
    for (size_t i = 0; code == EXIT_DONE && i < count && s->output.failed == 0; i++)
        print_key(s, keys[i].text);
    *ret_any |= code == EXIT_DONE && count > 0;
    return code;
}

/* A person who typed a pattern where a prefix stands sees nothing, and why. */
static void hint_at_match(const struct session *s, const char *prefix)
{
    const struct output *o = &s->output;
    if (o->terminal && !o->json && !o->quiet && strpbrk(prefix, "*?["))
        output_error_line("kith: no key begins so; for a pattern say kith ls --match ",
                          bytes_from_str(prefix));
}

static int print_all(struct session *s, struct scan *scan, const char *prefix)
{
    int code = EXIT_DONE;
    bool any = false;
    while (code == EXIT_DONE && s->output.failed == 0 && !scan->is_over)
        code = print_some(s, scan, &any);
    if (code == EXIT_DONE && !any && !s->options.match)
        hint_at_match(s, prefix);
    return code;
}

int ls_run(struct session *s)
{
    const struct options *o = &s->options;
    const char *prefix = o->word_count > 1 ? o->words[1] : "";
    if (o->match && o->word_count > 1)
        return session_fail(s, EXIT_USAGE, "a PREFIX and --match exclude each other");
    struct scan scan;
    int r = o->match ? scan_init_match(&scan, s, o->match) : scan_init(&scan, s, prefix);
    int code = r == 0 ? print_all(s, &scan, prefix) : session_fail(s, EXIT_NO, "out of memory");
    scan_fini(&scan);
    return code;
}

/* kith export [PREFIX]: entries as JSON lines (client/entry.h). */

#include "kith/command.h"
#include "kith/scan.h"

#include "client/entry.h"

enum {
    ANSWERS = 4,             /* to MULTI, GET, PEXPIRETIME, EXEC: all as of one moment */
    BATCH_BYTES = 16 * 1024, /* of keys asked for at once, or a single larger one */
};

struct exporter {
    struct session *session;
    struct buffer keys; /* of a step: a length, and so many bytes, for each */
    struct buffer line;
};

static int ask_for(struct session *s, struct bytes key)
{
    struct bytes words[] = {
        bytes_from_str("MULTI"), bytes_from_str("GET"), key, bytes_from_str("PEXPIRETIME"), key,
        bytes_from_str("EXEC")};
    static const struct {
        size_t first, count;
    } requests[ANSWERS] = {{0, 1}, {1, 2}, {3, 2}, {5, 1}};
    int code = EXIT_DONE;
    for (int i = 0; i < ANSWERS && code == EXIT_DONE; i++)
        code = session_add(s, words + requests[i].first, requests[i].count);
    return code;
}

/* A key that has gone since it was listed is none any more. */
static int print_entry(struct exporter *x, struct bytes key, const struct resp_value *reply)
{
    if (reply->kind != RESP_ARRAY || reply->number != 2 || reply[2].kind != RESP_INTEGER)
        return session_strange(x->session);
    if (reply[1].kind == RESP_NULL)
        return EXIT_DONE;
    struct entry e = {.key = key, .value = reply[1].text};
    if (reply[2].number > 0)
        e.expires.ms = reply[2].number;
    buffer_truncate(&x->line, 0);
    if (entry_write(&x->line, &e) != 0)
        return session_fail(x->session, EXIT_NO, "out of memory");
    output_bytes(&x->session->output, buffer_view(&x->line));
    return EXIT_DONE;
}

static int take_entry(struct exporter *x, struct bytes key)
{
    const struct resp_value *reply = NULL;
    int code = EXIT_DONE;
    for (int i = 0; i < ANSWERS && code == EXIT_DONE; i++)
        code = session_take(x->session, &reply);
    return code == EXIT_DONE ? print_entry(x, key, reply) : code;
}

/* Takes the next key off a run of them. */
static struct bytes next_key(struct bytes *keys)
{
    uint32_t len;
    memcpy(&len, keys->data, sizeof len);
    struct bytes key = bytes_first(bytes_from(*keys, sizeof len), len);
    *keys = bytes_from(*keys, sizeof len + len);
    return key;
}

/* Asks for as many as go at once, then takes their answers. */
static int export_batch(struct exporter *x, struct bytes *keys)
{
    struct bytes asked = *keys;
    size_t count = 0;
    int code = EXIT_DONE;
    while (keys->len > 0 && code == EXIT_DONE &&
           (size_t)(keys->data - asked.data) < BATCH_BYTES) {
        code = ask_for(x->session, next_key(keys));
        count++;
    }
    for (size_t i = 0; i < count && code == EXIT_DONE && x->session->output.failed == 0; i++)
        code = take_entry(x, next_key(&asked));
    return code;
}

/* What a scan has found holds no longer than until the next request. */
static int keep_keys(struct exporter *x, const struct resp_value *keys, size_t count)
{
    int r = 0;
    buffer_truncate(&x->keys, 0);
    for (size_t i = 0; i < count && r == 0; i++) {
        uint32_t len = (uint32_t)keys[i].text.len;
        r = buffer_append(&x->keys, &len, sizeof len);
        if (r == 0)
            r = buffer_append_bytes(&x->keys, keys[i].text);
    }
    return r == 0 ? EXIT_DONE : session_fail(x->session, EXIT_NO, "out of memory");
}

static int export_some(struct exporter *x, struct scan *scan)
{
    const struct resp_value *found;
    size_t count;
    int code = scan_next(scan, &found, &count);
    if (code == EXIT_DONE)
        code = keep_keys(x, found, count);
    struct bytes keys = buffer_view(&x->keys);
    while (code == EXIT_DONE && keys.len > 0 && x->session->output.failed == 0)
        code = export_batch(x, &keys);
    return code;
}

int export_run(struct session *s)
{
    struct exporter x = {.session = s};
    buffer_init(&x.keys, SIZE_MAX);
    buffer_init(&x.line, SIZE_MAX);
    struct scan scan;
    int code = EXIT_DONE;
    if (scan_init(&scan, s, s->options.word_count > 1 ? s->options.words[1] : "") != 0)
        code = session_fail(s, EXIT_NO, "out of memory");
    while (code == EXIT_DONE && s->output.failed == 0 && !scan.is_over)
        code = export_some(&x, &scan);
    scan_fini(&scan);
    buffer_fini(&x.keys);
    buffer_fini(&x.line);
    return code;
}

/* kith import [FILE]: entries from JSON lines (client/entry.h), of standard input where there
 * is no FILE or it is -. */

#include "kith/command.h"

#include "base/limits.h"
#include "base/number.h"
#include "client/entry.h"
#include "io/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    BATCH_BYTES = 256 * 1024, /* of lines whose answers are waited for together */
    LINE_BYTES_MAX =
        512 * 1024 * 1024, /* the largest entry, each byte of it written as \u00xx */
};

struct importer {
    struct session *session;
    struct entry_reader *reader;
    int fd;
    const char *from; /* what it is, for people */
    struct buffer in;
    size_t searched;              /* bytes of it without LF */
    uint64_t line, asked, stored; /* counts */
    size_t batch_bytes;
};

static int take_answers(struct importer *m)
{
    int code = EXIT_DONE;
    m->batch_bytes = 0;
    while (code == EXIT_DONE && m->stored < m->asked) {
        const struct resp_value *reply;
        code = session_take(m->session, &reply);
        if (code == EXIT_DONE && (reply->kind != RESP_STATUS))
            code = session_strange(m->session);
        m->stored += code == EXIT_DONE;
    }
    return code;
}

static int ask_to_store(struct importer *m, const struct entry *e)
{
    char digits[NUMBER_INT64_CHARS];
    struct bytes argv[5] = {bytes_from_str("SET"), e->key, e->value, bytes_from_str("PXAT")};
    size_t n = 3;
    if (e->expires.ms != 0) {
        argv[4] = bytes_make(digits, number_format_i64(digits, e->expires.ms));
        n = 5;
    }
    m->asked++;
    m->batch_bytes += e->key.len + e->value.len;
    int code = session_add(m->session, argv, n);
    return code == EXIT_DONE && m->batch_bytes > BATCH_BYTES ? take_answers(m) : code;
}

static bool is_blank(struct bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (!strchr(" \t\r", line.data[i]) || line.data[i] == 0)
            return false;
    }
    return true;
}

/* What came before a bad line is stored, and said to be. */
static int refuse_line(struct importer *m, const char *problem)
{
    int code = take_answers(m);
    if (code != EXIT_DONE)
        return code;
    return session_fail(m->session, EXIT_USAGE, "line %llu: %s", (unsigned long long)m->line,
                        problem);
}

static int import_line(struct importer *m, struct bytes line)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf"; /* some editors begin a file so */
    if (m->line++ == 0 && bytes_starts_with(line, byte_order_mark))
        line = bytes_from(line, strlen(byte_order_mark));
    if (is_blank(line))
        return EXIT_DONE;
    struct entry e;
    const char *problem = entry_read(m->reader, line, &e);
    return problem ? refuse_line(m, problem) : ask_to_store(m, &e);
}

/* Imports the whole lines there are. */
static int import_lines(struct importer *m)
{
    int code = EXIT_DONE;
    for (;;) {
        struct bytes in = buffer_view(&m->in);
        const uint8_t *end = in.len > m->searched
                                 ? memchr(in.data + m->searched, '\n', in.len - m->searched)
                                 : NULL;
        m->searched = end ? 0 : in.len;
        if (!end || code != EXIT_DONE)
            return code;
        code = import_line(m, bytes_first(in, (size_t)(end - in.data)));
        buffer_consume(&m->in, (size_t)(end - in.data) + 1);
    }
}

/* Reads on; *ret_end at the end of the input. */
static int read_some(struct importer *m, bool *ret_end)
{
    uint8_t *space;
    if (buffer_reserve(&m->in, LIMIT_LARGE_READ_BYTES, &space) != 0)
        return session_fail(m->session, EXIT_USAGE, "line %llu is too long",
                            (unsigned long long)m->line + 1);
    ssize_t n = read(m->fd, space, LIMIT_LARGE_READ_BYTES);
    if (n < 0 && errno != EINTR)
        return session_fail(m->session, EXIT_USAGE, "cannot read %.200s: %s", m->from,
                            problem_text(-errno));
    buffer_wrote(&m->in, n > 0 ? (size_t)n : 0);
    *ret_end = n == 0;
    return EXIT_DONE;
}

static int import_all(struct importer *m)
{
    bool end = false;
    int code = EXIT_DONE;
    while (code == EXIT_DONE && !end) {
        code = read_some(m, &end);
        if (code == EXIT_DONE)
            code = import_lines(m);
    }
    if (code == EXIT_DONE && buffer_len(&m->in) > 0)
        code = import_line(m, buffer_view(&m->in));
    return code == EXIT_DONE ? take_answers(m) : code;
}

static void tell_count(struct importer *m)
{
    struct output *o = &m->session->output;
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    if (o->json) {
        struct json j = json_begin(&b);
        json_number(&j, "imported", (int64_t)m->stored);
        output_json(o, &j);
        return;
    }
    if (!o->quiet && buffer_printf(&b, "Imported %llu %s", (unsigned long long)m->stored,
                                   m->stored == 1 ? "entry" : "entries") == 0)
        output_line(o, "", buffer_view(&b));
    buffer_fini(&b);
}

static int import_from(struct session *s, int fd, const char *from)
{
    struct importer m = {.session = s, .fd = fd, .from = from};
    buffer_init(&m.in, LINE_BYTES_MAX);
    int code = entry_reader_new(&m.reader) == 0 ? session_connect(s)
                                                : session_fail(s, EXIT_NO, "out of memory");
    if (code == EXIT_DONE)
        code = session_announce_reading(s, fd, "JSON lines");
    if (code == EXIT_DONE)
        code = import_all(&m);
    if (code == EXIT_DONE || m.stored > 0)
        tell_count(&m);
    entry_reader_free(m.reader);
    buffer_fini(&m.in);
    return code;
}

int import_run(struct session *s)
{
    const struct options *o = &s->options;
    if (o->word_count < 2 || (strcmp(o->words[1], "-") == 0 && o->literal_from > 1))
        return import_from(s, STDIN_FILENO, "standard input");
    int fd = open(o->words[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return session_fail(s, EXIT_USAGE, "cannot read %.200s: %s", o->words[1],
                            problem_text(-errno));
    int code = import_from(s, fd, o->words[1]);
    close(fd);
    return code;
}

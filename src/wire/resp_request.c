#include "wire/resp_request.h"

#include "base/limits.h"
#include "base/number.h"
#include "wire/line.h"

#include <errno.h>
#include <stdlib.h>

enum { LENGTH_LINE_BYTES = 32 }; /* type byte, number, CR: no honest one is longer */

/* Where a command stands. Only whole arguments are passed over; arguments of an incomplete
 * command are checked but not kept, since `in` may move: once it is whole it is walked a
 * second time, from the front, to list them. That keeps the work linear. */
struct resp_partial {
    struct line line; /* inline: what was searched for its end */
    size_t at;        /* array: offset of the next argument; 0 before its count was read */
    size_t left;      /* arguments still to come */
    size_t bytes;     /* of the arguments passed */
    size_t need;      /* no use in going on before `in` holds this many bytes */
};

struct walk {
    struct bytes in;
    struct resp_args *args;
    size_t need;
    const char *problem;
};

void resp_args_init(struct resp_args *args)
{
    *args = (struct resp_args){0};
    buffer_init(&args->unquoted, LIMIT_RESP_INLINE_BYTES);
}

void resp_args_fini(struct resp_args *args)
{
    free(args->argv);
    buffer_fini(&args->unquoted);
    *args = (struct resp_args){0};
}

void resp_request_init(struct resp_request *r)
{
    *r = (struct resp_request){0};
}

void resp_request_fini(struct resp_request *r)
{
    free(r->partial);
    r->partial = NULL;
}

size_t resp_request_need(const struct resp_request *r)
{
    return r->partial ? r->partial->need : 0;
}

static int fail(struct walk *w, const char *problem)
{
    w->problem = problem;
    return RESP_ERROR;
}

static int more(struct walk *w, size_t need)
{
    w->need = need > w->in.len ? need : w->in.len + 1;
    return RESP_MORE;
}

static int args_grow(struct resp_args *args)
{
    size_t capacity = args->capacity ? args->capacity * 2 : 16;
    struct bytes *argv = realloc(args->argv, capacity * sizeof *argv);
    if (!argv)
        return -ENOMEM;
    args->argv = argv;
    args->capacity = capacity;
    return 0;
}

static inline int args_add(struct resp_args *args, const uint8_t *data, size_t len)
{
    if (args->argc == args->capacity) {
        int r = args_grow(args);
        if (r < 0)
            return r;
    }
    args->argv[args->argc++] = bytes_make(data, len);
    return 0;
}

struct length_words {
    const char *invalid, *too_big;
};

static const struct length_words count_words = {"invalid multibulk length",
                                                "too big mbulk count string"};
static const struct length_words bulk_words = {"invalid bulk length",
                                               "too big bulk count string"};

static int read_any_length(struct walk *w, size_t *at, const struct length_words *words,
                           int64_t *ret)
{
    struct bytes line = bytes_from(w->in, *at);
    if (line.len > LENGTH_LINE_BYTES)
        line.len = LENGTH_LINE_BYTES;
    size_t cr = bytes_find(line, '\r');
    if (cr == LENGTH_LINE_BYTES)
        return fail(w, words->too_big);
    if (*at + cr + 1 >= w->in.len)
        return more(w, 0);
    if (w->in.data[*at + cr + 1] != '\n' ||
        !number_parse_i64(bytes_from(bytes_first(line, cr), 1), ret))
        return fail(w, words->invalid);
    *at += cr + 2;
    return 0;
}

/* The number after the type byte at *at, and past its CR LF. Small numbers that are wholly
 * there, which is nearly all of them, take the short way. */
static inline int read_length(struct walk *w, size_t *at, const struct length_words *words,
                              int64_t *ret)
{
    const uint8_t *p = w->in.data + *at + 1;
    size_t n = 0, room = w->in.len - *at - 1;
    int64_t v = 0;
    while (n < 9 && n + 2 < room && p[n] >= '0' && p[n] <= '9')
        v = v * 10 + (p[n++] - '0');
    if (n == 0 || p[n] != '\r' || p[n + 1] != '\n' || (n > 1 && p[0] == '0'))
        return read_any_length(w, at, words, ret);
    *ret = v;
    *at += n + 3;
    return 0;
}

static int read_count(struct walk *w, struct resp_partial *p)
{
    int64_t count = 0;
    int r = read_length(w, &p->at, &count_words, &count);
    if (r != 0)
        return r;
    if (count > (int64_t)LIMIT_RESP_ARGS)
        return fail(w, count_words.invalid);
    p->left = count > 0 ? (size_t)count : 0;
    return 0;
}

static int fail_no_bulk(struct walk *w, uint8_t got)
{
    char *problem = w->args->problem;
    memcpy(problem, "expected '$', got '?'", sizeof w->args->problem);
    if (got > ' ' && got < 0x7f)
        problem[sizeof w->args->problem - 3] = (char)got;
    return fail(w, problem);
}

/* One argument at p->at, which moves past it only when all of it is there. */
static inline int read_bulk(struct walk *w, struct resp_partial *p, struct bytes *ret)
{
    size_t at = p->at;
    if (at == w->in.len)
        return more(w, 0);
    if (w->in.data[at] != '$')
        return fail_no_bulk(w, w->in.data[at]);
    int64_t len = 0;
    int r = read_length(w, &at, &bulk_words, &len);
    if (r != 0)
        return r;
    if (len < 0 || len > (int64_t)LIMIT_RESP_COMMAND_BYTES)
        return fail(w, bulk_words.invalid);
    if ((size_t)len > LIMIT_RESP_COMMAND_BYTES - p->bytes)
        return fail(w, "too big request");
    size_t end = at + (size_t)len;
    if (end < w->in.len && w->in.data[end] != '\r')
        return fail(w, "a bulk string does not end where it said");
    if (w->in.len - at < (size_t)len + 2)
        return more(w, end + 2);
    if (w->in.data[end + 1] != '\n')
        return fail(w, "a bulk string does not end where it said");
    *ret = bytes_make(w->in.data + at, (size_t)len);
    p->at = end + 2;
    p->bytes += (size_t)len;
    p->left--;
    return 0;
}

/* Goes on from where p stands; lists the arguments in args where keep is set. */
static inline int walk_array(struct walk *w, struct resp_partial *p, bool keep)
{
    int r = p->at == 0 ? read_count(w, p) : 0;
    while (r == 0 && p->left > 0) {
        struct bytes arg;
        r = read_bulk(w, p, &arg);
        if (r == 0 && keep)
            r = args_add(w->args, arg.data, arg.len);
    }
    return r;
}

static int keep_partial(struct resp_request *r, const struct resp_partial *p, size_t need)
{
    if (!r->partial) {
        r->partial = malloc(sizeof *r->partial);
        if (!r->partial)
            return -ENOMEM;
    }
    *r->partial = *p;
    r->partial->need = need;
    return RESP_MORE;
}

static int parse_array(struct resp_request *request, struct walk *w, size_t *ret_consumed)
{
    struct resp_partial p = request->partial ? *request->partial : (struct resp_partial){0};
    int r = walk_array(w, &p, !request->partial);
    if (r == RESP_MORE)
        return keep_partial(request, &p, w->need);
    if (r == 0 && request->partial) {
        p = (struct resp_partial){0};
        r = walk_array(w, &p, true);
    }
    if (r != 0)
        return r;
    resp_request_fini(request);
    *ret_consumed = p.at;
    return 0;
}

/* A length line of one to three digits at p, after its type byte, with something behind it:
 * where that begins, or NULL. */
static inline const uint8_t *glance_length(const uint8_t *p, const uint8_t *end, uint8_t type,
                                           size_t *ret)
{
    enum { DIGITS_MAX = 3 };
    if (end - p < 1 + DIGITS_MAX + 2 || *p++ != type)
        return NULL;
    size_t n = (size_t)*p++ - '0';
    if (n > 9)
        return NULL;
    for (size_t digits = 1; digits < DIGITS_MAX && *p != '\r'; digits++) {
        size_t digit = (size_t)*p++ - '0';
        if (digit > 9 || n == 0)
            return NULL;
        n = n * 10 + digit;
    }
    *ret = n;
    return p[0] == '\r' && p[1] == '\n' ? p + 2 : NULL;
}

/* Most commands: a few short arguments, all of them there. False where it is another. */
static bool glance_short(struct resp_args *args, struct bytes in, size_t *ret_consumed)
{
    const uint8_t *p = in.data, *end = in.data + in.len;
    size_t count, len;
    p = glance_length(p, end, '*', &count);
    for (; p && count > 0; count--) {
        p = glance_length(p, end, '$', &len);
        if (!p || (size_t)(end - p) < len + 2 || p[len] != '\r' || p[len + 1] != '\n' ||
            args_add(args, p, len) != 0)
            return false;
        p += len + 2;
    }
    if (!p)
        return false;
    *ret_consumed = (size_t)(p - in.data);
    return true;
}

bool resp_request_glance(struct resp_args *args, struct bytes in, size_t bytes_max,
                         size_t *ret_consumed)
{
    if (in.len == 0 || in.data[0] != '*')
        return false;
    struct walk w = {.in = in.len > bytes_max ? bytes_first(in, bytes_max) : in, .args = args};
    struct resp_partial p = {0};
    size_t before = args->argc;
    if (glance_short(args, w.in, ret_consumed))
        return true;
    args->argc = before;
    if (walk_array(&w, &p, true) != 0) {
        args->argc = before;
        return false;
    }
    *ret_consumed = p.at;
    return true;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The byte that follows a backslash between double quotes; returns how many were read. */
static size_t unescape(struct bytes after, uint8_t *out)
{
    static const uint8_t from[] = "nrtba", to[] = "\n\r\t\b\a";
    uint8_t c = after.data[0];
    int high = c == 'x' && after.len >= 3 ? hex(after.data[1]) : -1;
    int low = high >= 0 ? hex(after.data[2]) : -1;
    if (low >= 0) {
        *out = (uint8_t)(high * 16 + low);
        return 3;
    }
    size_t i = bytes_find(bytes_make(from, 5), c);
    *out = i < 5 ? to[i] : c;
    return 1;
}

/* Moves *at over a quoted part, its opening quote already passed, and writes it to *out. */
static bool read_quoted(struct bytes line, size_t *at, uint8_t quote, uint8_t **out)
{
    size_t i = *at;
    while (i < line.len && line.data[i] != quote) {
        uint8_t c = line.data[i++];
        if (c == '\\' && quote == '"' && i < line.len)
            i += unescape(bytes_from(line, i), &c);
        else if (c == '\\' && i < line.len && line.data[i] == '\'')
            c = line.data[i++];
        *(*out)++ = c;
    }
    *at = i + 1;
    return i < line.len && (i + 1 == line.len || is_space(line.data[i + 1]));
}

/* A word with quotes in it, unquoted into the scratch, which has room for a whole line. */
static int add_unquoted(struct walk *w, struct bytes line, size_t *at, uint8_t **out)
{
    uint8_t *start = *out;
    while (*at < line.len && !is_space(line.data[*at])) {
        uint8_t c = line.data[(*at)++];
        if (c != '"' && c != '\'')
            *(*out)++ = c;
        else if (!read_quoted(line, at, c, out))
            return fail(w, "unbalanced quotes in request");
    }
    return args_add(w->args, start, (size_t)(*out - start));
}

static int add_word(struct walk *w, struct bytes line, size_t *at, uint8_t **out)
{
    size_t start = *at, end = start;
    while (end < line.len && !is_space(line.data[end])) {
        if (line.data[end] == '"' || line.data[end] == '\'')
            return add_unquoted(w, line, at, out);
        end++;
    }
    *at = end;
    return args_add(w->args, line.data + start, end - start);
}

static int split_line(struct walk *w, struct bytes line)
{
    uint8_t *out;
    int r = buffer_reserve(&w->args->unquoted, line.len, &out);
    for (size_t at = 0; r == 0 && at < line.len;) {
        if (is_space(line.data[at]))
            at++;
        else
            r = add_word(w, line, &at, &out);
    }
    return r;
}

static int parse_inline(struct resp_request *request, struct walk *w, size_t *ret_consumed)
{
    struct resp_partial p = request->partial ? *request->partial : (struct resp_partial){0};
    size_t consumed;
    enum line_ending ending;
    int r =
        line_parse(&p.line, w->in, LIMIT_RESP_INLINE_BYTES, &consumed, &w->args->line, &ending);
    if (r == LINE_MORE) {
        more(w, 0);
        return keep_partial(request, &p, w->need);
    }
    if (r != 0)
        return fail(w, "too big inline request");
    r = split_line(w, w->args->line);
    if (r != 0)
        return r;
    resp_request_fini(request);
    *ret_consumed = consumed;
    return 0;
}

int resp_request_parse(struct resp_request *r, struct resp_args *args, struct bytes in,
                       size_t *ret_consumed, size_t *ret_need, const char **ret_problem)
{
    struct walk w = {.in = in, .args = args};
    args->argc = 0;
    args->line = bytes_make(NULL, 0);
    int result = in.len == 0         ? more(&w, 0)
                 : in.data[0] == '*' ? parse_array(r, &w, ret_consumed)
                                     : parse_inline(r, &w, ret_consumed);
    if (result == RESP_MORE)
        *ret_need = w.need;
    if (result == RESP_ERROR)
        *ret_problem = w.problem;
    return result;
}

#include "kith/transfer_show.h"

#include "base/clean.h"
#include "base/limits.h"
#include "client/amount.h"
#include "io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    TERMINAL_MS = 200,
    PIPE_MS = 10 * 1000,
    JSON_MS = 1000,
    RATE_MS = 1000,
    WHY_BYTES = 200
};

/* What is shown of one transfer, beside what it says itself. */
struct view {
    struct instant began;     /* the first connection */
    uint64_t before;          /* bytes that were there then */
    bool counted;             /* before is known */
    bool told_before;         /* how much was there at the first connection */
    unsigned dropped;         /* files that were left out */
    struct instant rated;     /* rate was found; 0: not on this connection */
    uint64_t rated_bytes;     /* ... with so many there */
    double rate;              /* bytes a second; 0: not known yet */
    char way[TALK_WAY_BYTES]; /* how it went last */
    char why[WHY_BYTES];      /* it was said why it waits */
};

void transfer_show_init(struct transfer_show *s, struct output *output)
{
    *s = (struct transfer_show){.output = output, .terminal = isatty(STDERR_FILENO) == 1};
}

static struct view *view_of(struct transfer *t)
{
    if (!t->context)
        t->context = calloc(1, sizeof(struct view));
    return t->context;
}

/* ---- words ---- */

static void put_error(const char *text)
{
    ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n; /* there is nowhere else to say it */
}

void transfer_show_clear(struct transfer_show *s)
{
    if (s->has_line)
        put_error("\r\033[K");
    s->has_line = false;
}

static void put(struct transfer_show *s, bool problem, const char *text)
{
    transfer_show_clear(s);
    if (s->say)
        s->say(s, problem, bytes_from_str(text));
    else if (problem || !s->output->quiet)
        output_error_line("kith: ", bytes_from_str(text));
}

void transfer_show_note(struct transfer_show *s, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(s, false, text);
}

/* Cleaned, and not endless. */
static void write_clean(char *out, size_t cap, struct bytes text)
{
    struct buffer b;
    buffer_init(&b, LIMIT_MIB);
    bool good = clean_append(&b, text, cap - 1) == 0;
    snprintf(out, cap, "%.*s", good ? (int)buffer_len(&b) : 0,
             good ? (const char *)buffer_view(&b).data : "");
    buffer_fini(&b);
}

static bool is_one_file(const struct transfer_record *r)
{
    return r->entries == 1 && r->tops == 1;
}

void transfer_show_what(const struct transfer_record *r, char out[TRANSFER_SHOW_BYTES])
{
    char title[300], size[AMOUNT_BYTES] = "of unknown size", more[40] = "";
    write_clean(title, sizeof title, bytes_from_str(r->title));
    if (r->bytes != TRANSFER_SIZE_UNKNOWN)
        amount_write(size, r->bytes);
    if (r->tops > 1)
        snprintf(more, sizeof more, " and %llu more", (unsigned long long)(r->tops - 1));
    if (is_one_file(r))
        snprintf(out, TRANSFER_SHOW_BYTES, "%s, %s", title, size);
    else
        snprintf(out, TRANSFER_SHOW_BYTES, "%s%s, %llu files and folders, %s", title, more,
                 (unsigned long long)r->entries, size);
}

static const char *direction(const struct transfer *t)
{
    return t->record.incoming ? "from" : "to";
}

/* ---- events ---- */

static struct json begin_event(struct buffer *b, struct transfer *t, const char *event)
{
    char id[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(id, &t->record.id);
    buffer_init(b, SIZE_MAX);
    struct json j = json_begin(b);
    json_str(&j, "event", event);
    json_str(&j, "id", id);
    json_str(&j, direction(t), t->record.name);
    return j;
}

static void put_totals(struct json *j, const struct transfer_record *r)
{
    json_str(j, "name", r->title);
    if (r->entries != TRANSFER_SIZE_UNKNOWN)
        json_number(j, "entries", (int64_t)r->entries);
    if (r->bytes != TRANSFER_SIZE_UNKNOWN)
        json_number(j, "bytes", (int64_t)r->bytes);
}

void transfer_show_listed(struct transfer_show *s, struct transfer *t)
{
    char what[TRANSFER_SHOW_BYTES];
    if (s->output->json) {
        struct buffer b;
        struct json j = begin_event(&b, t, "offered");
        put_totals(&j, &t->record);
        output_json(s->output, &j);
        return;
    }
    transfer_show_what(&t->record, what);
    transfer_show_note(s, "for %s: %s", t->record.name, what);
}

void transfer_show_again(struct transfer_show *s, struct transfer *t)
{
    transfer_show_listed(s, t);
    if (!s->output->json)
        transfer_show_note(s, "that was begun before, and goes on");
}

static void show_skipped(struct transfer_show *s, struct transfer *t,
                         const struct transfer_news *news)
{
    char shown[300], text[600];
    s->dropped++;
    if (s->output->json) {
        struct buffer b;
        struct json j = begin_event(&b, t, "skipped");
        json_bytes(&j, "path", news->path);
        json_bytes(&j, "why", news->detail);
        output_json(s->output, &j);
        return;
    }
    write_clean(shown, sizeof shown, news->path);
    snprintf(text, sizeof text, "%s is not sent: %.*s", shown, (int)news->detail.len,
             (const char *)news->detail.data);
    put(s, true, text);
}

/* ---- how far ---- */

static void begin_view(struct view *v, struct transfer *t)
{
    struct talk_link *l =
        talks_find_device(t->all->talks, bytes_from_str(t->record.name), &t->record.device);
    if (v->began.ns == 0)
        v->began = clock_instant();
    v->rated = (struct instant){0};
    snprintf(v->way, sizeof v->way, "%s", l ? l->way : "");
}

static void show_started(struct transfer_show *s, struct transfer *t, const struct view *v)
{
    struct buffer b;
    if (!s->output->json)
        return;
    struct json j = begin_event(&b, t, "started");
    json_str(&j, "way", v->way);
    if (t->kept > 0)
        json_number(&j, "kept", (int64_t)t->kept);
    output_json(s->output, &j);
}

static void show_waiting(struct transfer_show *s, struct transfer *t, struct view *v,
                         const char *why)
{
    struct buffer b;
    if (strcmp(v->why, why) == 0)
        return;
    snprintf(v->why, sizeof v->why, "%s", why);
    if (s->output->json) {
        struct json j = begin_event(&b, t, "waiting");
        json_str(&j, "why", why);
        output_json(s->output, &j);
        return;
    }
    transfer_show_note(s, "%s %s waits: %s; it is tried again", direction(t), t->record.name,
                       why);
}

static void show_stalling(struct transfer_show *s, struct transfer *t, const char *why)
{
    struct buffer b;
    if (s->output->json) {
        struct json j = begin_event(&b, t, "stalls");
        json_str(&j, "why", why);
        output_json(s->output, &j);
        return;
    }
    transfer_show_note(s, "%s %s: %s", direction(t), t->record.name, why);
}

static void show_state(struct transfer_show *s, struct transfer *t,
                       const struct transfer_news *news)
{
    struct view *v = view_of(t);
    const char *why = news->why;
    if (!v)
        return;
    if (t->state == TRANSFER_RUNNING && why) {
        show_stalling(s, t, why);
    } else if (t->state == TRANSFER_RUNNING) {
        begin_view(v, t);
        show_started(s, t, v);
    } else if (t->state == TRANSFER_READY && why) {
        show_waiting(s, t, v, why);
    }
}

/* What was said before the connection is none of its work. */
static void begin_rate(struct view *v, uint64_t bytes, struct instant now)
{
    if (v->counted)
        v->before += bytes > v->rated_bytes ? bytes - v->rated_bytes : 0;
    else
        v->before = bytes;
    v->counted = true;
    v->rated = now;
    v->rated_bytes = bytes;
}

/* Bytes a second, of the last second or so. */
static void rate(struct view *v, uint64_t bytes, struct instant now)
{
    double seconds = (double)(now.ns - v->rated.ns) / 1e9;
    if (seconds * 1000 < RATE_MS || bytes < v->rated_bytes)
        return;
    double latest = (double)(bytes - v->rated_bytes) / seconds;
    v->rate = v->rate > 0 ? 0.5 * v->rate + 0.5 * latest : latest;
    v->rated = now;
    v->rated_bytes = bytes;
}

static uint64_t seconds_left(const struct transfer *t, const struct view *v)
{
    uint64_t total = t->record.bytes;
    if (total == TRANSFER_SIZE_UNKNOWN || total < t->bytes || v->rate < 1)
        return UINT64_MAX;
    return (uint64_t)((double)(total - t->bytes) / v->rate + 0.5);
}

static const char *bound_words(enum carrier_bound bound)
{
    static const char *const words[] = {[CARRIER_BY_NOTHING] = "",
                                        [CARRIER_BY_DISK] = "this disk",
                                        [CARRIER_BY_CPU] = "CPU",
                                        [CARRIER_BY_NETWORK] = "network",
                                        [CARRIER_BY_OTHER] = "the other side's disk or CPU"};
    return (size_t)bound < sizeof words / sizeof *words ? words[bound] : "";
}

static void put_progress(struct transfer_show *s, struct transfer *t, const struct view *v)
{
    struct buffer b;
    struct json j = begin_event(&b, t, "progress");
    uint64_t left = seconds_left(t, v);
    json_number(&j, "bytes", (int64_t)t->bytes);
    json_number(&j, "kept", (int64_t)t->kept);
    if (t->record.bytes != TRANSFER_SIZE_UNKNOWN)
        json_number(&j, "total", (int64_t)t->record.bytes);
    json_number(&j, "rate", (int64_t)v->rate);
    if (left != UINT64_MAX)
        json_number(&j, "seconds_left", (int64_t)left);
    json_str(&j, "bound_by", bound_words(t->bound));
    json_str(&j, "way", v->way);
    output_json(s->output, &j);
}

static void write_progress(struct transfer *t, const struct view *v,
                           char out[TRANSFER_SHOW_BYTES])
{
    char done[AMOUNT_BYTES], total[AMOUNT_BYTES], a_second[AMOUNT_BYTES], left[AMOUNT_BYTES];
    char title[120], share[16] = "", rest[60] = "";
    uint64_t seconds = seconds_left(t, v);
    const char *bound = bound_words(t->bound);
    write_clean(title, 40, bytes_from_str(t->record.title));
    amount_write(done, t->bytes);
    amount_write(total, t->record.bytes);
    amount_write(a_second, (uint64_t)v->rate);
    if (t->record.bytes != TRANSFER_SIZE_UNKNOWN && t->record.bytes > 0)
        snprintf(share, sizeof share, " %3.0f %%",
                 100.0 * (double)t->bytes / (double)t->record.bytes);
    if (seconds != UINT64_MAX) {
        amount_write_time(left, seconds);
        snprintf(rest, sizeof rest, ", %s left", left);
    }
    snprintf(out, TRANSFER_SHOW_BYTES, "%s %s %s:%s %s%s%s, %s/s%s, %s%s%s%s", title,
             direction(t), t->record.name, share, done, share[0] ? " of " : "",
             share[0] ? total : "", a_second, rest, v->way, bound[0] ? " (bound by " : "",
             bound, bound[0] ? ")" : "");
}

/* A line that is longer would leave another behind each time. */
static void cut_to_terminal(char *line)
{
    struct winsize size;
    size_t n =
        ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79;
    if (strlen(line) <= n)
        return;
    while (n > 0 && ((uint8_t)line[n] & 0xc0) == 0x80) /* within a character */
        n--;
    line[n] = '\0';
}

static void show_before(struct transfer_show *s, struct transfer *t, struct view *v)
{
    char there[AMOUNT_BYTES];
    amount_write(there, t->bytes);
    if (t->bytes > 0 && !s->output->json && !v->told_before)
        transfer_show_note(s, "%s of it is there already", there);
}

static void show_progress(struct transfer_show *s, struct transfer *t,
                          const struct transfer_news *news)
{
    struct view *v = view_of(t);
    struct instant now = clock_instant();
    uint64_t pause = s->output->json ? JSON_MS : s->terminal ? TERMINAL_MS : PIPE_MS;
    char line[TRANSFER_SHOW_BYTES], shown[TRANSFER_SHOW_BYTES + 16];
    if (!v)
        return;
    if (v->rated.ns == 0) {
        begin_rate(v, t->bytes, now);
        show_before(s, t, v);
        v->told_before = true;
    }
    rate(v, t->bytes, now);
    if (s->output->quiet || now.ns < instant_after_ms(s->shown, pause).ns || v->rate < 1)
        return;
    s->shown = now;
    if (s->output->json) {
        put_progress(s, t, v);
        return;
    }
    write_progress(t, v, line);
    if (!s->terminal) {
        put(s, false, line);
        return;
    }
    cut_to_terminal(line);
    snprintf(shown, sizeof shown, "\r%s\033[K", line);
    put_error(shown);
    s->has_line = true;
}

/* ---- files ---- */

static void write_hex(char *out, struct bytes sha256)
{
    for (size_t i = 0; i < sha256.len && i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", sha256.data[i]);
}

static void show_file(struct transfer_show *s, struct transfer *t,
                      const struct transfer_news *news)
{
    char hex[65] = "", amount[AMOUNT_BYTES], before[100], behind[100];
    struct buffer b;
    write_hex(hex, news->detail);
    if (s->output->json) {
        struct json j = begin_event(&b, t, "file");
        json_bytes(&j, "path", news->path);
        json_number(&j, "bytes", (int64_t)news->size);
        if (hex[0])
            json_str(&j, "sha256", hex);
        output_json(s->output, &j);
        return;
    }
    if (!hex[0] && (!t->record.incoming || s->say))
        return;
    transfer_show_clear(s);
    amount_write(amount, news->size);
    snprintf(before, sizeof before, "%s%s", hex, hex[0] ? "  " : "");
    snprintf(behind, sizeof behind, "  %s from %s", amount, t->record.name);
    buffer_init(&b, LIMIT_MIB);
    int r = s->say ? buffer_append_str(&b, before) : 0;
    if (r == 0)
        r = buffer_append_bytes(&b, news->path);
    if (r == 0 && !hex[0])
        r = buffer_append_str(&b, behind);
    if (r == 0 && s->say)
        s->say(s, false, buffer_view(&b));
    else if (r == 0)
        output_line(s->output, before, buffer_view(&b));
    buffer_fini(&b);
}

static void show_dropped(struct transfer_show *s, struct transfer *t,
                         const struct transfer_news *news)
{
    const char *why = transfer_reason_text(news->reason);
    char shown[300];
    struct buffer b;
    struct view *v = view_of(t);
    s->dropped++;
    if (v)
        v->dropped++;
    if (s->output->json) {
        struct json j = begin_event(&b, t, "dropped");
        json_bytes(&j, "path", news->path);
        json_str(&j, "why", why);
        output_json(s->output, &j);
        return;
    }
    write_clean(shown, sizeof shown, news->path);
    transfer_show_note(s, "%s is not there: %s", shown, why);
}

static void show_afresh(struct transfer_show *s, struct transfer *t,
                        const struct transfer_news *news)
{
    char shown[300];
    struct buffer b;
    if (s->output->json) {
        struct json j = begin_event(&b, t, "changed");
        json_bytes(&j, "path", news->path);
        output_json(s->output, &j);
        return;
    }
    write_clean(shown, sizeof shown, news->path);
    transfer_show_note(s, "%s has changed meanwhile: it is sent anew", shown);
}

static void show_published(struct transfer_show *s, struct transfer *t,
                           const struct transfer_news *news)
{
    char shown[300];
    struct buffer b;
    if (s->output->json) {
        struct json j = begin_event(&b, t, "published");
        json_bytes(&j, "name", news->path);
        json_bytes(&j, "as", news->detail);
        json_str(&j, "into", t->record.into);
        output_json(s->output, &j);
    } else if (!bytes_equal(news->path, news->detail)) {
        write_clean(shown, sizeof shown, news->detail);
        transfer_show_note(s, "it is called %s, since its name is taken or reserved", shown);
    }
}

void transfer_show_news(struct transfer_show *s, struct transfer *t,
                        const struct transfer_news *news)
{
    static void (*const shows[])(struct transfer_show * s, struct transfer * t,
                                 const struct transfer_news *news) = {
        [TRANSFER_EVENT_STATE] = show_state,         [TRANSFER_EVENT_RUNS] = show_progress,
        [TRANSFER_EVENT_SKIPPED] = show_skipped,     [TRANSFER_EVENT_FILE] = show_file,
        [TRANSFER_EVENT_DROPPED] = show_dropped,     [TRANSFER_EVENT_AFRESH] = show_afresh,
        [TRANSFER_EVENT_PUBLISHED] = show_published,
    };
    shows[news->event](s, t, news);
}

/* ---- the end ---- */

static void show_done(struct transfer_show *s, struct transfer *t, const struct view *v)
{
    char what[TRANSFER_SHOW_BYTES], a_second[AMOUNT_BYTES];
    double seconds = v->began.ns ? (double)(clock_instant().ns - v->began.ns) / 1e9 : 0;
    uint64_t moved = t->bytes > v->before ? t->bytes - v->before : 0;
    struct buffer b;
    if (s->output->json) {
        struct json j = begin_event(&b, t, "done");
        put_totals(&j, &t->record);
        json_number(&j, "moved", (int64_t)moved);
        json_number(&j, "milliseconds", (int64_t)(seconds * 1000));
        json_str(&j, "way", v->way);
        output_json(s->output, &j);
        return;
    }
    struct transfer_record came = t->record;
    char left_out[40] = "";
    came.bytes = t->bytes > 0 ? t->bytes : t->record.bytes; /* files may have changed since */
    transfer_show_what(&came, what);
    if (v->dropped > 0)
        snprintf(left_out, sizeof left_out, ", %u left out", v->dropped);
    amount_write(a_second, seconds > 0.001 ? (uint64_t)((double)moved / seconds) : moved);
    transfer_show_note(s, "%s %s %s: %s%s in %.1f s, %s/s, %s%s%s",
                       t->record.incoming ? "received" : "sent", direction(t), t->record.name,
                       what, left_out, seconds, a_second,
                       v->way[0] ? v->way : "nothing was missing",
                       t->record.incoming ? "; into " : "", t->record.into);
}

void transfer_show_given_up(struct transfer_show *s, struct transfer *t, const char *why)
{
    struct buffer b;
    if (s->output->json) {
        struct json j = begin_event(&b, t, "failed");
        json_str(&j, "reason", why);
        output_json(s->output, &j);
    }
    free(t->context);
    t->context = NULL;
}

void transfer_show_over(struct transfer_show *s, struct transfer *t, const char *why)
{
    const struct view nothing = {.rate = 0};
    const char *reason = transfer_reason_text(t->reason);
    char title[120], text[600];
    struct buffer b;
    transfer_show_clear(s);
    if (t->reason == TRANSFER_REASON_NONE) {
        show_done(s, t, t->context ? t->context : &nothing);
    } else if (s->output->json) {
        struct json j = begin_event(&b, t, "failed");
        json_str(&j, "reason", reason);
        if (why)
            json_str(&j, "why", why);
        output_json(s->output, &j);
    } else {
        write_clean(title, sizeof title,
                    bytes_from_str(t->record.title[0] ? t->record.title : "nothing"));
        snprintf(text, sizeof text, "%s %s %s: %s%s%s", title, direction(t), t->record.name,
                 reason, why ? ": " : "", why ? why : "");
        put(s, true, text);
    }
    free(t->context);
    t->context = NULL;
}

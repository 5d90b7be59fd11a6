#include "kith/actor.h"

#include "base/limits.h"
#include "client/report.h"
#include "io/clock.h"
#include "io/problem.h"
#include "wire/line.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { ACTOR_DRIVER_GONE = 1 };

struct actor {
    struct session *session;
    struct buffer told;  /* by the driver, not yet acted on */
    struct buffer heard; /* from the hub */
    struct line told_line, heard_line;
    size_t told_taken, heard_taken; /* bytes of the lines handed out last */
    struct buffer report;           /* scratch */
};

static void report(struct actor *a, struct report r)
{
    if (report_write(&a->report, &r) == 0)
        output_bytes(&a->session->output, buffer_view(&a->report));
    buffer_consume(&a->report, buffer_len(&a->report));
}

static int fail(struct actor *a, const char *why)
{
    journal_note(&a->session->journal, "failed", bytes_from_str(why));
    report(a, (struct report){.verb = REPORT_FAILED, .text = bytes_from_str(why)});
    return EXIT_NO;
}

/* The driver's next line; ACTOR_DRIVER_GONE at the end, -errno. */
static int next_told(struct actor *a, struct bytes *ret)
{
    buffer_consume(&a->told, a->told_taken);
    a->told_taken = 0;
    enum line_ending ending;
    while (line_parse(&a->told_line, buffer_view(&a->told), SIZE_MAX, &a->told_taken, ret,
                      &ending) != 0) {
        uint8_t *space;
        int r = buffer_reserve(&a->told, LIMIT_READ_BYTES, &space);
        if (r != 0)
            return r < 0 ? r : -E2BIG;
        ssize_t n = read(STDIN_FILENO, space, LIMIT_READ_BYTES);
        if (n == 0)
            return ACTOR_DRIVER_GONE;
        if (n < 0 && errno != EINTR)
            return -errno;
        buffer_wrote(&a->told, n > 0 ? (size_t)n : 0);
    }
    return 0;
}

/* The hub's next line. 0, or why there is none, static. */
static const char *next_heard(struct actor *a, struct bytes *ret)
{
    buffer_consume(&a->heard, a->heard_taken);
    a->heard_taken = 0;
    enum line_ending ending;
    int r;
    while ((r = line_parse(&a->heard_line, buffer_view(&a->heard), LIMIT_TEXT_LINE_BYTES,
                           &a->heard_taken, ret, &ending)) == LINE_MORE) {
        struct bytes data;
        r = dial_receive(a->session->dial, DIAL_FOREVER, &data);
        if (r == DIAL_END)
            return "the hub closed the connection instead of answering";
        if (r < 0)
            return dial_problem(r);
        if (buffer_append_bytes(&a->heard, data) != 0)
            return "the answer is too long";
    }
    return r == 0 ? NULL : "the answer is too long";
}

static int send_text(struct actor *a, struct bytes text)
{
    int r = dial_send(a->session->dial, text, DIAL_FOREVER);
    return r < 0 ? fail(a, dial_problem(r)) : EXIT_DONE;
}

static int begin(struct actor *a, struct bytes request)
{
    if (buffer_len(&a->heard) > a->heard_taken)
        return fail(a, "the hub said more than was asked for");
    journal_note(&a->session->journal, "asked", request);
    int code = send_text(a, request);
    if (code == EXIT_DONE)
        report(a, (struct report){.verb = REPORT_BEGUN, .at = clock_instant()});
    return code;
}

static int go(struct actor *a)
{
    struct instant sent = clock_instant();
    int code = send_text(a, bytes_from_str("\n"));
    if (code != EXIT_DONE)
        return code;
    struct bytes answer;
    const char *problem = next_heard(a, &answer);
    if (problem)
        return fail(a, problem);
    struct report r = {
        .verb = REPORT_ANSWERED, .sent = sent, .at = clock_instant(), .text = answer};
    journal_note(&a->session->journal, "answered", answer);
    report(a, r);
    return EXIT_DONE;
}

static int get_ready(struct actor *a, const char *replies)
{
    int code = session_connect(a->session);
    if (code != EXIT_DONE)
        return code;
    char message[32];
    snprintf(message, sizeof message, "REPLIES %s\n", replies);
    code = send_text(a, bytes_from_str(message));
    if (code != EXIT_DONE)
        return code;
    struct bytes answer;
    const char *problem = next_heard(a, &answer);
    if (!problem && !bytes_equal_str(answer, replies))
        problem = "the hub does not know REPLIES";
    if (problem)
        return fail(a, problem);
    report(a, (struct report){.verb = REPORT_READY});
    return EXIT_DONE;
}

static int act(struct actor *a, struct bytes line)
{
    struct bytes verb = bytes_next_word(&line);
    if (bytes_equal_str(verb, "begin") && line.len > 1)
        return begin(a, bytes_from(line, 1));
    if (bytes_equal_str(verb, "go"))
        return go(a);
    return fail(a, "the driver said something else than begin and go");
}

static int play(struct actor *a)
{
    for (;;) {
        struct bytes line;
        int r = next_told(a, &line);
        if (r == ACTOR_DRIVER_GONE)
            return EXIT_DONE;
        int code = r < 0 ? fail(a, problem_text(r)) : act(a, line);
        if (code != EXIT_DONE)
            return code;
    }
}

int actor_run(struct session *s)
{
    const struct options *o = &s->options;
    if (o->word_count != 3)
        return session_fail(s, EXIT_USAGE, "an actor is started by the demo");
    struct actor a = {.session = s};
    buffer_init(&a.told, 2 * LIMIT_TEXT_LINE_BYTES);
    buffer_init(&a.heard, 4 * LIMIT_TEXT_LINE_BYTES);
    buffer_init(&a.report, 2 * LIMIT_TEXT_LINE_BYTES);
    int code = get_ready(&a, o->words[2]);
    if (code == EXIT_DONE)
        code = play(&a);
    buffer_fini(&a.told);
    buffer_fini(&a.heard);
    buffer_fini(&a.report);
    return code;
}

#include "kith/drive.h"

#include "base/limits.h"
#include "client/report.h"
#include "io/problem.h"
#include "io/program.h"
#include "kith/actor.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

enum { DRIVE_PATIENCE_MS = 1000 }; /* for the clients' end, where the story is over early */

void drive_init(struct drive *d, struct session *s, const struct story *story,
                struct process_set *set, bool may_stop_hub)
{
    *d = (struct drive){.session = s, .story = story, .set = set, .may_stop_hub = may_stop_hub};
    buffer_init(&d->faults, SIZE_MAX);
    for (size_t i = 0; i < story->client_count; i++) {
        struct bytes name = story->clients[i].name;
        memcpy(d->parts[i].name, name.data, name.len);
    }
}

void drive_dismiss(struct drive *d)
{
    for (size_t i = 0; i < STORY_CLIENTS_MAX; i++) {
        struct part *p = &d->parts[i];
        if (p->ready)
            process_end_input(&p->process);
        else
            process_kill(&p->process, SIGKILL);
    }
}

void drive_fini(struct drive *d)
{
    uint64_t patience_ms = DRIVE_PATIENCE_MS; /* once, for all of them */
    drive_dismiss(d);
    for (size_t i = 0; i < STORY_CLIENTS_MAX; i++) {
        struct process *p = &d->parts[i].process;
        if (p->set && process_wait_anyway(p, patience_ms) == PROCESS_TIMEOUT)
            patience_ms = 0;
        process_fini(p);
    }
    buffer_fini(&d->faults);
}

/* Whether what was printed could be; if not, kith says so at its end. */
static int printed(const struct drive *d)
{
    return d->session->output.failed == 0 ? EXIT_DONE : EXIT_NO;
}

int drive_say(struct drive *d, const char *words, struct bytes text)
{
    struct output *o = &d->session->output;
    if (o->json || o->quiet)
        return EXIT_DONE;
    output_line(o, words, text);
    return printed(d);
}

int drive_log_path(const char *logs, const char *name, char *out, size_t size)
{
    char lower[STORY_NAME_BYTES_MAX + 1] = {0};
    for (size_t i = 0; name[i] && i < STORY_NAME_BYTES_MAX; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    int n = snprintf(out, size, "%s/%s.log", logs, lower);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* Why a client says nothing more. */
static int fail_ended(struct drive *d, struct part *p)
{
    int r = process_wait(&p->process, DRIVE_PATIENCE_MS);
    if (r == PROCESS_INTERRUPTED)
        return EXIT_NO;
    if (r == 0 && p->process.killed)
        return session_fail(d->session, EXIT_NO, "%s: the process was ended by signal %d",
                            p->name, p->process.killed);
    return session_fail(d->session, EXIT_NO, "%s: the process ended", p->name);
}

/* The next report of a client, which must be the one expected. */
static int hear(struct drive *d, struct part *p, enum report_verb expected, struct report *ret)
{
    struct session *s = d->session;
    struct bytes line;
    int r = process_hear(&p->process, DRIVE_WAIT_MS, &line);
    if (r == PROCESS_INTERRUPTED)
        return EXIT_NO;
    if (r == PROCESS_TIMEOUT)
        return session_fail(s, EXIT_NO, "%s: nothing came for %d s", p->name,
                            DRIVE_WAIT_MS / 1000);
    if (r != 0)
        return fail_ended(d, p);
    if (!report_parse(line, ret))
        return session_fail(s, EXIT_NO, "%s: said what no client says", p->name);
    if (ret->verb == REPORT_FAILED)
        return session_fail(s, EXIT_NO, "%s: %.*s", p->name, (int)ret->text.len,
                            (const char *)ret->text.data);
    if (ret->verb != expected)
        return session_fail(s, EXIT_NO, "%s: said something out of turn", p->name);
    return EXIT_DONE;
}

static int spawn(struct drive *d, size_t i, const char *where, const char *logs)
{
    struct part *p = &d->parts[i];
    char program[PATH_MAX], log[PATH_MAX];
    program_find("kith", program);
    int r = drive_log_path(logs, p->name, log, sizeof log);
    const char *argv[] = {
        program, "--hub",       where,   "--log",
        log,     ACTOR_COMMAND, p->name, d->story->clients[i].full ? "full" : "terse",
        NULL};
    r = r < 0 ? r : process_spawn(&p->process, d->set, argv);
    if (r < 0)
        return session_fail(d->session, EXIT_NO, "cannot start %s, %.200s: %s", p->name,
                            program, problem_text(r));
    return EXIT_DONE;
}

int drive_start(struct drive *d, const char *where, const char *logs)
{
    struct report ready;
    int code = EXIT_DONE;
    for (size_t i = 0; i < d->story->client_count && code == EXIT_DONE; i++)
        code = spawn(d, i, where, logs);
    for (size_t i = 0; i < d->story->client_count && code == EXIT_DONE; i++) {
        code = hear(d, &d->parts[i], REPORT_READY, &ready);
        d->parts[i].ready = code == EXIT_DONE;
    }
    return code;
}

static int tell(struct drive *d, struct part *p, const char *verb, struct bytes text)
{
    struct buffer line;
    buffer_init(&line, PROCESS_LINE_BYTES_MAX);
    int r = buffer_append_str(&line, verb);
    if (r == 0)
        r = buffer_append_bytes(&line, text);
    if (r == 0)
        r = buffer_append_str(&line, "\n");
    if (r == 0)
        r = process_say(&p->process, buffer_view(&line));
    buffer_fini(&line);
    if (r != 0)
        return session_fail(d->session, EXIT_NO, "%s: the process takes no more words",
                            p->name);
    return EXIT_DONE;
}

/* What belongs to a request that would stop a hub that is not ours. */
static bool is_left_out(const struct drive *d, size_t i)
{
    const struct story_step *steps = d->story->steps;
    while (i < d->story->step_count && steps[i].verb == STORY_SAY)
        i++;
    return !d->may_stop_hub && i < d->story->step_count && story_is_stop(&steps[i]);
}

static int begin(struct drive *d, const struct story_step *step)
{
    struct part *p = &d->parts[step->client];
    struct report begun;
    int code = tell(d, p, "begin ", step->text);
    if (code == EXIT_DONE)
        code = hear(d, p, REPORT_BEGUN, &begun);
    if (code == EXIT_DONE)
        p->begun = begun.at;
    return code;
}

static int print_answer(struct drive *d, const struct story_step *step, struct bytes answer,
                        bool right)
{
    struct output *o = &d->session->output;
    const struct part *p = &d->parts[step->client];
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_str(&j, "client", p->name);
        json_bytes(&j, "request", step->text);
        json_bytes(&j, "answer", answer);
        json_bool(&j, "right", right);
        json_number(&j, "line", (int64_t)step->line);
        output_json(o, &j);
        return printed(d);
    }
    char words[sizeof "Server Response in : " + STORY_NAME_BYTES_MAX];
    snprintf(words, sizeof words, "Server Response in %s: ", p->name);
    return drive_say(d, words, answer);
}

static int note_wrong(struct drive *d, const struct story_step *step, struct bytes answer)
{
    const struct story_answer *expected = &d->story->answers[step->answer_first];
    const char *more = step->answer_count > 1 ? " (or what else is right there)" : "";
    struct buffer line;
    buffer_init(&line, 4 * LIMIT_KIB);
    int r = buffer_printf(
        &line, "WRONG, line %zu of the story, %s: %.*s: expected %.*s%s, not %.*s", step->line,
        d->parts[step->client].name, (int)(step->text.len < 200 ? step->text.len : 200),
        (const char *)step->text.data,
        (int)(expected->text.len < 200 ? expected->text.len : 200),
        (const char *)expected->text.data, more, (int)(answer.len < 200 ? answer.len : 200),
        (const char *)answer.data);
    int code = r == 0 ? drive_say(d, "", buffer_view(&line)) : EXIT_DONE;
    if (r == 0)
        r = buffer_append_bytes(&d->faults, buffer_view(&line));
    if (r == 0)
        buffer_append_str(&d->faults, "\n"); /* without it, a fault reads worse, no more */
    buffer_fini(&line);
    return code;
}

static int finish(struct drive *d, const struct story_step *step)
{
    struct part *p = &d->parts[step->client];
    struct report r = {0};
    int code = hear(d, p, REPORT_ANSWERED, &r);
    if (code != EXIT_DONE)
        return code;
    p->answered = r.at;
    d->answers++;
    d->hub_stopped = d->hub_stopped || story_is_stop(step);
    bool right = story_is_right(d->story, step, r.text, !d->may_stop_hub);
    if (!right)
        d->wrong++;
    code = print_answer(d, step, r.text, right);
    return code == EXIT_DONE && !right ? note_wrong(d, step, r.text) : code;
}

/* Whether all requests of steps [from, to) were under way at one moment, and for how long. */
static int check_meeting(struct drive *d, size_t from, size_t to)
{
    struct instant begun = {0}, answered = INSTANT_NEVER;
    for (size_t i = from; i < to; i++) {
        const struct story_step *step = &d->story->steps[i];
        const struct part *p = &d->parts[step->client];
        if (step->verb != STORY_ASK || is_left_out(d, i))
            continue;
        begun = p->begun.ns > begun.ns ? p->begun : begun;
        answered = instant_min(answered, p->answered);
    }
    char text[120];
    bool met = begun.ns < answered.ns;
    if (met) {
        snprintf(text, sizeof text, "All of them were under way at once, for %.3f ms",
                 (double)(answered.ns - begun.ns) / 1e6);
        return drive_say(d, text, bytes_make(NULL, 0));
    }
    d->wrong++;
    int n = snprintf(text, sizeof text, "WRONG, line %zu of the story: not all at once",
                     d->story->steps[from].line);
    buffer_append(&d->faults, text, (size_t)n); /* as above */
    buffer_append_str(&d->faults, "\n");
    return drive_say(d, text, bytes_make(NULL, 0));
}

/* Steps [from, to): one by itself, or those of a meeting. */
static int play_group(struct drive *d, size_t from, size_t to)
{
    const struct story_step *steps = d->story->steps;
    int code = EXIT_DONE;
    for (size_t i = from; i < to && code == EXIT_DONE; i++) {
        if (is_left_out(d, i))
            continue;
        if (steps[i].verb == STORY_SAY)
            code = drive_say(d, "", steps[i].text);
        else
            code = begin(d, &steps[i]);
    }
    for (size_t i = from; i < to && code == EXIT_DONE; i++) {
        if (steps[i].verb == STORY_ASK && !is_left_out(d, i))
            code = tell(d, &d->parts[steps[i].client], "go", bytes_make(NULL, 0));
    }
    for (size_t i = from; i < to && code == EXIT_DONE; i++) {
        if (steps[i].verb == STORY_ASK && !is_left_out(d, i))
            code = finish(d, &steps[i]);
    }
    if (code == EXIT_DONE && steps[from].meeting != 0)
        code = check_meeting(d, from, to);
    return code;
}

int drive_play(struct drive *d)
{
    const struct story *story = d->story;
    int code = EXIT_DONE;
    size_t to;
    for (size_t from = 0; from < story->step_count && code == EXIT_DONE; from = to) {
        to = from + 1;
        while (to < story->step_count && story->steps[from].meeting != 0 &&
               story->steps[to].meeting == story->steps[from].meeting)
            to++;
        code = play_group(d, from, to);
    }
    return code;
}

int drive_end(struct drive *d)
{
    drive_dismiss(d);
    for (size_t i = 0; i < d->story->client_count; i++) {
        struct part *p = &d->parts[i];
        int r = process_wait(&p->process, DRIVE_WAIT_MS);
        if (r == PROCESS_INTERRUPTED)
            return EXIT_NO;
        if (r != 0)
            return session_fail(d->session, EXIT_NO, "%s: did not end in time", p->name);
        if (p->process.status != 0 || p->process.killed)
            return session_fail(d->session, EXIT_NO, "%s: did not end well", p->name);
    }
    return EXIT_DONE;
}

/* kith demo: plays a story on a hub and clients of its own, each a process, and checks it. */

#include "kith/command.h"

#include "io/problem.h"
#include "kith/demo_hub.h"
#include "kith/demo_story.h"
#include "kith/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEMO_LOGS "./kith-demo"

struct demo {
    struct session *session;
    struct buffer text; /* of the story, where it is a file */
    struct story story;
    const char *logs;
    struct process_set set;
    struct demo_hub hub;
    struct drive drive;
    bool own_hub;
};

static int read_file(const char *path, struct buffer *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r;
    ssize_t n = 1;
    do {
        uint8_t *space;
        r = buffer_reserve(text, 4096, &space);
        if (r != 0)
            break;
        n = read(fd, space, 4096);
        r = n < 0 && errno != EINTR ? -errno : 0;
        buffer_wrote(text, n > 0 ? (size_t)n : 0);
    } while (r == 0 && n != 0);
    close(fd);
    return r == BUFFER_FULL ? -EFBIG : r;
}

static int load_story(struct demo *d)
{
    const char *path = d->session->options.story;
    int r = path ? read_file(path, &d->text) : 0;
    if (r < 0)
        return session_fail(d->session, EXIT_USAGE, "cannot read %.200s: %s", path,
                            problem_text(r));
    struct bytes text = path ? buffer_view(&d->text) : bytes_from_str(demo_story);
    size_t line;
    const char *problem;
    r = story_parse(&d->story, text, &line, &problem);
    if (r < 0)
        return session_fail(d->session, EXIT_NO, "%s", problem_text(r));
    if (r == STORY_WRONG)
        return session_fail(d->session, EXIT_USAGE, "%.200s:%zu: %s", path ? path : "the story",
                            line, problem);
    return EXIT_DONE;
}

/* Makes the folder, and room in it for the logs of this run. */
static int prepare_logs(struct demo *d, char hub_log[PATH_MAX])
{
    struct session *s = d->session;
    d->logs = s->options.logs ? s->options.logs : DEMO_LOGS;
    if (mkdir(d->logs, 0777) != 0 && errno != EEXIST)
        return session_fail(s, EXIT_USAGE, "cannot put logs in %.200s: %s", d->logs,
                            problem_text(-errno));
    for (size_t i = 0; i <= d->story.client_count; i++) {
        bool client = i < d->story.client_count;
        char path[PATH_MAX];
        int r = drive_log_path(d->logs, client ? d->drive.parts[i].name : "hub",
                               client ? path : hub_log, PATH_MAX);
        if (r == 0 && unlink(client ? path : hub_log) != 0 && errno != ENOENT)
            r = -errno;
        if (r < 0)
            return session_fail(s, EXIT_USAGE, "cannot put logs in %.200s: %s", d->logs,
                                problem_text(r));
    }
    return EXIT_DONE;
}

/* Before four clients say so, each in its own words. */
static int check_hub(struct session *s)
{
    int code = session_connect(s);
    if (code == EXIT_DONE) {
        dial_free(s->dial);
        s->dial = NULL;
    }
    return code;
}

static int start_hub(struct demo *d, const char *hub_log)
{
    struct drive *drive = &d->drive;
    if (!d->own_hub)
        return drive_say(drive, "Playing on the hub at ",
                         bytes_from_str(d->session->where_text));
    int code = drive_say(drive, "Server Starting", bytes_make(NULL, 0));
    if (code == EXIT_DONE)
        code = demo_hub_start(&d->hub, &d->set, d->session, hub_log);
    if (code == EXIT_DONE)
        code = drive_say(drive, "The server is ready to receive", bytes_make(NULL, 0));
    return code;
}

static int play(struct demo *d)
{
    char hub_log[PATH_MAX];
    int code = prepare_logs(d, hub_log);
    if (code == EXIT_DONE)
        code = start_hub(d, hub_log);
    if (code == EXIT_DONE)
        code =
            drive_start(&d->drive, d->own_hub ? d->hub.where : d->session->where_text, d->logs);
    if (code == EXIT_DONE)
        code = drive_play(&d->drive);
    if (code == EXIT_DONE)
        code = drive_end(&d->drive);
    if (code == EXIT_DONE && d->own_hub)
        code = demo_hub_stop(&d->hub, d->session, d->drive.hub_stopped);
    return code;
}

static int sum_up(struct demo *d)
{
    const struct drive *drive = &d->drive;
    struct output *o = &d->session->output;
    int code = drive->wrong == 0 ? EXIT_DONE : EXIT_NO;
    char text[80];
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_number(&j, "answers", (int64_t)drive->answers);
        json_number(&j, "wrong", (int64_t)drive->wrong);
        json_str(&j, "logs", d->logs);
        output_json(o, &j);
        return code;
    }
    if (!d->own_hub)
        drive_say(&d->drive, "The hub goes on: STOP SERVER was left out", bytes_make(NULL, 0));
    drive_say(&d->drive, "Drives ends", bytes_make(NULL, 0));
    if (drive->wrong > 0) {
        output_error_line("kith: the demo went wrong:", bytes_make(NULL, 0));
        struct bytes faults = buffer_view(&drive->faults);
        while (faults.len > 0) {
            size_t n = bytes_find(faults, '\n');
            output_error_line("  ", bytes_first(faults, n));
            faults = bytes_from(faults, n < faults.len ? n + 1 : n);
        }
        return code;
    }
    snprintf(text, sizeof text, "%zu answers, all of them right; the logs are in ",
             drive->answers);
    drive_say(&d->drive, text, bytes_from_str(d->logs));
    return code;
}

/* The clients are told that it is over, then the hub ends, and with it what they may wait for.
 */
static void clean_up(struct demo *d)
{
    drive_dismiss(&d->drive);
    demo_hub_fini(&d->hub, d->session);
    drive_fini(&d->drive);
}

static int run(struct demo *d)
{
    int r = process_set_init(&d->set);
    if (r < 0)
        return session_fail(d->session, EXIT_NO, "%s", problem_text(r));
    d->session->output.stop_fd = d->set.signal_fd;
    drive_init(&d->drive, d->session, &d->story, &d->set, d->own_hub);
    int code = play(d);
    if (code == EXIT_DONE)
        code = sum_up(d);
    clean_up(d);
    d->session->output.stop_fd = -1;
    process_set_fini(&d->set);
    return code;
}

int demo_run(struct session *s)
{
    if (s->options.print_story) {
        output_bytes(&s->output, bytes_from_str(demo_story));
        return EXIT_DONE;
    }
    struct demo d = {.session = s, .own_hub = !s->options.hub};
    buffer_init(&d.text, STORY_BYTES_MAX + 8192);
    int code = load_story(&d);
    if (code == EXIT_DONE) {
        code = d.own_hub ? EXIT_DONE : check_hub(s);
        if (code == EXIT_DONE)
            code = run(&d);
        story_fini(&d.story);
    }
    buffer_fini(&d.text);
    return code;
}

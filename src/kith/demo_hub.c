#include "kith/demo_hub.h"

#include "io/problem.h"
#include "io/program.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define LISTENING "Server listening on "

enum { DEMO_HUB_PATIENCE_MS = 2000 }; /* for its end, where the demo is over early */

static const char *scratch_parent(void)
{
    const char *given = getenv("TMPDIR");
    return given && *given ? given : "/tmp";
}

static int make_scratch(struct demo_hub *h)
{
    int n = snprintf(h->scratch, sizeof h->scratch, "%s/kith-demo-XXXXXX", scratch_parent());
    if (n < 0 || (size_t)n >= sizeof h->scratch || !mkdtemp(h->scratch)) {
        h->scratch[0] = '\0';
        return n > 0 && (size_t)n >= sizeof h->scratch ? -ENAMETOOLONG : -errno;
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    remove(path);
    return 0;
}

static void remove_scratch(struct demo_hub *h)
{
    if (h->scratch[0])
        nftw(h->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    h->scratch[0] = '\0';
}

static int wait_listening(struct demo_hub *h, struct session *s)
{
    struct bytes line;
    int r = process_hear(&h->process, DEMO_HUB_WAIT_MS, &line);
    if (r == PROCESS_INTERRUPTED)
        return EXIT_NO;
    if (r == PROCESS_TIMEOUT)
        return session_fail(s, EXIT_NO, "the hub did not start in time");
    if (r != 0)
        return session_fail(s, EXIT_NO, "the hub ended before it listened");
    if (!bytes_starts_with(line, LISTENING) || line.len - strlen(LISTENING) >= sizeof h->where)
        return session_fail(s, EXIT_NO, "the hub did not say where it listens");
    line = bytes_from(line, strlen(LISTENING));
    memcpy(h->where, line.data, line.len);
    h->where[line.len] = '\0';
    return EXIT_DONE;
}

int demo_hub_start(struct demo_hub *h, struct process_set *set, struct session *s,
                   const char *log)
{
    char program[PATH_MAX];
    program_find("kithd", program);
    int r = make_scratch(h);
    if (r < 0)
        return session_fail(s, EXIT_NO, "cannot make a folder for the hub's data in %.200s: %s",
                            scratch_parent(), problem_text(r));
    const char *argv[] = {program, "--listen", "127.0.0.1:0",    "--data", h->scratch,
                          "--log", log,        "--log-requests", NULL};
    r = process_spawn(&h->process, set, argv);
    if (r < 0)
        return session_fail(s, EXIT_NO, "cannot start the hub, %.200s: %s", program,
                            problem_text(r));
    return wait_listening(h, s);
}

static int check_end(struct demo_hub *h, struct session *s)
{
    const struct process *p = &h->process;
    h->judged = true;
    if (p->killed)
        return session_fail(s, EXIT_NO, "the hub was ended by signal %d", p->killed);
    if (p->status != 0)
        return session_fail(s, EXIT_NO, "the hub ended with exit code %d", p->status);
    return EXIT_DONE;
}

int demo_hub_stop(struct demo_hub *h, struct session *s, bool was_asked)
{
    if (!was_asked)
        process_kill(&h->process, SIGTERM);
    int r = process_wait(&h->process, DEMO_HUB_WAIT_MS);
    if (r == PROCESS_INTERRUPTED)
        return EXIT_NO;
    if (r != 0)
        return session_fail(s, EXIT_NO, "the hub did not end in time");
    return check_end(h, s);
}

void demo_hub_fini(struct demo_hub *h, struct session *s)
{
    process_kill(&h->process, SIGTERM);
    int r = h->process.set ? process_wait_anyway(&h->process, DEMO_HUB_PATIENCE_MS) : 0;
    if (r == 0 && h->where[0] && !h->judged)
        check_end(h, s);
    process_fini(&h->process);
    remove_scratch(h);
}

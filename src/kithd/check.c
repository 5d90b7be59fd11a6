#include "kithd/check.h"

#include "io/clock.h"
#include "io/folder.h"
#include "io/problem.h"
#include "kithd/daemon.h"
#include "store/embedded.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static void print_time(const char *words, struct walltime t)
{
    char text[32];
    time_t seconds = (time_t)(t.ms / 1000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        printf("%s%s\n", words, text);
}

static void print_findings(const struct embedded_findings *found)
{
    const struct recovery_report *report = &found->report;
    if (report->checkpoint_bytes > 0) {
        printf("checkpoint  %llu entries, %llu bytes\n", (unsigned long long)report->entries,
               (unsigned long long)report->checkpoint_bytes);
        print_time("            begun at ", report->checkpoint_time);
    } else {
        puts("checkpoint  none");
    }
    printf("log         %llu changes%s%s\n", (unsigned long long)report->changes,
           report->checkpoint_bytes > 0 ? " since" : "",
           report->closed ? ", closed in good order" : "");
    if (report->cut)
        printf(
            "            an unfinished write at its end, %s at offset %llu, would be dropped\n",
            report->file, (unsigned long long)report->offset);
    printf("keys        %zu, and %zu of the hub's own\n", found->keys[STORE_USER],
           found->keys[STORE_SYSTEM]);
    printf("memory      about %zu bytes\n", found->memory);
    puts("It is whole.");
}

static int complain(const char *path, int error, const struct recovery_report *report)
{
    if (error == RECOVERY_CORRUPT)
        fprintf(stderr, "kithd: %s/%s is corrupt at offset %llu: %s\n", path, report->file,
                (unsigned long long)report->offset, report->problem);
    else if (error == RECOVERY_NEWER)
        fprintf(stderr, "kithd: %s/%s was written by a newer kith\n", path, report->file);
    else
        fprintf(stderr, "kithd: cannot read %s: %s\n", path, problem_text(error));
    return error > 0 ? DAEMON_FAILED : DAEMON_NO_START;
}

static int refuse_folder(const char *path, int r, pid_t holder)
{
    if (r == FOLDER_HOLDS_NONE)
        fprintf(stderr, "kithd: %s holds no hub's data\n", path);
    else if (r == FOLDER_IN_USE)
        fprintf(stderr, "kithd: %s is in use by a kithd (process %d)\n", path, (int)holder);
    else if (r == FOLDER_IS_OPEN)
        fprintf(stderr, "kithd: %s must be yours alone: chmod 700 it\n", path);
    else if (r == -ENOTDIR && folder_exists(path))
        fprintf(stderr, "kithd: cannot read %s: it is not a folder\n", path);
    else
        fprintf(stderr, "kithd: cannot read %s: %s\n", path, problem_text(r));
    return DAEMON_NO_START;
}

int check_run(const char *path)
{
    struct folder *folder;
    pid_t holder = 0;
    int r = folder_find_data(path);
    if (r == 0)
        r = folder_open_existing(path, &folder, &holder);
    if (r != 0)
        return refuse_folder(path, r, holder);
    struct embedded_findings found;
    r = embedded_check(folder_disk(folder), clock_walltime(), &found);
    folder_close(folder);
    if (r != 0)
        return complain(path, r, &found.report);
    print_findings(&found);
    return fflush(stdout) == 0 ? DAEMON_DONE : DAEMON_NO_START;
}

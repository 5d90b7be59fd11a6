#include "kith/journal.h"

#include "base/limits.h"
#include "base/log_line.h"
#include "io/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

int journal_open(struct journal *j, const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    j->fd = fd;
    return 0;
}

void journal_close(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

static int append_time(struct buffer *out)
{
    struct walltime now = clock_walltime();
    time_t seconds = (time_t)(now.ms / 1000);
    struct tm utc;
    char text[sizeof "2026-01-01T00:00:00"];
    if (!gmtime_r(&seconds, &utc) ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        return -EOVERFLOW;
    return buffer_printf(out, "time=%s.%03dZ ", text, (int)(now.ms % 1000));
}

void journal_note(struct journal *j, const char *what, struct bytes text)
{
    if (j->fd < 0)
        return;
    struct buffer out;
    buffer_init(&out, 4 * LIMIT_KIB);
    if (append_time(&out) == 0) {
        struct log_line line = log_line_begin(&out, LOG_INFO, what);
        log_line_bytes(&line, "text", text);
        log_line_end(&line);
        ssize_t n = write(j->fd, buffer_view(&out).data, buffer_len(&out));
        (void)n;
    }
    buffer_fini(&out);
}

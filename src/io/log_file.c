#include "io/log_file.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "io/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STAMP_BYTES = 40 };

struct log_file {
    pthread_mutex_t mutex;
    char *path;
    int fd;
};

static int open_path(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

int log_file_open(const char *path, struct log_file **ret)
{
    int fd = path ? open_path(path) : STDERR_FILENO;
    if (fd < 0)
        return fd;
    struct log_file *l = malloc(sizeof *l);
    char *copy = path ? strdup(path) : NULL;
    if (!l || (path && !copy)) {
        free(l);
        free(copy);
        if (path)
            close(fd);
        return -ENOMEM;
    }
    *l = (struct log_file){.path = copy, .fd = fd};
    pthread_mutex_init(&l->mutex, NULL);
    *ret = l;
    return 0;
}

void log_file_close(struct log_file *l)
{
    if (!l)
        return;
    if (l->path)
        close(l->fd);
    pthread_mutex_destroy(&l->mutex);
    free(l->path);
    free(l);
}

int log_file_reopen(struct log_file *l)
{
    if (!l->path)
        return 0;
    int fd = open_path(l->path);
    if (fd < 0)
        return fd;
    pthread_mutex_lock(&l->mutex);
    close(l->fd);
    l->fd = fd;
    pthread_mutex_unlock(&l->mutex);
    return 0;
}

/* "time=2026-11-21T01:02:03.004Z " */
static int append_stamp(struct buffer *out)
{
    struct walltime now = clock_walltime();
    time_t seconds = (time_t)(now.ms / 1000);
    struct tm tm;
    char text[STAMP_BYTES];
    if (!gmtime_r(&seconds, &tm) ||
        strftime(text, sizeof text, "time=%Y-%m-%dT%H:%M:%S", &tm) == 0)
        return -EINVAL;
    return buffer_printf(out, "%s.%03dZ ", text, (int)(now.ms % 1000));
}

static int append_stamped(struct buffer *out, struct bytes lines)
{
    while (lines.len > 0) {
        size_t n = bytes_find(lines, '\n');
        n += n < lines.len;
        int r = append_stamp(out);
        if (r == 0)
            r = buffer_append(out, lines.data, n);
        if (r != 0)
            return r;
        lines = bytes_from(lines, n);
    }
    return 0;
}

static void write_all(int fd, struct bytes out)
{
    while (out.len > 0) {
        ssize_t n = write(fd, out.data, out.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        out = bytes_from(out, (size_t)n);
    }
}

void log_file_write(struct log_file *l, struct bytes lines)
{
    struct buffer out;
    buffer_init(&out, 4 * LIMIT_LOG_BUFFER_BYTES);
    if (append_stamped(&out, lines) == 0) {
        pthread_mutex_lock(&l->mutex);
        write_all(l->fd, buffer_view(&out));
        pthread_mutex_unlock(&l->mutex);
    }
    buffer_fini(&out);
}

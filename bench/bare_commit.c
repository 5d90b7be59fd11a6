/* bare-commit PORT FILE: answers "+OK" to every command, to a write only when its bytes are on
 * disk. The floor of a server that keeps what it acknowledges: a log thread takes all that has
 * gathered, writes it into a zero-filled file, syncs, and the loop answers, while more gathers.
 */

#include "responder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_BYTES = 256 << 20, BUFFER_BYTES = 32 << 20 };

struct gathered {
    char *data;
    size_t len;
};

struct log {
    struct responder responder;
    uv_async_t moved;
    uv_check_t turn;
    int fd;
    off_t offset;          /* the log thread's */
    uint64_t appended;     /* the loop's: bytes ever gathered */
    uint64_t offered;      /* the loop's: those the log thread was told of */
    pthread_mutex_t mutex; /* over what follows */
    pthread_cond_t more;
    struct gathered gathered, written; /* the second is the log thread's, but for the swap */
    bool asked;
    uint64_t kept;
};

static uint64_t log_append(void *context, const char *data, size_t len)
{
    struct log *log = context;
    pthread_mutex_lock(&log->mutex);
    responder_check(log->gathered.len + len <= BUFFER_BYTES ? 0 : -ENOBUFS, "log");
    memcpy(log->gathered.data + log->gathered.len, data, len);
    log->gathered.len += len;
    pthread_mutex_unlock(&log->mutex);
    return log->appended += len;
}

/* After everything that arrived in this turn: wakes the log thread once. */
static void on_turn(uv_check_t *turn)
{
    struct log *log = turn->data;
    if (log->offered == log->appended)
        return;
    log->offered = log->appended;
    pthread_mutex_lock(&log->mutex);
    log->asked = true;
    pthread_cond_signal(&log->more);
    pthread_mutex_unlock(&log->mutex);
}

static void on_moved(uv_async_t *moved)
{
    struct log *log = moved->data;
    pthread_mutex_lock(&log->mutex);
    uint64_t kept = log->kept;
    pthread_mutex_unlock(&log->mutex);
    responder_kept(&log->responder, kept);
}

/* What has gathered, once there is some. */
static void log_take(struct log *log)
{
    pthread_mutex_lock(&log->mutex);
    while (!log->asked)
        pthread_cond_wait(&log->more, &log->mutex);
    log->asked = false;
    struct gathered taken = log->gathered;
    log->gathered = log->written;
    log->gathered.len = 0;
    log->written = taken;
    pthread_mutex_unlock(&log->mutex);
}

static void log_write(struct log *log)
{
    if (log->offset + (off_t)log->written.len > LOG_BYTES)
        log->offset = 0;
    ssize_t n = pwrite(log->fd, log->written.data, log->written.len, log->offset);
    responder_check(n == (ssize_t)log->written.len ? 0 : -EIO, "write");
    responder_check(fdatasync(log->fd) == 0 ? 0 : -errno, "fdatasync");
    log->offset += n;
}

static void *log_main(void *context)
{
    struct log *log = context;
    for (;;) {
        log_take(log);
        if (log->written.len == 0)
            continue;
        log_write(log);
        pthread_mutex_lock(&log->mutex);
        log->kept += log->written.len;
        pthread_mutex_unlock(&log->mutex);
        uv_async_send(&log->moved);
    }
    return NULL;
}

static void log_open(struct log *log, const char *path)
{
    log->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    responder_check(log->fd < 0 ? -errno : 0, path);
    log->gathered.data = calloc(1, BUFFER_BYTES);
    log->written.data = calloc(1, BUFFER_BYTES);
    responder_check(log->gathered.data && log->written.data ? 0 : -ENOMEM, "log");
    for (size_t done = 0; done < LOG_BYTES; done += BUFFER_BYTES)
        responder_check(
            write(log->fd, log->gathered.data, BUFFER_BYTES) == BUFFER_BYTES ? 0 : -EIO, path);
    responder_check(fsync(log->fd) == 0 ? 0 : -errno, path);
}

static void log_start(struct log *log)
{
    pthread_t thread;
    responder_check(-pthread_mutex_init(&log->mutex, NULL), "mutex");
    responder_check(-pthread_cond_init(&log->more, NULL), "condition");
    responder_check(uv_async_init(&log->responder.loop, &log->moved, on_moved), "async");
    responder_check(uv_check_init(&log->responder.loop, &log->turn), "check");
    responder_check(uv_check_start(&log->turn, on_turn), "check");
    log->moved.data = log->turn.data = log;
    log->responder.keep = log_append;
    log->responder.context = log;
    responder_check(-pthread_create(&thread, NULL, log_main, log), "thread");
}

int main(int argc, char **argv)
{
    static struct log log;
    responder_check(argc == 3 ? 0 : -EINVAL, "bare-commit PORT FILE");
    responder_init(&log.responder);
    log_open(&log, argv[2]);
    log_start(&log);
    responder_run(&log.responder, responder_port(argv[1]));
    return 0;
}

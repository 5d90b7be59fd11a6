/* bare-commit PORT FILE [LOOPS]: answers "+OK" to every command, to a write only when its bytes
 * are on disk. The floor of a server that keeps what it acknowledges: a log thread takes all
 * that has gathered, writes it into a zero-filled file, syncs, and the loops answer, while more
 * gathers. Each loop is a thread's; connections fall to them as they come.
 */

#include "responder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_BYTES = 256 << 20, BUFFER_BYTES = 32 << 20, LOOPS_MAX = 8 };

struct gathered {
    char *data;
    size_t len;
};

struct loop {
    struct responder responder;
    struct log *log;
    uv_async_t moved;
    uv_check_t turn;
    bool appended;     /* in this turn */
    uint64_t position; /* of what it appended last */
    atomic_bool waits; /* until that is kept */
};

struct log {
    struct loop loops[LOOPS_MAX];
    size_t loop_count;
    int fd;
    off_t offset;          /* the log thread's */
    pthread_mutex_t mutex; /* over what follows */
    pthread_cond_t more;
    struct gathered gathered, written; /* the second is the log thread's, but for the swap */
    bool asked;
    uint64_t appended, kept; /* bytes ever gathered, and on disk */
};

static uint64_t log_append(void *context, const char *data, size_t len)
{
    struct loop *loop = context;
    struct log *log = loop->log;
    loop->appended = true;
    pthread_mutex_lock(&log->mutex);
    responder_check(log->gathered.len + len <= BUFFER_BYTES ? 0 : -ENOBUFS, "log");
    memcpy(log->gathered.data + log->gathered.len, data, len);
    log->gathered.len += len;
    loop->position = log->appended += len;
    pthread_mutex_unlock(&log->mutex);
    return loop->position;
}

/* After everything that arrived in this turn: wakes the log thread once. */
static void on_turn(uv_check_t *turn)
{
    struct loop *loop = turn->data;
    struct log *log = loop->log;
    if (!loop->appended)
        return;
    loop->appended = false;
    pthread_mutex_lock(&log->mutex);
    log->asked = true;
    loop->waits = true;
    pthread_cond_signal(&log->more);
    pthread_mutex_unlock(&log->mutex);
}

static void on_moved(uv_async_t *moved)
{
    struct loop *loop = moved->data;
    struct log *log = loop->log;
    pthread_mutex_lock(&log->mutex);
    uint64_t kept = log->kept;
    loop->waits = kept < loop->position;
    pthread_mutex_unlock(&log->mutex);
    responder_kept(&loop->responder, kept);
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
        for (size_t i = 0; i < log->loop_count; i++)
            if (log->loops[i].waits)
                uv_async_send(&log->loops[i].moved);
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

static void loop_open(struct loop *loop, struct log *log)
{
    loop->log = log;
    responder_init(&loop->responder);
    responder_check(uv_async_init(&loop->responder.loop, &loop->moved, on_moved), "async");
    responder_check(uv_check_init(&loop->responder.loop, &loop->turn), "check");
    responder_check(uv_check_start(&loop->turn, on_turn), "check");
    loop->moved.data = loop->turn.data = loop;
    loop->responder.keep = log_append;
    loop->responder.context = loop;
}

static void *loop_main(void *context)
{
    responder_run(context);
    return NULL;
}

static void thread_start(void *(*main)(void *), void *context)
{
    pthread_t thread;
    responder_check(-pthread_create(&thread, NULL, main, context), "thread");
}

int main(int argc, char **argv)
{
    static struct log log;
    responder_check(argc == 3 || argc == 4 ? 0 : -EINVAL, "bare-commit PORT FILE [LOOPS]");
    log.loop_count = argc == 4 ? responder_number(argv[3], LOOPS_MAX) : 1;
    log_open(&log, argv[2]);
    responder_check(-pthread_mutex_init(&log.mutex, NULL), "mutex");
    responder_check(-pthread_cond_init(&log.more, NULL), "condition");
    int listener = responder_bind(responder_number(argv[1], UINT16_MAX));
    for (size_t i = 0; i < log.loop_count; i++) {
        loop_open(&log.loops[i], &log);
        responder_listen(&log.loops[i].responder, listener);
    }
    thread_start(log_main, &log);
    for (size_t i = 1; i < log.loop_count; i++)
        thread_start(loop_main, &log.loops[i].responder);
    responder_run(&log.loops[0].responder);
    return 0;
}

#ifndef KITH_IO_PROCESS_H
#define KITH_IO_PROCESS_H

/* Child processes (io/child.h) one talks with in lines. All of a set share a loop, and the
 * calls that wait run it, so what any child says meanwhile is kept.
 *
 * While a set lives, SIGINT, SIGTERM and SIGHUP are held back, but for those that were
 * ignored before: the call that waits returns PROCESS_INTERRUPTED, so that the caller can
 * clean up, and when the set ends the signal does what it would have done. */

#include "base/buffer.h"
#include "io/child.h"

#include <signal.h>
#include <uv.h>

#define PROCESS_LINE_BYTES_MAX ((size_t)2 * 1024 * 1024)

enum {
    PROCESS_ENDED = 1,       /* it has said its last line */
    PROCESS_TIMEOUT = 2,     /* not in that time */
    PROCESS_INTERRUPTED = 3, /* a signal is held back */
};

struct process_set {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_poll_t signals;
    int signal_fd;   /* readable once a signal is held back; it is never read */
    sigset_t before; /* the signals that were blocked when the set began */
    bool expired;
};

struct process {
    struct process_set *set; /* NULL: not spawned */
    struct child child;
    uv_poll_t exit;
    uv_pipe_t input, output;
    struct buffer heard;
    size_t taken; /* bytes of heard handed out by the last process_hear */
    bool ended;   /* the end of its output was seen */
    bool exited;
    int status; /* once exited: its exit code */
    int killed; /* ... or the signal that ended it */
};

/* To be called by the process's main thread, before others are started. -errno. */
int process_set_init(struct process_set *s);

/* Every process of the set must have been fini'd. Does not return where a signal was held
 * back that ends us. */
void process_set_fini(struct process_set *s);

/* Starts argv[0], a path or a name, with argv, which ends with NULL. The process must stay
 * where it is until process_fini. -errno, nothing then started. */
int process_spawn(struct process *p, struct process_set *s, const char *const *argv);

/* Ends the process by SIGKILL if it still runs, waits for it, frees. NULL-safe and safe on
 * zeroed ones. */
void process_fini(struct process *p);

/* Has text (not empty) written to its input while later calls wait; a process that does not
 * listen any more shows in those. */
int process_say(struct process *p, struct bytes text);
void process_end_input(struct process *p);

/* The next line of its output, without the LF; it holds until the next call for p. */
int process_hear(struct process *p, uint64_t timeout_ms, struct bytes *ret_line);

/* Waits until it has exited. */
int process_wait(struct process *p, uint64_t timeout_ms);

/* The same for whoever cleans up: a signal held back does not interrupt. */
int process_wait_anyway(struct process *p, uint64_t timeout_ms);

void process_kill(struct process *p, int signum);

#endif

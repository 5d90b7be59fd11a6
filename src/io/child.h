#ifndef KITH_IO_CHILD_H
#define KITH_IO_CHILD_H

/* A program started as a child: pipes are its standard input and output, its standard error is
 * ours.
 *
 * It does not outlive us: when the thread that started it ends, be it by SIGKILL, the kernel
 * kills the child. And it is in a session of its own, so that Ctrl+C at the terminal is for
 * us alone, who can then end it in good order. */

#include <signal.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int exit_fd; /* readable once it has exited; it must then be waited for */
    int input;   /* our end of its standard input */
    int output;  /* ... and of its standard output */
};

/* Starts argv[0], a path or a name to be looked for along PATH, with argv, which ends with
 * NULL, with mask as its blocked signals. -errno, nothing then started. */
int child_start(struct child *ret, const char *const *argv, const sigset_t *mask);

/* The same for the program at a path, under the name argv[0], with these descriptors, which
 * stay the caller's, as its standard input and output: ret->input and ret->output are -1. */
int child_start_program(struct child *ret, const char *path, const char *const *argv,
                        const sigset_t *mask, int input, int output);

/* Kills it, waits for it, closes its descriptors. */
void child_abandon(struct child *c);

#endif

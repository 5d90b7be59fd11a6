#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXEC_FAILED = 127 };

/* Ends of the pipes by which we talk: the child's first, then ours. problem carries the errno
 * of a child that did not become the program, and closes where it did. */
struct pipes {
    int input[2], output[2], problem[2];
};

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void close_pipes(const struct pipes *p)
{
    for (int i = 0; i < 2; i++) {
        close_if_open(p->input[i]);
        close_if_open(p->output[i]);
        close_if_open(p->problem[i]);
    }
}

static int open_pipes(struct pipes *p)
{
    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(p->input, O_CLOEXEC) == 0 && pipe2(p->output, O_CLOEXEC) == 0 &&
        pipe2(p->problem, O_CLOEXEC) == 0)
        return 0;
    int error = -errno;
    close_pipes(p);
    return error;
}

/* Of the child's standard streams, copies of what is given. */
static int open_on(struct pipes *p, int input, int output)
{
    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    p->input[0] = fcntl(input, F_DUPFD_CLOEXEC, 0);
    p->output[1] = fcntl(output, F_DUPFD_CLOEXEC, 0);
    if (p->input[0] >= 0 && p->output[1] >= 0 && pipe2(p->problem, O_CLOEXEC) == 0)
        return 0;
    int error = -errno;
    close_pipes(p);
    return error;
}

/* Between fork and exec: only what is safe in a signal handler. */
_Noreturn static void become(const char *path, const char *const *argv, const struct pipes *p,
                             pid_t parent, const sigset_t *mask)
{
    setsid();
    /* The parent may have ended before the kernel was asked to tell. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() != parent)
        _exit(EXEC_FAILED);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(p->input[0], STDIN_FILENO) >= 0 && dup2(p->output[1], STDOUT_FILENO) >= 0 &&
        pthread_sigmask(SIG_SETMASK, mask, NULL) == 0)
        execvp(path, (char *const *)(uintptr_t)argv);
    int error = errno;
    ssize_t n = write(p->problem[1], &error, sizeof error);
    (void)n; /* fewer bytes than a whole errno read as EIO */
    _exit(EXEC_FAILED);
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Waits until the child is the program. */
static int await_exec(int problem_fd)
{
    int error;
    ssize_t n;
    do
        n = read(problem_fd, &error, sizeof error);
    while (n < 0 && errno == EINTR);
    return n == 0 ? 0 : n == sizeof error ? -error : -EIO;
}

static int start(struct child *ret, const char *path, const char *const *argv,
                 const sigset_t *mask, const struct pipes *pipes)
{
    struct pipes p = *pipes;
    int r;
    signal(SIGCHLD, SIG_DFL); /* where it is ignored, nobody could be waited for */
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(path, argv, &p, parent, mask);
    struct child c = {.pid = pid, .exit_fd = -1, .input = p.input[1], .output = p.output[0]};
    if (pid < 0) {
        r = -errno;
        close_pipes(&p);
        return r;
    }
    close(p.input[0]);
    close(p.output[1]);
    close(p.problem[1]);
    r = await_exec(p.problem[0]);
    close(p.problem[0]);
    if (r == 0 && (c.exit_fd = pidfd_open(pid, 0)) < 0)
        r = -errno;
    if (r < 0)
        child_abandon(&c);
    else
        *ret = c;
    return r;
}

int child_start(struct child *ret, const char *const *argv, const sigset_t *mask)
{
    struct pipes p;
    int r = open_pipes(&p);
    return r < 0 ? r : start(ret, argv[0], argv, mask, &p);
}

int child_start_program(struct child *ret, const char *path, const char *const *argv,
                        const sigset_t *mask, int input, int output)
{
    struct pipes p;
    int r = open_on(&p, input, output);
    return r < 0 ? r : start(ret, path, argv, mask, &p);
}

void child_abandon(struct child *c)
{
    kill(c->pid, SIGKILL);
    reap(c->pid);
    close_if_open(c->exit_fd);
    close_if_open(c->input);
    close_if_open(c->output);
}

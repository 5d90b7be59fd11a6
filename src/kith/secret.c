#include "kith/secret.h"

#include "base/number.h"
#include "io/problem.h"
#include "io/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

static const char no_password[] =
    "the password is missing: it is typed at a terminal, or read with --password-file or "
    "--password-fd";

int secrets_open(struct secrets *from, struct session *s, const char *file)
{
    const struct options *o = &s->options;
    uint64_t number = 0;
    *from = (struct secrets){.fd = -1};
    if (!file && o->password_file && o->password_fd)
        return session_fail(s, EXIT_USAGE,
                            "--password-file and --password-fd exclude each other");
    if (!file && o->password_fd) {
        if (!number_parse_u64(bytes_from_str(o->password_fd), &number) || number > INT_MAX)
            return session_fail(s, EXIT_USAGE, "--password-fd is a descriptor's number");
        from->fd = (int)number;
        return EXIT_DONE;
    }
    file = file ? file : o->password_file;
    if (!file)
        return EXIT_DONE;
    from->fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    from->owns = true;
    return from->fd >= 0 ? EXIT_DONE
                         : session_fail(s, EXIT_USAGE, "cannot read %.200s: %s", file,
                                        problem_text(-errno));
}

void secrets_close(struct secrets *from)
{
    if (from->owns && from->fd >= 0)
        close(from->fd);
    *from = (struct secrets){.fd = -1};
}

void secret_wipe(struct buffer *secret)
{
    if (secret->data)
        sodium_memzero(secret->data, secret->capacity);
    buffer_fini(secret);
}

/* Byte by byte: what follows the line is the next secret, or somebody else's. */
static int read_line(int fd, struct buffer *out)
{
    for (;;) {
        uint8_t c;
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return buffer_len(out) > 0 ? 0 : -ENODATA;
        if (c == '\n')
            return 0;
        if (buffer_append(out, &c, 1) != 0)
            return -E2BIG;
    }
}

static int type(struct session *s, const char *prompt, const char *missing, struct buffer *out)
{
    if (!terminal_is_there())
        return session_fail(s, EXIT_USAGE, "%s", missing);
    int r = terminal_ask_secret(prompt, out);
    if (r == TERMINAL_INTERRUPTED) {
        secret_wipe(out);
        raise(SIGINT);
    }
    if (r < 0)
        return session_fail(s, EXIT_USAGE, "cannot read from the terminal: %s",
                            problem_text(r));
    return r == 0 ? EXIT_DONE : session_fail(s, EXIT_USAGE, "%s", missing);
}

int secret_take(struct secrets *from, struct session *s, const char *prompt,
                const char *missing, struct buffer *out)
{
    uint8_t *space;
    buffer_init(out, SECRET_BYTES);
    if (buffer_reserve(out, SECRET_BYTES, &space) != 0) /* it never moves */
        return session_fail(s, EXIT_NO, "%s", problem_text(-ENOMEM));
    if (from->fd < 0)
        return type(s, prompt, missing ? missing : no_password, out);
    int r = read_line(from->fd, out);
    if (r == -E2BIG)
        return session_fail(s, EXIT_USAGE, "a secret is at most %d bytes", SECRET_BYTES);
    if (r == -ENODATA)
        return session_fail(s, EXIT_USAGE, "%s", missing ? missing : no_password);
    return r == 0 ? EXIT_DONE
                  : session_fail(s, EXIT_USAGE, "cannot read the secret: %s", problem_text(r));
}

static bool is_same(const struct buffer *a, const struct buffer *b)
{
    return bytes_equal(buffer_view(a), buffer_view(b));
}

int secret_choose(struct secrets *from, struct session *s, struct buffer *out)
{
    struct buffer again;
    int code = secret_take(from, s, "New password: ", NULL, out);
    if (code != EXIT_DONE || from->fd >= 0)
        return code;
    code = secret_take(from, s, "Once more: ", NULL, &again);
    if (code == EXIT_DONE && !is_same(out, &again))
        code = session_fail(s, EXIT_USAGE, "these were two different passwords");
    secret_wipe(&again);
    return code;
}

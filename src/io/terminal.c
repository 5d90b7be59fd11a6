#include "io/terminal.h"

#include <errno.h>
#include <sodium.h>
#include <termios.h>
#include <unistd.h>

bool terminal_is_there(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

/* Byte by byte: what follows the line belongs to whoever reads next. */
static int read_byte(uint8_t *ret)
{
    ssize_t n;
    do
        n = read(STDIN_FILENO, ret, 1);
    while (n < 0 && errno == EINTR);
    return n > 0 ? 0 : n == 0 ? TERMINAL_END : -errno;
}

int terminal_ask(const char *prompt, struct buffer *line)
{
    if (write(STDOUT_FILENO, prompt, strlen(prompt)) < 0)
        return -errno;
    for (;;) {
        uint8_t c;
        int r = read_byte(&c);
        if (r != 0 || c == '\n')
            return r;
        r = buffer_append(line, &c, 1);
        if (r != 0)
            return r < 0 ? r : -E2BIG;
    }
}

/* ---- secrets ---- */

enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, DELETE = 127 };

enum { GOES_ON = 100 };

/* One typed byte of a line that the terminal does not edit for us. */
static int take_typed(uint8_t c, struct buffer *line)
{
    switch (c) {
    case '\n':
    case '\r':
        return 0;
    case CTRL_C:
        return TERMINAL_INTERRUPTED;
    case CTRL_D:
        return buffer_len(line) == 0 ? TERMINAL_END : GOES_ON;
    case CTRL_U:
        buffer_truncate(line, 0);
        return GOES_ON;
    case BACKSPACE:
    case DELETE:
        if (buffer_len(line) > 0)
            buffer_truncate(line, buffer_len(line) - 1);
        return GOES_ON;
    default: {
        int r = buffer_append(line, &c, 1);
        return r == 0 ? GOES_ON : r < 0 ? r : -E2BIG;
    }
    }
}

static int read_typed(struct buffer *line)
{
    int r = GOES_ON;
    while (r == GOES_ON) {
        uint8_t c;
        r = read_byte(&c);
        if (r == 0)
            r = take_typed(c, line);
        sodium_memzero(&c, sizeof c);
    }
    return r;
}

int terminal_ask_secret(const char *prompt, struct buffer *line)
{
    struct termios as_it_was, silent;
    if (tcgetattr(STDIN_FILENO, &as_it_was) != 0)
        return -errno;
    silent = as_it_was;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
        return -errno;
    int r = write(STDOUT_FILENO, prompt, strlen(prompt)) < 0 ? -errno : read_typed(line);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &as_it_was);
    if (write(STDOUT_FILENO, "\n", 1) < 0 && r == 0)
        r = -errno;
    return r;
}

#include "io/terminal.h"

#include <errno.h>
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

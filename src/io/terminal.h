#ifndef KITH_IO_TERMINAL_H
#define KITH_IO_TERMINAL_H

/* Asking a person who sits at a terminal. */

#include "base/buffer.h"

enum { TERMINAL_END = 1, TERMINAL_INTERRUPTED = 2 };

/* Both standard input and standard output are terminals: somebody is there to answer. */
bool terminal_is_there(void);

/* Writes the prompt to standard output and reads one line from standard input, appended to
 * line without its ending. TERMINAL_END where the input ended first; -errno; BUFFER_FULL is
 * reported as -E2BIG. */
int terminal_ask(const char *prompt, struct buffer *line);

/* The same for a secret: nothing of it is shown. TERMINAL_INTERRUPTED: Ctrl+C was typed; the
 * caller ends as if by its signal. line has room, so that no copy of it is left in memory. */
int terminal_ask_secret(const char *prompt, struct buffer *line);

#endif

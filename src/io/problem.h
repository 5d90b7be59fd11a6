#ifndef KITH_IO_PROBLEM_H
#define KITH_IO_PROBLEM_H

/* What went wrong with a file, a socket or a name, in words that follow a colon. */

/* error is -errno, or libuv's UV_EAI_*. Static. */
const char *problem_text(int error);

#endif

#ifndef KITH_IO_ENTROPY_H
#define KITH_IO_ENTROPY_H

/* Random bytes from the kernel. */

#include <stddef.h>
#include <stdint.h>

/* 0 or -errno. May wait early in the machine's start, never later. */
int entropy_fill(void *to, size_t n);

#endif

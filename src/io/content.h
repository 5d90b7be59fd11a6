#ifndef KITH_IO_CONTENT_H
#define KITH_IO_CONTENT_H

/* What an open file holds, from a place in it on: all that is asked for, however many calls of
 * the system that takes. */

#include "base/bytes.h"

/* *ret_n is less than room only at the end of the file. -errno. */
int content_read(int fd, uint64_t offset, uint8_t *into, size_t room, size_t *ret_n);

/* -errno: some of it may be written. */
int content_write(int fd, uint64_t offset, struct bytes data);

#endif

#ifndef KITH_IO_COURIER_H
#define KITH_IO_COURIER_H

/* Messages between a process and its child, whole and in order (Unix, SOCK_SEQPACKET): at most
 * COURIER_BYTES each, with a descriptor beside them where one is to be handed over. */

#include "base/buffer.h"

enum { COURIER_BYTES = 64 * 1024 };

enum { COURIER_OVER = 1 /* the other end is closed */ };

/* Both ends, which are not inherited. -errno. */
int courier_pair(int ret[2]);

/* Blocks until there is room. fd -1: none; it stays the caller's. COURIER_OVER, -errno. */
int courier_send(int courier, struct bytes message, int fd);

/* One message, appended to out, which has room for it; *ret_fd is the caller's then, -1: none
 * came. -EAGAIN where nothing is there and wait is false. COURIER_OVER, -errno. */
int courier_receive(int courier, bool wait, struct buffer *out, int *ret_fd);

#endif

#ifndef KITH_IO_TCP_WINDOW_H
#define KITH_IO_TCP_WINDOW_H

/* Who is slow, as TCP knows it (tcp_info of linux/tcp.h, which is newer than the C library's).
 */

#include <stdint.h>

/* For how long, in all, what was written to this connection has waited for the other side to
 * take what it has (tcpi_rwnd_limited, Linux 4.10), in microseconds; 0 where that cannot be
 * told. */
uint64_t tcp_window_refused_us(int fd);

#endif

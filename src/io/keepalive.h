#ifndef KITH_IO_KEEPALIVE_H
#define KITH_IO_KEEPALIVE_H

/* A TCP connection to a machine that is gone without a word, its cable cut or its power off,
 * ends after about LIMIT_GONE_MS, whether something is said on it or not (tcp(7): TCP_KEEPIDLE
 * and its kin, TCP_USER_TIMEOUT). */

void keepalive_begin(int fd);

#endif

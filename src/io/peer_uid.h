#ifndef KITH_IO_PEER_UID_H
#define KITH_IO_PEER_UID_H

/* Who is at the other end of a connection from this machine: the kernel's word, not the
 * other end's. */

#include <stdbool.h>
#include <stdint.h>

/* A Unix socket: SO_PEERCRED, the user who connected. False where it cannot be known. */
bool peer_uid_unix(int fd, uint32_t *ret_uid);

/* Loopback TCP: the owner of the socket at the other end, by sock_diag(7). False where it
 * cannot be known: above all when no process holds that socket any more. For such a socket the
 * kernel says uid 0, so a socket without an inode is never believed. */
bool peer_uid_loopback(int fd, uint32_t *ret_uid);

#endif

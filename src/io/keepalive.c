#include "io/keepalive.h"

#include "base/limits.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* After half of the time is asked, three times. Where an option is not to be had, the system's
 * own times hold. */
void keepalive_begin(int fd)
{
    enum { GONE_S = LIMIT_GONE_MS / 1000, PROBES = 3 };
    const int on = 1, idle_s = GONE_S / 2, every_s = GONE_S / 2 / PROBES, probes = PROBES;
    const unsigned gone_ms = LIMIT_GONE_MS;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof gone_ms);
}

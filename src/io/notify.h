#ifndef KITH_IO_NOTIFY_H
#define KITH_IO_NOTIFY_H

/* Tells a supervisor how the service stands: one datagram to the Unix socket that the
 * environment names in NOTIFY_SOCKET (sd_notify(3), "NOTES": the protocol is stable and may be
 * spoken without the library). A leading '@' means the abstract namespace. */

/* state is "READY=1", "STOPPING=1" ... Without NOTIFY_SOCKET nothing happens. 0 or -errno. */
int notify_supervisor(const char *state);

#endif

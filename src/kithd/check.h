#ifndef KITH_KITHD_CHECK_H
#define KITH_KITHD_CHECK_H

/* kithd --check DIR: reads a data folder as a start would, changes nothing of what it holds,
 * and says what is in it, a line each, or where it is damaged. The folder must not be in use.
 */

/* DAEMON_DONE: it is whole; DAEMON_FAILED: it is not; DAEMON_NO_START: it cannot be read. */
int check_run(const char *path);

#endif

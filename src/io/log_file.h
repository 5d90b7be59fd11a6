#ifndef KITH_IO_LOG_FILE_H
#define KITH_IO_LOG_FILE_H

/* Where log lines go: a file, appended to, or standard error. Each line gets the time in front.
 * Any thread may write. A line that cannot be written is lost: a log never stops the work. */

#include "base/bytes.h"

struct log_file;

/* path NULL: standard error. -errno. log_file_close takes NULL. */
int log_file_open(const char *path, struct log_file **ret);
void log_file_close(struct log_file *l);

/* Opens the path anew, after somebody has moved the file away; the old one is kept where that
 * fails. */
int log_file_reopen(struct log_file *l);

/* Whole lines, each ending in a newline. */
void log_file_write(struct log_file *l, struct bytes lines);

#endif

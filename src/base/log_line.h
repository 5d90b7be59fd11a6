#ifndef KITH_BASE_LOG_LINE_H
#define KITH_BASE_LOG_LINE_H

/* Log lines in logfmt: level=info msg="..." key=value ..., one line each. Machines write
 * them into a buffer; whoever owns a log adds the time in front and writes them out.
 * Values are cleaned (base/clean.h) and quoted where they need it.
 *
 * A log line that does not fit is dropped whole: a log never stops the work. */

#include "base/buffer.h"

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_line {
    struct buffer *out;
    size_t start; /* length of out before the line */
    bool failed;
};

/* Begins a line; out must outlive it. */
struct log_line log_line_begin(struct buffer *out, enum log_level level, const char *message);
void log_line_bytes(struct log_line *line, const char *key, struct bytes value);
void log_line_str(struct log_line *line, const char *key, const char *value);
void log_line_number(struct log_line *line, const char *key, int64_t value);

/* Ends the line with a newline, or takes all of it back where a part did not fit. */
void log_line_end(struct log_line *line);

#endif

#ifndef KITH_BASE_CLEAN_H
#define KITH_BASE_CLEAN_H

/* The one output cleaner. Whatever came from outside passes it before it reaches a terminal
 * or a log: C0 and C1 controls, DEL, line separators, bidirectional controls and zero-width
 * format characters, and bytes that are not UTF-8 come out as \xNN, byte by byte. */

#include "base/buffer.h"

/* Appends text to out, cleaned; at most max bytes of text are shown, then "...". Where that
 * fails, part of it may have been appended. */
int clean_append(struct buffer *out, struct bytes text, size_t max);

/* True where clean_append would change nothing but the length. */
bool clean_is_clean(struct bytes text);

#endif

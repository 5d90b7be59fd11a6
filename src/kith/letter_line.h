#ifndef KITH_KITH_LETTER_LINE_H
#define KITH_KITH_LETTER_LINE_H

/* A letter that came, as the commands for scripts print it: its lines, or an object with
 * --json.
 */

#include "kith/contact.h"

/* False where it could not be printed. */
bool letter_line_print(struct output *o, const struct peer_letter *l);

/* post_handler.warn: says what is wrong with one; an exit code. */
int letter_line_warn(struct post *p, enum post_warning warning, struct bytes name);

#endif

#ifndef KITH_KITH_HELP_H
#define KITH_KITH_HELP_H

/* kith help: what kith can do, in words. */

#include "kith/output.h"

void help_print(struct output *o);

/* More on one command, or on "raw"; false where there is nothing of that name. */
bool help_print_command(struct output *o, const char *name);

#endif

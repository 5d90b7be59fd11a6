#ifndef KITH_IO_PROGRAM_H
#define KITH_IO_PROGRAM_H

/* Where the programs are that belong together. */

#include <limits.h>

/* The path of our own; empty where it is not known. */
void program_self(char out[PATH_MAX]);

/* The path of the program called name: beside our own where it is there, else name itself,
 * to be looked for along PATH. */
void program_find(const char *name, char out[PATH_MAX]);

#endif

#ifndef KITH_BASE_COLUMNS_H
#define KITH_BASE_COLUMNS_H

/* How many columns of a terminal a character takes. */

#include <stdbool.h>
#include <stdint.h>

/* 0 for what is put on the character before it, 2 for wide ones, else 1. code is no control
 * character. */
unsigned columns_of(uint32_t code);

#endif

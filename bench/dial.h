#ifndef KITH_BENCH_DIAL_H
#define KITH_BENCH_DIAL_H

/* One blocking connection to 127.0.0.1 for the load programs. What fails ends the program, with
 * a message: a benchmark that went wrong has no figures. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Noreturn void dial_fail(const char *what);

/* The number in a program's argument, at least min. */
uint64_t dial_number(const char *argument, uint64_t min);

int dial(uint16_t port);
void dial_send(int fd, const char *data, size_t len);

/* At least one byte and at most size; returns how many. */
size_t dial_receive(int fd, char *ret_data, size_t size);

#endif

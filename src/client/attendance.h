#ifndef KITH_CLIENT_ATTENDANCE_H
#define KITH_CLIENT_ATTENDANCE_H

/* That somebody is present on a hub, as WHO lists it: an array of [name, since, devices] for
 * each who is. */

#include "base/limits.h"
#include "base/time.h"
#include "people/account_name.h"
#include "wire/resp_reply.h"

struct attendance {
    struct bytes name; /* valid; the reply's */
    int64_t since;     /* seconds since 1970; as milliseconds it does not overflow */
    int64_t devices;
};

enum { ATTENDANCE_VALUES = 4, ATTENDANCE_TEXT_BYTES = ACCOUNT_NAME_BYTES + 100 };

/* row: the head of one, and the n values that there are from it on. False: that is none. */
bool attendance_read(const struct resp_value *row, size_t n, struct attendance *ret);

/* "bob          2 h, 2 devices, verified": for how long, by now. */
void attendance_write(char out[ATTENDANCE_TEXT_BYTES], const struct attendance *a,
                      struct walltime now, bool verified);

#endif

#ifndef KITH_BASE_USAGE_H
#define KITH_BASE_USAGE_H

/* What a process has used of its machine, as the kernel counts it. */

#include <stdint.h>

struct usage {
    uint64_t user_us, system_us;           /* of CPU */
    uint64_t resident_bytes, resident_max; /* of memory, now and at most */
};

#endif

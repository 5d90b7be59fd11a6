#ifndef KITH_LIB_CROWD_H
#define KITH_LIB_CROWD_H

/* Who is present on the hub, as far as the program was told, in the order of names. At most
 * LIMIT_CROWD; names that differ in case alone are one. */

#include "base/bytes.h"
#include "people/account_name.h"

enum { CROWD_FULL = 1 };

struct crowd_person {
    char key[ACCOUNT_NAME_BYTES + 1];  /* in lower case */
    char name[ACCOUNT_NAME_BYTES + 1]; /* as the hub wrote it */
    bool counted;                      /* since crowd_count_anew */
};

struct crowd {
    struct crowd_person *people;
    size_t count, capacity;
};

void crowd_fini(struct crowd *c);

/* NULL where he is not in it. Holds until the next crowd_add or crowd_remove. */
struct crowd_person *crowd_find(const struct crowd *c, struct bytes name);

/* Adds one who is not in it. CROWD_FULL, -ENOMEM. */
int crowd_add(struct crowd *c, struct bytes name);

void crowd_remove(struct crowd *c, struct crowd_person *person);

/* Nobody is counted. */
void crowd_count_anew(struct crowd *c);

/* One who was not counted; NULL where all were. */
struct crowd_person *crowd_uncounted(const struct crowd *c);

#endif

#ifndef KITH_MEET_INBOX_PLACE_H
#define KITH_MEET_INBOX_PLACE_H

/* Where files that come go, when nobody says: Downloads/kith in the home folder,
 * Downloads/kith-NAME for another profile than the default one. */

#include "base/random_id.h"

#include <limits.h>

/* Absolute. -ENOENT where there is no home folder, -ENAMETOOLONG. */
int inbox_place(const char *profile, char out[PATH_MAX]);

/* The same of a folder that was given, absolute or from the working folder. -errno. */
int inbox_place_given(const char *folder, char out[PATH_MAX]);

/* Makes the folder, and those above it, where they are not there, and opens it: a descriptor.
 * -errno. */
int inbox_place_open(const char *path);

/* Of this transfer, what was staged there and not published is gone. -errno. */
int inbox_place_clear(const char *path, const struct random_id *id);

#endif

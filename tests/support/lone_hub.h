#ifndef KITH_TESTS_LONE_HUB_H
#define KITH_TESTS_LONE_HUB_H

/* One hub on a store of its own, in memory, for fuzz targets: what fails here aborts. */

#include "hub/hub.h"
#include "store/embedded.h"
#include "support/faulty_disk.h"

struct lone_hub {
    struct faulty_disk *disk;
    struct embedded *store;
    struct hub_shared shared;
    struct hub hub;
};

/* *h stays where it is. Passwords cost the least. */
void lone_hub_open(struct lone_hub *h, const struct hub_config *config);

/* No connection may be left. */
void lone_hub_close(struct lone_hub *h);

#endif

#ifndef KITH_HUB_INFO_H
#define KITH_HUB_INFO_H

/* INFO [section ...]: what the hub knows of itself, in the sections and by the names that Redis
 * and those who watch it use, as far as there is something to say. */

#include "hub/command.h"

/* Handles the command. */
int info_run(struct call *call);

#endif

#ifndef KITH_KITHD_DATA_PATH_H
#define KITH_KITHD_DATA_PATH_H

/* Where a hub keeps its data when nobody says: a folder of the user's own, by port, so that two
 * hubs on two ports need no option. $XDG_DATA_HOME/kith/hub-PORT, or
 * ~/.local/share/kith/hub-PORT (XDG Base Directory Specification); where there is no TCP port,
 * the first Unix socket's whole path with its slashes turned to dashes stands for it. */

#include "io/listener.h"

/* A malloc'd path; NULL where there is no home (or no memory). */
char *data_path_default(const struct listener *listeners, size_t count);

#endif

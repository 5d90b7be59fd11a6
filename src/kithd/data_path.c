#include "kithd/data_path.h"

#include <stdio.h>
#include <stdlib.h>

/* The first port; or the socket's whole path, dashes for slashes. NULL: out of memory. */
static char *hub_label(const struct listener *listeners, size_t count)
{
    char *label;
    for (size_t i = 0; i < count; i++)
        if (!listeners[i].is_unix)
            return asprintf(&label, "%u", listeners[i].port) < 0 ? NULL : label;
    label = realpath(listeners[0].path, NULL);
    for (char *c = label; c && *c; c++)
        *c = *c == '/' ? '-' : *c;
    return label;
}

char *data_path_default(const struct listener *listeners, size_t count)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    bool given = data && data[0] == '/';
    if (!given && !(home && home[0] == '/'))
        return NULL;
    char *path, *label = hub_label(listeners, count);
    if (!label)
        return NULL;
    int n = asprintf(&path, "%s%s/kith/hub-%s", given ? data : home,
                     given ? "" : "/.local/share", label);
    free(label);
    return n < 0 ? NULL : path;
}

#include "kithd/data_path.h"

#include <stdio.h>
#include <stdlib.h>

static void hub_label(const struct listener *listeners, size_t count,
                      char out[LISTENER_TEXT_BYTES])
{
    for (size_t i = 0; i < count; i++) {
        if (!listeners[i].is_unix) {
            snprintf(out, LISTENER_TEXT_BYTES, "%u", listeners[i].port);
            return;
        }
    }
    snprintf(out, LISTENER_TEXT_BYTES, "%s", listeners[0].path);
    for (char *c = out; *c; c++)
        *c = *c == '/' ? '-' : *c;
}

char *data_path_default(const struct listener *listeners, size_t count)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    bool given = data && data[0] == '/';
    if (!given && !(home && home[0] == '/'))
        return NULL;
    char label[LISTENER_TEXT_BYTES], *path;
    hub_label(listeners, count, label);
    int n = asprintf(&path, "%s%s/kith/hub-%s", given ? data : home,
                     given ? "" : "/.local/share", label);
    return n < 0 ? NULL : path;
}

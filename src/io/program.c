#include "io/program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void program_self(char out[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
}

void program_find(const char *name, char out[PATH_MAX])
{
    program_self(out);
    char *slash = strrchr(out, '/');
    size_t room = slash ? (size_t)(PATH_MAX - (slash + 1 - out)) : 0;
    if (room > strlen(name)) {
        memcpy(slash + 1, name, strlen(name) + 1);
        if (access(out, X_OK) == 0)
            return;
    }
    snprintf(out, PATH_MAX, "%s", name);
}

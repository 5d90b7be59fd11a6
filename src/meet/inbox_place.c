#include "meet/inbox_place.h"

#include "io/inbox_folder.h"
#include "meet/self.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int inbox_place(const char *profile, char out[PATH_MAX])
{
    const char *home = getenv("HOME");
    bool other = profile && strcmp(profile, SELF_DEFAULT_PROFILE) != 0;
    if (!home || home[0] != '/')
        return -ENOENT;
    int n = snprintf(out, PATH_MAX, "%s/Downloads/kith%s%s", home, other ? "-" : "",
                     other ? profile : "");
    return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int inbox_place_given(const char *folder, char out[PATH_MAX])
{
    char here[PATH_MAX];
    if (folder[0] == '/')
        return snprintf(out, PATH_MAX, "%s", folder) < PATH_MAX ? 0 : -ENAMETOOLONG;
    if (!getcwd(here, sizeof here))
        return -errno;
    if (strcmp(folder, ".") == 0)
        return snprintf(out, PATH_MAX, "%s", here) < PATH_MAX ? 0 : -ENAMETOOLONG;
    return snprintf(out, PATH_MAX, "%s/%s", here, folder) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int make(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : -errno;
}

int inbox_place_open(const char *path)
{
    char part[PATH_MAX];
    int n = snprintf(part, sizeof part, "%s", path), r = 0;
    if (n >= (int)sizeof part)
        return -ENAMETOOLONG;
    for (char *slash = strchr(part + 1, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        r = make(part);
        *slash = '/';
    }
    if (r == 0)
        r = make(part);
    if (r < 0)
        return r;
    int fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int inbox_place_clear(const char *path, const struct random_id *id)
{
    struct inbox_folder f;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!inbox_folder_is_there(fd, id)) {
        close(fd);
        return 0;
    }
    int r = inbox_folder_open(&f, fd, id, INBOX_REFUSE);
    close(fd);
    if (r != 0)
        return r == INBOX_FOLDER_BUSY ? -EBUSY : r;
    r = f.inbox.ops->clear(&f.inbox);
    inbox_folder_close(&f);
    return r;
}

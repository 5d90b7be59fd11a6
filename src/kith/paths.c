#include "kith/paths.h"

#include "base/clean.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* More of one folder are not looked at. */
enum { ENTRIES_MAX = 10000 };

static void offer(struct completion *c, struct bytes folder, DIR *dir, const char *name)
{
    struct buffer path;
    struct stat st;
    buffer_init(&path, PATH_MAX);
    int r = folder.len > 0 ? buffer_append_bytes(&path, folder) : 0;
    if (r == 0)
        r = buffer_append_str(&path, name);
    if (r == 0 && fstatat(dirfd(dir), name, &st, 0) == 0 && S_ISDIR(st.st_mode))
        r = buffer_append_str(&path, "/");
    if (r == 0 && clean_is_clean(buffer_view(&path)))
        completion_offer(c, buffer_view(&path));
    buffer_fini(&path);
}

void paths_offer(struct completion *c)
{
    char folder[PATH_MAX];
    size_t at = c->word.len;
    while (at > 0 && c->word.data[at - 1] != '/')
        at--;
    if (at >= sizeof folder)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)at, (const char *)c->word.data);
    bool hidden = at < c->word.len && c->word.data[at] == '.';
    DIR *dir = opendir(at > 0 ? folder : ".");
    if (!dir)
        return;
    const struct dirent *entry;
    for (size_t n = 0; n < ENTRIES_MAX && (entry = readdir(dir)); n++) {
        if (hidden || entry->d_name[0] != '.')
            offer(c, bytes_first(c->word, at), dir, entry->d_name);
    }
    closedir(dir);
}

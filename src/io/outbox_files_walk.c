#include "io/outbox_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHOWN_BYTES = PATH_MAX + (int)LIMIT_TRANSFER_PATH_BYTES + NAME_MAX + 2 };

/* A folder whose entries are being listed. */
struct level {
    DIR *dir;
    size_t shown_len; /* of its path */
};

struct walk {
    struct outbox_list_writer list;
    struct outbox_files_keys keys;
    outbox_files_told told;
    void *ctx;
    char shown[SHOWN_BYTES]; /* the path of what is looked at, as the person would write it */
    size_t shown_len;
    size_t named_len; /* so much of it the person has named ... */
    size_t name_len;  /* ... and so long is the name that this gets */
    struct level levels[LIMIT_TRANSFER_DEPTH];
    unsigned depth;
};

/* Where something is to be found, and what it is called. */
struct found {
    int folder;
    const char *where; /* from that folder */
    int no_follow;     /* AT_SYMLINK_NOFOLLOW, or 0 */
    const char *name;
    struct bytes path; /* at the top: from the root */
};

static int tell(struct walk *w, enum outbox_files_problem problem, int error)
{
    w->told(w->ctx, w->shown, w->depth == 0, problem, error);
    return 0;
}

/* ---- one thing that was found ---- */

static int add(struct walk *w, const struct found *f, enum transfer_kind kind,
               const struct outbox_state *state)
{
    const struct outbox_record record = {.kind = kind,
                                         .depth = w->depth,
                                         .state = *state,
                                         .name = bytes_from_str(f->name),
                                         .path = f->path};
    return outbox_list_add(&w->list, &record);
}

static int list_file(struct walk *w, const struct found *f, const struct outbox_state *state)
{
    if (faccessat(f->folder, f->where, R_OK, AT_EACCESS) != 0)
        return tell(w, OUTBOX_FILES_UNREADABLE, -errno);
    return add(w, f, TRANSFER_FILE, state);
}

static int list_folder(struct walk *w, const struct found *f, const struct outbox_state *state)
{
    if (state->device == w->keys.device && state->inode == w->keys.inode)
        return tell(w, OUTBOX_FILES_KEYS, 0);
    if (w->depth == LIMIT_TRANSFER_DEPTH)
        return tell(w, OUTBOX_FILES_DEEP, 0);
    int fd = openat(f->folder, f->where,
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC | (f->no_follow ? O_NOFOLLOW : 0));
    if (fd < 0)
        return tell(w, OUTBOX_FILES_UNREADABLE, -errno);
    int r = add(w, f, TRANSFER_FOLDER, state);
    DIR *dir = r == 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        r = r == 0 ? -errno : r;
        close(fd);
        return r;
    }
    w->levels[w->depth++] = (struct level){dir, w->shown_len};
    return 0;
}

static int list_one(struct walk *w, const struct found *f)
{
    struct outbox_state state;
    mode_t mode;
    int r = outbox_state_look(f->folder, f->where, f->no_follow, &state, &mode);
    if (r < 0)
        return tell(w, OUTBOX_FILES_UNREADABLE, r);
    if (S_ISREG(mode))
        return list_file(w, f, &state);
    if (S_ISDIR(mode))
        return list_folder(w, f, &state);
    return tell(w, S_ISLNK(mode) ? OUTBOX_FILES_LINK : OUTBOX_FILES_SPECIAL, 0);
}

/* ---- all that is in a folder ---- */

/* Of a name in the folder that is listed; false: it is too long, and cut. */
static bool show(struct walk *w, const char *name)
{
    size_t folder = w->levels[w->depth - 1].shown_len, room = sizeof w->shown - folder;
    int n = snprintf(w->shown + folder, room, "/%s", name);
    w->shown_len = folder + (size_t)n;
    return (size_t)n < room &&
           w->name_len + w->shown_len - w->named_len <= LIMIT_TRANSFER_PATH_BYTES;
}

static int list_child(struct walk *w, const char *name)
{
    const struct found child = {.folder = dirfd(w->levels[w->depth - 1].dir),
                                .where = name,
                                .no_follow = AT_SYMLINK_NOFOLLOW,
                                .name = name};
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    return show(w, name) ? list_one(w, &child) : tell(w, OUTBOX_FILES_LONG, 0);
}

static void leave(struct walk *w)
{
    closedir(w->levels[--w->depth].dir);
}

/* The next of the deepest folder that is open. What a folder does not tell is missing. */
static int list_next(struct walk *w)
{
    struct level *level = &w->levels[w->depth - 1];
    errno = 0;
    const struct dirent *e = readdir(level->dir);
    if (e)
        return list_child(w, e->d_name);
    int error = -errno;
    w->shown[level->shown_len] = '\0';
    leave(w);
    return error == 0 ? 0 : tell(w, OUTBOX_FILES_UNREADABLE, error);
}

/* ---- what the person has named ---- */

/* A path from the root, as it was named; false: it is too long. */
static bool from_root(const char *path, char ret[PATH_MAX])
{
    char here[PATH_MAX];
    bool is_absolute = path[0] == '/';
    if (!is_absolute && !getcwd(here, sizeof here))
        return false;
    int n = is_absolute ? snprintf(ret, PATH_MAX, "%s", path)
                        : snprintf(ret, PATH_MAX, "%s/%s", here, path);
    return n < PATH_MAX;
}

/* The last component of a path, which may have slashes at its end. */
static struct bytes last_of(const char *path)
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    return bytes_make(path + begin, end - begin);
}

/* What is named by dots is called as it is where it lies. */
static bool name_of(const char *path, struct beneath_name *ret)
{
    char real[PATH_MAX];
    if (beneath_name_read(last_of(path), ret))
        return true;
    return realpath(path, real) && beneath_name_read(last_of(real), ret);
}

static bool show_named(struct walk *w, const char *path)
{
    int n = snprintf(w->shown, sizeof w->shown, "%s", path);
    w->shown_len = w->named_len = (size_t)n;
    return (size_t)n < sizeof w->shown;
}

static int list_named(struct walk *w, const char *path)
{
    char absolute[PATH_MAX];
    struct beneath_name name;
    if (!show_named(w, path) || !from_root(path, absolute))
        return tell(w, OUTBOX_FILES_LONG, 0);
    if (!name_of(path, &name))
        return tell(w, OUTBOX_FILES_UNREADABLE, -ENOENT);
    w->name_len = strlen(name.text);
    const struct found top = {.folder = AT_FDCWD,
                              .where = absolute,
                              .name = name.text,
                              .path = bytes_from_str(absolute)};
    int r = list_one(w, &top);
    while (r == 0 && w->depth > 0)
        r = list_next(w);
    while (w->depth > 0)
        leave(w);
    return r;
}

/* ---- names, before anything is listed ---- */

struct named {
    const char *path;
    struct beneath_name name;
};

static int compare_names(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return strcmp(x->name.text, y->name.text);
}

static int refuse(struct walk *w, const char *path, enum outbox_files_problem problem)
{
    show_named(w, path);
    tell(w, problem, 0);
    return OUTBOX_FILES_REFUSED;
}

/* What is not there has no name; it is told of when it is looked for. */
static int name_all(struct walk *w, const char *const *paths, size_t count, struct named *ret)
{
    char real[PATH_MAX];
    for (size_t i = 0; i < count; i++) {
        ret[i].path = paths[i];
        if (name_of(paths[i], &ret[i].name))
            continue;
        if (realpath(paths[i], real) && strcmp(real, "/") == 0)
            return refuse(w, paths[i], OUTBOX_FILES_NAMELESS);
        ret[i].name.text[0] = '\0';
    }
    return 0;
}

static int check_names(struct walk *w, const char *const *paths, size_t count)
{
    struct named *named = calloc(count > 0 ? count : 1, sizeof *named);
    if (!named)
        return -ENOMEM;
    int r = name_all(w, paths, count, named);
    if (r == 0)
        qsort(named, count, sizeof *named, compare_names);
    for (size_t i = 1; i < count && r == 0; i++) {
        if (named[i].name.text[0] != '\0' && compare_names(&named[i - 1], &named[i]) == 0)
            r = refuse(w, named[i].path, OUTBOX_FILES_TWICE);
    }
    free(named);
    return r;
}

int outbox_files_walk(int list_fd, const char *const *paths, size_t count,
                      struct outbox_files_keys keys, struct outbox_totals *ret,
                      outbox_files_told told, void *ctx)
{
    struct walk *w = malloc(sizeof *w);
    if (!w)
        return -ENOMEM;
    w->keys = keys;
    w->told = told;
    w->ctx = ctx;
    w->depth = 0;
    int r = check_names(w, paths, count);
    outbox_list_begin(&w->list, list_fd);
    for (size_t i = 0; i < count && r == 0; i++)
        r = list_named(w, paths[i]);
    if (r == 0)
        r = outbox_list_finish(&w->list);
    if (r == 0)
        *ret = w->list.totals;
    free(w);
    return r;
}

#include "io/inbox_folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names ---- */

/* The name at the top of the inbox for what is called so. */
static bool public_name(struct bytes name, struct beneath_name *ret)
{
    if (!beneath_name_read(name, ret) || bytes_equal_nocase_str(name, ".kith"))
        return false;
    if (ret->text[0] == '.')
        ret->text[0] = '_';
    return true;
}

enum { EXTENSION_MAX = 32 }; /* what is longer is no extension */

/* How much of a name stands before its extension. A folder has none. */
static size_t stem_of(const char *name, bool is_folder)
{
    const char *dot = strrchr(name, '.');
    size_t len = strlen(name);
    bool has_one = !is_folder && dot && dot > name && strlen(dot) <= EXTENSION_MAX;
    return has_one ? (size_t)(dot - name) : len;
}

/* A shorter stem that ends where a character does, if it is UTF-8. */
static size_t shorten(const char *stem, size_t len)
{
    while (len > 1 && ((uint8_t)stem[len] & 0xc0) == 0x80)
        len--;
    return len;
}

/* "a.txt" -> "a (2).txt" */
static void numbered_name(const struct beneath_name *name, bool is_folder, unsigned n,
                          struct beneath_name *ret)
{
    char end[16 + EXTENSION_MAX + 1];
    size_t stem = stem_of(name->text, is_folder);
    size_t len = (size_t)snprintf(end, sizeof end, " (%u)%s", n, name->text + stem);
    if (stem + len > NAME_MAX)
        stem = shorten(name->text, NAME_MAX - len);
    memcpy(ret->text, name->text, stem);
    memcpy(ret->text + stem, end, len + 1);
}

/* ---- may it be? ---- */

static bool is_there(int folder, const char *name)
{
    struct stat st;
    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Asks the file system, by making something of that name where nobody sees it. */
static int try_name(int folder, const char *name)
{
    if (mkdirat(folder, name, 0700) != 0)
        return errno == EEXIST ? 0 : -errno;
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

int inbox_folder_check_name(struct inbox *i, struct bytes name)
{
    struct inbox_folder *f = inbox_folder(i);
    struct beneath_name public;
    if (!public_name(name, &public))
        return INBOX_NAME;
    int r = try_name(f->staging_fd, public.text);
    if (r < 0)
        return inbox_folder_is_no_name(r) ? INBOX_NAME : r;
    return f->rule == INBOX_REFUSE && is_there(f->top_fd, public.text) ? INBOX_TAKEN : 0;
}

/* ---- it is ---- */

/* Only a plain file gives way, and only to one. */
static bool may_replace(const struct inbox_folder *f, const char *name, bool is_folder)
{
    struct stat st;
    if (f->rule != INBOX_REPLACE || is_folder || name[0] == '_')
        return false;
    return fstatat(f->top_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* -EEXIST: so many of that name are there. */
static int move_numbered(struct inbox_folder *f, const char *from, bool is_folder,
                         struct beneath_name *name)
{
    struct beneath_name other = *name;
    int r = beneath_move(f->tree_fd, from, f->top_fd, other.text);
    for (unsigned n = 2; r == -EEXIST && n <= LIMIT_TRANSFER_NUMBERED; n++) {
        numbered_name(name, is_folder, n, &other);
        r = beneath_move(f->tree_fd, from, f->top_fd, other.text);
    }
    if (r == 0)
        *name = other;
    return r;
}

static int move_out(struct inbox_folder *f, const char *from, bool is_folder,
                    struct beneath_name *name)
{
    if (!may_replace(f, name->text, is_folder))
        return move_numbered(f, from, is_folder, name);
    return renameat(f->tree_fd, from, f->top_fd, name->text) == 0 ? 0 : -errno;
}

int inbox_folder_publish(struct inbox *i, struct bytes name, char *ret_name)
{
    struct inbox_folder *f = inbox_folder(i);
    struct beneath_name from, public;
    struct stat st;
    if (!public_name(name, &public) || !beneath_name_read(name, &from))
        return INBOX_NAME;
    if (fstatat(f->tree_fd, from.text, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? INBOX_NONE : -errno;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return -ELOOP;
    int r = move_out(f, from.text, S_ISDIR(st.st_mode), &public);
    if (r < 0)
        return inbox_folder_is_no_name(r) ? INBOX_NAME : r;
    memcpy(ret_name, public.text, strlen(public.text) + 1);
    return fsync(f->top_fd) == 0 ? 0 : -errno;
}

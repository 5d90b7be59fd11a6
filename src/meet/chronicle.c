#include "meet/chronicle.h"

#include "base/limits.h"
#include "io/problem.h"
#include "io/profile.h"
#include "people/account_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "history"

enum { NAME_BYTES = ACCOUNT_NAME_BYTES + 1 + FINGERPRINT_TEXT_LEN + sizeof ".jsonl" };

/* ---- the file ---- */

static void write_name(const struct chronicle *c, struct bytes other, char out[NAME_BYTES])
{
    char folded[ACCOUNT_NAME_BYTES + 1];
    account_name_fold(other, folded);
    snprintf(out, NAME_BYTES, "%s@%s.jsonl", folded, c->self->hub_print);
}

static int open_folder(const struct profile *p, bool make)
{
    if (make && mkdirat(p->fd, FOLDER, 0700) != 0 && errno != EEXIST)
        return -errno;
    int fd = openat(p->fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

/* A descriptor, -errno, or a condition of profile_open. */
static int open_file(const struct chronicle *c, struct bytes other, bool make, int *ret)
{
    char name[NAME_BYTES];
    struct profile p;
    write_name(c, other, name);
    int r = profile_open(&p, c->self->profile);
    int folder = r == 0 ? open_folder(&p, make) : -1;
    profile_close(&p);
    if (r != 0)
        return r;
    if (folder < 0)
        return folder;
    int how = make ? O_RDWR | O_APPEND | O_CREAT : O_RDONLY;
    *ret = openat(folder, name, how | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    r = *ret < 0 ? -errno : 0;
    close(folder);
    return r;
}

/* ---- appending ---- */

static bool ends_in_a_line(int fd)
{
    struct stat st;
    char last;
    return fstat(fd, &st) != 0 || st.st_size == 0 || pread(fd, &last, 1, st.st_size - 1) != 1 ||
           last == '\n';
}

static int append(int fd, struct bytes line)
{
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return -errno;
    if (!ends_in_a_line(fd) && write(fd, "\n", 1) != 1)
        return -errno;
    ssize_t n = write(fd, line.data, line.len);
    return n == (ssize_t)line.len ? 0 : n < 0 ? -errno : -ENOSPC;
}

int chronicle_append(struct chronicle *c, struct bytes other, const struct said *said)
{
    struct buffer line;
    int fd = -1;
    if (!c->keeps)
        return 0;
    buffer_init(&line, LIMIT_MIB);
    int r = said_write(&line, said);
    if (r == 0)
        r = open_file(c, other, true, &fd);
    if (r == 0)
        r = append(fd, buffer_view(&line));
    if (fd >= 0)
        close(fd);
    buffer_fini(&line);
    return r;
}

bool chronicle_keep(struct chronicle *c, struct bytes other, const struct said *said,
                    char why[CHRONICLE_WHY_BYTES])
{
    int r = chronicle_append(c, other, said);
    if (r == 0 || c->failed)
        return true;
    c->failed = true;
    snprintf(why, CHRONICLE_WHY_BYTES,
             "what is said cannot be kept in the profile's " FOLDER "%s%s", r < 0 ? ": " : "",
             r < 0 ? problem_text(r) : "");
    return false;
}

/* ---- reading ---- */

/* The end of it, from the beginning of a line on. */
static int read_end(int fd, struct buffer *text)
{
    struct stat st;
    uint8_t *space;
    if (fstat(fd, &st) != 0)
        return -errno;
    off_t most = (off_t)LIMIT_HISTORY_READ_BYTES,
          from = st.st_size > most ? st.st_size - most : 0;
    int r = buffer_reserve(text, (size_t)most, &space);
    if (r != 0)
        return r;
    ssize_t n = pread(fd, space, (size_t)most, from);
    if (n < 0)
        return -errno;
    buffer_wrote(text, (size_t)n);
    if (from > 0) {
        size_t end = bytes_find(buffer_view(text), '\n');
        buffer_consume(text, end < buffer_len(text) ? end + 1 : end);
    }
    return 0;
}

/* Where the last `most` lines begin. */
static struct bytes last_lines(struct bytes text, size_t most)
{
    size_t at = text.len, found = 0;
    while (at > 0) {
        bool ends = text.data[at - 1] == '\n' && at < text.len;
        if (ends && ++found == most)
            break;
        at--;
    }
    return bytes_from(text, at);
}

static void see_lines(struct said_reader *reader, struct bytes rest, chronicle_see_fn see,
                      void *ctx)
{
    struct said said;
    while (rest.len > 0) {
        size_t end = bytes_find(rest, '\n');
        if (said_read(reader, bytes_first(rest, end), &said))
            see(ctx, &said);
        rest = bytes_from(rest, end < rest.len ? end + 1 : end);
    }
}

int chronicle_last(const struct chronicle *c, struct bytes other, size_t most,
                   chronicle_see_fn see, void *ctx)
{
    struct buffer text;
    struct said_reader *reader = NULL;
    int fd = -1;
    buffer_init(&text, LIMIT_HISTORY_READ_BYTES);
    int r = said_reader_new(&reader);
    if (r == 0)
        r = open_file(c, other, false, &fd);
    if (r == 0)
        r = read_end(fd, &text);
    if (r == 0)
        see_lines(reader, last_lines(buffer_view(&text), most), see, ctx);
    if (fd >= 0)
        close(fd);
    said_reader_free(reader);
    buffer_fini(&text);
    return r;
}

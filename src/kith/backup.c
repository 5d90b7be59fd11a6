/* kith backup FOLDER: the hub's data as of one moment, copied into a new folder.
 *
 * It is made as FOLDER.partial, read back and checked, and only then gets its name. */

#include "kith/command.h"

#include "base/limits.h"
#include "base/number.h"
#include "io/folder.h"
#include "io/problem.h"
#include "store/checkpoint.h"
#include "store/recovery.h"
#include "store/segment.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PARTIAL ".partial"

enum { FILES_MAX = 4096 };

/* A file, as the hub names it. */
struct original {
    char name[DISK_NAME_BYTES];
    uint64_t bytes, size;
};

struct copy {
    struct session *session;
    const char *path;
    char partial[PATH_MAX];
    struct folder *folder;
    struct original *files;
    size_t count;
    uint64_t bytes;
};

static int fail(struct copy *c, int error)
{
    return session_fail(c->session, EXIT_FAILED, "cannot copy to %.300s: %s", c->partial,
                        problem_text(error));
}

/* ---- what there is to copy */

static bool is_name_of_ours(struct bytes name)
{
    char text[DISK_NAME_BYTES];
    uint64_t id;
    if (name.len == 0 || name.len >= sizeof text || memchr(name.data, 0, name.len))
        return false;
    memcpy(text, name.data, name.len);
    text[name.len] = 0;
    return strcmp(text, CHECKPOINT_NAME) == 0 || segment_name_parse(text, &id);
}

/* value is an array and what follows it. */
static bool read_file(const struct resp_value *value, struct original *ret)
{
    if (value[0].kind != RESP_ARRAY || value[0].number != 3 || value[1].kind != RESP_BULK ||
        value[2].kind != RESP_INTEGER || value[3].kind != RESP_INTEGER)
        return false;
    if (!is_name_of_ours(value[1].text) || value[2].number < 0 ||
        value[3].number < value[2].number)
        return false;
    *ret = (struct original){.bytes = (uint64_t)value[2].number,
                             .size = (uint64_t)value[3].number};
    memcpy(ret->name, value[1].text.data, value[1].text.len);
    return true;
}

static int list_files(struct copy *c)
{
    enum { VALUES_EACH = 4 };
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("BACKUP")};
    int code = session_ask(c->session, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_ARRAY || reply->number < 1 || reply->number > FILES_MAX)
        return session_strange(c->session);
    c->count = (size_t)reply->number;
    c->files = calloc(c->count, sizeof *c->files);
    if (!c->files)
        return fail(c, -ENOMEM);
    for (size_t i = 0; i < c->count; i++) {
        if (!read_file(&reply[1 + i * VALUES_EACH], &c->files[i]))
            return session_strange(c->session);
    }
    return EXIT_DONE;
}

/* ---- copying */

static int ask_for_piece(struct copy *c, size_t file, uint64_t at, uint64_t n)
{
    char numbers[3][NUMBER_INT64_CHARS];
    struct bytes argv[5] = {bytes_from_str("BACKUP"), bytes_from_str("READ")};
    uint64_t values[3] = {file, at, n};
    for (size_t i = 0; i < 3; i++)
        argv[2 + i] = bytes_make(numbers[i], number_format_i64(numbers[i], (int64_t)values[i]));
    return session_add(c->session, argv, 5);
}

static uint64_t piece_at(const struct original *o, uint64_t at)
{
    return o->bytes - at < LIMIT_BACKUP_PIECE_BYTES ? o->bytes - at : LIMIT_BACKUP_PIECE_BYTES;
}

static int take_piece(struct copy *c, struct disk_file *to, uint64_t at, uint64_t n)
{
    const struct resp_value *reply;
    int code = session_take(c->session, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_BULK || reply->text.len != n)
        return session_strange(c->session);
    int r = disk_write(folder_disk(c->folder), to, at, reply->text.data, (size_t)n);
    c->bytes += n;
    return r < 0 ? fail(c, r) : EXIT_DONE;
}

/* One piece is always asked for ahead, so that hub and disk work at the same time. */
static int copy_bytes(struct copy *c, size_t file, struct disk_file *to)
{
    const struct original *o = &c->files[file];
    uint64_t at = 0, n = piece_at(o, 0);
    int code = n > 0 ? ask_for_piece(c, file, 0, n) : EXIT_DONE;
    while (code == EXIT_DONE && n > 0) {
        uint64_t next = piece_at(o, at + n);
        if (next > 0)
            code = ask_for_piece(c, file, at + n, next);
        if (code == EXIT_DONE)
            code = take_piece(c, to, at, n);
        at += n;
        n = next;
    }
    return code;
}

/* What follows the bytes copied is zeros. */
static int finish_file(struct copy *c, const struct original *o, struct disk_file *to)
{
    struct disk *d = folder_disk(c->folder);
    int r = o->size > o->bytes ? disk_write(d, to, o->size - 1, "", 1) : 0;
    if (r == 0)
        r = disk_sync(d, to);
    return r < 0 ? fail(c, r) : EXIT_DONE;
}

static int copy_file(struct copy *c, size_t file)
{
    struct disk *d = folder_disk(c->folder);
    struct disk_file *to;
    int r = disk_open(d, c->files[file].name, true, &to);
    if (r < 0)
        return fail(c, r);
    int code = copy_bytes(c, file, to);
    if (code == EXIT_DONE)
        code = finish_file(c, &c->files[file], to);
    disk_close(d, to);
    return code;
}

/* ---- the folder */

static int remove_leftover(void *ctx, const char *name)
{
    struct copy *c = ctx;
    return is_name_of_ours(bytes_from_str(name)) ? disk_remove(folder_disk(c->folder), name)
                                                 : 0;
}

static int open_folder(struct copy *c)
{
    pid_t holder;
    char to[1];
    if (readlink(c->partial, to, sizeof to) >= 0)
        return session_fail(c->session, EXIT_FAILED, "%.300s is a symbolic link: remove it",
                            c->partial);
    int r = folder_open(c->partial, &c->folder, &holder);
    if (r == FOLDER_IN_USE)
        return session_fail(c->session, EXIT_FAILED, "another backup is being made in %.300s",
                            c->partial);
    if (r == FOLDER_IS_OPEN)
        return session_fail(c->session, EXIT_FAILED, "%.300s must be yours alone: chmod 700 it",
                            c->partial);
    if (r < 0)
        return fail(c, r);
    r = disk_list(folder_disk(c->folder), remove_leftover, c);
    return r < 0 ? fail(c, r) : EXIT_DONE;
}

static int see_operation(void *ctx, const struct record_op *op, uint64_t lsn)
{
    return 0;
}

/* Reads back what is on our disk now. */
static int check_copy(struct copy *c)
{
    const struct recovery_sink sink = {.apply = see_operation};
    struct recovery_report report;
    int r = recovery_check(folder_disk(c->folder), &sink, &report);
    if (r < 0)
        return fail(c, r);
    if (r > 0 || report.cut)
        return session_fail(c->session, EXIT_FAILED,
                            "the copy is not whole: %s at offset %llu: %s", report.file,
                            (unsigned long long)report.offset,
                            report.problem ? report.problem : "it ends there");
    return EXIT_DONE;
}

static int publish(struct copy *c)
{
    int r = disk_sync_folder(folder_disk(c->folder));
    if (r == 0)
        r = folder_rename(c->partial, c->path);
    return r < 0 ? session_fail(c->session, EXIT_FAILED, "cannot call the copy %.300s: %s",
                                c->path, problem_text(r))
                 : EXIT_DONE;
}

static int copy_all(struct copy *c)
{
    int code = list_files(c);
    if (code == EXIT_DONE)
        code = open_folder(c);
    for (size_t i = 0; i < c->count && code == EXIT_DONE; i++)
        code = copy_file(c, i);
    if (code == EXIT_DONE)
        code = check_copy(c);
    return code == EXIT_DONE ? publish(c) : code;
}

static void tell(struct copy *c)
{
    struct output *o = &c->session->output;
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    if (o->json) {
        struct json j = json_begin(&b);
        json_str(&j, "backup", c->path);
        json_number(&j, "bytes", (int64_t)c->bytes);
        output_json(o, &j);
        return;
    }
    if (!o->quiet && buffer_printf(&b, "Backed up, and read back: %llu bytes in %s",
                                   (unsigned long long)c->bytes, c->path) == 0)
        output_line(o, "", buffer_view(&b));
    buffer_fini(&b);
}

/* "backup" and "backup/" are the same folder. */
static bool name_partial(struct copy *c)
{
    size_t len = strlen(c->path);
    while (len > 1 && c->path[len - 1] == '/')
        len--;
    int n = snprintf(c->partial, sizeof c->partial, "%.*s" PARTIAL, (int)len, c->path);
    return len > 0 && n > 0 && (size_t)n < sizeof c->partial;
}

int backup_run(struct session *s)
{
    struct copy c = {.session = s};
    if (s->options.word_count < 2)
        return session_fail(s, EXIT_USAGE, "the folder is missing; kith help backup says more");
    c.path = s->options.words[1];
    if (!name_partial(&c))
        return session_fail(s, EXIT_USAGE, "'%.100s' is no path for a folder", c.path);
    if (folder_exists(c.path))
        return session_fail(s, EXIT_USAGE, "%.300s is there already: choose another name",
                            c.path);
    if (!folder_has_parent(c.path))
        return session_fail(s, EXIT_USAGE, "there is no folder to make %.300s in", c.path);
    int code = copy_all(&c);
    if (code != EXIT_DONE && c.folder)
        folder_discard(c.partial, c.folder);
    else
        folder_close(c.folder);
    if (code == EXIT_DONE)
        tell(&c);
    free(c.files);
    return code;
}

#include "hub/command.h"
#include "hub/hub.h"

#include "base/limits.h"
#include "base/number.h"
#include "store/backup.h"

#include <errno.h>
#include <stdlib.h>

/* BACKUP: all the store's files as of one moment, read piece by piece. They stay open until the
 * connection ends. */

enum backup_step { BACKUP_NONE, BACKUP_BEGUN, BACKUP_OPENS, BACKUP_OPEN };

struct backup_job {
    struct job job;
    enum backup_step step;
    struct backup *backup;        /* NULL: step is BACKUP_NONE */
    uint64_t file, offset, count; /* of the piece that is wanted; count 0: none */
    struct blob *piece;           /* what was read; NULL: nothing yet */
    int result;                   /* of the last run: 0 or -errno */
};

static void end_backup(struct backup_job *b)
{
    backup_free(b->backup);
    b->backup = NULL;
    b->step = BACKUP_NONE;
}

static int read_piece(struct backup_job *b)
{
    void *memory = malloc((size_t)b->count);
    if (!memory)
        return -ENOMEM;
    int r = backup_read(b->backup, (size_t)b->file, b->offset, memory, (size_t)b->count);
    if (r == 0 && !(b->piece = blob_new(memory, (size_t)b->count, NULL)))
        r = -ENOMEM;
    if (r != 0)
        free(memory);
    return r;
}

static void backup_job_run(struct job *job, bool last)
{
    struct backup_job *b = (struct backup_job *)(void *)job; /* its first member */
    if (last)
        end_backup(b);
    else if (b->step == BACKUP_OPENS)
        b->result = backup_open(b->backup);
    else
        b->result = read_piece(b);
}

static void backup_job_free(struct job *job)
{
    struct backup_job *b = (struct backup_job *)(void *)job;
    blob_unref(b->piece);
    free(b);
}

/* The connection's; NULL when memory is out. */
static struct backup_job *job_of(struct call *call)
{
    struct connection_extra *extra = connection_extra(call->connection);
    if (!extra)
        return NULL;
    if (!extra->job) {
        struct backup_job *b = calloc(1, sizeof *b);
        if (!b)
            return NULL;
        b->job = (struct job){.run = backup_job_run, .free = backup_job_free};
        extra->job = &b->job;
    }
    return (struct backup_job *)(void *)extra->job;
}

static int answer_failed(struct call *call, int error)
{
    if (error == -EBUSY)
        return command_error(call, "ERR", "checkpoints follow one another too fast: try again");
    if (error == -ENOMEM || error == WAL_BUSY)
        return command_store_failed(call, error);
    if (error == -EMFILE || error == -ENFILE)
        return command_error(call, "ERR", "no descriptors are left for the backup's files");
    if (error == -ENOENT)
        return command_error(
            call, "IOERR",
            "files are missing from the hub's data folder: kith export has what "
            "is in the table");
    return command_error(call, "IOERR", "the backup's files cannot be read");
}

/* [[name, bytes, size], ...] */
static void answer_files(struct call *call, struct backup *backup)
{
    size_t count;
    const struct backup_file *files = backup_files(backup, &count);
    if (call->hub->shared->config.holds_replies)
        reply_depends(call->reply, backup_lsn(backup));
    reply_array(call->reply, count);
    for (size_t i = 0; i < count; i++) {
        reply_array(call->reply, 3);
        reply_text(call->reply, bytes_from_str(files[i].name));
        reply_integer(call->reply, (int64_t)files[i].bytes);
        reply_integer(call->reply, (int64_t)files[i].size);
    }
}

static int ask_to_open(struct call *call, struct backup_job *b)
{
    int r = backup_ready(b->backup);
    if (r != 0)
        return answer_failed(call, r);
    b->step = BACKUP_OPENS;
    job_ask(&b->job, call->connection);
    return COMMAND_AGAIN_JOB;
}

static int answer_begun(struct call *call, struct backup_job *b)
{
    if (b->result != 0) {
        end_backup(b);
        return answer_failed(call, b->result);
    }
    b->step = BACKUP_OPEN;
    answer_files(call, b->backup);
    return COMMAND_DONE;
}

static int begin(struct call *call, struct backup_job *b)
{
    if (b->step == BACKUP_OPEN)
        return command_error(call, "ERR", "a backup is open: it ends with its connection");
    if (b->step == BACKUP_OPENS)
        return answer_begun(call, b);
    if (b->step == BACKUP_NONE && store_backup(call->hub->shared->store, &b->backup) != 0)
        return command_store_failed(call, -ENOMEM);
    b->step = BACKUP_BEGUN;
    return ask_to_open(call, b);
}

/* Says in *ret_wrong what is wrong with the piece asked for, where something is. */
static bool read_piece_wanted(const struct call *call, struct backup_job *b,
                              const char **ret_wrong)
{
    size_t files;
    const struct backup_file *file = backup_files(b->backup, &files);
    *ret_wrong = "no such part of the backup: READ file offset count, at most 1 MiB";
    return number_parse_u64(call->argv[2], &b->file) &&
           number_parse_u64(call->argv[3], &b->offset) &&
           number_parse_u64(call->argv[4], &b->count) && b->count > 0 &&
           b->count <= LIMIT_BACKUP_PIECE_BYTES && b->file < files &&
           b->offset < file[b->file].bytes && b->count <= file[b->file].bytes - b->offset;
}

static int answer_piece(struct call *call, struct backup_job *b)
{
    int r = b->result;
    if (r == 0)
        reply_shared_value(call->reply, bytes_make(b->piece->memory, (size_t)b->count),
                           b->piece);
    blob_unref(b->piece);
    b->piece = NULL;
    b->count = 0;
    return r == 0 ? COMMAND_DONE : answer_failed(call, r);
}

static int read_on(struct call *call, struct backup_job *b)
{
    const char *wrong = "no backup is open: begin with BACKUP";
    if (b->count > 0)
        return answer_piece(call, b);
    if (b->step != BACKUP_OPEN || !read_piece_wanted(call, b, &wrong)) {
        b->count = 0;
        return command_error(call, "ERR", wrong);
    }
    job_ask(&b->job, call->connection);
    return COMMAND_AGAIN_JOB;
}

static int run_backup(struct call *call)
{
    struct backup_job *b = job_of(call);
    if (!b)
        return command_store_failed(call, -ENOMEM);
    if (call->argc == 1)
        return begin(call, b);
    if (call->argc == 5 && bytes_equal_nocase_str(call->argv[1], "READ"))
        return read_on(call, b);
    return command_error(call, "ERR", "syntax error");
}

static const struct command commands[] = {
    {"BACKUP", -1, ACCESS_ADMIN, 0, 0, 0, 0, run_backup, NULL,
     "Begins a backup and lists its files; READ file offset count: a piece of one"},
};

const struct command_part commands_backup = {commands, sizeof commands / sizeof *commands};

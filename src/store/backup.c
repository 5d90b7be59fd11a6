#include "store/backup.h"

#include "store/checkpoint.h"
#include "store/segment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct backup {
    struct disk *disk;
    struct wal *wal;
    uint64_t wanted_lsn; /* of the newest record when it was asked for */
    uint64_t first_segment;
    struct wal_mark end;
    struct backup_file *files;
    size_t count;
};

int backup_new(struct backup **ret, struct disk *d, struct wal *w)
{
    struct backup *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->disk = d;
    b->wal = w;
    b->wanted_lsn = wal_last_lsn(w);
    *ret = b;
    return 0;
}

static void close_files(struct backup *b)
{
    for (size_t i = 0; i < b->count; i++)
        disk_close(b->disk, b->files[i].file);
    free(b->files);
    b->files = NULL;
    b->count = 0;
}

void backup_free(struct backup *b)
{
    if (!b)
        return;
    close_files(b);
    free(b);
}

int backup_ready(const struct backup *b)
{
    if (wal_state(b->wal) == WAL_FAILED)
        return -EIO;
    return wal_written(b->wal).lsn >= b->wanted_lsn ? 0 : WAL_BUSY;
}

static int add_file(struct backup *b, const char *name)
{
    struct backup_file f = {0};
    struct backup_file *files = realloc(b->files, (b->count + 1) * sizeof *files);
    if (!files)
        return -ENOMEM;
    b->files = files;
    int r = disk_open(b->disk, name, false, &f.file);
    if (r < 0)
        return r;
    r = disk_size(b->disk, f.file, &f.size);
    if (r < 0) {
        disk_close(b->disk, f.file);
        return r;
    }
    f.bytes = f.size;
    memcpy(f.name, name, strlen(name) + 1);
    b->files[b->count++] = f;
    return 0;
}

/* A segment that is needed: of the last one, as much as has been written. */
static int add_segment(void *ctx, const char *name)
{
    struct backup *b = ctx;
    uint64_t id;
    if (!segment_name_parse(name, &id) || id < b->first_segment || id > b->end.segment)
        return 0;
    int r = add_file(b, name);
    if (r == 0 && id == b->end.segment)
        b->files[b->count - 1].bytes = b->end.offset;
    return r;
}

static bool has_segment(const struct backup *b, uint64_t segment)
{
    char name[DISK_NAME_BYTES];
    segment_name(name, segment);
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->files[i].name, name) == 0)
            return true;
    return false;
}

/* What was in the folder need not be all that the log has written. */
static int check_segments(const struct backup *b)
{
    uint64_t id = b->first_segment;
    while ((id = wal_next_segment(b->wal, id)) != 0 && id <= b->end.segment) {
        if (!has_segment(b, id))
            return -ENOENT;
        id++;
    }
    return 0;
}

/* Which checkpoint there is. */
struct sight {
    bool exists;
    struct checkpoint_header header;
};

static int look(struct backup *b, struct sight *ret)
{
    uint64_t bytes;
    *ret = (struct sight){0};
    int r = checkpoint_read_header(b->disk, &ret->header, &bytes);
    ret->exists = r == 0;
    return r == CHECKPOINT_NONE ? 0 : r > 0 ? -EIO : r;
}

static bool is_same(const struct sight *a, const struct sight *b)
{
    return a->exists == b->exists && a->header.salt == b->header.salt &&
           a->header.start_lsn == b->header.start_lsn;
}

/* Segments are dropped only after a new checkpoint has its name. So where the one seen first is
 * still there in the end, nothing was missed. BACKUP_AGAIN: another has come. */
enum { BACKUP_AGAIN = 1 };

static int open_once(struct backup *b)
{
    struct sight before, after;
    int r = look(b, &before);
    if (r == 0 && before.exists)
        r = add_file(b, CHECKPOINT_NAME);
    if (r < 0)
        return r;
    b->first_segment = before.header.first_segment;
    b->end = wal_written(b->wal);
    int listed = disk_list(b->disk, add_segment, b);
    if (listed == 0)
        listed = check_segments(b);
    r = look(b, &after);
    if (r < 0)
        return r;
    return is_same(&before, &after) ? listed : BACKUP_AGAIN;
}

int backup_open(struct backup *b)
{
    enum { TRIES = 10 };
    int r = BACKUP_AGAIN;
    for (int i = 0; i < TRIES && r == BACKUP_AGAIN; i++) {
        close_files(b);
        r = open_once(b);
    }
    return r == BACKUP_AGAIN ? -EBUSY : r;
}

const struct backup_file *backup_files(const struct backup *b, size_t *ret_count)
{
    *ret_count = b->count;
    return b->files;
}

uint64_t backup_lsn(const struct backup *b)
{
    return b->end.lsn;
}

int backup_read(struct backup *b, size_t file, uint64_t at, void *to, size_t n)
{
    size_t got;
    int r = disk_read(b->disk, b->files[file].file, at, to, n, &got);
    return r < 0 ? r : got == n ? 0 : -EIO;
}

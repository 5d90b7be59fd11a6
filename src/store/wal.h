#ifndef KITH_STORE_WAL_H
#define KITH_STORE_WAL_H

/* The write-ahead log as a machine: mutations gather in memory, leave as chunks, of a record
 * each, for a thread that writes and syncs them, and come back as "durable". It does no I/O and
 * waits for nothing.
 *
 *   workers           wal_begin ... fill the payload ... wal_end
 *   the log's thread  wal_take -> write the chunk, sync where it says so -> wal_done
 *   another thread    wal_wants_segment -> make the segment -> wal_prepared
 *
 * All three may go on at once; a mutex inside keeps them apart. One chunk at a time is out.
 *
 * Batches: records written between two syncs carry the same batch number, the LSN of the first
 * of them. A chunk of the next batch is handed out only after wal_done said the last sync is
 * done. With sync_every_ms 0 every chunk is synced, so a batch is a chunk. A chunk never spans
 * segments.
 *
 * Space: a mutation is accepted only into space a segment already holds on disk. Where the
 * current and the next segment have none, wal_begin says WAL_BUSY (one is being made) or, where
 * making one failed, WAL_READ_ONLY (for want of room) or WAL_STUCK (for any other reason); it
 * is wanted again after LIMIT_SEGMENT_RETRY_MS, and the log recovers by itself. That is safe
 * whatever the reason: nothing that was accepted depends on a segment that is not there yet.
 * Where only one for a large record failed, others have theirs as ever, and it is made again
 * for who asks: no answer rests on a failure older than that.
 *
 * States: OPEN -> CLOSING -> CLOSED; OPEN, CLOSING -> FAILED, which is final: nothing becomes
 * durable any more and wal_begin returns -EIO. */

#include "base/bytes.h"
#include "base/time.h"
#include "store/extents.h"

enum { WAL_BUSY = 2, WAL_READ_ONLY = 3, WAL_TOO_LARGE = 4, WAL_STUCK = 5 }; /* as in store.h */
enum { WAL_IDLE = 1 };

enum wal_state { WAL_OPEN, WAL_CLOSING, WAL_CLOSED, WAL_FAILED };

/* Does a result of wal_begin say that nothing can be written at present? */
static inline bool wal_refuses(int result)
{
    return result == WAL_READ_ONLY || result == WAL_STUCK;
}

struct wal_config {
    uint64_t secret;        /* random; salts of new segments come from it */
    uint64_t sync_every_ms; /* 0: every chunk is synced */
    uint64_t segment_first_bytes, segment_bytes_max; /* sizes of new segments double between */
    size_t buffered_bytes_max;
};

/* Where the log goes on after recovery. */
struct wal_position {
    uint64_t next_lsn;      /* of the next mutation */
    uint64_t segment;       /* id of the segment to write to ... */
    uint64_t salt;          /* ... its salt ... */
    uint64_t offset, bytes; /* ... where it goes on, and its size */
    struct walltime time;   /* the latest time in the log */
    uint64_t log_bytes;     /* of records not in the checkpoint */
    struct extents extents; /* of all its segments with records */
};

/* What the log's thread is to do: write data at offset of segment (both zero-length and offset
 * without meaning where only a sync is due), then sync if sync is set. data holds until
 * wal_done. */
struct wal_chunk {
    struct bytes data;
    uint64_t segment, offset;
    bool sync;
    uint64_t last_lsn; /* durable once synced */
};

/* How far the log has been written. */
struct wal_mark {
    uint64_t lsn;             /* of the last mutation ... */
    uint64_t segment, offset; /* ... and where it ends */
};

/* A segment that could not be made at the last try: writes that find no room in those there are
 * are refused until one can. */
struct wal_trouble {
    int error;      /* -errno; 0: there is no trouble */
    uint64_t bytes; /* how large it should have been */
};

/* A segment to make. */
struct wal_segment {
    uint64_t id, salt, bytes;
};

struct wal;

/* -ENOMEM. On 0 the log owns at->extents, which becomes empty. wal_free takes NULL. */
int wal_new(struct wal **ret, const struct wal_config *config, struct wal_position *at);
void wal_free(struct wal *w);

/* Begins a mutation of payload_bytes: 0 and where to write its operations, the LSN it has; the
 * log stays locked until wal_end, which must follow at once. urgent: synced without waiting for
 * sync_every_ms. The log's time becomes the greater of now and its latest.
 * WAL_BUSY, WAL_READ_ONLY, WAL_STUCK, WAL_TOO_LARGE, -ENOMEM, -EIO: nothing happened, nothing
 * is locked. */
int wal_begin(struct wal *w, size_t payload_bytes, struct walltime now, bool urgent,
              uint8_t **ret_payload, uint64_t *ret_lsn);
void wal_end(struct wal *w);

/* Is there something for wal_take? Cheap, for a worker to ask after each turn before it wakes
 * the log's thread: with sync_every_ms only when much has gathered or something is urgent. */
bool wal_wants_writer(struct wal *w);

/* What to write now. WAL_IDLE: nothing; call again when wal_wants_writer, or at *ret_deadline
 * (a sync is due then; INSTANT_NEVER where none is). The chunk is sealed: checksums set. */
int wal_take(struct wal *w, struct instant now, struct wal_chunk *ret,
             struct instant *ret_deadline);

/* The chunk has been written, and synced where it said so; error is 0 or -errno, which makes
 * the log FAILED for good. */
void wal_done(struct wal *w, const struct wal_chunk *chunk, int error, struct instant now);

/* Is a segment to be made? True once for each; wal_prepared must follow, error 0 or -errno. */
bool wal_wants_segment(struct wal *w, struct instant now, struct wal_segment *ret);
void wal_prepared(struct wal *w, const struct wal_segment *segment, int error,
                  struct instant now);

/* When wal_wants_segment may become true without anything else happening. */
struct instant wal_segment_deadline(struct wal *w);

/* Ends the log in good order: appends a close record, after which wal_begin returns -EIO. The
 * log is CLOSED when all is durable. Space for the close record is always kept. */
void wal_close(struct wal *w, struct walltime now);

/* How many bytes are accepted and not yet written. */
size_t wal_buffered(struct wal *w);

/* How many bytes of records the log has taken, recovered ones included; and the segment that
 * holds the record of an LSN, or would. */
uint64_t wal_bytes(struct wal *w);
uint64_t wal_segment_of(struct wal *w, uint64_t lsn);

/* The first segment with records from this id on, 0 where there is none. */
uint64_t wal_next_segment(struct wal *w, uint64_t segment);

/* Segments before this one are gone. */
void wal_dropped(struct wal *w, uint64_t first_segment);

uint64_t wal_durable(struct wal *w);  /* any thread, no lock */
uint64_t wal_last_lsn(struct wal *w); /* of the newest mutation accepted */
struct wal_mark wal_written(struct wal *w);
enum wal_state wal_state(struct wal *w);
int wal_error(struct wal *w); /* -errno that made it FAILED, else 0 */
struct wal_trouble wal_trouble(struct wal *w);
bool wal_is_read_only(struct wal *w);    /* the disk is full, others of its troubles apart */
struct walltime wal_time(struct wal *w); /* the latest time in the log */

#endif

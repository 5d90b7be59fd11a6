#include "peer/receiving_walk.h"

#include <errno.h>

/* After a record, where it is none of an event. */
enum { GOES_ON = 1 };

void receiving_walk_init(struct receiving_walk *w, struct inbox *inbox, uint64_t end)
{
    *w = (struct receiving_walk){.end = end};
    receiving_reader_init(&w->reader, inbox, 0);
}

void receiving_walk_fini(struct receiving_walk *w)
{
    receiving_reader_fini(&w->reader);
}

static int meet_entry(struct receiving_walk *w, const struct transfer_entry *e,
                      const struct receiving_record *rec, enum receiving_walk_event *ret)
{
    if (transfer_path_enter(&w->path, e) != 0)
        return -EIO;
    w->entry = *e;
    memcpy(w->name, e->name.data, e->name.len);
    w->entry.name = bytes_make(w->name, e->name.len);
    w->said_at = rec->at;
    w->content_at = w->reader.at;
    *ret = RECEIVING_WALK_FOLDER;
    return e->kind == TRANSFER_FOLDER ? 0 : GOES_ON;
}

static int meet_message(struct receiving_walk *w, const struct receiving_record *rec,
                        enum receiving_walk_event *ret)
{
    struct transfer_message m;
    if (receiving_record_message(rec, &m) != 0)
        return -EIO;
    if (m.type == TRANSFER_ENTRY || m.type == TRANSFER_AFRESH)
        return meet_entry(w, &m.entry, rec, ret);
    if (m.type == TRANSFER_DROPPED) {
        w->reason = m.reason;
        *ret = RECEIVING_WALK_DROPPED;
        return 0;
    }
    if (m.type != TRANSFER_WHOLE)
        return GOES_ON;
    w->whole_at = rec->at;
    w->size = m.length;
    w->has_sha256 = m.has_sha256;
    memcpy(w->sha256, m.sha256, sizeof w->sha256);
    *ret = RECEIVING_WALK_FILE;
    return 0;
}

int receiving_walk_next(struct receiving_walk *w, enum receiving_walk_event *ret)
{
    struct receiving_record rec;
    while (w->reader.at < w->end) {
        int r = receiving_reader_next(&w->reader, &rec);
        if (r != 0)
            return r < 0 ? r : -EIO;
        if (rec.type >= RECEIVING_BEGIN)
            continue;
        r = meet_message(w, &rec, ret);
        if (r != GOES_ON)
            return r;
    }
    *ret = RECEIVING_WALK_OVER;
    return 0;
}

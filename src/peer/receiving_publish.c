#include "peer/receiving_inner.h"

/* Where the tree was built by an earlier connection, some of it may be published already, and
 * would be built anew. */
int receiving_place_begin(struct receiving *r)
{
    r->state = r->placed ? RECEIVING_PUBLISHING : RECEIVING_PLACING;
    receiving_walk_init(&r->walk, r->inbox, r->journal.len);
    return 0;
}

static int publish_begin(struct receiving *r)
{
    receiving_walk_fini(&r->walk);
    int e = r->inbox->ops->placed(r->inbox);
    if (e == 0)
        e = receiving_journal_placed(&r->journal);
    if (e == 0)
        e = receiving_journal_flush(&r->journal);
    if (e == 0)
        e = r->inbox->ops->sync(r->inbox);
    if (e != 0)
        return e;
    r->placed = true;
    r->state = RECEIVING_PUBLISHING;
    receiving_walk_init(&r->walk, r->inbox, r->journal.len);
    return 0;
}

static void tell_file(struct receiving *r)
{
    const struct receiving_walk *w = &r->walk;
    if (r->handler && r->handler->file)
        r->handler->file(r, transfer_path_view(&w->path), w->size,
                         w->has_sha256 ? w->sha256 : NULL);
}

static void tell_dropped(struct receiving *r, enum transfer_reason reason)
{
    if (r->handler && r->handler->dropped)
        r->handler->dropped(r, transfer_path_view(&r->walk.path), reason);
}

/* Two entries of one name cannot both have their place. */
static int place(struct receiving *r)
{
    int e = r->inbox->ops->place(r->inbox, &r->walk.entry);
    if (e == INBOX_TAKEN || e == INBOX_NAME)
        return TRANSFER_NAME_REFUSED;
    return e == INBOX_NONE ? 0 : e;
}

static int place_file(struct receiving *r)
{
    const struct receiving_late *late = receiving_find_late(r, r->walk.entry.number);
    if (late) {
        tell_dropped(r, late->reason);
        return 0;
    }
    r->walk.entry.size = r->walk.size;
    int e = place(r);
    if (e == 0)
        tell_file(r);
    return e;
}

int receiving_place_work(struct receiving *r)
{
    enum receiving_walk_event event;
    int e = receiving_walk_next(&r->walk, &event);
    if (e != 0)
        return e;
    switch (event) {
    case RECEIVING_WALK_FOLDER:
        return place(r);
    case RECEIVING_WALK_FILE:
        return place_file(r);
    case RECEIVING_WALK_DROPPED:
        tell_dropped(r, r->walk.reason);
        return 0;
    case RECEIVING_WALK_OVER:
        break;
    }
    return publish_begin(r);
}

static int publish(struct receiving *r)
{
    char now[256];
    int e = r->inbox->ops->publish(r->inbox, r->walk.entry.name, now);
    if (e == 0 && r->handler && r->handler->published)
        r->handler->published(r, r->walk.entry.name, now);
    return e == INBOX_NONE ? 0 : e;
}

static int finish(struct receiving *r, struct buffer *out)
{
    receiving_walk_fini(&r->walk);
    if (r->handler && r->handler->whole)
        r->handler->whole(r);
    int e = r->inbox->ops->clear(r->inbox);
    if (e != 0)
        return e;
    r->state = RECEIVING_PUBLISHED;
    return transfer_message_write(out, &(struct transfer_message){.type = TRANSFER_DONE});
}

int receiving_publish_work(struct receiving *r, struct buffer *out)
{
    enum receiving_walk_event event;
    int e = receiving_walk_next(&r->walk, &event);
    if (e != 0)
        return e;
    if (event == RECEIVING_WALK_OVER)
        return finish(r, out);
    bool top = r->walk.entry.depth == 0 && event != RECEIVING_WALK_DROPPED &&
               !receiving_find_late(r, r->walk.entry.number);
    return top ? publish(r) : 0;
}

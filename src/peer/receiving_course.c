#include "peer/receiving_course.h"

void receiving_course_init(struct receiving_course *c, const struct receiving_terms *terms)
{
    *c = (struct receiving_course){.terms = *terms};
}

static bool fits(uint64_t have, uint64_t more, uint64_t limit)
{
    return have <= limit && more <= limit - have;
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

static uint64_t known_size(const struct transfer_entry *e)
{
    return e->size == TRANSFER_SIZE_UNKNOWN ? 0 : e->size;
}

/* So much more content, with so many entries altogether. */
static int judge_totals(const struct receiving_course *c, uint64_t entries, uint64_t more)
{
    const struct receiving_terms *t = &c->terms;
    if (entries > t->cap / LIMIT_TRANSFER_ENTRY_BYTES ||
        !fits(c->bytes, more, t->cap - entries * LIMIT_TRANSFER_ENTRY_BYTES))
        return TRANSFER_TOO_MUCH;
    if (entries > t->entries || !fits(c->bytes, more, sum_of(t->bytes, c->grown)))
        return TRANSFER_BROKEN;
    return 0;
}

static void keep_entry(struct receiving_course *c, const struct transfer_entry *e)
{
    c->entry = *e;
    memcpy(c->name, e->name.data, e->name.len);
    c->entry.name = bytes_make(c->name, e->name.len);
    c->offset = 0;
    c->at_end = false;
}

static int take_entry(struct receiving_course *c, const struct transfer_entry *e)
{
    if (c->within || c->over || e->number != c->number || transfer_path_enter(&c->path, e) != 0)
        return TRANSFER_BROKEN;
    int r = judge_totals(c, c->number + 1, known_size(e));
    if (r != 0)
        return r;
    keep_entry(c, e);
    c->anew = false;
    c->listed = known_size(e);
    c->within = e->kind == TRANSFER_FILE;
    if (!c->within)
        c->number++;
    return 0;
}

static bool is_within(const struct receiving_course *c, uint64_t number)
{
    return c->within && number == c->number;
}

static uint64_t growth(const struct receiving_course *c)
{
    uint64_t size = known_size(&c->entry);
    return size > c->listed ? size - c->listed : 0;
}

/* What came of the entry's content does not count any more. */
static void void_content(struct receiving_course *c)
{
    c->bytes -= c->offset;
    c->grown -= growth(c);
}

static int take_afresh(struct receiving_course *c, const struct transfer_entry *e)
{
    if (!is_within(c, e->number) || e->kind != TRANSFER_FILE || e->depth != c->entry.depth ||
        !bytes_equal(e->name, c->entry.name))
        return TRANSFER_BROKEN;
    void_content(c);
    keep_entry(c, e);
    c->anew = true;
    c->grown = sum_of(c->grown, growth(c));
    return judge_totals(c, c->number + 1, known_size(e));
}

/* Does content of that length end where a chunk or the file ends? */
static bool ends_well(const struct receiving_course *c, uint64_t len)
{
    uint64_t end = c->offset + len;
    if (c->entry.size == TRANSFER_SIZE_UNKNOWN)
        return !c->at_end;
    return end == c->entry.size || (end < c->entry.size && end % TRANSFER_CHUNK_BYTES == 0);
}

static int take_content(struct receiving_course *c, const struct transfer_message *m)
{
    if (!is_within(c, m->number) || m->offset != c->offset || !ends_well(c, m->length))
        return TRANSFER_BROKEN;
    int r = judge_totals(c, c->number + 1, m->length);
    if (r != 0)
        return r;
    c->offset += m->length;
    c->bytes += m->length;
    c->at_end = m->length % TRANSFER_CHUNK_BYTES != 0;
    return 0;
}

static void leave(struct receiving_course *c)
{
    c->within = false;
    c->number++;
}

static int take_whole(struct receiving_course *c, const struct transfer_message *m)
{
    bool sized = c->entry.size != TRANSFER_SIZE_UNKNOWN;
    if (!is_within(c, m->number) || m->length != c->offset ||
        (sized && m->length != c->entry.size) || m->has_sha256 != c->terms.sha256)
        return TRANSFER_BROKEN;
    leave(c);
    return 0;
}

static int take_dropped(struct receiving_course *c, const struct transfer_message *m)
{
    if (!is_within(c, m->number))
        return TRANSFER_BROKEN;
    void_content(c);
    leave(c);
    return 0;
}

int receiving_course_take(struct receiving_course *c, const struct transfer_message *m)
{
    switch (m->type) {
    case TRANSFER_ENTRY:
        return take_entry(c, &m->entry);
    case TRANSFER_AFRESH:
        return take_afresh(c, &m->entry);
    case TRANSFER_CHUNK:
    case TRANSFER_HOLE:
        return take_content(c, m);
    case TRANSFER_WHOLE:
        return take_whole(c, m);
    case TRANSFER_DROPPED:
        return take_dropped(c, m);
    default:
        return TRANSFER_BROKEN;
    }
}

void receiving_course_forget(struct receiving_course *c)
{
    assert(c->within);
    void_content(c);
    c->within = false;
}

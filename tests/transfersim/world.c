#include "world.h"

#include "base/limits.h"
#include "peer/receiving.h"
#include "peer/sending.h"
#include "support/changing_outbox.h"
#include "support/faulty_disk.h"
#include "support/faulty_inbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAULTY_MAX = 10, CALM_MAX = 3, STEPS_MAX = 200000, LATE_BYTES = 512 };

/* What this seed's world does, besides cutting connections. */
struct troubles {
    bool source, aba, disk, crash, power, rot, doubles;
    unsigned cut_in;
};

struct world {
    uint64_t seed, random;
    bool verbose, calm, rotten;
    struct troubles t;
    struct changing_outbox source;
    struct faulty_inbox *inbox;
    struct receiving_terms terms;
    const struct receiving_handler *handler;
    bool twins, taken, small_cap;
    bool dropped[CHANGING_ENTRIES], anew[CHANGING_ENTRIES];
    uint64_t kept_number, kept_offset;
    uint8_t late[LATE_BYTES]; /* a frame of an earlier connection */
    size_t late_len;
    struct world_tally *tally;
};

/* One connection. */
struct wire {
    struct world *w;
    struct sending s;
    struct receiving r;
    struct buffer to_r, to_s;
    bool injected;
};

static uint64_t draw(struct world *w, uint64_t n)
{
    return faulty_random(&w->random) % n;
}

static bool one_in(struct world *w, uint64_t n)
{
    return draw(w, n) == 0;
}

static void check(const struct world *w, bool holds, const char *what)
{
    if (holds)
        return;
    printf("seed %llu: %s\n", (unsigned long long)w->seed, what);
    exit(1);
}

static void tell(const struct world *w, const char *what, uint64_t a, uint64_t b)
{
    if (w->verbose)
        printf("%s %llu %llu\n", what, (unsigned long long)a, (unsigned long long)b);
}

/* The source */

static uint64_t draw_size(struct world *w)
{
    switch (draw(w, 10)) {
    case 0:
    case 1:
        return 0;
    case 2:
        return (1 + draw(w, 3)) * TRANSFER_CHUNK_BYTES;
    case 3:
        return draw(w, 3 * (uint64_t)TRANSFER_CHUNK_BYTES);
    default:
        return draw(w, 200);
    }
}

static void add_entry(struct world *w, unsigned *depth)
{
    char name[16];
    snprintf(name, sizeof name, "e%llu", (unsigned long long)w->source.count);
    unsigned at = (unsigned)draw(w, *depth + 1);
    if (one_in(w, 4)) {
        changing_outbox_add(&w->source, TRANSFER_FOLDER, at, name, 0);
        *depth = at + 1;
        return;
    }
    *depth = at;
    struct changing_file *f =
        changing_outbox_add(&w->source, TRANSFER_FILE, at, name, draw_size(w));
    f->sparse = one_in(w, 2);
    if (one_in(w, 10)) {
        f->entry.size = TRANSFER_SIZE_UNKNOWN;
        f->sparse = false;
    }
    f->entry.executable = one_in(w, 5);
}

static void make_source(struct world *w)
{
    unsigned depth = 0;
    changing_outbox_init(&w->source, w->seed * 1000);
    for (uint64_t n = 1 + draw(w, 12); n > 0; n--)
        add_entry(w, &depth);
    w->twins = one_in(w, 30);
    for (int i = 0; i < 2 && w->twins; i++)
        changing_outbox_add(&w->source, TRANSFER_FILE, 0, "twin", 5);
}

static void make_terms(struct world *w)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < w->source.count; i++)
        bytes += w->source.files[i].size;
    w->small_cap = one_in(w, 40);
    w->terms = (struct receiving_terms){
        .id.bytes = {(uint8_t)w->seed, 2, 3},
        .cap = w->small_cap ? bytes + w->source.count * LIMIT_TRANSFER_ENTRY_BYTES / 2
                            : LIMIT_MIB * 1024,
        .bytes = one_in(w, 2) ? bytes : TRANSFER_SIZE_UNKNOWN,
        .entries = one_in(w, 2) ? w->source.count : TRANSFER_SIZE_UNKNOWN,
        .sha256 = one_in(w, 3)};
    w->taken = one_in(w, 40);
    if (w->taken)
        faulty_inbox_set_taken(w->inbox, "e0");
}

/* What was published */

static bool is_version(struct world *w, uint64_t number, const struct faulty_inbox_found *got)
{
    const struct changing_file *f = &w->source.files[number];
    uint64_t version = (uint64_t)got->entry.seconds;
    return got->kind == TRANSFER_FILE && version < f->versions &&
           got->entry.executable == f->entry.executable &&
           bytes_equal(got->data, changing_outbox_content(&w->source, number, version));
}

/* all: everything has to be there. */
static void check_published(struct world *w, bool all)
{
    static struct transfer_path path;
    struct faulty_inbox_found got;
    path = (struct transfer_path){0};
    for (uint64_t i = 0; i < w->source.count; i++) {
        const struct transfer_entry *e = &w->source.files[i].entry;
        check(w, transfer_path_enter(&path, e) == 0, "a path of the source");
        bool twin = bytes_equal_str(e->name, "twin");
        bool is = faulty_inbox_find(w->inbox, transfer_path_view(&path), &got);
        check(w, is || !all || w->dropped[i], "something is not there");
        if (is && e->kind == TRANSFER_FOLDER)
            check(w, got.kind == TRANSFER_FOLDER, "a folder is none");
        else if (is && !twin)
            check(w, is_version(w, i, &got), "a file is no version of its source");
    }
}

static void note_dropped(struct receiving *r, struct bytes path, enum transfer_reason reason)
{
    struct world *w = r->owner;
    w->dropped[r->walk.entry.number] = true;
    w->tally->dropped++;
    check(w, w->t.source, "a file was dropped for nothing");
}

/* The wire */

static int next_frame(struct buffer *b, struct peer_frame *f, size_t *ret_n)
{
    return peer_frame_parse(buffer_view(b), LIMIT_PEER_FRAME_BYTES, ret_n, f);
}

static void keep_late(struct wire *c, struct bytes frame, uint8_t type)
{
    struct world *w = c->w;
    bool fits = type == TRANSFER_ENTRY || type == TRANSFER_WHOLE || type == TRANSFER_END;
    if (!fits || frame.len > LATE_BYTES || !one_in(w, 3))
        return;
    memcpy(w->late, frame.data, frame.len);
    w->late_len = frame.len;
}

static void take(struct wire *c, const struct peer_frame *f)
{
    receiving_take(&c->r, f, &c->to_s);
}

static void take_late(struct wire *c)
{
    struct peer_frame f;
    size_t n;
    c->injected = true;
    if (peer_frame_parse(bytes_make(c->w->late, c->w->late_len), LIMIT_PEER_FRAME_BYTES, &n,
                         &f) == 0)
        take(c, &f);
}

static bool step_to_receiver(struct wire *c)
{
    struct peer_frame f;
    size_t n;
    bool troubled = c->w->t.doubles && !c->w->calm;
    if (next_frame(&c->to_r, &f, &n) != 0)
        return false;
    if (troubled && c->w->late_len > 0 && one_in(c->w, 200))
        take_late(c);
    take(c, &f);
    c->w->anew[c->r.course.number] |= c->r.course.anew;
    if (troubled && one_in(c->w, 200)) {
        c->injected = true;
        take(c, &f);
    }
    keep_late(c, bytes_first(buffer_view(&c->to_r), n), f.type);
    buffer_consume(&c->to_r, n);
    return true;
}

static void note_said(struct wire *c, const struct peer_frame *f)
{
    struct transfer_message m;
    check(c->w, transfer_message_read(f, &m) == 0, "who receives says what is no message");
    c->w->tally->asked_again += m.type == TRANSFER_AGAIN;
}

static bool step_to_sender(struct wire *c)
{
    struct peer_frame f;
    size_t n;
    if (next_frame(&c->to_s, &f, &n) != 0)
        return false;
    note_said(c, &f);
    sending_hear(&c->s, &f);
    if (c->w->t.doubles && !c->w->calm && one_in(c->w, 200)) {
        c->injected = true;
        sending_hear(&c->s, &f);
    }
    buffer_consume(&c->to_s, n);
    return true;
}

static bool step_send(struct wire *c)
{
    return buffer_len(&c->to_r) < LIMIT_MIB && sending_next(&c->s, &c->to_r) == 0;
}

static bool step_work(struct wire *c)
{
    return receiving_work(&c->r, &c->to_s) == 0;
}

/* What is said to be kept; but a file that was said afresh may be begun once more. */
static void sync(struct wire *c)
{
    const struct receiving_course *k = &c->r.course;
    size_t before = buffer_len(&c->to_s);
    receiving_sync(&c->r, &c->to_s);
    if (buffer_len(&c->to_s) == before || c->r.state == RECEIVING_STOPPED)
        return;
    c->w->kept_number = k->number;
    c->w->kept_offset = k->within && !k->anew ? k->offset : 0;
}

/* One step of a kind that can be done; false: nothing can. */
static bool step(struct wire *c)
{
    static bool (*const steps[])(struct wire *) = {step_to_receiver, step_to_sender, step_send,
                                                   step_work};
    uint64_t first = draw(c->w, 4);
    if (one_in(c->w, 10))
        sync(c);
    for (uint64_t i = 0; i < 4; i++)
        if (steps[(first + i) % 4](c))
            return true;
    return false;
}

static void check_place(struct wire *c)
{
    const struct world *w = c->w;
    const struct receiving_course *k = &c->r.course;
    uint64_t offset = k->within ? k->offset : 0;
    bool behind =
        k->number < w->kept_number || (k->number == w->kept_number && offset < w->kept_offset);
    bool anew = k->number < CHANGING_ENTRIES && w->anew[k->number];
    check(w, !behind || (anew && k->number == w->kept_number), "what was kept is sent again");
}

/* Until the end, a cut or a crash. */
static void run(struct wire *c)
{
    struct world *w = c->w;
    for (int i = 0; i < STEPS_MAX; i++) {
        if (faulty_inbox_crashed(w->inbox) ||
            (!w->calm && w->t.cut_in > 0 && one_in(w, w->t.cut_in)))
            return;
        if (!step(c)) {
            bool closed = c->s.state == SENDING_CLOSED && (c->r.state == RECEIVING_PUBLISHED ||
                                                           c->r.state == RECEIVING_STOPPED);
            check(w, closed, "both wait");
            return;
        }
    }
    check(w, false, "it does not end");
}

static void open_wire(struct wire *c, struct world *w)
{
    *c = (struct wire){.w = w};
    buffer_init(&c->to_r, 8 * LIMIT_MIB);
    buffer_init(&c->to_s, LIMIT_MIB);
    sending_init(&c->s, &w->source.outbox, &w->terms.id, w->terms.sha256);
    receiving_init(&c->r, faulty_inbox(w->inbox), &w->terms, w->handler);
    c->r.owner = w;
    receiving_begin(&c->r, &c->to_s);
    tell(w, "connection, place", c->r.course.number, c->r.course.offset);
    if (c->r.state == RECEIVING_TAKING)
        check_place(c);
}

static void close_wire(struct wire *c)
{
    sending_fini(&c->s);
    receiving_fini(&c->r);
    buffer_fini(&c->to_r);
    buffer_fini(&c->to_s);
}

/* Was it over for a reason that is one in this world? */
static bool is_end(const struct wire *c)
{
    const struct world *w = c->w;
    switch (c->r.reason) {
    case TRANSFER_NAME_TAKEN:
        return w->taken;
    case TRANSFER_NAME_REFUSED:
        return w->twins;
    case TRANSFER_TOO_MUCH:
        return w->small_cap;
    case TRANSFER_DIFFERS:
        return w->t.aba &&
               (w->rotten || w->t.disk); /* content was lost, and is asked for again */
    default:
        return false;
    }
}

static void judge(struct wire *c)
{
    struct world *w = c->w;
    bool cleared = faulty_inbox_is_cleared(w->inbox);
    bool done = c->s.state == SENDING_CLOSED && c->s.reason == TRANSFER_REASON_NONE;
    tell(w, "states", c->s.state, c->r.state);
    tell(w, "reasons", c->s.reason, c->r.reason);
    check(w, !faulty_inbox_misuse(w->inbox), faulty_inbox_misuse(w->inbox));
    check(w, !done || cleared, "done, but not published");
    check(w, c->injected || (c->s.reason != TRANSFER_BROKEN && c->r.reason != TRANSFER_BROKEN),
          "taken for broken");
    check_published(w, cleared);
}

/* What rots behind the last look at it, nobody can see. */
static bool is_checked(struct world *w)
{
    struct receiving_reader d;
    struct receiving_record rec = {0};
    receiving_reader_init(&d, faulty_inbox(w->inbox), 0);
    while (receiving_reader_next(&d, &rec) == 0)
        ;
    receiving_reader_fini(&d);
    return rec.type == RECEIVING_CHECKED || rec.type == RECEIVING_PLACED;
}

static void rot(struct world *w)
{
    if (is_checked(w))
        return;
    w->rotten = true;
    faulty_inbox_rot(w->inbox, faulty_random(&w->random));
}

/* The call that goes wrong: often one of the first, as a connection late in a transfer has few.
 */
static uint64_t draw_call(struct world *w)
{
    return draw(w, one_in(w, 2) ? 25 : 80);
}

/* Is the transfer over? */
static bool connect(struct world *w)
{
    struct wire c;
    if (!w->calm && w->t.disk && one_in(w, 2))
        faulty_inbox_fail(w->inbox, draw_call(w), one_in(w, 2) ? -EIO : -ENOSPC);
    if (!w->calm && w->t.crash && one_in(w, 2))
        faulty_inbox_crash(w->inbox, draw_call(w));
    w->tally->connections++;
    open_wire(&c, w);
    run(&c);
    judge(&c);
    bool end = c.r.state == RECEIVING_STOPPED && is_end(&c);
    if (end)
        check(w, faulty_inbox_published(w->inbox) == 0, "refused, but published");
    w->tally->refused += end;
    close_wire(&c);
    return end || faulty_inbox_is_cleared(w->inbox);
}

static void trouble_source(struct world *w)
{
    struct changing_file *f = &w->source.files[draw(w, w->source.count)];
    if (one_in(w, 3))
        changing_outbox_change(f);
    if (one_in(w, 20))
        f->gone = true;
    if (w->t.aba && one_in(w, 2))
        f->version = 0; /* as it was listed, once more */
}

static void draw_troubles(struct world *w)
{
    w->t = (struct troubles){.source = one_in(w, 2),
                             .disk = one_in(w, 3),
                             .crash = one_in(w, 2),
                             .power = one_in(w, 2),
                             .rot = one_in(w, 2),
                             .doubles = one_in(w, 4),
                             .cut_in = one_in(w, 3) ? 0 : 4 + (unsigned)draw(w, 40)};
    w->t.aba = w->t.source && one_in(w, 3);
    w->source.change_in = w->t.source ? 5 + (unsigned)draw(w, 100) : 0;
    w->source.fail_in = w->t.source && one_in(w, 3) ? 200 : 0;
}

static void calm_down(struct world *w)
{
    w->calm = true;
    w->source.change_in = w->source.fail_in = 0;
}

static void play(struct world *w)
{
    uint64_t faulty = draw(w, FAULTY_MAX + 1);
    for (uint64_t i = 0; i < faulty + CALM_MAX; i++) {
        if (i == faulty)
            calm_down(w);
        if (connect(w))
            return;
        if (w->calm)
            continue;
        faulty_inbox_restart(w->inbox, w->t.power && one_in(w, 2), faulty_random(&w->random));
        if (w->t.rot && one_in(w, 2))
            rot(w);
        if (w->t.source)
            trouble_source(w);
    }
    check(w, false, "nothing goes wrong any more, but the transfer does not end");
}

void world_play(uint64_t seed, bool verbose, struct world_tally *tally)
{
    const struct receiving_handler handler = {.dropped = note_dropped};
    struct world w = {.seed = seed,
                      .random = seed * 77 + 1,
                      .verbose = verbose,
                      .handler = &handler,
                      .inbox = faulty_inbox_new(),
                      .tally = tally};
    make_source(&w);
    make_terms(&w);
    draw_troubles(&w);
    play(&w);
    tally->published += faulty_inbox_published(w.inbox);
    changing_outbox_fini(&w.source);
    faulty_inbox_free(w.inbox);
}

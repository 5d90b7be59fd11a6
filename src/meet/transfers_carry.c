#include "meet/transfers_inner.h"

#include "base/limits.h"
#include "io/address.h"
#include "io/clock.h"
#include "io/courier.h"
#include "io/problem.h"
#include "meet/carrying.h"
#include "wire/field.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct transfer *transfer_of(struct carrier *c)
{
    return (struct transfer *)((char *)c - offsetof(struct transfer, carrier));
}

/* ---- what it tells ---- */

static void take_list(struct transfer *t, struct bytes news)
{
    struct transfer_record *r = &t->record;
    if (!field_next_number(&news, &r->entries) || !field_next_number(&news, &r->bytes) ||
        !field_next_number(&news, &r->tops) ||
        !field_next_text(&news, r->title, sizeof r->title))
        return;
    t->listed = true;
}

static void take_skipped(struct transfer *t, struct bytes news)
{
    struct transfer_news n = {.event = TRANSFER_EVENT_SKIPPED};
    if (field_next(&news, &n.path) && field_next(&news, &n.detail))
        transfer_tell(t, n);
}

/* For who looks at what is unfinished; now and then, since it takes a moment. */
static void note_kept(struct transfer *t)
{
    struct instant now = clock_instant();
    if (now.ns < t->noted.ns)
        return;
    t->noted = instant_after_ms(now, LIMIT_TRANSFER_NOTED_MS);
    transfer_record_write(&t->all->profile, &t->record);
}

static void take_progress(struct transfer *t, struct bytes news)
{
    uint64_t bound, before = t->bytes, entries = t->entries;
    if (!field_next_number(&news, &t->entries) || !field_next_number(&news, &t->bytes) ||
        !field_next_number(&news, &t->kept) || !field_next_number(&news, &bound) ||
        !field_next_text(&news, t->path, sizeof t->path))
        return;
    t->bound = (enum carrier_bound)bound;
    if (t->bytes != before || t->entries != entries)
        transfer_moves(t);
    if (t->kept > t->record.kept)
        t->failures = 0;
    t->record.kept = t->kept;
    note_kept(t);
    transfer_tell(t, (struct transfer_news){.event = TRANSFER_EVENT_RUNS});
}

static void take_file(struct transfer *t, struct bytes news)
{
    struct transfer_news n = {.event = TRANSFER_EVENT_FILE};
    if (field_next(&news, &n.path) && field_next_number(&news, &n.size) &&
        field_next(&news, &n.detail))
        transfer_tell(t, n);
}

static void take_dropped(struct transfer *t, struct bytes news)
{
    struct transfer_news n = {.event = TRANSFER_EVENT_DROPPED};
    uint64_t reason;
    if (!field_next(&news, &n.path) || !field_next_number(&news, &reason))
        return;
    n.reason = (enum transfer_reason)reason;
    transfer_tell(t, n);
}

static void take_afresh(struct transfer *t, struct bytes news)
{
    struct transfer_news n = {.event = TRANSFER_EVENT_AFRESH};
    if (field_next(&news, &n.path))
        transfer_tell(t, n);
}

/* Whoever asks from now on is told so, whatever becomes of this process. */
static void take_whole(struct transfer *t, struct bytes news)
{
    t->record.result = TRANSFER_DONE_ALL;
    transfer_record_write(&t->all->profile, &t->record);
}

static void take_published(struct transfer *t, struct bytes news)
{
    struct transfer_news n = {.event = TRANSFER_EVENT_PUBLISHED};
    if (field_next(&news, &n.path) && field_next(&news, &n.detail))
        transfer_tell(t, n);
}

static void on_told(struct carrier *c, enum carrier_news what, struct bytes news)
{
    static void (*const takes[])(struct transfer * t, struct bytes news) = {
        [CARRIER_LISTED] = take_list,
        [CARRIER_SKIPPED] = take_skipped,
        [CARRIER_RUNS] = take_progress,
        [CARRIER_FILE] = take_file,
        [CARRIER_DROPPED] = take_dropped,
        [CARRIER_PUBLISHED] = take_published,
        [CARRIER_AFRESH] = take_afresh,
        [CARRIER_WHOLE] = take_whole,
        [CARRIER_END] = NULL,
    };
    struct transfer *t = transfer_of(c);
    if (what == CARRIER_CONNECTED) {
        transfer_moves(t);
        transfer_set_state(t, TRANSFER_RUNNING, NULL);
    } else if ((size_t)what < sizeof takes / sizeof *takes && takes[what])
        takes[what](t, news);
}

static void end_list(struct transfer *t, enum carrier_end how, enum transfer_reason reason,
                     const char *words)
{
    if (how != CARRIER_DONE || !t->listed) {
        transfer_finish(t, reason == TRANSFER_REASON_NONE ? TRANSFER_SOURCE_FAILED : reason,
                        words);
        return;
    }
    if (!transfer_remember(t))
        return;
    if (t->all->handler->listed)
        t->all->handler->listed(t);
    transfer_set_state(t, TRANSFER_READY, NULL);
    transfers_look(t->all);
}

/* What was read from standard input and is in no spool is lost with its reader. */
static bool is_torn(const struct transfer *t, enum carrier_end how)
{
    return t->record.stream && how == CARRIER_CUT && !t->carrier.over;
}

/* What went to standard output cannot be taken back, nor gone on with. */
static void end_output(struct transfer *t)
{
    transfer_say_over(t, TRANSFER_DISK_FAILED);
    transfer_finish(t, TRANSFER_DISK_FAILED,
                    "the connection was cut, and standard output cannot be written anew");
}

static void on_ended(struct carrier *c, enum carrier_end how, enum transfer_reason reason,
                     const char *words)
{
    struct transfer *t = transfer_of(c);
    struct talk_link *l = transfer_link(t);
    t->noted = (struct instant){0};
    if (how != CARRIER_DONE && t->state == TRANSFER_RUNNING && !t->cancelled)
        note_kept(t);
    transfer_leave_sluice(t);
    if (t->cancelled || t->state == TRANSFER_OVER)
        transfer_finish(t, t->reason, NULL);
    else if (t->state == TRANSFER_LISTING)
        end_list(t, how, reason, words);
    else if (how == CARRIER_DONE)
        transfer_finish(t, TRANSFER_REASON_NONE, NULL);
    else if (is_torn(t, how))
        transfer_finish(t, TRANSFER_SOURCE_FAILED, "its reader was killed");
    else if (how == CARRIER_CUT && strcmp(t->record.into, "-") == 0 &&
             t->state == TRANSFER_RUNNING)
        end_output(t);
    else if (how == CARRIER_STOPPED && !transfer_reason_passes(reason))
        transfer_finish(t, reason, words[0] ? words : NULL);
    else if (t->offered_again && l)
        transfer_agree(t, l);
    else
        transfer_wait(t, t->cut ? t->cut : words[0] ? words : transfer_reason_text(reason));
}

static const struct carrier_handler carrier_handler = {.told = on_told, .ended = on_ended};

/* ---- what it is told ---- */

/* One message: begun with its kind; what cannot be written ends the carrier. */
struct order {
    struct carrier *carrier;
    struct buffer message;
    int failed;
};

static struct order order_begin(struct carrier *c, enum carrying_order kind)
{
    struct order o = {.carrier = c};
    buffer_init(&o.message, COURIER_BYTES);
    o.failed = field_append_number(&o.message, kind);
    return o;
}

static void order_number(struct order *o, uint64_t number)
{
    if (o->failed == 0)
        o->failed = field_append_number(&o->message, number);
}

static void order_bytes(struct order *o, const void *data, size_t n)
{
    if (o->failed == 0)
        o->failed = field_append(&o->message, bytes_make(data, n));
}

static void order_end(struct order *o, int fd)
{
    if (o->failed == 0)
        carrier_order(o->carrier, buffer_view(&o->message), fd);
    else
        carrier_kill(o->carrier);
    buffer_fini(&o->message);
}

static void order_plain(struct transfer *t, enum carrying_order kind, int fd)
{
    struct order o = order_begin(&t->carrier, kind);
    order_end(&o, fd);
}

static bool start(struct transfer *t)
{
    int r = carrier_start(&t->carrier, t->all->talks->ground.loop, &carrier_handler);
    t->cut = NULL;
    if (r < 0)
        transfer_wait(t, problem_text(r));
    return r == 0;
}

/* A file of the record's. */
static void order_file(struct transfer *t, enum carrying_order kind, const char *suffix)
{
    char file[TRANSFER_FILE_NAME_BYTES];
    transfer_record_file(&t->record, suffix, file);
    int fd = profile_file(&t->all->profile, file, O_RDWR | O_CREAT);
    if (fd < 0) {
        carrier_kill(&t->carrier);
        return;
    }
    order_plain(t, kind, fd);
    close(fd);
}

/* This profile and all others lie in one folder. */
static void order_keys(struct transfer *t)
{
    struct stat profiles;
    if (fstatat(t->all->profile.fd, "..", &profiles, 0) != 0) {
        carrier_kill(&t->carrier);
        return;
    }
    struct order o = order_begin(&t->carrier, CARRYING_KEYS);
    order_number(&o, profiles.st_dev);
    order_number(&o, profiles.st_ino);
    order_end(&o, -1);
}

void transfer_list(struct transfer *t, const char *const *paths, size_t n)
{
    if (!start(t))
        return;
    order_plain(t, CARRYING_LIST, -1);
    order_file(t, CARRYING_LIST_FILE, ".list");
    order_keys(t);
    for (size_t i = 0; i < n; i++) {
        struct order o = order_begin(&t->carrier, CARRYING_PATH);
        order_bytes(&o, paths[i], strlen(paths[i]));
        order_end(&o, -1);
    }
    order_plain(t, CARRYING_GO, -1);
}

static void order_sending(struct transfer *t)
{
    const struct transfer_record *r = &t->record;
    if (r->stream) {
        struct order as = order_begin(&t->carrier, CARRYING_AS);
        order_bytes(&as, r->title, strlen(r->title));
        order_end(&as, -1);
        order_file(t, CARRYING_SPOOL, ".spool");
        order_plain(t, CARRYING_INPUT, t->input);
    } else {
        order_file(t, CARRYING_LIST_FILE, ".list");
    }
}

static void order_work(struct transfer *t)
{
    const struct transfer_record *r = &t->record;
    struct order o = order_begin(&t->carrier, r->incoming ? CARRYING_RECEIVE : CARRYING_SEND);
    order_bytes(&o, r->id.bytes, sizeof r->id.bytes);
    order_bytes(&o, t->secret, sizeof t->secret);
    order_number(&o, r->sha256);
    if (r->incoming) {
        order_bytes(&o, r->into, strlen(r->into));
        order_number(&o, r->rule);
        order_number(&o, r->cap);
        order_number(&o, r->entries);
        order_number(&o, r->bytes);
    }
    order_end(&o, -1);
    if (!r->incoming)
        order_sending(t);
}

void transfer_carry_to(struct transfer *t, const struct address *at)
{
    uint8_t address[16];
    if (!start(t))
        return;
    order_work(t);
    address_as_v6(at, address);
    struct order o = order_begin(&t->carrier, CARRYING_DIAL);
    order_bytes(&o, address, sizeof address);
    order_number(&o, at->port);
    order_bytes(&o, t->token.bytes, sizeof t->token.bytes);
    order_end(&o, -1);
    order_plain(t, CARRYING_GO, -1);
}

void transfer_carry_on(struct transfer *t, int fd, bool dialed)
{
    if (start(t)) {
        order_work(t);
        struct order o = order_begin(&t->carrier, CARRYING_CONNECTION);
        order_number(&o, dialed);
        order_end(&o, fd);
        order_plain(t, CARRYING_GO, -1);
    }
    close(fd);
}

void transfer_clear(struct transfer *t)
{
    const struct transfer_record *r = &t->record;
    if (!start(t))
        return;
    struct order o = order_begin(&t->carrier, CARRYING_CLEAR);
    order_bytes(&o, r->id.bytes, sizeof r->id.bytes);
    order_bytes(&o, r->into, strlen(r->into));
    order_end(&o, -1);
    order_plain(t, CARRYING_GO, -1);
}

#include "meet/transfers_inner.h"

#include "base/hash.h"
#include "base/limits.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/problem.h"
#include "wire/field.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOK_MS = 250 };

/* ---- one of them ---- */

struct transfer *transfers_find(struct transfers *all, const struct random_id *id,
                                bool incoming)
{
    list_foreach (at, &all->all) {
        struct transfer *t = list_entry(at, struct transfer, link);
        if (t->record.incoming == incoming && random_id_equal(&t->record.id, id))
            return t;
    }
    return NULL;
}

struct transfer *transfers_add(struct transfers *all, const struct transfer_record *record)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->all = all;
    t->record = *record;
    t->kept = record->kept;
    t->lock = t->input = -1;
    list_append(&all->all, &t->link);
    all->count++;
    return t;
}

bool transfer_hold(struct transfer *t)
{
    if (t->lock < 0)
        t->lock = transfer_record_lock(&t->all->profile, &t->record);
    return t->lock >= 0;
}

void transfer_tell(struct transfer *t, struct transfer_news news)
{
    t->all->handler->told(t, &news);
}

void transfer_set_state(struct transfer *t, enum transfer_state state, const char *why)
{
    if (t->state == TRANSFER_OVER)
        return;
    t->state = state;
    t->since = clock_instant();
    if (state != TRANSFER_OVER)
        transfer_tell(t, (struct transfer_news){.event = TRANSFER_EVENT_STATE, .why = why});
}

bool transfer_remember(struct transfer *t)
{
    int r = transfer_record_write(&t->all->profile, &t->record);
    if (r < 0)
        transfer_finish(t, TRANSFER_DISK_FAILED, problem_text(r));
    return r == 0;
}

void transfer_wait(struct transfer *t, const char *why)
{
    uint64_t ms = LIMIT_TRANSFER_RETRY_MIN_MS << (t->failures < 16 ? t->failures : 16);
    talks_unexpect(&t->expected);
    if (t->state == TRANSFER_OVER)
        return;
    t->failures++;
    if (ms > LIMIT_TRANSFER_RETRY_MS)
        ms = LIMIT_TRANSFER_RETRY_MS;
    t->again = instant_after_ms(clock_instant(), ms);
    transfer_set_state(t, TRANSFER_READY, why);
}

void transfer_moves(struct transfer *t)
{
    t->moved = clock_instant();
    t->stalls = false;
}

/* ---- the end ---- */

static void forget(struct transfer *t)
{
    talks_unexpect(&t->expected);
    list_remove(&t->link);
    t->all->count--;
    if (t->lock >= 0)
        close(t->lock);
    free(t);
}

/* Why he, who sends, does not go on. */
static bool is_his(enum transfer_reason reason)
{
    return reason == TRANSFER_SOURCE_FAILED || reason == TRANSFER_SOURCE_CHANGED ||
           reason == TRANSFER_SOURCE_GONE || reason == TRANSFER_PAUSED;
}

/* Who sends what he has read from standard input has nothing of it any more, whatever ended it.
 */
static bool is_final(const struct transfer *t)
{
    bool of_stream = t->record.incoming && t->record.bytes == TRANSFER_SIZE_UNKNOWN;
    return transfer_reason_is_final(t->reason) ||
           (of_stream && !is_his(t->reason) && !transfer_reason_passes(t->reason));
}

/* What a person may still decide about, or what the other side may ask about, is kept. */
static void settle_record(struct transfer *t)
{
    struct transfer_record *r = &t->record;
    bool done = t->reason == TRANSFER_REASON_NONE;
    bool begun = r->incoming || t->listed;
    if (t->lock < 0 || (t->all->closing && begun))
        return;
    bool is_output =
        r->incoming && strcmp(r->into, "-") == 0 && t->reason != TRANSFER_REASON_NONE;
    if (is_output || (!r->incoming && (!t->listed || r->stream))) {
        transfer_record_remove(&t->all->profile, r);
        return;
    }
    if (r->incoming && is_his(t->reason))
        return;                                      /* it goes on when he can */
    bool asks = done && r->incoming && !t->he_knows; /* he may, whether all was received */
    if (!asks && (done || is_final(t))) {
        transfer_record_remove(&t->all->profile, r);
        return;
    }
    r->reason = t->reason;
    r->result = asks ? TRANSFER_DONE_ALL : TRANSFER_STUCK;
    transfer_record_write(&t->all->profile, r);
}

/* Whoever publishes all clears the staging himself. */
static bool is_to_be_cleared(const struct transfer *t)
{
    bool cleared = t->carrier.over && t->carrier.how == CARRIER_DONE;
    return !cleared && t->record.incoming && t->record.into[0] == '/' && is_final(t) &&
           t->lock >= 0 && !t->all->closing;
}

void transfer_finish(struct transfer *t, enum transfer_reason reason, const char *why)
{
    bool again = t->state == TRANSFER_OVER;
    if (t->ending) /* the owner, who is told, closes all: it is freed below */
        return;
    t->reason = again ? t->reason : reason;
    if (t->carrier.running) { /* once more when it is gone */
        t->cancelled = true;
        carrier_kill(&t->carrier);
        return;
    }
    if (!again) {
        talks_unexpect(&t->expected);
        if (reason == TRANSFER_REASON_NONE && !t->record.incoming)
            transfer_say_over(t, reason);
        settle_record(t);
        transfer_set_state(t, TRANSFER_OVER, NULL);
        if (is_to_be_cleared(t))
            transfer_clear(t);
        t->ending = true;
        t->all->handler->over(t, why);
        t->ending = false;
    }
    if (!t->carrier.running)
        forget(t);
}

void transfer_end(struct transfer *t, enum transfer_reason reason)
{
    if (t->state == TRANSFER_OVER)
        return;
    if (t->state != TRANSFER_LISTING)
        transfer_say_over(t, reason);
    transfer_finish(t, reason, NULL);
}

/* ---- in time ---- */

static bool is_late(const struct transfer *t, struct instant now)
{
    return t->state == TRANSFER_CALLING && !t->carrier.running &&
           now.ns > instant_after_ms(t->since, LIMIT_TALK_CONNECT_MS).ns;
}

/* Offered over a link that is gone, or of which the other side knows nothing any more. */
static bool is_unheard(const struct transfer *t, const struct talk_link *l)
{
    return t->state == TRANSFER_OFFERED && (!l || !random_id_equal(&l->pair.id, &t->via));
}

static void look_at_outgoing(struct transfer *t, struct instant now)
{
    struct talk_link *l = transfer_link(t);
    if (is_unheard(t, l)) {
        t->again = now;
        transfer_set_state(t, TRANSFER_READY, NULL);
    }
    if (t->state == TRANSFER_READY && l && t->again.ns <= now.ns && !t->carrier.running)
        transfer_offer(t, l);
}

/* Who does not send on for long is waited for no more: the record is still there. */
static bool is_parked(const struct transfer *t, struct instant now)
{
    return t->state == TRANSFER_READY && !t->carrier.running &&
           now.ns > instant_after_ms(t->since, LIMIT_TRANSFER_PARKED_MS).ns;
}

/* An offer that nobody has answered goes with who has made it. */
static void look_at_incoming(struct transfer *t, struct instant now)
{
    if (is_parked(t, now)) {
        free(t->context);
        forget(t);
    } else if (t->state == TRANSFER_OFFERED &&
               !talks_find(t->all->talks, bytes_from_str(t->record.name)))
        transfer_finish(t, TRANSFER_CANCELLED, NULL);
}

/* The connection for content hangs where the talk had to find another one meanwhile: it is made
 * anew, beside that. By who offers; the other side notices by the new offer. */
static void look_at_running(struct transfer *t, struct instant now)
{
    const struct talk_link *l = transfer_link(t);
    bool hangs = now.ns > instant_after_ms(t->moved, LIMIT_TRANSFER_HANGS_MS).ns;
    bool all_said = t->bytes >= t->record.bytes; /* it is checked, which takes its time */
    if (t->state != TRANSFER_RUNNING || !hangs || all_said)
        return;
    if (!t->record.incoming && l && l->since.ns > t->since.ns && l->since.ns > t->moved.ns) {
        carrier_kill(&t->carrier);
    } else if (!t->stalls && now.ns > instant_after_ms(t->moved, LIMIT_TRANSFER_STALLS_MS).ns) {
        t->stalls = true;
        transfer_tell(
            t, (struct transfer_news){.event = TRANSFER_EVENT_STATE, .why = "nothing moves"});
    }
}

static void look_at(struct transfer *t, struct instant now)
{
    if (t->state == TRANSFER_OVER)
        return;
    look_at_running(t, now);
    if (is_late(t, now))
        transfer_wait(t, "no connection came about");
    transfer_look_at_sluice(t, now);
    if (t->lock >= 0 && t->state != TRANSFER_LISTING &&
        !transfer_record_exists(&t->all->profile, &t->record))
        transfer_end(t, TRANSFER_CANCELLED);
    else if (t->record.incoming)
        look_at_incoming(t, now);
    else
        look_at_outgoing(t, now);
}

void transfers_look(struct transfers *t)
{
    struct instant now = clock_instant();
    struct list *next;
    if (!t->open || t->closing)
        return;
    for (struct list *at = t->all.next; !t->closing && at != &t->all; at = next) {
        next = at->next;
        look_at(list_entry(at, struct transfer, link), now);
    }
    if (!t->closing)
        transfers_sweep_sluices(t, false);
}

static void on_look(uv_timer_t *timer)
{
    transfers_look(timer->data);
}

/* ---- outgoing ---- */

struct taking {
    struct transfers *all;
    const char *name;
    const struct random_id *id;
    const struct transfer_record
        *like;              /* NULL; or: of the same wish, and even one that is stuck */
    struct transfer *found; /* the last */
    size_t held;            /* by other processes */
};

static bool is_wanted(const struct taking *s, const struct transfer_record *r)
{
    bool open = s->id     ? random_id_equal(&r->id, s->id)
                : s->like ? s->like->wish == r->wish
                          : r->result == TRANSFER_OPEN;
    return open && !r->incoming && !r->stream && strcmp(r->hub, s->all->self->hub_print) == 0 &&
           s->all->count < LIMIT_TRANSFERS &&
           (!s->name || account_name_equal(bytes_from_str(r->name), bytes_from_str(s->name))) &&
           !transfers_find(s->all, &r->id, false);
}

/* It was ended while he was away: he is told now. */
static void tell_cancelled(struct transfers *all, const struct transfer_record *r)
{
    struct talk_link *l = talks_find_device(all->talks, bytes_from_str(r->name), &r->device);
    if (!l || strcmp(r->hub, all->self->hub_print) != 0)
        return;
    transfer_tell_over(l, &r->id, TRANSFER_CANCELLED);
    transfer_record_remove(&all->profile, r);
}

static void take_up(void *ctx, const struct transfer_record *r)
{
    struct taking *s = ctx;
    if (!r->incoming && r->result == TRANSFER_STUCK && r->reason == TRANSFER_CANCELLED) {
        tell_cancelled(s->all, r);
        return;
    }
    struct transfer *t = is_wanted(s, r) ? transfers_add(s->all, r) : NULL;
    if (!t)
        return;
    if (!transfer_hold(t)) {
        forget(t);
        s->held++;
        return;
    }
    t->listed = true;
    t->record.result = TRANSFER_OPEN;
    t->record.sha256 = r->sha256 || (s->like && s->like->sha256);
    transfer_set_state(t, TRANSFER_READY, NULL);
    s->found = t;
}

size_t transfers_take_up(struct transfers *all, const char *name, const struct random_id *id)
{
    struct taking s = {.all = all, .name = name, .id = id};
    transfer_record_each(&all->profile, take_up, &s);
    return s.held;
}

static struct transfer *take_up_again(struct transfers *all, const struct transfer_record *like)
{
    struct taking s = {.all = all, .name = like->name, .like = like};
    transfer_record_each(&all->profile, take_up, &s);
    return s.found;
}

/* The paths, as they are from here. */
static int hash_wish(const struct transfer_wish *wish, uint64_t *ret)
{
    char here[PATH_MAX];
    struct buffer all;
    buffer_init(&all, SIZE_MAX);
    int r = getcwd(here, sizeof here) ? 0 : -errno;
    for (size_t i = 0; r == 0 && i < wish->path_count; i++) {
        r = wish->paths[i][0] == '/' ? 0 : field_append(&all, bytes_from_str(here));
        if (r == 0)
            r = field_append(&all, bytes_from_str(wish->paths[i]));
    }
    *ret = r == 0 ? hash_bytes(buffer_view(&all), 0) : 0;
    buffer_fini(&all);
    return r;
}

static enum trouble_kind prepare(struct transfers *all, const struct transfer_wish *wish,
                                 struct transfer_record *r, struct trouble *ret)
{
    *r = (struct transfer_record){.sha256 = wish->sha256,
                                  .stream = wish->as != NULL,
                                  .entries = 1,
                                  .tops = 1,
                                  .bytes = TRANSFER_SIZE_UNKNOWN};
    snprintf(r->hub, sizeof r->hub, "%s", all->self->hub_print);
    snprintf(r->name, sizeof r->name, "%s", wish->name);
    if (wish->as)
        snprintf(r->title, sizeof r->title, "%s", wish->as);
    int error = entropy_fill(r->id.bytes, sizeof r->id.bytes);
    if (error == 0 && !wish->as)
        error = hash_wish(wish, &r->wish);
    if (error < 0)
        return trouble_set(ret, TROUBLE_FAILED, "%s", problem_text(error));
    return all->count < LIMIT_TRANSFERS
               ? TROUBLE_NONE
               : trouble_set(ret, TROUBLE_FAILED, "too many transfers are under way");
}

static enum trouble_kind refuse(struct transfer *t, int error, struct trouble *ret)
{
    transfer_record_remove(&t->all->profile, &t->record);
    forget(t);
    return trouble_set(ret, TROUBLE_FAILED, "the profile cannot be written: %s",
                       problem_text(error));
}

static enum trouble_kind begin_stream(struct transfer *t, int input, struct trouble *ret)
{
    int r = transfer_record_write(&t->all->profile, &t->record);
    if (r < 0)
        return refuse(t, r, ret);
    t->input = input;
    transfer_set_state(t, TRANSFER_READY, NULL);
    return TROUBLE_NONE;
}

static enum trouble_kind begin_new(struct transfers *all, const struct transfer_wish *wish,
                                   const struct transfer_record *record,
                                   struct transfer **ret_transfer, struct trouble *ret)
{
    struct transfer *t = transfers_add(all, record);
    if (!t)
        return trouble_no_memory(ret);
    if (!transfer_hold(t))
        return refuse(t, t->lock, ret);
    *ret_transfer = t;
    if (wish->as)
        return begin_stream(t, wish->input, ret);
    transfer_list(t, wish->paths, wish->path_count);
    return TROUBLE_NONE;
}

enum trouble_kind transfers_send(struct transfers *all, const struct transfer_wish *wish,
                                 struct transfer **ret_transfer, struct trouble *ret)
{
    struct transfer_record record;
    enum trouble_kind kind = prepare(all, wish, &record, ret);
    if (kind != TROUBLE_NONE)
        return kind;
    *ret_transfer = wish->as ? NULL : take_up_again(all, &record);
    return *ret_transfer ? TROUBLE_NONE : begin_new(all, wish, &record, ret_transfer, ret);
}

/* ---- all of them ---- */

/* What was read of standard input is of no use without the rest; where he has some of it he is
 * told that in the next talk. */
static void end_stream(const struct transfers *t, const struct transfer_record *r)
{
    struct transfer_record ended = *r;
    int lock = transfer_record_lock(&t->profile, r);
    if (lock < 0)
        return;
    transfer_record_remove(&t->profile, r);
    ended.result = TRANSFER_STUCK;
    ended.reason = TRANSFER_CANCELLED;
    if (r->has_device)
        transfer_record_write(&t->profile, &ended);
    close(lock);
}

/* Who asks after such a time asks in vain. */
static void forget_old(void *ctx, const struct transfer_record *r)
{
    const struct transfers *t = ctx;
    uint64_t now = (uint64_t)clock_walltime().ms;
    if (r->result == TRANSFER_DONE_ALL && now > r->when + LIMIT_TRANSFER_REMEMBERED_MS)
        transfer_record_remove(&t->profile, r);
    else if (!r->incoming && r->stream && r->result == TRANSFER_OPEN)
        end_stream(t, r);
}

enum trouble_kind transfers_open(struct transfers *t, struct talks *talks,
                                 const struct self *self, uv_loop_t *loop,
                                 const struct transfers_handler *handler, struct trouble *ret)
{
    *t = (struct transfers){.handler = handler, .talks = talks, .self = self};
    list_init(&t->all);
    list_init(&t->sluices);
    int r = profile_open(&t->profile, self->profile);
    if (r != 0)
        return trouble_set(ret, TROUBLE_FAILED, "the profile cannot be used: %s",
                           r < 0 ? problem_text(r) : "it is not private");
    r = uv_timer_init(loop, &t->look);
    t->look.data = t;
    if (r == 0)
        r = uv_timer_start(&t->look, on_look, LOOK_MS, LOOK_MS);
    if (r < 0)
        return trouble_set(ret, TROUBLE_FAILED, "%s", problem_text(r));
    t->open = true;
    transfer_record_each(&t->profile, forget_old, t);
    return TROUBLE_NONE;
}

void transfers_close(struct transfers *all)
{
    struct list *next;
    if (!all->open || all->closing)
        return;
    all->closing = true;
    uv_close((uv_handle_t *)&all->look, NULL);
    transfers_sweep_sluices(all, true);
    for (struct list *at = all->all.next; at != &all->all; at = next) {
        struct transfer *t = list_entry(at, struct transfer, link);
        next = at->next;
        if (t->state != TRANSFER_OVER || !t->carrier.running) /* else it clears up */
            transfer_finish(t, TRANSFER_PAUSED, NULL);
    }
}

void transfers_fini(struct transfers *t)
{
    profile_close(&t->profile);
}

#include "meet/transfers_inner.h"

#include "base/limits.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "meet/inbox_place.h"

#include <stdio.h>
#include <unistd.h>

struct talk_link *transfer_link(const struct transfer *t)
{
    const struct transfer_record *r = &t->record;
    return talks_find_device(t->all->talks, bytes_from_str(r->name),
                             r->has_device ? &r->device : NULL);
}

static int say(struct talk_link *l, const struct transfer_note *n)
{
    uint8_t out[TRANSFER_NOTE_BYTES];
    return talk_link_note(l, bytes_make(out, transfer_note_write(out, n)));
}

void transfer_tell_over(struct talk_link *l, const struct random_id *id,
                        enum transfer_reason reason)
{
    say(l, &(struct transfer_note){.type = TRANSFER_NOTE_OVER, .id = *id, .reason = reason});
}

void transfer_say_over(struct transfer *t, enum transfer_reason reason)
{
    struct talk_link *l = transfer_link(t);
    if (l)
        transfer_tell_over(l, &t->record.id, reason);
}

/* ---- a connection of the other side's ---- */

static void on_connection(void *ctx, int fd)
{
    struct transfer *t = ctx;
    if (t->state == TRANSFER_CALLING && !t->carrier.running)
        transfer_carry_on(t, fd, false);
    else
        close(fd);
}

static struct preamble preamble_of(const struct transfer *t)
{
    struct preamble p = {.id = t->record.id};
    memcpy(p.token, t->token.bytes, sizeof p.token);
    return p;
}

static void expect(struct transfer *t)
{
    struct preamble p = preamble_of(t);
    talks_expect(t->all->talks, &t->expected, &p, on_connection, t);
}

/* ---- outgoing ---- */

void transfer_offer(struct transfer *t, struct talk_link *l)
{
    const struct transfer_record *r = &t->record;
    if (entropy_fill(t->token.bytes, sizeof t->token.bytes) != 0 ||
        entropy_fill(t->secret, sizeof t->secret) != 0) {
        transfer_wait(t, "no random numbers");
        return;
    }
    struct transfer_note n = {.type = TRANSFER_NOTE_OFFER,
                              .id = r->id,
                              .token = t->token,
                              .flags = (r->has_device ? TRANSFER_GOES_ON : 0) |
                                       (r->sha256 ? TRANSFER_WITH_SHA256 : 0),
                              .entries = r->entries,
                              .bytes = r->bytes,
                              .tops = r->tops,
                              .name = bytes_from_str(r->title)};
    memcpy(n.secret, t->secret, sizeof n.secret);
    t->via = l->pair.id;
    if (say(l, &n) == 0)
        transfer_set_state(t, TRANSFER_OFFERED, NULL);
    else
        transfer_wait(t, "it cannot be offered now");
}

/* CALL is ahead of all that is said there. */
static void connect_over(struct transfer *t, struct talk_link *l)
{
    struct transfer_note call = {.type = TRANSFER_NOTE_CALL,
                                 .id = t->record.id,
                                 .token = t->token,
                                 .flags = TRANSFER_IN_BULK};
    if (say(l, &call) == 0)
        transfer_carry_over(t, l);
    else
        transfer_wait(t, "it cannot be called for now");
}

/* The connection for content is dialed as the one in use was. */
static void connect_beside(struct transfer *t, struct talk_link *l)
{
    struct transfer_note call = {
        .type = TRANSFER_NOTE_CALL, .id = t->record.id, .token = t->token};
    struct address at;
    bool dialed = false, beside = talk_link_beside(l, &at, &dialed);
    if (!beside && !talk_link_carries(l)) {
        transfer_wait(t, transfer_reason_text(TRANSFER_RELAYED));
        return;
    }
    transfer_set_state(t, TRANSFER_CALLING, NULL);
    if (!beside) {
        connect_over(t, l);
        return;
    }
    if (dialed) {
        transfer_carry_to(t, &at);
        return;
    }
    expect(t);
    if (say(l, &call) != 0)
        transfer_wait(t, "it cannot be called for now");
}

static void take_acceptance(struct transfer *t, struct talk_link *l,
                            const struct transfer_note *n)
{
    struct transfer_record *r = &t->record;
    if (t->state != TRANSFER_OFFERED || !random_id_equal(&n->token, &t->token))
        return;
    r->sha256 = r->sha256 || (n->flags & TRANSFER_WITH_SHA256);
    if (!r->has_device) {
        r->has_device = true;
        r->device = l->pair.other.key;
    }
    if (transfer_remember(t))
        connect_beside(t, l);
}

/* ---- incoming ---- */

static void fill_record(struct transfer_record *r, struct talk_link *l,
                        const struct transfer_note *n)
{
    *r = (struct transfer_record){.id = n->id,
                                  .incoming = true,
                                  .has_device = true,
                                  .device = l->pair.other.key,
                                  .entries = n->entries,
                                  .bytes = n->bytes,
                                  .tops = n->tops,
                                  .sha256 = n->flags & TRANSFER_WITH_SHA256};
    snprintf(r->name, sizeof r->name, "%s", l->name);
    snprintf(r->title, sizeof r->title, "%.*s", (int)n->name.len, (const char *)n->name.data);
}

/* Nobody takes the place of all others. */
static bool has_room(const struct transfers *all, const char *name)
{
    size_t his = 0;
    list_foreach (at, &all->all) {
        const struct transfer *t = list_entry(at, struct transfer, link);
        his += t->record.incoming &&
               account_name_equal(bytes_from_str(t->record.name), bytes_from_str(name));
    }
    return all->count < LIMIT_TRANSFERS && his < LIMIT_TRANSFERS_FROM_ONE;
}

/* There is room for it, or it is said that there is none. */
static struct transfer *add_offered(struct transfers *all, struct talk_link *l,
                                    const struct transfer_note *n,
                                    const struct transfer_record *record)
{
    struct transfer *t = has_room(all, l->name) ? transfers_add(all, record) : NULL;
    if (!t) {
        transfer_tell_over(l, &n->id, TRANSFER_BUSY);
        return NULL;
    }
    snprintf(t->record.hub, sizeof t->record.hub, "%s", all->self->hub_print);
    return t;
}

static void take_attempt(struct transfer *t, struct talk_link *l, const struct transfer_note *n)
{
    talks_unexpect(&t->expected);
    t->token = n->token;
    t->via = l->pair.id;
    memcpy(t->secret, n->secret, sizeof t->secret);
}

static void offer_new(struct transfers *all, struct talk_link *l, const struct transfer_note *n)
{
    struct transfer_record record;
    fill_record(&record, l, n);
    struct transfer *t = add_offered(all, l, n, &record);
    if (!t)
        return;
    take_attempt(t, l, n);
    transfer_set_state(t, TRANSFER_OFFERED, NULL);
    all->handler->offered(t);
}

static void refuse(struct transfer *t, struct talk_link *l, enum transfer_reason reason)
{
    transfer_tell_over(l, &t->record.id, reason);
    transfer_finish(t, reason, NULL);
}

/* It was stuck since its names were taken: whoever takes files here now may have another rule,
 * or another folder, for it. */
static void offer_again(struct transfers *all, struct talk_link *l,
                        const struct transfer_note *n, const struct transfer_record *known)
{
    if (known->into[0] == '/')
        inbox_place_clear(known->into, &known->id);
    transfer_record_remove(&all->profile, known);
    offer_new(all, l, n);
}

/* One that was accepted before, in this process or another. */
static void go_on(struct transfers *all, struct talk_link *l, const struct transfer_note *n,
                  const struct transfer_record *known)
{
    struct transfer *t = add_offered(all, l, n, known);
    if (!t)
        return;
    take_attempt(t, l, n);
    if (!transfer_hold(t))
        refuse(t, l, TRANSFER_BUSY);
    else if (t->record.into[0] != '/')
        refuse(t, l, TRANSFER_UNKNOWN); /* standard output was another process's */
    else
        transfer_agree(t, l);
}

/* Whose it is was proven when the two devices connected. */
static bool is_from(const struct transfer_record *r, const struct talk_link *l)
{
    return account_name_equal(bytes_from_str(r->name), bytes_from_str(l->name)) &&
           memcmp(&r->device, &l->pair.other.key, sizeof r->device) == 0;
}

static void take_unknown(struct transfers *all, struct talk_link *l,
                         const struct transfer_note *n)
{
    struct transfer_record known;
    int r = transfer_record_read(&all->profile, &n->id, true, &known);
    if (r == 0 && !is_from(&known, l))
        transfer_tell_over(l, &n->id, TRANSFER_UNKNOWN);
    else if (r == 0 && known.result == TRANSFER_DONE_ALL)
        transfer_tell_over(l, &n->id, TRANSFER_REASON_NONE);
    else if (r == 0 && known.result == TRANSFER_STUCK && known.reason == TRANSFER_TOO_MUCH)
        transfer_tell_over(l, &n->id, known.reason); /* until the person here says otherwise */
    else if (r == 0 && known.result == TRANSFER_STUCK &&
             (known.reason == TRANSFER_NAME_TAKEN || known.reason == TRANSFER_NAME_REFUSED))
        offer_again(all, l, n, &known);
    else if (r == 0)
        go_on(all, l, n, &known);
    else if (n->flags & TRANSFER_GOES_ON)
        transfer_tell_over(l, &n->id, TRANSFER_UNKNOWN);
    else
        offer_new(all, l, n);
}

static bool is_accepted(const struct transfer *t)
{
    return !t->record.incoming || t->record.into[0];
}

/* Again, since it has lost what there was: its end may still look whole here. */
static void take_again(struct transfer *t, struct talk_link *l, const struct transfer_note *n)
{
    if (!is_from(&t->record, l)) {
        transfer_tell_over(l, &n->id, TRANSFER_UNKNOWN);
        return;
    }
    bool soon = clock_instant().ns < instant_after_ms(t->since, LIMIT_TRANSFER_RETRY_MIN_MS).ns;
    if (t->state == TRANSFER_OVER || (t->carrier.running && soon)) {
        transfer_tell_over(l, &n->id, TRANSFER_BUSY);
        return;
    }
    take_attempt(t, l, n);
    if (!is_accepted(t))
        return;
    if (t->carrier.running) {
        t->offered_again = true;
        carrier_kill(&t->carrier);
    } else {
        transfer_agree(t, l);
    }
}

static void take_offer(struct transfers *all, struct talk_link *l,
                       const struct transfer_note *n)
{
    struct transfer *t = transfers_find(all, &n->id, true);
    if (t)
        take_again(t, l, n);
    else
        take_unknown(all, l, n);
}

void transfer_agree(struct transfer *t, struct talk_link *l)
{
    struct transfer_note accept = {.type = TRANSFER_NOTE_ACCEPT,
                                   .id = t->record.id,
                                   .token = t->token,
                                   .flags = t->record.sha256 ? TRANSFER_WITH_SHA256 : 0};
    t->offered_again = false;
    transfer_set_state(t, TRANSFER_CALLING, NULL);
    expect(t);
    if (say(l, &accept) != 0)
        transfer_wait(t, "it cannot be accepted now");
}

uint64_t transfer_cap_of_offer(const struct transfer *t)
{
    uint64_t bytes = t->record.bytes;
    return bytes == TRANSFER_SIZE_UNKNOWN ? UINT64_MAX : bytes + bytes / 8 + LIMIT_MIB;
}

/* What people say is of content; entries count besides, but for the first ones. */
static uint64_t cap_of(const struct transfer_record *r, uint64_t content)
{
    uint64_t entries =
        r->entries < LIMIT_TRANSFER_FREE_ENTRIES ? r->entries : LIMIT_TRANSFER_FREE_ENTRIES;
    uint64_t cap;
    return __builtin_add_overflow(entries * LIMIT_TRANSFER_ENTRY_BYTES, content, &cap)
               ? UINT64_MAX
               : cap;
}

void transfer_accept(struct transfer *t, const struct transfer_terms *terms)
{
    struct transfer_record *r = &t->record;
    snprintf(r->into, sizeof r->into, "%s", terms->into);
    r->rule = terms->rule;
    r->cap = cap_of(r, terms->cap);
    r->sha256 = r->sha256 || terms->sha256;
    if (transfer_record_count(&t->all->profile, true) >= LIMIT_TRANSFER_RECORDS ||
        !transfer_hold(t)) {
        transfer_say_over(t, TRANSFER_BUSY);
        transfer_finish(t, TRANSFER_BUSY, NULL);
        return;
    }
    if (!transfer_remember(t))
        return;
    struct talk_link *l = transfer_link(t);
    if (l && random_id_equal(&l->pair.id, &t->via))
        transfer_agree(t, l);
    else
        transfer_wait(t, NULL); /* he offers it anew */
}

/* By whatever path he sees: it is the path here that must not lead through a hub that lets no
 * files through. */
static void take_call_over(struct transfer *t, struct talk_link *l)
{
    if (talk_link_carries(l)) {
        transfer_carry_over(t, l);
        return;
    }
    transfer_tell_over(l, &t->record.id, TRANSFER_RELAYED);
    transfer_wait(t, transfer_reason_text(TRANSFER_RELAYED));
}

static void take_call(struct transfer *t, struct talk_link *l, const struct transfer_note *n)
{
    struct address at;
    bool dialed = false;
    if (t->state != TRANSFER_CALLING || !random_id_equal(&n->token, &t->token) ||
        t->carrier.running)
        return;
    talks_unexpect(&t->expected);
    if (n->flags & TRANSFER_IN_BULK)
        take_call_over(t, l);
    else if (talk_link_beside(l, &at, &dialed) && dialed)
        transfer_carry_to(t, &at);
    else
        transfer_wait(t, "the connection was another by then");
}

/* ---- both ---- */

/* An offer that nobody has accepted is over with its first OVER: there is nothing to go on
 * with. What was ended here stays so, whatever he says before the carrier is gone. */
static void take_over(struct transfer *t, const struct transfer_note *n)
{
    enum transfer_reason reason = n->reason;
    bool passes = is_accepted(t) && transfer_reason_passes(reason);
    if (t->record.incoming && n->reason == TRANSFER_REASON_NONE)
        t->he_knows = true;
    if (t->cancelled || t->he_knows)
        return;
    if (n->reason >= TRANSFER_REASONS)
        reason = TRANSFER_CANCELLED;
    t->reason = reason;
    t->cancelled = !passes;
    t->cut = transfer_reason_text(reason);
    if (t->carrier.running)
        carrier_kill(&t->carrier);
    else if (passes)
        transfer_wait(t, transfer_reason_text(reason));
    else
        transfer_finish(t, reason, NULL);
}

/* ACCEPT is for who offered, CALL for who accepted; OVER tells neither, but a device does not
 * send itself anything under one id. */
static struct transfer *find_noted(struct transfers *all, const struct transfer_note *n,
                                   const struct talk_link *l)
{
    struct transfer *out = transfers_find(all, &n->id, false);
    struct transfer *in = transfers_find(all, &n->id, true);
    struct transfer *t = n->type == TRANSFER_NOTE_ACCEPT ? out
                         : n->type == TRANSFER_NOTE_CALL ? in
                         : out                           ? out
                                                         : in;
    bool his = t &&
               account_name_equal(bytes_from_str(t->record.name), bytes_from_str(l->name)) &&
               (!t->record.has_device ||
                memcmp(&t->record.device, &l->pair.other.key, sizeof t->record.device) == 0);
    return his ? t : NULL;
}

/* Of one that nothing is known of but its record: he knows now that all was received, and will
 * not ask; or he has cancelled it. */
static void take_over_unseen(struct transfers *all, const struct talk_link *l,
                             const struct transfer_note *n)
{
    struct transfer_record known;
    if (transfer_record_read(&all->profile, &n->id, true, &known) != 0 || !is_from(&known, l))
        return;
    bool done = known.result == TRANSFER_DONE_ALL && n->reason == TRANSFER_REASON_NONE;
    bool cancelled = known.result != TRANSFER_DONE_ALL && n->reason == TRANSFER_CANCELLED;
    int lock = cancelled ? transfer_record_lock(&all->profile, &known) : -1;
    if (lock >= 0 && known.into[0] == '/')
        inbox_place_clear(known.into, &known.id);
    if (done || lock >= 0)
        transfer_record_remove(&all->profile, &known);
    if (lock >= 0)
        close(lock);
}

void transfers_noted(struct transfers *all, struct talk_link *l, struct bytes message)
{
    struct transfer_note n;
    if (!all->open || all->closing || transfer_note_read(message, &n) != 0)
        return;
    if (n.type == TRANSFER_NOTE_OFFER) {
        take_offer(all, l, &n);
        return;
    }
    struct transfer *t = find_noted(all, &n, l);
    if (!t && n.type == TRANSFER_NOTE_OVER)
        take_over_unseen(all, l, &n);
    if (!t || t->state == TRANSFER_OVER)
        return;
    if (n.type == TRANSFER_NOTE_ACCEPT)
        take_acceptance(t, l, &n);
    else if (n.type == TRANSFER_NOTE_CALL)
        take_call(t, l, &n);
    else
        take_over(t, &n);
}

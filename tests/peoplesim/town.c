#include "person.h"

#include "base/limits.h"
#include "hub/accounts.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- names and meetings ---- */

const char *name_of(size_t account)
{
    static const char *const names[TOWN_ACCOUNTS] = {"Alice", "bob", "carol", "dave"};
    return names[account];
}

struct meeting *town_meeting(struct town *t, struct bytes id)
{
    CHECK(t, id.len == TOWN_ID_LEN, "an id that is none");
    for (size_t i = t->meeting_count; i-- > 0;)
        if (bytes_equal_str(id, t->meetings[i].id))
            return &t->meetings[i];
    CHECK(t, t->meeting_count < TOWN_MEETINGS, "more meetings than there is room for");
    struct meeting *m = &t->meetings[t->meeting_count++];
    *m = (struct meeting){.invited = false};
    memcpy(m->id, id.data, TOWN_ID_LEN);
    return m;
}

unsigned town_present(const struct town *t)
{
    unsigned present = 0;
    for (size_t i = 0; i < TOWN_PEOPLE; i++)
        if (t->people[i])
            present |= 1u << account_of(t->people[i]->device);
    return present;
}

/* ---- turns ---- */

static struct walltime wall(const struct town *t)
{
    return (struct walltime){1700000000000 + (int64_t)(t->trace.now.ns / 1000000)};
}

void town_begin(struct town *t, size_t worker)
{
    hub_tick(&t->workers[worker].hub, t->trace.now, wall(t));
}

static void forget(struct town *t, struct person *p)
{
    for (size_t i = 0; i < TOWN_PEOPLE; i++)
        if (t->people[i] == p)
            t->people[i] = NULL;
    person_gone(p);
}

void town_end(struct town *t, size_t worker)
{
    struct hub_event event;
    while (hub_next_event(&t->workers[worker].hub, &event)) {
        CHECK(t, event.kind == HUB_EVENT_OUTPUT, "nobody asked for that");
        struct person *p = event.connection->user;
        person_read(p);
        CHECK(t, p->connection->state != CONNECTION_CLOSED, "closed for nothing");
    }
    buffer_truncate(&t->workers[worker].hub.log, 0);
}

/* A turn may go on: what it brought waits then. */
static void maybe_end(struct town *t, size_t worker)
{
    if (!chance(t, 4))
        town_end(t, worker);
}

static bool take_mail(struct town *t, size_t worker)
{
    if (!t->workers[worker].mail)
        return false;
    t->workers[worker].mail = false;
    town_begin(t, worker);
    hub_take_mail(&t->workers[worker].hub);
    maybe_end(t, worker);
    return true;
}

static bool tell_log_moved(struct town *t, size_t worker)
{
    if (!t->workers[worker].log_moved)
        return false;
    t->workers[worker].log_moved = false;
    town_begin(t, worker);
    hub_log_moved(&t->workers[worker].hub);
    maybe_end(t, worker);
    return true;
}

static bool log_step(struct town *t)
{
    struct instant deadline;
    bool moved = embedded_segment_step(t->store, t->trace.now, &deadline) == 0;
    moved |= embedded_log_step(t->store, t->trace.now, &deadline) == 0;
    for (size_t i = 0; moved && i < t->worker_count; i++)
        t->workers[i].log_moved = true;
    return moved;
}

/* ---- beginnings and ends ---- */

static void on_wake(void *ctx)
{
    ((struct town_worker *)ctx)->mail = true;
}

static void begin_process(struct town *t)
{
    struct embedded_config config = {.durability = EMBEDDED_COMMIT,
                                     .secret = pick(t, UINT64_MAX)};
    struct recovery_report report;
    if (embedded_open(&t->store, &config, faulty_disk(t->disk), wall(t), &report) != 0)
        trace_fail(&t->trace, "the store does not open");
    t->shared = (struct hub_shared){.store = embedded_store(t->store)};
    for (size_t i = 0; i < sizeof t->shared.config.seed; i++)
        t->shared.config.seed[i] = (uint8_t)pick(t, 256);
    t->worker_count = 1 + pick(t, TOWN_HUBS);
    t->meeting_count = 0;
    for (size_t i = 0; i < t->worker_count; i++) {
        struct town_worker *w = &t->workers[i];
        w->mail = w->log_moved = false;
        hub_init(&w->hub, &t->shared);
        w->hub.mail.wake = on_wake;
        w->hub.mail.ctx = w;
        town_begin(t, i);
    }
}

static void end_process(struct town *t)
{
    for (size_t i = 0; i < TOWN_PEOPLE; i++)
        if (t->people[i])
            forget(t, t->people[i]);
    for (size_t i = 0; i < t->worker_count; i++)
        hub_fini(&t->workers[i].hub);
    CHECK(t, directory_count(&t->shared.directory) == 0, "somebody is left");
    introductions_fini(&t->shared.introductions);
    directory_fini(&t->shared.directory);
    relays_fini(&t->shared.relays);
    embedded_free(t->store);
}

static void crash(struct town *t)
{
    SAY(t, "crash");
    end_process(t);
    if (chance(t, 2)) {
        struct faulty_disk *cut = faulty_disk_cut_random(t->disk, pick(t, UINT64_MAX));
        faulty_disk_free(t->disk);
        t->disk = cut;
    }
    begin_process(t);
}

static int make_account(void *ctx, struct account *a, bool exists)
{
    size_t device = *(size_t *)ctx;
    struct device d = {.key = key_of(device)};
    snprintf(a->name, sizeof a->name, "%s", name_of(account_of(device)));
    a->password.cost = password_cost_least;
    account_add_device(a, &d);
    return 0;
}

static void make_accounts(struct town *t)
{
    for (size_t device = 0; device < TOWN_DEVICES; device++) {
        struct public_key key = key_of(device);
        struct fingerprint f = fingerprint_of(&key);
        struct accounts_change c = {.name = bytes_from_str(name_of(account_of(device))),
                                    .fn = make_account,
                                    .ctx = &device,
                                    .hash = f.bytes};
        uint64_t lsn;
        if (accounts_change(t->shared.store, wall(t), &c, &lsn) != 0)
            abort();
    }
    while (log_step(t))
        continue;
}

/* ---- rest ---- */

static struct instant next_deadline(const struct town *t)
{
    struct instant next = INSTANT_NEVER;
    for (size_t i = 0; i < t->worker_count; i++)
        next = instant_min(next, hub_deadline(&t->workers[i].hub));
    return next;
}

static bool settle_step(struct town *t)
{
    bool moved = log_step(t);
    for (size_t i = 0; i < TOWN_PEOPLE; i++) {
        struct person *p = t->people[i];
        if (!p)
            continue;
        town_begin(t, p->worker);
        moved |= person_deliver(p, true);
        town_end(t, p->worker);
    }
    for (size_t i = 0; i < t->worker_count; i++) {
        moved |= take_mail(t, i);
        moved |= tell_log_moved(t, i);
        town_begin(t, i);
        town_end(t, i);
    }
    return moved;
}

/* Until nothing moves any more, and nothing is due. */
static void come_to_rest(struct town *t)
{
    for (;;) {
        if (settle_step(t))
            continue;
        struct instant next = next_deadline(t);
        if (next.ns == INSTANT_NEVER.ns)
            return;
        if (next.ns > t->trace.now.ns)
            t->trace.now = next;
    }
}

static bool is_here(const struct town *t, uint64_t connection)
{
    for (size_t i = 0; i < TOWN_PEOPLE; i++)
        if (t->people[i] && t->people[i]->id == connection)
            return true;
    return false;
}

static void check_meetings(struct town *t)
{
    for (size_t i = 0; i < t->meeting_count; i++) {
        const struct meeting *m = &t->meetings[i];
        bool asker = m->replied && is_here(t, m->asker);
        CHECK(t, !asker || m->withdrawn || m->ends == 1, "who asked is told nothing of %s",
              m->id);
        CHECK(t, !asker || !m->taker || m->asker_told == 1, "accepted, and not told");
        CHECK(t, !m->taker || !is_here(t, m->taker) || m->taker_told == 1,
              "has accepted, and is told nothing");
    }
    CHECK(t, t->shared.introductions.open.count == 0, "an invitation stays open");
}

static void check_people(struct town *t)
{
    for (size_t i = 0; i < TOWN_PEOPLE; i++) {
        const struct person *p = t->people[i];
        if (!p)
            continue;
        CHECK(t, p->asked_count == 0, "connection %llu is not answered",
              (unsigned long long)p->id);
        CHECK(t, !p->sees_list || p->sees == town_present(t),
              "connection %llu sees %x, and there are %x", (unsigned long long)p->id, p->sees,
              town_present(t));
    }
}

static void settle(struct town *t)
{
    SAY(t, "everything settles");
    come_to_rest(t);
    check_people(t); /* by what they were told */
    check_meetings(t);
    for (size_t i = 0; i < TOWN_PEOPLE; i++) {
        if (!t->people[i])
            continue;
        person_ask_list(t->people[i]);
        person_ask_letters(t->people[i]);
    }
    come_to_rest(t);
    check_people(t); /* by what is so */
}

/* ---- the play ---- */

static void come(struct town *t, size_t place)
{
    size_t worker = pick(t, t->worker_count);
    town_begin(t, worker);
    t->people[place] = person_come(t, worker, pick(t, TOWN_DEVICES));
    maybe_end(t, worker);
}

static void step_person(struct town *t)
{
    size_t place = pick(t, TOWN_PEOPLE);
    struct person *p = t->people[place];
    if (!p) {
        if (chance(t, 3))
            come(t, place);
        return;
    }
    size_t worker = p->worker;
    uint64_t what = pick(t, 200);
    town_begin(t, worker);
    if (what < 90)
        person_act(p);
    else if (what < 196)
        person_deliver(p, chance(t, 2));
    else
        forget(t, p);
    maybe_end(t, worker);
}

static void advance(struct town *t)
{
    uint64_t ns = pick(t, chance(t, 3) ? 100000000 : 1000000);
    if (chance(t, 20))
        ns = pick(t, (LIMIT_INVITED_MS + 5000) * 1000000);
    t->trace.now.ns += ns;
}

static void step(struct town *t)
{
    size_t worker = pick(t, t->worker_count);
    uint64_t what = pick(t, 1000);
    if (what < 600) {
        step_person(t);
    } else if (what < 720) {
        take_mail(t, worker);
    } else if (what < 800) {
        log_step(t);
    } else if (what < 880) {
        tell_log_moved(t, worker);
    } else if (what < 940) {
        town_begin(t, worker);
        town_end(t, worker);
    } else if (what < 990) {
        advance(t);
    } else if (what < 997) {
        settle(t);
    } else {
        crash(t);
    }
}

void town_play(uint64_t seed, uint64_t steps, bool verbose)
{
    struct town *t = calloc(1, sizeof *t);
    if (!t || !(t->meetings = calloc(TOWN_MEETINGS, sizeof *t->meetings)))
        abort();
    t->trace = (struct trace){.seed = seed, .now = {1}, .verbose = verbose};
    t->random = seed;
    t->disk = faulty_disk_new();
    begin_process(t);
    make_accounts(t);
    for (t->trace.step = 1; t->trace.step <= steps; t->trace.step++)
        step(t);
    settle(t);
    crash(t);
    settle(t);
    end_process(t);
    faulty_disk_free(t->disk);
    free(t->meetings);
    free(t);
}

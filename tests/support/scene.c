#include "scene.h"

#include "base/limits.h"

#include "unit/unit.h"

void scene_run_job(struct scene *s, struct job *job)
{
    s->hashed++;
    job_run(job);
    job_done(job);
}

/* ---- what hubs say ---- */

static void take_output(struct scene_person *p)
{
    for (struct bytes out; !p->deaf && (out = connection_output(p->c)).len > 0;
         connection_sent(p->c, out.len)) {
        if (p->tls)
            assert_int_equal(tls_feed(p->tls, out, &p->got, &p->out), 0);
        else
            assert_int_equal(buffer_append_bytes(&p->got, out), 0);
    }
    if (p->c->state == CONNECTION_CLOSED) {
        connection_free(p->c);
        p->c = NULL;
    }
}

static void handle(struct scene *s, const struct hub_event *event)
{
    if (event->kind == HUB_EVENT_IDENTIFY)
        connection_identified(event->connection, true, SCENE_UID + 1);
    else if (event->kind == HUB_EVENT_OUTPUT)
        take_output(event->connection->user);
    else if (event->kind == HUB_EVENT_JOB && !s->hashing_rests)
        scene_run_job(s, event->job);
    else if (event->kind == HUB_EVENT_JOB)
        s->jobs[s->job_count++] = event->job;
}

static bool take_events(struct scene *s)
{
    struct hub_event event;
    bool any = false;
    for (size_t i = 0; i < SCENE_HUBS; i++)
        while (hub_next_event(&s->hubs[i], &event)) {
            handle(s, &event);
            any = true;
        }
    return any;
}

/* ---- time ---- */

static bool say_encrypted(struct scene *s)
{
    bool any = false;
    for (size_t i = 0; i < SCENE_PEOPLE; i++) {
        struct scene_person *p = &s->people[i];
        if (!p->c || buffer_len(&p->out) == 0)
            continue;
        any = true;
        connection_feed(p->c, buffer_view(&p->out));
        buffer_truncate(&p->out, 0);
    }
    return any;
}

static void tick(struct scene *s)
{
    struct walltime wall = {SCENE_WALL_MS + (int64_t)(s->ns / 1000000)};
    for (size_t i = 0; i < SCENE_HUBS; i++)
        hub_tick(&s->hubs[i], (struct instant){s->ns}, wall);
}

static void move_log(struct scene *s)
{
    struct instant deadline, now = {s->ns};
    while (embedded_segment_step(s->store, now, &deadline) == 0 ||
           embedded_log_step(s->store, now, &deadline) == 0)
        ;
    for (size_t i = 0; i < SCENE_HUBS; i++)
        hub_log_moved(&s->hubs[i]);
}

void scene_settle(struct scene *s)
{
    bool any = true;
    while (any) {
        if (!s->log_rests)
            move_log(s);
        tick(s);
        for (size_t i = 0; i < SCENE_HUBS; i++)
            hub_take_mail(&s->hubs[i]);
        any = take_events(s);
        any |= say_encrypted(s);
    }
}

void scene_wait_ms(struct scene *s, uint64_t ms)
{
    s->ns += ms * 1000000;
    scene_settle(s);
}

/* ---- beginning and end ---- */

static const char *const no_protocols[] = {NULL};

static void open_hubs(struct scene *s)
{
    s->shared.store = embedded_store(s->store);
    s->shared.tls = s->tls;
    s->shared.config.uid = SCENE_UID;
    s->shared.config.password_cost = password_cost_least;
    for (size_t i = 0; i < SCENE_HUBS; i++)
        hub_init(&s->hubs[i], &s->shared);
    tick(s);
}

static void close_hubs(struct scene *s)
{
    for (size_t i = 0; i < SCENE_HUBS; i++)
        hub_fini(&s->hubs[i]);
    assert_int_equal(s->shared.counters.connections, 0);
    assert_int_equal(s->shared.counters.guests, 0);
    introductions_fini(&s->shared.introductions);
    directory_fini(&s->shared.directory);
    relays_fini(&s->shared.relays);
}

void scene_restart(struct scene *s)
{
    close_hubs(s);
    for (size_t i = 0; i < SCENE_PEOPLE; i++)
        s->people[i].c = NULL;
    s->shared = (struct hub_shared){.store = NULL};
    open_hubs(s);
}

struct scene *scene_open(void)
{
    static const uint8_t seed[IDENTITY_SEED_BYTES] = {200};
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->disk = faulty_disk_new();
    s->ns = 1;
    struct embedded_config config = {.secret = 1};
    struct recovery_report report;
    assert_int_equal(
        embedded_open(&s->store, &config, faulty_disk(s->disk), (struct walltime){1}, &report),
        0);
    assert_int_equal(identity_new(&s->identity, seed, NULL, 0), 0);
    assert_int_equal(tls_config_new(&s->tls, TLS_HUB, s->identity, no_protocols), 0);
    for (size_t i = 0; i < SCENE_PEOPLE; i++) {
        buffer_init(&s->people[i].got, 8 * LIMIT_MIB);
        buffer_init(&s->people[i].out, LIMIT_MIB);
    }
    open_hubs(s);
    return s;
}

static void forget_tls(struct scene_person *p)
{
    tls_free(p->tls);
    tls_config_free(p->config);
    identity_free(p->identity);
    p->tls = NULL;
    p->config = NULL;
    p->identity = NULL;
}

void scene_close(struct scene *s)
{
    close_hubs(s);
    for (size_t i = 0; i < SCENE_PEOPLE; i++) {
        forget_tls(&s->people[i]);
        buffer_fini(&s->people[i].got);
        buffer_fini(&s->people[i].out);
    }
    embedded_free(s->store);
    faulty_disk_free(s->disk);
    tls_config_free(s->tls);
    identity_free(s->identity);
    free(s);
}

/* ---- people ---- */

struct connection *scene_accept(struct scene *s, size_t who, size_t hub,
                                enum access_origin origin)
{
    struct net_address address = {{[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)who}};
    struct access_peer peer = {.origin = origin, .address = &address};
    struct connection *c;
    assert_int_equal(hub_accept(&s->hubs[hub], &peer, false, &c), 0);
    c->user = &s->people[who];
    s->people[who].c = c;
    buffer_truncate(&s->people[who].got, 0);
    return c;
}

void scene_accept_tls(struct scene *s, size_t who, size_t hub, uint8_t device)
{
    const uint8_t seed[IDENTITY_SEED_BYTES] = {device};
    struct scene_person *p = &s->people[who];
    forget_tls(p);
    if (device)
        assert_int_equal(identity_new(&p->identity, seed, NULL, 0), 0);
    assert_int_equal(tls_config_new(&p->config, TLS_CLIENT, p->identity, no_protocols), 0);
    assert_int_equal(tls_new(&p->tls, p->config), 0);
    scene_accept(s, who, hub, ACCESS_REMOTE);
    assert_int_equal(tls_begin(p->tls, &p->out), 0);
    scene_settle(s);
    assert_int_equal(tls_state(p->tls), TLS_OPEN);
}

void scene_say(struct scene *s, size_t who, const char *what)
{
    struct scene_person *p = &s->people[who];
    if (p->tls) {
        assert_int_equal(tls_write(p->tls, bytes_from_str(what), &p->out), 0);
    } else {
        struct bytes copy = unit_copy(bytes_from_str(what));
        connection_feed(p->c, copy);
        unit_free(copy);
    }
    scene_settle(s);
}

void scene_expect(struct scene *s, size_t who, const char *want)
{
    assert_bytes(buffer_view(&s->people[who].got), bytes_from_str(want));
    buffer_truncate(&s->people[who].got, 0);
}

void scene_forget_all(struct scene *s)
{
    for (size_t i = 0; i < SCENE_PEOPLE; i++)
        buffer_truncate(&s->people[i].got, 0);
}

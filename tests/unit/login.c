#include "hub/accounts.h"
#include "hub/hashing.h"
#include "hub/hub.h"
#include "hub/member.h"

#include "base/limits.h"
#include "store/embedded.h"
#include "support/faulty_disk.h"

#include "unit.h"

#include <stdio.h>

/* Who a connection becomes, when, and until when: two hubs that share a store, as two workers
 * do, and people at both. The clock, the log and the threads that hash move when the test says
 * so. */

enum { HUBS = 2, PEOPLE = 80, JOBS = 8, UID = 1000, WALL_MS = 1700000 };

struct person {
    struct scene *scene;
    struct connection *c;
    struct buffer got; /* what it was told, decrypted */
    struct identity *identity;
    struct tls_config *config;
    struct tls *tls;   /* NULL: plaintext */
    struct buffer out; /* encrypted, for the hub */
};

struct scene {
    struct faulty_disk *disk;
    struct embedded *store;
    struct identity *identity;
    struct tls_config *tls;
    struct hub_shared shared;
    struct hub hubs[HUBS];
    struct person people[PEOPLE];
    uint64_t ns;
    bool log_rests, hashing_rests;
    struct job *jobs[JOBS]; /* while hashing rests */
    size_t job_count, hashed;
};

static void run_job(struct scene *s, struct job *job)
{
    s->hashed++;
    job_run(job);
    job_done(job);
}

static void take_output(struct person *p)
{
    for (struct bytes out; (out = connection_output(p->c)).len > 0;
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
        connection_identified(event->connection, true, UID + 1);
    else if (event->kind == HUB_EVENT_OUTPUT)
        take_output(event->connection->user);
    else if (event->kind == HUB_EVENT_JOB && !s->hashing_rests)
        run_job(s, event->job);
    else if (event->kind == HUB_EVENT_JOB)
        s->jobs[s->job_count++] = event->job;
}

static bool say_encrypted(struct scene *s)
{
    bool any = false;
    for (size_t i = 0; i < PEOPLE; i++) {
        struct person *p = &s->people[i];
        if (!p->c || buffer_len(&p->out) == 0)
            continue;
        any = true;
        connection_feed(p->c, buffer_view(&p->out));
        buffer_truncate(&p->out, 0);
    }
    return any;
}

static bool take_events(struct scene *s)
{
    struct hub_event event;
    bool any = false;
    for (size_t i = 0; i < HUBS; i++)
        while (hub_next_event(&s->hubs[i], &event)) {
            handle(s, &event);
            any = true;
        }
    return any;
}

static void tick(struct scene *s)
{
    struct walltime wall = {WALL_MS + (int64_t)(s->ns / 1000000)};
    for (size_t i = 0; i < HUBS; i++)
        hub_tick(&s->hubs[i], (struct instant){s->ns}, wall);
}

static void move_log(struct scene *s)
{
    struct instant deadline, now = {s->ns};
    while (embedded_segment_step(s->store, now, &deadline) == 0 ||
           embedded_log_step(s->store, now, &deadline) == 0)
        ;
    for (size_t i = 0; i < HUBS; i++)
        hub_log_moved(&s->hubs[i]);
}

/* Until nothing is on its way any more. */
static void settle(struct scene *s)
{
    bool any = true;
    while (any) {
        if (!s->log_rests)
            move_log(s);
        tick(s);
        for (size_t i = 0; i < HUBS; i++)
            hub_take_mail(&s->hubs[i]);
        any = take_events(s);
        any |= say_encrypted(s);
    }
}

static void wait_ms(struct scene *s, uint64_t ms)
{
    s->ns += ms * 1000000;
    settle(s);
}

static struct scene *open_scene(void)
{
    static const char *const none[] = {NULL};
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
    assert_int_equal(tls_config_new(&s->tls, TLS_HUB, s->identity, none), 0);
    s->shared.store = embedded_store(s->store);
    s->shared.tls = s->tls;
    s->shared.config.uid = UID;
    s->shared.config.password_cost = password_cost_least;
    for (size_t i = 0; i < HUBS; i++)
        hub_init(&s->hubs[i], &s->shared);
    for (size_t i = 0; i < PEOPLE; i++) {
        buffer_init(&s->people[i].got, LIMIT_MIB);
        buffer_init(&s->people[i].out, LIMIT_MIB);
    }
    tick(s);
    return s;
}

static void forget_tls(struct person *p)
{
    tls_free(p->tls);
    tls_config_free(p->config);
    identity_free(p->identity);
    p->tls = NULL;
    p->config = NULL;
    p->identity = NULL;
}

static void close_scene(struct scene *s)
{
    for (size_t i = 0; i < HUBS; i++)
        hub_fini(&s->hubs[i]);
    for (size_t i = 0; i < PEOPLE; i++) {
        forget_tls(&s->people[i]);
        buffer_fini(&s->people[i].got);
        buffer_fini(&s->people[i].out);
    }
    assert_int_equal(s->shared.counters.connections, 0);
    assert_int_equal(s->shared.counters.guests, 0);
    introductions_fini(&s->shared.introductions);
    directory_fini(&s->shared.directory);
    relays_fini(&s->shared.relays);
    embedded_free(s->store);
    faulty_disk_free(s->disk);
    tls_config_free(s->tls);
    identity_free(s->identity);
    free(s);
}

static void say(struct scene *s, size_t who, const char *what)
{
    struct person *p = &s->people[who];
    if (p->tls) {
        assert_int_equal(tls_write(p->tls, bytes_from_str(what), &p->out), 0);
    } else {
        struct bytes copy = unit_copy(bytes_from_str(what));
        connection_feed(p->c, copy);
        unit_free(copy);
    }
    settle(s);
}

static void expect(struct scene *s, size_t who, const char *want)
{
    assert_bytes(buffer_view(&s->people[who].got), bytes_from_str(want));
    buffer_truncate(&s->people[who].got, 0);
}

static void ask(struct scene *s, size_t who, const char *what, const char *want)
{
    say(s, who, what);
    expect(s, who, want);
}

/* What it is answered begins so; the rest is forgotten. */
static void ask_for(struct scene *s, size_t who, const char *what, const char *want)
{
    say(s, who, what);
    struct bytes got = buffer_view(&s->people[who].got);
    assert_bytes(bytes_first(got, strlen(want) < got.len ? strlen(want) : got.len),
                 bytes_from_str(want));
    buffer_truncate(&s->people[who].got, 0);
}

#define HELLO "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"

static struct connection *accept_at(struct scene *s, size_t who, size_t hub,
                                    enum access_origin origin)
{
    struct net_address address = {{[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)who}};
    struct access_peer peer = {.origin = origin, .address = &address};
    struct connection *c = hub_accept(&s->hubs[hub], &peer, false);
    assert_non_null(c);
    c->user = &s->people[who];
    s->people[who].c = c;
    buffer_truncate(&s->people[who].got, 0);
    return c;
}

static void greet(struct scene *s, size_t who)
{
    ask_for(s, who, HELLO, "%");
}

/* In plaintext, from this machine. */
static void come(struct scene *s, size_t who, size_t hub)
{
    accept_at(s, who, hub, ACCESS_LOOPBACK);
    greet(s, who);
}

/* Over TLS, from another machine; with the device of that seed, 0: with none. */
static void come_by_tls(struct scene *s, size_t who, size_t hub, uint8_t device)
{
    static const char *const none[] = {NULL};
    const uint8_t seed[IDENTITY_SEED_BYTES] = {device};
    struct person *p = &s->people[who];
    forget_tls(p);
    if (device)
        assert_int_equal(identity_new(&p->identity, seed, NULL, 0), 0);
    assert_int_equal(tls_config_new(&p->config, TLS_CLIENT, p->identity, none), 0);
    assert_int_equal(tls_new(&p->tls, p->config), 0);
    accept_at(s, who, hub, ACCESS_REMOTE);
    assert_int_equal(tls_begin(p->tls, &p->out), 0);
    settle(s);
    assert_int_equal(tls_state(p->tls), TLS_OPEN);
}

static void go(struct scene *s, size_t who)
{
    connection_feed_end(s->people[who].c);
    settle(s);
    assert_null(s->people[who].c);
}

static bool is_here(const struct scene *s, size_t who)
{
    return s->people[who].c != NULL;
}

#define PASSWORD "correct-horse"

enum { ALICE, BOB, CAROL, PROGRAM };

/* alice, who is present over TLS by her device, of seed 1. */
static struct scene *open_with_alice(void)
{
    struct scene *s = open_scene();
    come_by_tls(s, ALICE, 0, 1);
    greet(s, ALICE);
    ask(s, ALICE, "REGISTER alice " PASSWORD "\r\n", "+OK\r\n");
    return s;
}

/* A token of hers; words end the command that makes it. */
static void make_token(struct scene *s, const char *words, char token[TICKET_TEXT_LEN + 1])
{
    say(s, ALICE, words);
    struct bytes got = buffer_view(&s->people[ALICE].got);
    assert_int_equal(got.len, 5 + TICKET_TEXT_LEN + 2);
    memcpy(token, got.data + 5, TICKET_TEXT_LEN);
    token[TICKET_TEXT_LEN] = '\0';
    buffer_truncate(&s->people[ALICE].got, 0);
}

static void authenticate(struct scene *s, size_t who, const char *secret)
{
    char words[128];
    snprintf(words, sizeof words, "AUTH %s\r\n", secret);
    ask(s, who, words, "+OK\r\n");
}

/* ---- nobody is told what a crash could undo ---- */

static void test_who_registers_is_seen_when_that_is_durable(void **state)
{
    struct scene *s = open_with_alice();
    come_by_tls(s, BOB, 1, 2);
    greet(s, BOB);
    s->log_rests = true;
    say(s, BOB, "REGISTER bob " PASSWORD "\r\nMEET alice\r\n");
    assert_int_equal(s->hashed, 2);
    expect(s, BOB, "");
    ask(s, ALICE, "GET_CLIENT_LIST\r\n", "+CLIENT_LIST<alice>\r\n");
    wait_ms(s, LIMIT_NEWS_MS);
    expect(s, ALICE, "");
    s->log_rests = false;
    settle(s);
    ask_for(s, BOB, "", "+OK\r\n$22\r\n");
    ask_for(s, ALICE, "", ">2\r\n$6\r\nonline\r\n$3\r\nbob\r\n>5\r\n$7\r\ninvited\r\n");
    ask(s, ALICE, "GET_CLIENT_LIST\r\n", "+CLIENT_LIST<alice, bob>\r\n");
    close_scene(s);
}

static void test_a_new_device_is_seen_when_it_is_durable(void **state)
{
    struct scene *s = open_with_alice();
    come_by_tls(s, BOB, 1, 2);
    greet(s, BOB);
    s->log_rests = true;
    ask(s, BOB, "LOGIN alice " PASSWORD "\r\nWHOAMI\r\n", "");
    assert_null(connection_member(s->people[BOB].c));
    s->log_rests = false;
    settle(s);
    expect(s, BOB, "+OK\r\n$5\r\nalice\r\n");
    assert_true(connection_member(s->people[BOB].c)->has_device);
    close_scene(s);
}

/* Whoever comes while his account is being written waits for that, and is no stranger. */
static void test_a_device_waits_for_its_account(void **state)
{
    struct scene *s = open_with_alice();
    s->log_rests = true;
    ask(s, ALICE, "TOKEN NEW job\r\n", "");
    come_by_tls(s, BOB, 1, 1);
    assert_null(connection_member(s->people[BOB].c));
    ask(s, BOB, HELLO "SET k v\r\n", "");
    s->log_rests = false;
    settle(s);
    assert_non_null(connection_member(s->people[BOB].c));
    struct bytes got = buffer_view(&s->people[BOB].got);
    assert_true(got.len > 5);
    assert_bytes(bytes_from(got, got.len - 5), BYTES("+OK\r\n"));
    close_scene(s);
}

/* A crash before it is durable: the account was never there, and nobody had heard of it. */
static void test_what_a_crash_undoes_is_free_again(void **state)
{
    struct scene *s = open_scene();
    come_by_tls(s, ALICE, 0, 1);
    greet(s, ALICE);
    s->log_rests = true;
    ask(s, ALICE, "REGISTER alice " PASSWORD "\r\n", "");
    connection_abort(s->people[ALICE].c);
    settle(s);
    assert_int_equal(directory_count(&s->shared.directory), 0);
    close_scene(s);
}

/* ---- what it is known by ends ---- */

static void test_a_guest_has_a_while_to_log_in(void **state)
{
    struct scene *s = open_with_alice();
    come_by_tls(s, BOB, 0, 2);
    come_by_tls(s, CAROL, 1, 0);
    greet(s, BOB);
    greet(s, CAROL);
    come(s, PROGRAM, 0);
    wait_ms(s, LIMIT_LOGIN_MS - 1);
    ask(s, BOB, "REGISTER bob " PASSWORD "\r\n", "+OK\r\n");
    assert_true(is_here(s, CAROL));
    wait_ms(s, 1);
    assert_false(is_here(s, CAROL));
    wait_ms(s, LIMIT_LOGIN_MS);
    assert_true(is_here(s, ALICE) && is_here(s, BOB) && is_here(s, PROGRAM));
    close_scene(s);
}

static void test_a_token_ends_what_it_let_in(void **state)
{
    struct scene *s = open_with_alice();
    char brief[TICKET_TEXT_LEN + 1], lasting[TICKET_TEXT_LEN + 1];
    make_token(s, "TOKEN NEW brief EX 10\r\n", brief);
    make_token(s, "TOKEN NEW lasting\r\n", lasting);
    come(s, BOB, 0);
    come(s, CAROL, 1);
    come(s, PROGRAM, 1);
    authenticate(s, BOB, brief);
    authenticate(s, CAROL, lasting);
    authenticate(s, PROGRAM, brief);
    authenticate(s, PROGRAM, lasting); /* the other one no longer matters */
    wait_ms(s, 9999);
    assert_true(is_here(s, BOB));
    ask(s, BOB, "WHOAMI\r\n", "$5\r\nalice\r\n");
    wait_ms(s, 1);
    assert_false(is_here(s, BOB));
    assert_true(is_here(s, CAROL) && is_here(s, PROGRAM));
    ask(s, ALICE, "TOKEN REVOKE lasting\r\n", "+OK\r\n");
    assert_false(is_here(s, CAROL) || is_here(s, PROGRAM));
    assert_true(is_here(s, ALICE));
    close_scene(s);
}

static void test_a_new_password_ends_what_the_old_one_let_in(void **state)
{
    struct scene *s = open_with_alice();
    char token[TICKET_TEXT_LEN + 1];
    make_token(s, "TOKEN NEW job\r\n", token);
    come(s, BOB, 0);
    come(s, CAROL, 1);
    come(s, PROGRAM, 1);
    ask(s, BOB, "AUTH alice " PASSWORD "\r\n", "+OK\r\n");
    ask(s, CAROL, "LOGIN alice " PASSWORD "\r\n", "+OK\r\n");
    authenticate(s, PROGRAM, token);
    ask(s, BOB, "PASSWORD " PASSWORD " another-horse\r\n", "+OK\r\n");
    assert_true(is_here(s, BOB)); /* who knows the new one */
    assert_false(is_here(s, CAROL));
    assert_true(is_here(s, PROGRAM) && is_here(s, ALICE));
    ask(s, ALICE, "PASSWORD another-horse " PASSWORD "\r\n", "+OK\r\n");
    assert_false(is_here(s, BOB));
    assert_true(is_here(s, ALICE));
    close_scene(s);
}

static void test_a_revoked_device_is_nobodys(void **state)
{
    struct scene *s = open_with_alice();
    char words[128], text[FINGERPRINT_TEXT_LEN + 1];
    come_by_tls(s, BOB, 1, 2);
    greet(s, BOB);
    ask(s, BOB, "LOGIN alice " PASSWORD "\r\n", "+OK\r\n");
    fingerprint_write(text, identity_fingerprint(s->people[BOB].identity));
    snprintf(words, sizeof words, "DEVICES REVOKE %s\r\n", text);
    ask(s, ALICE, words, "+OK\r\n");
    assert_false(is_here(s, BOB));
    come_by_tls(s, BOB, 1, 2);
    greet(s, BOB);
    ask_for(s, BOB, "LOGIN\r\n", "-NOLOGIN ");
    ask_for(s, BOB, "SET k v\r\n", "-NOPERM ");
    close_scene(s);
}

/* ---- rights ---- */

static void make_admin(struct scene *s, size_t who, const char *name)
{
    char text[TICKET_TEXT_LEN + 1], words[256];
    const uint8_t secret[TICKET_SECRET_BYTES] = {7};
    struct ticket t = ticket_new(secret, text);
    bool offered;
    uint64_t lsn;
    assert_int_equal(accounts_offer_setup(s->shared.store, s->hubs[0].wall, &t, &offered, &lsn),
                     0);
    assert_true(offered);
    snprintf(words, sizeof words, "REGISTER %s " PASSWORD " SETUP %s\r\n", name, text);
    ask(s, who, words, "+OK\r\n");
}

static void test_a_program_is_no_admin(void **state)
{
    struct scene *s = open_scene();
    char token[TICKET_TEXT_LEN + 1];
    come_by_tls(s, ALICE, 0, 1);
    greet(s, ALICE);
    make_admin(s, ALICE, "alice");
    ask(s, ALICE, "NAME one\r\n", "$3\r\none\r\n");
    make_token(s, "TOKEN NEW job\r\n", token);
    come_by_tls(s, PROGRAM, 1, 0);
    greet(s, PROGRAM);
    authenticate(s, PROGRAM, token);
    ask(s, PROGRAM, "SET k v\r\n", "+OK\r\n");
    ask_for(s, PROGRAM, "NAME two\r\n", "-NOPERM ");
    /* Nor after a review. */
    make_token(s, "TOKEN NEW other\r\n", token);
    ask(s, ALICE, "TOKEN REVOKE other\r\n", "+OK\r\n");
    ask_for(s, PROGRAM, "NAME two\r\n", "-NOPERM ");
    ask_for(s, PROGRAM, "TOKEN LIST\r\n", "-NOPERM a program's token");
    close_scene(s);
}

static void test_a_reset_ends_everything(void **state)
{
    struct scene *s = open_with_alice();
    char token[TICKET_TEXT_LEN + 1];
    make_token(s, "TOKEN NEW job\r\n", token);
    come_by_tls(s, BOB, 1, 2);
    greet(s, BOB);
    make_admin(s, BOB, "root");
    come(s, CAROL, 0);
    come(s, PROGRAM, 1);
    ask(s, CAROL, "AUTH alice " PASSWORD "\r\n", "+OK\r\n");
    authenticate(s, PROGRAM, token);
    ask_for(s, BOB, "ACCOUNT RESET alice battery-staple\r\n", "+OK\r\n");
    assert_false(is_here(s, ALICE) || is_here(s, CAROL) || is_here(s, PROGRAM));
    assert_true(is_here(s, BOB));
    come_by_tls(s, ALICE, 0, 1);
    greet(s, ALICE);
    ask_for(s, ALICE, "LOGIN\r\n", "-NOLOGIN ");
    ask_for(s, ALICE, "LOGIN alice " PASSWORD "\r\n", "-WRONGPASS ");
    ask(s, ALICE, "LOGIN alice battery-staple\r\n", "+OK\r\n");
    close_scene(s);
}

static void test_only_so_many_guests(void **state)
{
    struct scene *s = open_scene();
    const struct access_peer far = {.origin = ACCESS_REMOTE}, near = {.origin = ACCESS_UNIX};
    s->shared.config.guests_max = 2;
    assert_true(hub_has_room_for(&s->hubs[0], &far));
    come_by_tls(s, ALICE, 0, 1);
    come_by_tls(s, BOB, 1, 2);
    assert_false(hub_has_room_for(&s->hubs[0], &far));
    assert_false(hub_has_room_for(&s->hubs[1], &far));
    assert_true(hub_has_room_for(&s->hubs[0], &near));
    greet(s, ALICE);
    ask(s, ALICE, "REGISTER alice " PASSWORD "\r\n", "+OK\r\n"); /* is none any more */
    assert_true(hub_has_room_for(&s->hubs[0], &far));
    come_by_tls(s, CAROL, 0, 3);
    assert_false(hub_has_room_for(&s->hubs[1], &far));
    go(s, BOB);
    assert_true(hub_has_room_for(&s->hubs[1], &far));
    close_scene(s);
}

/* ---- guessing ---- */

static void test_guesses_at_an_account_wait(void **state)
{
    struct scene *s = open_with_alice();
    for (size_t who = BOB; who < BOB + LIMIT_ATTEMPTS_FREE_ACCOUNT; who++) {
        come(s, who, who % 2); /* each from an address of its own */
        ask_for(s, who, "AUTH alice wrong-horse\r\n", "-WRONGPASS ");
    }
    come(s, 20, 0);
    ask_for(s, 20, "AUTH ALICE " PASSWORD "\r\n", "-TRYAGAIN too many attempts");
    ask_for(s, 20, "LOGIN alice " PASSWORD "\r\n", "-TRYAGAIN too many attempts");
    ask_for(s, 20, "AUTH bob wrong-horse\r\n", "-WRONGPASS ");
    wait_ms(s, 999);
    ask_for(s, 20, "AUTH alice " PASSWORD "\r\n", "-TRYAGAIN too many attempts");
    wait_ms(s, 1);
    ask_for(s, 20, "AUTH alice wrong-horse\r\n", "-WRONGPASS ");
    wait_ms(s, 1000);
    ask_for(s, 20, "AUTH alice " PASSWORD "\r\n", "-TRYAGAIN too many attempts");
    wait_ms(s, 1000);
    ask(s, 20, "AUTH alice " PASSWORD "\r\n", "+OK\r\n");
    come_by_tls(s, 21, 1, 1);
    greet(s, 21);
    ask(s, 21, "LOGIN\r\n", "+OK\r\n"); /* a known device guesses nothing */
    close_scene(s);
}

static void test_guesses_from_an_address_wait(void **state)
{
    struct scene *s = open_with_alice();
    char words[64];
    come(s, BOB, 0);
    for (size_t i = 0; i < LIMIT_ATTEMPTS_FREE_ADDRESS; i++) {
        snprintf(words, sizeof words, "AUTH nobody-%zu wrong-horse\r\n", i);
        ask_for(s, BOB, words, "-WRONGPASS ");
    }
    ask_for(s, BOB, "AUTH alice " PASSWORD "\r\n", "-TRYAGAIN too many attempts");
    ask_for(s, BOB, "REGISTER bob " PASSWORD "\r\n", "-TRYAGAIN too many attempts");
    come(s, CAROL, 1);
    ask(s, CAROL, "AUTH alice " PASSWORD "\r\n", "+OK\r\n"); /* from elsewhere */
    close_scene(s);
}

/* ---- where nobody listens ---- */

static void test_no_secret_in_plaintext_from_elsewhere(void **state)
{
    struct scene *s = open_with_alice();
    static const char *const secrets[] = {
        "REGISTER bob " PASSWORD "\r\n", "LOGIN alice " PASSWORD "\r\n",
        "AUTH alice " PASSWORD "\r\n", "AUTH AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"};
    size_t before = s->hashed;
    accept_at(s, BOB, 1, ACCESS_REMOTE);
    greet(s, BOB);
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        ask(s, BOB, secrets[i],
            "-NOPERM from another machine passwords and tokens need TLS\r\n");
    assert_int_equal(s->hashed, before);
    close_scene(s);
}

/* ---- hashing ---- */

static void test_a_name_that_is_none_costs_a_hash(void **state)
{
    struct scene *s = open_with_alice();
    size_t before = s->hashed;
    come(s, BOB, 0);
    s->hashing_rests = true;
    ask(s, BOB, "AUTH nobody " PASSWORD "\r\n", "");
    assert_int_equal(s->job_count, 1);
    s->hashing_rests = false;
    run_job(s, s->jobs[0]);
    settle(s);
    expect(s, BOB, "-WRONGPASS the name or the password is wrong\r\n");
    ask(s, BOB, "AUTH alice wrong-horse\r\n",
        "-WRONGPASS the name or the password is wrong\r\n");
    assert_int_equal(s->hashed - before, 2);
    close_scene(s);
}

/* Person i asks for a hash, of a name of its own. */
static void ask_for_hash(struct scene *s, size_t i)
{
    char words[64];
    snprintf(words, sizeof words, "AUTH nobody-%zu wrong-horse\r\n", i);
    come(s, i, i % 2);
    ask(s, i, words, "");
}

enum { ALL = LIMIT_HASHES + LIMIT_HASHES_WAITING };
_Static_assert((int)ALL < (int)PEOPLE, "one is left over");

static void test_few_are_hashed_at_once_and_so_many_wait(void **state)
{
    struct scene *s = open_scene();
    s->hashing_rests = true;
    for (size_t i = 0; i < ALL; i++)
        ask_for_hash(s, i);
    assert_int_equal(s->job_count, LIMIT_HASHES);
    come(s, ALL, 1);
    ask(s, ALL, "AUTH nobody wrong-horse\r\n",
        "-TRYAGAIN too many log in at this moment: try again\r\n");
    ask(s, ALL, "PING\r\n", "+PONG\r\n");
    s->hashing_rests = false;
    for (size_t i = 0; i < LIMIT_HASHES; i++)
        run_job(s, s->jobs[i]);
    settle(s);
    for (size_t i = 0; i < ALL; i++)
        expect(s, i, "-WRONGPASS the name or the password is wrong\r\n");
    assert_int_equal(s->hashed, ALL);
    assert_int_equal(s->shared.hashing.going, 0);
    assert_int_equal(s->shared.hashing.waiting, 0);
    close_scene(s);
}

static void test_who_goes_leaves_his_place(void **state)
{
    struct scene *s = open_scene();
    s->hashing_rests = true;
    for (size_t i = 0; i < LIMIT_HASHES + 2; i++)
        ask_for_hash(s, i);
    assert_int_equal(s->shared.hashing.waiting, 2);
    connection_abort(s->people[LIMIT_HASHES].c); /* it waits */
    connection_abort(s->people[0].c);            /* it is being hashed */
    settle(s);
    assert_int_equal(s->shared.hashing.waiting, 1);
    s->hashing_rests = false;
    for (size_t i = 0; i < LIMIT_HASHES; i++)
        run_job(s, s->jobs[i]);
    settle(s);
    expect(s, 1, "-WRONGPASS the name or the password is wrong\r\n");
    expect(s, LIMIT_HASHES + 1, "-WRONGPASS the name or the password is wrong\r\n");
    assert_int_equal(s->shared.hashing.going, 0);
    assert_int_equal(s->shared.hashing.waiting, 0);
    close_scene(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_registers_is_seen_when_that_is_durable),
        cmocka_unit_test(test_a_new_device_is_seen_when_it_is_durable),
        cmocka_unit_test(test_a_device_waits_for_its_account),
        cmocka_unit_test(test_what_a_crash_undoes_is_free_again),
        cmocka_unit_test(test_a_guest_has_a_while_to_log_in),
        cmocka_unit_test(test_a_token_ends_what_it_let_in),
        cmocka_unit_test(test_a_new_password_ends_what_the_old_one_let_in),
        cmocka_unit_test(test_a_revoked_device_is_nobodys),
        cmocka_unit_test(test_a_program_is_no_admin),
        cmocka_unit_test(test_a_reset_ends_everything),
        cmocka_unit_test(test_only_so_many_guests),
        cmocka_unit_test(test_guesses_at_an_account_wait),
        cmocka_unit_test(test_guesses_from_an_address_wait),
        cmocka_unit_test(test_no_secret_in_plaintext_from_elsewhere),
        cmocka_unit_test(test_a_name_that_is_none_costs_a_hash),
        cmocka_unit_test(test_few_are_hashed_at_once_and_so_many_wait),
        cmocka_unit_test(test_who_goes_leaves_his_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

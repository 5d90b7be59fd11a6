#include "hub/accounts.h"
#include "hub/hashing.h"
#include "hub/hub.h"
#include "hub/member.h"

#include "base/limits.h"
#include "support/scene.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

/* Who a connection becomes, when, and until when. */

static void ask(struct scene *s, size_t who, const char *what, const char *want)
{
    scene_say(s, who, what);
    scene_expect(s, who, want);
}

/* What it is answered begins so; the rest is forgotten. */
static void ask_for(struct scene *s, size_t who, const char *what, const char *want)
{
    scene_say(s, who, what);
    struct bytes got = buffer_view(&s->people[who].got);
    assert_bytes(bytes_first(got, strlen(want) < got.len ? strlen(want) : got.len),
                 bytes_from_str(want));
    buffer_truncate(&s->people[who].got, 0);
}

#define HELLO "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"

static void greet(struct scene *s, size_t who)
{
    ask_for(s, who, HELLO, "%");
}

/* In plaintext, from this machine. */
static void come(struct scene *s, size_t who, size_t hub)
{
    scene_accept(s, who, hub, ACCESS_LOOPBACK);
    greet(s, who);
}

static void go(struct scene *s, size_t who)
{
    connection_feed_end(s->people[who].c);
    scene_settle(s);
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
    struct scene *s = scene_open();
    scene_accept_tls(s, ALICE, 0, 1);
    greet(s, ALICE);
    ask(s, ALICE, "REGISTER alice " PASSWORD "\r\n", "+OK\r\n");
    return s;
}

/* A token of hers; words end the command that makes it. */
static void make_token(struct scene *s, const char *words, char token[TICKET_TEXT_LEN + 1])
{
    scene_say(s, ALICE, words);
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
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    s->log_rests = true;
    scene_say(s, BOB, "REGISTER bob " PASSWORD "\r\nMEET alice\r\n");
    assert_int_equal(s->hashed, 2);
    scene_expect(s, BOB, "");
    ask(s, ALICE, "GET_CLIENT_LIST\r\n", "+CLIENT_LIST<alice>\r\n");
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_expect(s, ALICE, "");
    s->log_rests = false;
    scene_settle(s);
    ask_for(s, BOB, "", "+OK\r\n$22\r\n");
    ask_for(s, ALICE, "", ">2\r\n$6\r\nonline\r\n$3\r\nbob\r\n>5\r\n$7\r\ninvited\r\n");
    ask(s, ALICE, "GET_CLIENT_LIST\r\n", "+CLIENT_LIST<alice, bob>\r\n");
    scene_close(s);
}

static void test_a_new_device_is_seen_when_it_is_durable(void **state)
{
    struct scene *s = open_with_alice();
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    s->log_rests = true;
    ask(s, BOB, "LOGIN alice " PASSWORD "\r\nWHOAMI\r\n", "");
    assert_null(connection_member(s->people[BOB].c));
    s->log_rests = false;
    scene_settle(s);
    scene_expect(s, BOB, "+OK\r\n$5\r\nalice\r\n");
    assert_true(connection_member(s->people[BOB].c)->has_device);
    scene_close(s);
}

/* Whoever comes while his account is being written waits for that, and is no stranger. */
static void test_a_device_waits_for_its_account(void **state)
{
    struct scene *s = open_with_alice();
    s->log_rests = true;
    ask(s, ALICE, "TOKEN NEW job\r\n", "");
    scene_accept_tls(s, BOB, 1, 1);
    assert_null(connection_member(s->people[BOB].c));
    ask(s, BOB, HELLO "SET k v\r\n", "");
    s->log_rests = false;
    scene_settle(s);
    assert_non_null(connection_member(s->people[BOB].c));
    struct bytes got = buffer_view(&s->people[BOB].got);
    assert_true(got.len > 5);
    assert_bytes(bytes_from(got, got.len - 5), BYTES("+OK\r\n"));
    scene_close(s);
}

/* A crash before it is durable: the account was never there, and nobody had heard of it. */
static void test_what_a_crash_undoes_is_free_again(void **state)
{
    struct scene *s = scene_open();
    scene_accept_tls(s, ALICE, 0, 1);
    greet(s, ALICE);
    s->log_rests = true;
    ask(s, ALICE, "REGISTER alice " PASSWORD "\r\n", "");
    connection_abort(s->people[ALICE].c);
    scene_settle(s);
    assert_int_equal(directory_count(&s->shared.directory), 0);
    scene_close(s);
}

static void test_a_device_registers_one_name_of_two_at_once(void **state)
{
    struct scene *s = scene_open();
    s->hashing_rests = true;
    for (size_t i = ALICE; i <= BOB; i++) {
        scene_accept_tls(s, i, i, 1);
        greet(s, i);
    }
    ask(s, ALICE, "REGISTER alice " PASSWORD "\r\n", "");
    ask(s, BOB, "REGISTER bob " PASSWORD "\r\n", "");
    s->hashing_rests = false;
    for (size_t i = 0; i < 2; i++)
        scene_run_job(s, s->jobs[i]);
    scene_settle(s);
    scene_expect(s, ALICE, "+OK\r\n");
    scene_expect(s, BOB,
                 "-ERR this device is another account's already: kith --as PROFILE has "
                 "another\r\n");
    ask(s, BOB, "LOGIN bob " PASSWORD "\r\n",
        "-WRONGPASS the name or the password is wrong\r\n");
    ask(s, BOB, "LOGIN\r\nWHOAMI\r\n", "+OK\r\n$5\r\nalice\r\n");
    scene_close(s);
}

/* ---- what it is known by ends ---- */

static void test_a_guest_has_a_while_to_log_in(void **state)
{
    struct scene *s = open_with_alice();
    scene_accept_tls(s, BOB, 0, 2);
    scene_accept_tls(s, CAROL, 1, 0);
    greet(s, BOB);
    greet(s, CAROL);
    come(s, PROGRAM, 0);
    scene_wait_ms(s, LIMIT_LOGIN_MS - 1);
    ask(s, BOB, "REGISTER bob " PASSWORD "\r\n", "+OK\r\n");
    assert_true(is_here(s, CAROL));
    scene_wait_ms(s, 1);
    assert_false(is_here(s, CAROL));
    scene_wait_ms(s, LIMIT_LOGIN_MS);
    assert_true(is_here(s, ALICE) && is_here(s, BOB) && is_here(s, PROGRAM));
    scene_close(s);
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
    scene_wait_ms(s, 9999);
    assert_true(is_here(s, BOB));
    ask(s, BOB, "WHOAMI\r\n", "$5\r\nalice\r\n");
    scene_wait_ms(s, 1);
    assert_false(is_here(s, BOB));
    assert_true(is_here(s, CAROL) && is_here(s, PROGRAM));
    ask(s, ALICE, "TOKEN REVOKE lasting\r\n", "+OK\r\n");
    assert_false(is_here(s, CAROL) || is_here(s, PROGRAM));
    assert_true(is_here(s, ALICE));
    scene_close(s);
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
    scene_close(s);
}

static void test_a_revoked_device_is_nobodys(void **state)
{
    struct scene *s = open_with_alice();
    char words[128], text[FINGERPRINT_TEXT_LEN + 1];
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    ask(s, BOB, "LOGIN alice " PASSWORD "\r\n", "+OK\r\n");
    fingerprint_write(text, identity_fingerprint(s->people[BOB].identity));
    snprintf(words, sizeof words, "DEVICES REVOKE %s\r\n", text);
    scene_forget_all(s);
    ask(s, ALICE, words, "+OK\r\n");
    assert_false(is_here(s, BOB));
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    ask_for(s, BOB, "LOGIN\r\n", "-NOLOGIN ");
    ask_for(s, BOB, "SET k v\r\n", "-NOPERM ");
    scene_close(s);
}

/* What a device is called where others are told of it: FINGERPRINT, and with its KEY. */
static void write_print(const struct scene *s, size_t who, char out[FINGERPRINT_TEXT_LEN + 1])
{
    fingerprint_write(out, identity_fingerprint(s->people[who].identity));
}

static void expect_revoked(struct scene *s, size_t who, const char *name, size_t whose)
{
    char print[FINGERPRINT_TEXT_LEN + 1], key[PUBLIC_KEY_TEXT_LEN + 1], want[256];
    write_print(s, whose, print);
    public_key_write(key, identity_key(s->people[whose].identity));
    snprintf(want, sizeof want,
             ">4\r\n$7\r\nrevoked\r\n$%zu\r\n%s\r\n$43\r\n%s\r\n$43\r\n%s\r\n", strlen(name),
             name, print, key);
    scene_expect(s, who, want);
}

/* Among other things. */
static void expect_told(const struct scene *s, size_t who, size_t whose)
{
    char print[FINGERPRINT_TEXT_LEN + 1], want[128];
    struct bytes got = buffer_view(&s->people[who].got);
    write_print(s, whose, print);
    snprintf(want, sizeof want, "revoked\r\n$5\r\nalice\r\n$43\r\n%s\r\n", print);
    assert_non_null(memmem(got.data, got.len, want, strlen(want)));
}

/* alice, another device of hers, and carol. */
static struct scene *open_with_three(void)
{
    struct scene *s = open_with_alice();
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    ask(s, BOB, "LOGIN alice " PASSWORD "\r\n", "+OK\r\n");
    scene_accept_tls(s, CAROL, 1, 3);
    greet(s, CAROL);
    ask(s, CAROL, "REGISTER Carol " PASSWORD "\r\n", "+OK\r\n");
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_forget_all(s);
    return s;
}

static void test_everybody_is_told_of_a_revoked_device(void **state)
{
    struct scene *s = open_with_three();
    char words[128], print[FINGERPRINT_TEXT_LEN + 1];
    write_print(s, BOB, print);
    snprintf(words, sizeof words, "DEVICES REVOKE %s\r\n", print);
    s->log_rests = true;
    ask(s, ALICE, words, "");
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_expect(s, BOB, "");
    scene_expect(s, CAROL, ""); /* it may not have happened yet */
    s->log_rests = false;
    scene_settle(s);
    expect_revoked(s, BOB, "alice", BOB); /* the last it hears */
    assert_false(is_here(s, BOB));
    expect_revoked(s, CAROL, "alice", BOB);
    scene_expect(s, ALICE, "+OK\r\n"); /* she knows */
    scene_close(s);
}

static void test_who_is_present_is_told_of_a_device_that_is_added(void **state)
{
    struct scene *s = open_with_alice();
    char want[128], print[FINGERPRINT_TEXT_LEN + 1];
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    ask(s, BOB, "CLIENT SETNAME laptop\r\n", "+OK\r\n");
    s->log_rests = true;
    ask(s, BOB, "LOGIN alice " PASSWORD "\r\n", "");
    scene_expect(s, ALICE, "");
    s->log_rests = false;
    scene_settle(s);
    write_print(s, BOB, print);
    snprintf(want, sizeof want, ">3\r\n$5\r\nadded\r\n$43\r\n%s\r\n$6\r\nlaptop\r\n", print);
    scene_expect(s, ALICE, want);
    scene_expect(s, BOB, "+OK\r\n");
    go(s, BOB);
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    ask(s, BOB, "LOGIN alice " PASSWORD "\r\n", "+OK\r\n");
    scene_expect(s, ALICE, ""); /* it is none that is new */
    scene_close(s);
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

static void test_everybody_is_told_of_the_devices_of_an_account_that_is_gone(void **state)
{
    static const char *const commands[] = {"ACCOUNT RESET alice battery-staple\r\n",
                                           "ACCOUNT REMOVE alice\r\n"};
    for (size_t i = 0; i < 2; i++) {
        struct scene *s = open_with_three();
        scene_accept_tls(s, PROGRAM, 0, 4);
        greet(s, PROGRAM);
        make_admin(s, PROGRAM, "root");
        scene_wait_ms(s, LIMIT_NEWS_MS);
        scene_forget_all(s);
        ask_for(s, PROGRAM, commands[i], "+OK\r\n");
        scene_wait_ms(s, LIMIT_NEWS_MS);
        expect_told(s, CAROL, ALICE);
        expect_told(s, CAROL, BOB);
        expect_revoked(s, ALICE, "alice", ALICE);
        expect_revoked(s, BOB, "alice", BOB);
        assert_false(is_here(s, ALICE) || is_here(s, BOB));
        scene_close(s);
    }
}

static void test_a_program_is_no_admin(void **state)
{
    struct scene *s = scene_open();
    char token[TICKET_TEXT_LEN + 1];
    scene_accept_tls(s, ALICE, 0, 1);
    greet(s, ALICE);
    make_admin(s, ALICE, "alice");
    ask(s, ALICE, "NAME one\r\n", "$3\r\none\r\n");
    make_token(s, "TOKEN NEW job\r\n", token);
    scene_accept_tls(s, PROGRAM, 1, 0);
    greet(s, PROGRAM);
    authenticate(s, PROGRAM, token);
    ask(s, PROGRAM, "SET k v\r\n", "+OK\r\n");
    ask_for(s, PROGRAM, "NAME two\r\n", "-NOPERM ");
    /* Nor after a review. */
    make_token(s, "TOKEN NEW other\r\n", token);
    ask(s, ALICE, "TOKEN REVOKE other\r\n", "+OK\r\n");
    ask_for(s, PROGRAM, "NAME two\r\n", "-NOPERM ");
    ask_for(s, PROGRAM, "TOKEN LIST\r\n", "-NOPERM a program's token");
    scene_close(s);
}

static void test_a_reset_ends_everything(void **state)
{
    struct scene *s = open_with_alice();
    char token[TICKET_TEXT_LEN + 1];
    make_token(s, "TOKEN NEW job\r\n", token);
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    make_admin(s, BOB, "root");
    come(s, CAROL, 0);
    come(s, PROGRAM, 1);
    ask(s, CAROL, "AUTH alice " PASSWORD "\r\n", "+OK\r\n");
    authenticate(s, PROGRAM, token);
    ask_for(s, BOB, "ACCOUNT RESET alice battery-staple\r\n", "+OK\r\n");
    assert_false(is_here(s, ALICE) || is_here(s, CAROL) || is_here(s, PROGRAM));
    assert_true(is_here(s, BOB));
    scene_accept_tls(s, ALICE, 0, 1);
    greet(s, ALICE);
    ask_for(s, ALICE, "LOGIN\r\n", "-NOLOGIN ");
    ask_for(s, ALICE, "LOGIN alice " PASSWORD "\r\n", "-WRONGPASS ");
    ask(s, ALICE, "LOGIN alice battery-staple\r\n", "+OK\r\n");
    scene_close(s);
}

static void test_an_admin_is_one_no_more(void **state)
{
    struct scene *s = open_with_alice();
    scene_accept_tls(s, BOB, 1, 2);
    greet(s, BOB);
    make_admin(s, BOB, "root");
    scene_expect(s, ALICE, ">2\r\n$6\r\nonline\r\n$4\r\nroot\r\n");
    ask_for(s, ALICE, "NAME one\r\n", "-NOPERM ");
    ask(s, BOB, "ACCOUNT ADMIN alice ON\r\n", "+OK\r\n");
    ask(s, ALICE, "NAME one\r\n", "$3\r\none\r\n");
    ask(s, BOB, "ACCOUNT ADMIN alice OFF\r\n", "+OK\r\n");
    ask_for(s, ALICE, "NAME two\r\n", "-NOPERM ");
    assert_true(is_here(s, ALICE));
    scene_close(s);
}

enum { LAST_PLACES = 8000 };

/* Comes to a worker and goes again: what it was told. */
static int try_to_come(struct scene *s, size_t worker, enum access_origin from)
{
    const struct access_peer peer = {.origin = from};
    struct connection *c = NULL;
    int r = hub_accept(&s->hubs[worker], &peer, false, &c);
    connection_free(c);
    return r;
}

static void test_only_so_many_guests(void **state)
{
    struct scene *s = scene_open();
    s->shared.config.guests_max = 2;
    assert_int_equal(try_to_come(s, 0, ACCESS_REMOTE), 0);
    scene_accept_tls(s, ALICE, 0, 1);
    scene_accept_tls(s, BOB, 1, 2);
    assert_int_equal(try_to_come(s, 0, ACCESS_REMOTE), -EMFILE);
    assert_int_equal(try_to_come(s, 1, ACCESS_REMOTE), -EMFILE);
    assert_int_equal(try_to_come(s, 0, ACCESS_UNIX), 0);
    greet(s, ALICE);
    ask(s, ALICE, "REGISTER alice " PASSWORD "\r\n", "+OK\r\n"); /* is none any more */
    assert_int_equal(try_to_come(s, 0, ACCESS_REMOTE), 0);
    scene_accept_tls(s, CAROL, 0, 3);
    assert_int_equal(try_to_come(s, 1, ACCESS_REMOTE), -EMFILE);
    go(s, BOB);
    assert_int_equal(try_to_come(s, 1, ACCESS_REMOTE), 0);
    scene_close(s);
}

/* A worker's thread, at whose door guests come for the same last place again and again. */
struct door {
    pthread_barrier_t *together;
    struct hub *hub;
    int came; /* were let in here */
};

static void *stand_at_door(void *ctx)
{
    struct door *d = ctx;
    const struct access_peer far = {.origin = ACCESS_REMOTE};
    for (size_t round = 0; round < LAST_PLACES; round++) {
        struct connection *c = NULL;
        pthread_barrier_wait(d->together);
        d->came += hub_accept(d->hub, &far, false, &c) == 0;
        pthread_barrier_wait(d->together);
        connection_free(c);
        pthread_barrier_wait(d->together);
    }
    return NULL;
}

static void test_two_workers_share_the_last_place(void **state)
{
    struct scene *s = scene_open();
    pthread_barrier_t together;
    pthread_t threads[2];
    struct door doors[2];
    s->shared.config.guests_max = 1;
    assert_int_equal(pthread_barrier_init(&together, NULL, 2), 0);
    for (size_t i = 0; i < 2; i++) {
        doors[i] = (struct door){.together = &together, .hub = &s->hubs[i]};
        assert_int_equal(pthread_create(&threads[i], NULL, stand_at_door, &doors[i]), 0);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(doors[0].came + doors[1].came, LAST_PLACES);
    assert_int_equal(s->shared.counters.guests, 0);
    pthread_barrier_destroy(&together);
    scene_close(s);
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
    scene_wait_ms(s, 999);
    ask_for(s, 20, "AUTH alice " PASSWORD "\r\n", "-TRYAGAIN too many attempts");
    scene_wait_ms(s, 1);
    ask_for(s, 20, "AUTH alice wrong-horse\r\n", "-WRONGPASS ");
    scene_wait_ms(s, 1000);
    ask_for(s, 20, "AUTH alice " PASSWORD "\r\n", "-TRYAGAIN too many attempts");
    scene_wait_ms(s, 1000);
    ask(s, 20, "AUTH alice " PASSWORD "\r\n", "+OK\r\n");
    scene_accept_tls(s, 21, 1, 1);
    greet(s, 21);
    ask(s, 21, "LOGIN\r\n", "+OK\r\n"); /* a known device guesses nothing */
    scene_close(s);
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
    scene_close(s);
}

/* ---- where nobody listens ---- */

static void test_no_secret_in_plaintext_from_elsewhere(void **state)
{
    struct scene *s = open_with_alice();
    static const char *const secrets[] = {
        "REGISTER bob " PASSWORD "\r\n", "LOGIN alice " PASSWORD "\r\n",
        "AUTH alice " PASSWORD "\r\n", "AUTH AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"};
    size_t before = s->hashed;
    scene_accept(s, BOB, 1, ACCESS_REMOTE);
    greet(s, BOB);
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        ask(s, BOB, secrets[i],
            "-NOPERM from another machine passwords and tokens need TLS\r\n");
    assert_int_equal(s->hashed, before);
    scene_close(s);
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
    scene_run_job(s, s->jobs[0]);
    scene_settle(s);
    scene_expect(s, BOB, "-WRONGPASS the name or the password is wrong\r\n");
    ask(s, BOB, "AUTH alice wrong-horse\r\n",
        "-WRONGPASS the name or the password is wrong\r\n");
    assert_int_equal(s->hashed - before, 2);
    scene_close(s);
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
_Static_assert((int)ALL < (int)SCENE_PEOPLE, "one is left over");

static void test_few_are_hashed_at_once_and_so_many_wait(void **state)
{
    struct scene *s = scene_open();
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
        scene_run_job(s, s->jobs[i]);
    scene_settle(s);
    for (size_t i = 0; i < ALL; i++)
        scene_expect(s, i, "-WRONGPASS the name or the password is wrong\r\n");
    assert_int_equal(s->hashed, ALL);
    assert_int_equal(s->shared.hashing.going, 0);
    assert_int_equal(s->shared.hashing.waiting, 0);
    scene_close(s);
}

static void test_who_goes_leaves_his_place(void **state)
{
    struct scene *s = scene_open();
    s->hashing_rests = true;
    for (size_t i = 0; i < LIMIT_HASHES + 2; i++)
        ask_for_hash(s, i);
    assert_int_equal(s->shared.hashing.waiting, 2);
    connection_abort(s->people[LIMIT_HASHES].c); /* it waits */
    connection_abort(s->people[0].c);            /* it is being hashed */
    scene_settle(s);
    assert_int_equal(s->shared.hashing.waiting, 1);
    s->hashing_rests = false;
    for (size_t i = 0; i < LIMIT_HASHES; i++)
        scene_run_job(s, s->jobs[i]);
    scene_settle(s);
    scene_expect(s, 1, "-WRONGPASS the name or the password is wrong\r\n");
    scene_expect(s, LIMIT_HASHES + 1, "-WRONGPASS the name or the password is wrong\r\n");
    assert_int_equal(s->shared.hashing.going, 0);
    assert_int_equal(s->shared.hashing.waiting, 0);
    scene_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_registers_is_seen_when_that_is_durable),
        cmocka_unit_test(test_a_new_device_is_seen_when_it_is_durable),
        cmocka_unit_test(test_a_device_waits_for_its_account),
        cmocka_unit_test(test_what_a_crash_undoes_is_free_again),
        cmocka_unit_test(test_a_device_registers_one_name_of_two_at_once),
        cmocka_unit_test(test_a_guest_has_a_while_to_log_in),
        cmocka_unit_test(test_a_token_ends_what_it_let_in),
        cmocka_unit_test(test_a_new_password_ends_what_the_old_one_let_in),
        cmocka_unit_test(test_everybody_is_told_of_a_revoked_device),
        cmocka_unit_test(test_everybody_is_told_of_the_devices_of_an_account_that_is_gone),
        cmocka_unit_test(test_who_is_present_is_told_of_a_device_that_is_added),
        cmocka_unit_test(test_a_revoked_device_is_nobodys),
        cmocka_unit_test(test_a_program_is_no_admin),
        cmocka_unit_test(test_a_reset_ends_everything),
        cmocka_unit_test(test_an_admin_is_one_no_more),
        cmocka_unit_test(test_only_so_many_guests),
        cmocka_unit_test(test_two_workers_share_the_last_place),
        cmocka_unit_test(test_guesses_at_an_account_wait),
        cmocka_unit_test(test_guesses_from_an_address_wait),
        cmocka_unit_test(test_no_secret_in_plaintext_from_elsewhere),
        cmocka_unit_test(test_a_name_that_is_none_costs_a_hash),
        cmocka_unit_test(test_few_are_hashed_at_once_and_so_many_wait),
        cmocka_unit_test(test_who_goes_leaves_his_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

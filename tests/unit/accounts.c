#include "hub/accounts.h"

#include "store/embedded.h"
#include "support/faulty_disk.h"

#include "unit.h"

/* Accounts, and what goes with them, on a store over a disk in memory. */

struct scene {
    struct faulty_disk *disk;
    struct embedded *embedded;
    struct store *store;
    struct walltime now;
};

static void reopen(struct scene *s)
{
    struct embedded_config config = {.secret = 1};
    struct recovery_report report;
    if (s->embedded)
        embedded_free(s->embedded);
    assert_int_equal(
        embedded_open(&s->embedded, &config, faulty_disk(s->disk), s->now, &report), 0);
    s->store = embedded_store(s->embedded);
}

static struct scene open_scene(void)
{
    struct scene s = {.disk = faulty_disk_new(), .now = {1000}};
    reopen(&s);
    return s;
}

static void close_scene(struct scene *s)
{
    embedded_free(s->embedded);
    faulty_disk_free(s->disk);
}

static void move_log(struct scene *s)
{
    struct instant deadline, now = {1};
    while (embedded_segment_step(s->embedded, now, &deadline) == 0 ||
           embedded_log_step(s->embedded, now, &deadline) == 0)
        ;
}

static int change(struct scene *s, struct accounts_change c)
{
    uint64_t lsn = 0;
    int r = accounts_change(s->store, s->now, &c, &lsn);
    assert_true(r != 0 || lsn > 0);
    return r;
}

/* What an account is to be. */
struct wish {
    const char *name;
    bool admin, exists;
    const struct device *device; /* that it has; NULL: none */
    const struct token *token;   /* likewise */
};

static int become(void *ctx, struct account *a, bool exists)
{
    const struct wish *w = ctx;
    if (exists != w->exists)
        return exists ? ACCOUNTS_TAKEN : ACCOUNTS_NONE;
    memcpy(a->name, w->name, strlen(w->name));
    a->password.cost = password_cost_least;
    a->admin = w->admin;
    a->device_count = a->token_count = 0;
    if (w->device)
        account_add_device(a, w->device);
    if (w->token)
        account_add_token(a, w->token);
    return 0;
}

static int make(struct scene *s, const char *name)
{
    struct wish w = {.name = name};
    return change(
        s, (struct accounts_change){.name = bytes_from_str(name), .fn = become, .ctx = &w});
}

static int make_with(struct scene *s, const char *name, enum accounts_ticket uses,
                     const struct ticket *t)
{
    struct wish w = {.name = name, .admin = uses == ACCOUNTS_SETUP};
    return change(
        s,
        (struct accounts_change){
            .name = bytes_from_str(name), .fn = become, .ctx = &w, .uses = uses, .ticket = *t});
}

static int set_admin(struct scene *s, const char *name, bool admin)
{
    struct wish w = {.name = name, .exists = true, .admin = admin};
    return change(
        s, (struct accounts_change){.name = bytes_from_str(name), .fn = become, .ctx = &w});
}

static int remove_it(void *ctx, struct account *a, bool exists)
{
    return exists ? ACCOUNTS_REMOVE : ACCOUNTS_NONE;
}

static int drop(struct scene *s, const char *name)
{
    return change(s, (struct accounts_change){.name = bytes_from_str(name), .fn = remove_it});
}

static int read_it(struct scene *s, const char *name, struct account *ret)
{
    uint64_t lsn;
    return accounts_read(s->store, s->now, bytes_from_str(name), ret, &lsn);
}

static struct ticket ticket_of(uint8_t number)
{
    const uint8_t secret[TICKET_SECRET_BYTES] = {number};
    char text[TICKET_TEXT_LEN + 1];
    return ticket_new(secret, text);
}

static bool offers_setup(struct scene *s, uint8_t number)
{
    struct ticket t = ticket_of(number);
    bool offered = false;
    uint64_t lsn;
    assert_int_equal(accounts_offer_setup(s->store, s->now, &t, &offered, &lsn), 0);
    return offered;
}

static void invite(struct scene *s, uint8_t number, int64_t expires)
{
    struct ticket t = ticket_of(number);
    uint64_t lsn;
    assert_int_equal(
        accounts_invite(s->store, s->now, BYTES("alice"), &t, (struct walltime){expires}, &lsn),
        0);
}

static void test_a_name_is_one_accounts(void **state)
{
    struct scene s = open_scene();
    struct account a;
    assert_int_equal(read_it(&s, "alice", &a), ACCOUNTS_NONE);
    assert_int_equal(make(&s, "Alice"), 0);
    assert_int_equal(make(&s, "aLICE"), ACCOUNTS_TAKEN);
    assert_int_equal(read_it(&s, "ALICE", &a), 0);
    assert_string_equal(a.name, "Alice");
    assert_int_equal(drop(&s, "alice"), 0);
    assert_int_equal(drop(&s, "alice"), ACCOUNTS_NONE);
    assert_int_equal(read_it(&s, "alice", &a), ACCOUNTS_NONE);
    close_scene(&s);
}

static void test_accounts_survive_a_power_cut(void **state)
{
    struct scene s = open_scene();
    struct account a;
    assert_int_equal(make(&s, "alice"), 0);
    move_log(&s);
    assert_int_equal(make(&s, "bob"), 0); /* not on disk */
    struct faulty_disk *cut = faulty_disk_cut_random(s.disk, 1), *old = s.disk;
    s.disk = cut;
    reopen(&s);
    faulty_disk_free(old);
    assert_int_equal(read_it(&s, "alice", &a), 0);
    assert_int_equal(read_it(&s, "bob", &a), ACCOUNTS_NONE);
    close_scene(&s);
}

/* What the record does not say is not so. */
static void test_an_index_alone_proves_nothing(void **state)
{
    struct scene s = open_scene();
    struct device d = {.key = {{5}}};
    struct fingerprint f = fingerprint_of(&d.key);
    struct account a;
    uint64_t lsn;
    struct wish with = {.name = "alice", .device = &d},
                without = {.name = "alice", .exists = 1};
    struct accounts_change c = {
        .name = BYTES("alice"), .fn = become, .ctx = &with, .hash = f.bytes};
    assert_int_equal(accounts_by_device(s.store, s.now, &f, &a, &lsn), ACCOUNTS_NONE);
    assert_int_equal(change(&s, c), 0);
    assert_int_equal(accounts_by_device(s.store, s.now, &f, &a, &lsn), 0);
    assert_string_equal(a.name, "alice");
    c = (struct accounts_change){.name = BYTES("alice"), .fn = become, .ctx = &without};
    assert_int_equal(change(&s, c), 0); /* the index stays */
    assert_int_equal(accounts_by_device(s.store, s.now, &f, &a, &lsn), ACCOUNTS_NONE);
    assert_int_equal(drop(&s, "alice"), 0);
    assert_int_equal(accounts_by_device(s.store, s.now, &f, &a, &lsn), ACCOUNTS_NONE);
    assert_int_equal(make(&s, "alice"), 0); /* another one of that name */
    assert_int_equal(accounts_by_device(s.store, s.now, &f, &a, &lsn), ACCOUNTS_NONE);
    close_scene(&s);
}

static void test_an_index_goes_with_its_device(void **state)
{
    struct scene s = open_scene();
    struct device d = {.key = {{5}}};
    struct fingerprint f = fingerprint_of(&d.key);
    struct account a;
    uint64_t lsn;
    struct wish w = {.name = "alice", .device = &d};
    struct accounts_change c = {
        .name = BYTES("alice"), .fn = become, .ctx = &w, .hash = f.bytes};
    assert_int_equal(change(&s, c), 0);
    w.exists = true;
    c.unindexes = true;
    assert_int_equal(change(&s, c), 0); /* the record still says so */
    assert_int_equal(accounts_by_device(s.store, s.now, &f, &a, &lsn), ACCOUNTS_NONE);
    close_scene(&s);
}

static const struct device one_device = {.key = {{5}}};

/* An account of that name, which may be there already, with that device. */
static int make_with_device(struct scene *s, const char *name, bool exists)
{
    struct fingerprint f = fingerprint_of(&one_device.key);
    struct wish w = {.name = name, .device = &one_device, .exists = exists};
    return change(s,
                  (struct accounts_change){
                      .name = bytes_from_str(name), .fn = become, .ctx = &w, .hash = f.bytes});
}

static int drop_device(struct scene *s, const char *name)
{
    struct fingerprint f = fingerprint_of(&one_device.key);
    struct wish w = {.name = name, .exists = true};
    return change(s, (struct accounts_change){.name = bytes_from_str(name),
                                              .fn = become,
                                              .ctx = &w,
                                              .hash = f.bytes,
                                              .unindexes = true});
}

static void expect_owner(struct scene *s, const char *name)
{
    struct fingerprint f = fingerprint_of(&one_device.key);
    struct account a;
    uint64_t lsn;
    assert_int_equal(accounts_by_device(s->store, s->now, &f, &a, &lsn), 0);
    assert_string_equal(a.name, name);
}

static void test_a_device_is_one_accounts(void **state)
{
    struct scene s = open_scene();
    struct account a;
    assert_int_equal(make_with_device(&s, "Alice", false), 0);
    assert_int_equal(make_with_device(&s, "bob", false), ACCOUNTS_ELSEWHERE);
    assert_int_equal(read_it(&s, "bob", &a), ACCOUNTS_NONE);
    assert_int_equal(make(&s, "bob"), 0);
    assert_int_equal(make_with_device(&s, "bob", true), ACCOUNTS_ELSEWHERE);
    assert_int_equal(make_with_device(&s, "Alice", true), 0); /* its own */
    expect_owner(&s, "Alice");
    assert_int_equal(drop_device(&s, "Alice"), 0);
    assert_int_equal(make_with_device(&s, "bob", true), 0);
    expect_owner(&s, "bob");
    close_scene(&s);
}

/* An index that points to an account that has it no more keeps nobody out; nor does that
 * account take it back from whose it has become. */
static void test_what_an_index_alone_says_keeps_nobody_out(void **state)
{
    struct scene s = open_scene();
    assert_int_equal(make_with_device(&s, "alice", false), 0);
    assert_int_equal(set_admin(&s, "alice", false), 0); /* without its device */
    assert_int_equal(make_with_device(&s, "bob", false), 0);
    expect_owner(&s, "bob");
    assert_int_equal(drop_device(&s, "alice"), 0);
    expect_owner(&s, "bob");
    assert_int_equal(drop(&s, "bob"), 0);
    assert_int_equal(make_with_device(&s, "alice", true), 0);
    expect_owner(&s, "alice");
    close_scene(&s);
}

static void test_a_token_is_good_until_it_is_over(void **state)
{
    struct scene s = open_scene();
    struct token t = {.ticket = ticket_of(1), .expires = {2000}, .label = "job"};
    struct account a;
    uint64_t lsn;
    struct wish w = {.name = "alice", .token = &t};
    struct accounts_change c = {.name = BYTES("alice"),
                                .fn = become,
                                .ctx = &w,
                                .index = ACCOUNTS_TOKEN,
                                .hash = t.ticket.hash};
    assert_int_equal(change(&s, c), 0);
    struct ticket other = ticket_of(2);
    assert_int_equal(accounts_by_token(s.store, s.now, &other, &a, &lsn), ACCOUNTS_NONE);
    s.now.ms = 1999;
    assert_int_equal(accounts_by_token(s.store, s.now, &t.ticket, &a, &lsn), 0);
    s.now.ms = 2000;
    assert_int_equal(accounts_by_token(s.store, s.now, &t.ticket, &a, &lsn), ACCOUNTS_NONE);
    close_scene(&s);
}

static void test_the_setup_token_makes_one_admin_once(void **state)
{
    struct scene s = open_scene();
    struct ticket old = ticket_of(1), now = ticket_of(2);
    assert_int_equal(make_with(&s, "root", ACCOUNTS_SETUP, &old), ACCOUNTS_NO_TICKET);
    assert_true(offers_setup(&s, 1));
    assert_true(offers_setup(&s, 2)); /* the newest alone counts */
    assert_int_equal(make_with(&s, "root", ACCOUNTS_SETUP, &old), ACCOUNTS_NO_TICKET);
    assert_int_equal(make_with(&s, "root", ACCOUNTS_SETUP, &now), 0);
    assert_int_equal(make_with(&s, "eve", ACCOUNTS_SETUP, &now), ACCOUNTS_NO_TICKET);
    assert_false(offers_setup(&s, 3));
    struct ticket third = ticket_of(3);
    assert_int_equal(make_with(&s, "eve", ACCOUNTS_SETUP, &third), ACCOUNTS_NO_TICKET);
    close_scene(&s);
}

/* One that is there although there is an admin by other means. */
static void test_an_admin_ends_the_setup_token(void **state)
{
    struct scene s = open_scene();
    struct ticket t = ticket_of(1);
    assert_true(offers_setup(&s, 1));
    assert_int_equal(make(&s, "alice"), 0);
    assert_int_equal(set_admin(&s, "alice", true), 0);
    assert_int_equal(make_with(&s, "eve", ACCOUNTS_SETUP, &t), ACCOUNTS_NO_TICKET);
    close_scene(&s);
}

static void test_an_invite_makes_one_account_in_its_time(void **state)
{
    struct scene s = open_scene();
    struct ticket one = ticket_of(1), two = ticket_of(2), none = ticket_of(3);
    invite(&s, 1, 2000);
    invite(&s, 2, 2000);
    assert_int_equal(make(&s, "taken"), 0);
    assert_int_equal(make_with(&s, "bob", ACCOUNTS_INVITE, &none), ACCOUNTS_NO_TICKET);
    assert_int_equal(make_with(&s, "taken", ACCOUNTS_INVITE, &one), ACCOUNTS_TAKEN);
    s.now.ms = 1999;
    assert_int_equal(make_with(&s, "bob", ACCOUNTS_INVITE, &one), 0);
    assert_int_equal(make_with(&s, "eve", ACCOUNTS_INVITE, &one), ACCOUNTS_NO_TICKET);
    s.now.ms = 2000;
    assert_int_equal(make_with(&s, "eve", ACCOUNTS_INVITE, &two), ACCOUNTS_NO_TICKET);
    struct account a;
    assert_int_equal(read_it(&s, "eve", &a), ACCOUNTS_NONE);
    close_scene(&s);
}

static void test_there_is_always_an_admin(void **state)
{
    struct scene s = open_scene();
    assert_int_equal(make(&s, "one"), 0);
    assert_int_equal(make(&s, "two"), 0);
    assert_int_equal(set_admin(&s, "one", true), 0);
    assert_int_equal(set_admin(&s, "one", true), 0); /* counted once */
    assert_int_equal(set_admin(&s, "one", false), ACCOUNTS_LAST_ADMIN);
    assert_int_equal(drop(&s, "one"), ACCOUNTS_LAST_ADMIN);
    assert_int_equal(set_admin(&s, "two", true), 0);
    assert_int_equal(drop(&s, "one"), 0);
    assert_int_equal(set_admin(&s, "two", false), ACCOUNTS_LAST_ADMIN);
    struct account a;
    assert_int_equal(read_it(&s, "two", &a), 0);
    assert_true(a.admin);
    close_scene(&s);
}

static int put_nonsense(void *ctx, struct store_slot *slots, size_t n)
{
    slots[0].verdict = STORE_PUT;
    slots[0].value = BYTES("nonsense");
    slots[0].expires = STORE_NO_EXPIRY;
    return 0;
}

static void count_names(void *ctx, const struct account *a)
{
    ++*(size_t *)ctx;
}

static void test_a_damaged_record_is_said_to_be_one(void **state)
{
    struct scene s = open_scene();
    struct store_slot slot = {.key = BYTES("account:alice")};
    struct account a;
    uint64_t lsn, cursor = 0;
    size_t seen = 0;
    assert_int_equal(
        store_update(s.store, STORE_SYSTEM, &slot, 1, s.now, put_nonsense, NULL, &lsn), 0);
    assert_int_equal(read_it(&s, "alice", &a), ACCOUNTS_DAMAGED);
    assert_int_equal(make(&s, "alice"), ACCOUNTS_DAMAGED);
    assert_int_equal(drop(&s, "alice"), ACCOUNTS_DAMAGED);
    assert_int_equal(make(&s, "bob"), 0);
    do {
        assert_int_equal(accounts_scan(s.store, s.now, &cursor, 100, count_names, &seen, &lsn),
                         0);
    } while (cursor != 0);
    assert_int_equal(seen, 1); /* bob alone */
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_one_accounts),
        cmocka_unit_test(test_accounts_survive_a_power_cut),
        cmocka_unit_test(test_an_index_alone_proves_nothing),
        cmocka_unit_test(test_an_index_goes_with_its_device),
        cmocka_unit_test(test_a_device_is_one_accounts),
        cmocka_unit_test(test_what_an_index_alone_says_keeps_nobody_out),
        cmocka_unit_test(test_a_token_is_good_until_it_is_over),
        cmocka_unit_test(test_the_setup_token_makes_one_admin_once),
        cmocka_unit_test(test_an_admin_ends_the_setup_token),
        cmocka_unit_test(test_an_invite_makes_one_account_in_its_time),
        cmocka_unit_test(test_there_is_always_an_admin),
        cmocka_unit_test(test_a_damaged_record_is_said_to_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "people/introduction.h"

#include "unit.h"

#include <stdio.h>

static struct introductions *new_introductions(void)
{
    struct introductions *x = calloc(1, sizeof *x);
    assert_non_null(x);
    return x;
}

static void free_introductions(struct introductions *x)
{
    introductions_fini(x);
    free(x);
}

static struct introduction_side side_of(const char *name, uint64_t connection)
{
    struct introduction_side side = {.connection = connection, .candidates = "1.2.3.4:5000"};
    snprintf(side.key, sizeof side.key, "%s", name);
    snprintf(side.name, sizeof side.name, "%s", name);
    return side;
}

static struct random_id id_of(unsigned n)
{
    return (struct random_id){{(uint8_t)n, (uint8_t)(n >> 8)}};
}

static int invite(struct introductions *x, const char *from, const char *to, unsigned n,
                  uint64_t ns)
{
    struct introduction_side side = side_of(from, n);
    struct random_id id = id_of(n);
    return introductions_invite(x, &side, to, to, (struct instant){ns}, &id);
}

static int accept_for(struct introductions *x, const char *by, unsigned n,
                      struct introduction *ret, struct random_id *ret_forgotten)
{
    struct introduction_side side = side_of(by, 99);
    struct random_id id = id_of(n);
    return introductions_accept(x, &id, &side, (struct instant){7}, ret, ret_forgotten);
}

static int accept(struct introductions *x, const char *by, unsigned n, struct introduction *ret)
{
    struct random_id forgotten;
    return accept_for(x, by, n, ret, &forgotten);
}

static void test_only_the_invited_accepts_and_only_once(void **state)
{
    struct introductions *x = new_introductions();
    struct introduction got;
    struct random_id id = id_of(1);
    assert_int_equal(invite(x, "alice", "bob", 1, 5), 0);
    assert_int_equal(accept(x, "carol", 1, &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(accept(x, "alice", 1, &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(accept(x, "bob", 2, &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(introductions_find(x, &id, (struct instant){6}, &got),
                     INTRODUCTION_UNKNOWN);
    assert_int_equal(accept(x, "bob", 1, &got), 0);
    assert_string_equal(got.from.name, "alice");
    assert_string_equal(got.from.candidates, "1.2.3.4:5000");
    assert_int_equal(got.to.connection, 99);
    introduction_fini(&got);
    assert_int_equal(accept(x, "bob", 1, &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(introductions_decline(x, &id, "bob", &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(introductions_find(x, &id, (struct instant){8}, &got), 0);
    assert_string_equal(got.to.name, "bob");
    assert_null(got.to.candidates);
    struct instant over = instant_after_ms((struct instant){7}, LIMIT_INTRODUCED_MS);
    assert_int_equal(introductions_find(x, &id, over, &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(introductions_deadline(x).ns, over.ns);
    assert_false(introductions_expire(x, over, &got));
    assert_int_equal(x->kept.count, 0);
    assert_int_equal(introductions_deadline(x).ns, INSTANT_NEVER.ns);
    free_introductions(x);
}

static void test_who_may_decline_and_cancel(void **state)
{
    struct introductions *x = new_introductions();
    struct introduction got;
    struct random_id one = id_of(1), two = id_of(2);
    assert_int_equal(invite(x, "alice", "bob", 1, 5), 0);
    assert_int_equal(invite(x, "alice", "carol", 2, 5), 0);
    assert_int_equal(introductions_decline(x, &one, "alice", &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(introductions_decline(x, &one, "carol", &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(introductions_decline(x, &one, "bob", &got), 0);
    introduction_fini(&got);
    assert_int_equal(introductions_cancel(x, &two, "carol", &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(introductions_cancel(x, &two, "alice", &got), 0);
    introduction_fini(&got);
    assert_int_equal(accept(x, "carol", 2, &got), INTRODUCTION_UNKNOWN);
    assert_int_equal(x->open.count, 0);
    free_introductions(x);
}

static void test_an_invitation_has_its_time(void **state)
{
    struct introductions *x = new_introductions();
    struct introduction got;
    assert_int_equal(invite(x, "alice", "bob", 1, 5), 0);
    assert_int_equal(invite(x, "alice", "carol", 2, 9), 0);
    struct instant over = instant_after_ms((struct instant){5}, LIMIT_INVITED_MS);
    assert_int_equal(introductions_deadline(x).ns, over.ns);
    assert_false(introductions_expire(x, (struct instant){over.ns - 1}, &got));
    assert_true(introductions_expire(x, over, &got));
    assert_string_equal(got.to.name, "bob");
    introduction_fini(&got);
    assert_false(introductions_expire(x, over, &got));
    assert_int_equal(introductions_deadline(x).ns, over.ns + 4);
    free_introductions(x);
}

static void test_what_hangs_on_who_goes(void **state)
{
    struct introductions *x = new_introductions();
    struct introduction got;
    assert_int_equal(invite(x, "alice", "bob", 1, 5), 0);
    assert_int_equal(invite(x, "carol", "bob", 2, 5), 0);
    assert_int_equal(invite(x, "alice", "dave", 3, 5), 0);
    assert_true(introductions_drop_to(x, "bob", &got));
    assert_string_equal(got.from.name, "alice");
    introduction_fini(&got);
    assert_true(introductions_drop_to(x, "bob", &got));
    introduction_fini(&got);
    assert_false(introductions_drop_to(x, "bob", &got));
    assert_false(introductions_drop_from(x, 1, &got));
    assert_true(introductions_drop_from(x, 3, &got));
    introduction_fini(&got);
    free_introductions(x);
}

static void test_limits(void **state)
{
    struct introductions *x = new_introductions();
    char name[16];
    unsigned n = 0;
    assert_int_equal(invite(x, "bob", "bob", 0, 5), INTRODUCTION_SELF);
    for (size_t i = 0; i < LIMIT_INVITING; i++) {
        snprintf(name, sizeof name, "to%zu", i);
        assert_int_equal(invite(x, "alice", name, ++n, 5), 0);
    }
    assert_int_equal(invite(x, "alice", "to0", ++n, 5), INTRODUCTION_ALREADY);
    assert_int_equal(invite(x, "alice", "bob", ++n, 5), INTRODUCTION_TOO_MANY);
    for (size_t i = 0; i < LIMIT_INVITED; i++) {
        snprintf(name, sizeof name, "from%zu", i);
        assert_int_equal(invite(x, name, "bob", ++n, 5), 0);
    }
    assert_int_equal(invite(x, "carol", "bob", ++n, 5), INTRODUCTION_TOO_MANY);
    for (size_t i = x->open.count; i < LIMIT_INTRODUCTIONS_OPEN; i++) {
        char to[16];
        snprintf(name, sizeof name, "a%zu", i);
        snprintf(to, sizeof to, "b%zu", i);
        assert_int_equal(invite(x, name, to, ++n, 5), 0);
    }
    assert_int_equal(invite(x, "carol", "dave", ++n, 5), INTRODUCTION_TOO_MANY);
    free_introductions(x);
}

static void test_the_oldest_accepted_makes_room(void **state)
{
    struct introductions *x = new_introductions();
    struct introduction got;
    struct random_id first = id_of(1), second = id_of(2);
    for (unsigned n = 1; n <= LIMIT_INTRODUCTIONS_KEPT + 1; n++) {
        assert_int_equal(invite(x, "alice", "bob", n, 5), 0);
        struct random_id forgotten, want = id_of(n <= LIMIT_INTRODUCTIONS_KEPT ? n : 1);
        assert_int_equal(accept_for(x, "bob", n, &got, &forgotten), 0);
        assert_true(random_id_equal(&forgotten, &want));
        introduction_fini(&got);
    }
    assert_int_equal(x->kept.count, LIMIT_INTRODUCTIONS_KEPT);
    assert_int_equal(introductions_find(x, &first, (struct instant){8}, &got),
                     INTRODUCTION_UNKNOWN);
    assert_int_equal(introductions_find(x, &second, (struct instant){8}, &got), 0);
    free_introductions(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_invited_accepts_and_only_once),
        cmocka_unit_test(test_who_may_decline_and_cancel),
        cmocka_unit_test(test_an_invitation_has_its_time),
        cmocka_unit_test(test_what_hangs_on_who_goes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_oldest_accepted_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

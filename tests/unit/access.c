#include "hub/access.h"

#include "unit.h"

enum { HUB_UID = 1000 };

static const struct access_peer unasked = {.origin = ACCESS_LOOPBACK};
static const struct access_peer own = {
    .origin = ACCESS_UNIX, .user = ACCESS_USER_KNOWN, .uid = HUB_UID};
static const struct access_peer root = {
    .origin = ACCESS_LOOPBACK, .user = ACCESS_USER_KNOWN, .uid = 0};
static const struct access_peer other = {
    .origin = ACCESS_LOOPBACK, .user = ACCESS_USER_KNOWN, .uid = 1001};
static const struct access_peer unknown = {.origin = ACCESS_LOOPBACK,
                                           .user = ACCESS_USER_UNKNOWN};
static const struct access_peer far = {.origin = ACCESS_REMOTE};
static const struct access_peer member = {.origin = ACCESS_REMOTE, .rank = ACCESS_MEMBER};
static const struct access_peer local_member = {
    .origin = ACCESS_LOOPBACK, .user = ACCESS_USER_KNOWN, .uid = 1001, .rank = ACCESS_MEMBER};
static const struct access_peer admin_member = {.origin = ACCESS_REMOTE,
                                                .rank = ACCESS_ADMIN_MEMBER};

static void test_who_may_do_what(void **state)
{
    static const struct {
        const struct access_peer *peer;
        bool open, open_admin;
        int anyone, table, admin;
    } cases[] = {
        {&unasked, false, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_ASK_USER},
        {&own, false, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED},
        {&root, false, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED},
        {&other, false, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_DENIED},
        {&unknown, false, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_DENIED},
        {&far, false, false, ACCESS_GRANTED, ACCESS_DENIED, ACCESS_DENIED},
        {&member, false, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_DENIED},
        {&local_member, false, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_DENIED},
        {&admin_member, false, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED},
        {&other, true, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_DENIED},
        {&far, true, false, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_DENIED},
        {&other, false, true, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED},
        {&unknown, false, true, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED},
        {&far, false, true, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct hub_config config = {
            .uid = HUB_UID, .open = cases[i].open, .open_admin = cases[i].open_admin};
        const enum access_need needs[] = {ACCESS_ANYONE, ACCESS_TABLE, ACCESS_ADMIN};
        const int want[] = {cases[i].anyone, cases[i].table, cases[i].admin};
        for (size_t n = 0; n < COUNT_OF(needs); n++) {
            const char *reason = NULL;
            assert_int_equal(access_check(&config, cases[i].peer, needs[n], &reason), want[n]);
            assert_int_equal(reason != NULL, want[n] == ACCESS_DENIED);
        }
    }
}

static void test_guests(void **state)
{
    const struct hub_config closed = {0}, open = {.open = true}, admin = {.open_admin = true};
    assert_true(access_is_guest(&closed, &far));
    assert_false(access_is_guest(&closed, &member));
    assert_false(access_is_guest(&closed, &admin_member));
    assert_false(access_is_guest(&open, &far));
    assert_false(access_is_guest(&admin, &far));
    assert_false(access_is_guest(&closed, &unasked));
    assert_false(access_is_guest(&closed, &own));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_may_do_what),
        cmocka_unit_test(test_guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

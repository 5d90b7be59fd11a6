/* What `kith doctor` makes of what was tried, as the lines it prints. */

#include "client/diagnosis.h"

#include "unit.h"

static struct net_address address(const char *text)
{
    struct net_address a;
    assert_true(net_address_read(bytes_from_str(text), &a));
    return a;
}

/* bob is at these addresses; own networks are 192.168.1.0/24 and fd00::/64, and the hub sees
 * him at 203.0.113.9. */
static void begin(struct diagnosis *d, struct dialing *tried, const char *const *at,
                  size_t count)
{
    const struct own_address own[] = {{address("192.168.1.5"), 24}, {address("fd00::5"), 64}};
    struct candidate_rules rules = {
        .own = own, .own_count = COUNT_OF(own), .seen = address("203.0.113.9")};
    struct notice n = {.name = BYTES("bob"), .candidate_count = count};
    struct candidates c = {.count = 0};
    for (size_t i = 0; i < count; i++) {
        n.candidates[i] = bytes_from_str(at[i]);
        candidates_add(&c, &rules, n.candidates[i]);
    }
    diagnosis_init(d, &n, &rules, 2);
    dialing_init(tried, &c, true, 1, (struct instant){1000000000});
}

static void set(struct dialing_trace *t, enum dialing_outcome outcome, uint64_t ms)
{
    t->outcome = outcome;
    t->attempts = 1;
    t->began = (struct instant){5000000000};
    t->ended = instant_after_ms(t->began, ms);
}

static void expect(const struct diagnosis *d, const char *want)
{
    struct buffer out;
    struct finding f;
    buffer_init(&out, 64 * 1024);
    for (size_t i = 0; diagnosis_finding(d, i, &f); i++)
        assert_int_equal(finding_write(&f, &out), 0);
    assert_bytes(buffer_view(&out), bytes_from_str(want));
    buffer_fini(&out);
}

static void expect_json(const struct diagnosis *d, size_t index, const char *want)
{
    struct buffer out;
    struct finding f;
    buffer_init(&out, 64 * 1024);
    assert_true(diagnosis_finding(d, index, &f));
    assert_int_equal(finding_write_json(&f, &out), 0);
    assert_bytes(buffer_view(&out), bytes_from_str(want));
    buffer_fini(&out);
}

static void test_every_path_in_words(void **state)
{
    static const char *const at[] = {"192.168.1.7:4711", "[fd00::7]:4711", "10.0.0.5:4711",
                                     "203.0.113.9:4711", "192.168.1.8:22"};
    struct diagnosis d;
    struct dialing tried;
    struct net_address from = address("192.168.1.7");
    begin(&d, &tried, at, COUNT_OF(at));
    set(&tried.traces[0], DIALING_REFUSED, 1); /* IPv6 is dialed first */
    set(&tried.traces[1], DIALING_PROVEN, 3);
    set(&tried.traces[2], DIALING_TIMEOUT, 2000);
    set(&tried.relay, DIALING_PROVEN, 12);
    diagnosis_came(&d, &from);
    diagnosis_came(&d, &from);
    diagnosis_take(&d, &tried);
    expect(
        &d,
        "path       192.168.1.7:4711         same network: connected in 3 ms\n"
        "path       [fd00::7]:4711           same network: refused: perhaps by a firewall "
        "there\n"
        "path       10.0.0.5:4711            not dialed: it is in no subnet of this machine, "
        "and not where the hub sees them\n"
        "path       203.0.113.9:4711         where the hub sees it: no answer\n"
        "path       192.168.1.8:22           not dialed: it has a port below 1024\n"
        "from there 192.168.1.7              bob has connected to this device\n"
        "relay                               works: connected in 12 ms\n"
        "conclusion bob                      direct, over IPv4, from either side\n");
    expect_json(&d, 0,
                "{\"about\":\"path\",\"at\":\"192.168.1.7:4711\",\"result\":\"works\",\"ms\":3,"
                "\"text\":\"same network: connected in 3 ms\"}\n");
    expect_json(&d, 4,
                "{\"about\":\"path\",\"at\":\"192.168.1.8:22\",\"result\":\"not-dialed\","
                "\"text\":\"not dialed: it has a port below 1024\"}\n");
    expect_json(&d, 7,
                "{\"about\":\"conclusion\",\"at\":\"bob\",\"result\":\"direct\",\"text\":"
                "\"direct, over IPv4, from either side\"}\n");
    assert_int_equal(diagnosis_way(&d), DIAGNOSIS_DIRECT);
}

static void test_one_side_is_enough(void **state)
{
    static const char *const at[] = {"192.168.1.7:4711"};
    struct diagnosis d;
    struct dialing tried;
    struct net_address from = address("192.168.1.7"), v6 = address("fd00::7");
    begin(&d, &tried, at, COUNT_OF(at));
    set(&tried.traces[0], DIALING_TIMEOUT, 2000);
    set(&tried.relay, DIALING_DENIED, 2);
    diagnosis_came(&d, &from);
    diagnosis_came(&d, &v6);
    diagnosis_take(&d, &tried);
    expect(
        &d,
        "path       192.168.1.7:4711         same network: no answer: a firewall there keeps "
        "it out\n"
        "from there 192.168.1.7              bob has connected to this device\n"
        "from there fd00::7                  bob has connected to this device\n"
        "relay                               the hub refuses to relay\n"
        "conclusion bob                      direct, over IPv6 and IPv4: bob gets here, this "
        "device does not get there, and one of the two is enough\n");
    begin(&d, &tried, at, COUNT_OF(at));
    set(&tried.traces[0], DIALING_PROVEN, 2);
    set(&tried.relay, DIALING_TIMEOUT, 5000);
    diagnosis_take(&d, &tried);
    expect(&d,
           "path       192.168.1.7:4711         same network: connected in 2 ms\n"
           "from there                          nothing came: what bob has tried, and why it "
           "failed, is not known from here\n"
           "relay                               the hub lets this device wait, but bob has not "
           "come\n"
           "conclusion bob                      direct, over IPv4: this device gets to bob; "
           "from there nothing came, and one of the two is enough\n");
}

static void test_only_the_relay_or_nothing(void **state)
{
    static const char *const at[] = {"192.168.1.7:4711"};
    struct diagnosis d;
    struct dialing tried;
    begin(&d, &tried, at, COUNT_OF(at));
    set(&tried.traces[0], DIALING_REFUSED, 0);
    set(&tried.relay, DIALING_PROVEN, 7);
    diagnosis_take(&d, &tried);
    assert_int_equal(diagnosis_way(&d), DIAGNOSIS_RELAYED);
    expect_json(
        &d, 3,
        "{\"about\":\"conclusion\",\"at\":\"bob\",\"result\":\"relayed\",\"text\":\"only "
        "relayed: nothing from outside gets to either of you. On one of the two machines, "
        "open a port in the firewall, and give it to kith with --peer-port\"}\n");
    begin(&d, &tried, NULL, 0);
    d.offered = 0;
    set(&tried.relay, DIALING_UNREACHABLE, 7);
    diagnosis_take(&d, &tried);
    assert_int_equal(diagnosis_way(&d), DIAGNOSIS_NONE);
    expect(
        &d,
        "from there                          nothing came: bob was told no address of this "
        "device\n"
        "relay                               there is no way there\n"
        "conclusion bob                      no way at all: bob has no address that this "
        "device may dial, and nothing came from there. A network that both are in would do\n");
}

static void test_what_keeps_both_apart(void **state)
{
    static const char *const at[] = {"192.168.1.7:4711"};
    struct diagnosis d;
    struct dialing tried;
    struct finding f;
    begin(&d, &tried, at, 1);
    set(&tried.traces[0], DIALING_UNPROVEN, 1);
    set(&tried.relay, DIALING_DENIED, 2);
    diagnosis_take(&d, &tried);
    assert_true(diagnosis_finding(&d, 3, &f));
    assert_non_null(strstr(f.words, "bob is reached, but does not believe this device"));
    assert_null(strstr(f.words, "firewall"));
    set(&tried.traces[0], DIALING_TIMEOUT, 2000);
    diagnosis_take(&d, &tried);
    assert_true(diagnosis_finding(&d, 3, &f));
    assert_non_null(strstr(f.words, "firewall"));
    assert_non_null(strstr(f.words, "a hub that relays: kithd --relay chat"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_path_in_words),
        cmocka_unit_test(test_one_side_is_enough),
        cmocka_unit_test(test_only_the_relay_or_nothing),
        cmocka_unit_test(test_what_keeps_both_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

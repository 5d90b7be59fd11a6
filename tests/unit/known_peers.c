#include "client/known_peers.h"

#include "unit.h"

#include <stdio.h>

#define HUB "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OTHER_HUB "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PRINT "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OTHER_PRINT "DAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct known_name bob = {{(const uint8_t *)"Bob", 3},
                                      {(const uint8_t *)HUB, sizeof HUB - 1}};

static struct known_device device(uint8_t number, enum known_how how, int64_t seconds)
{
    struct known_device d = {.how = how, .since = {seconds * 1000}, .has_key = true};
    memset(&d.key, number, sizeof d.key);
    d.print = fingerprint_of(&d.key);
    return d;
}

static void set(struct buffer *text, const struct known_name *who,
                const struct known_device *device)
{
    struct buffer out;
    buffer_init(&out, LIMIT_MIB);
    assert_int_equal(known_peers_set(buffer_view(text), who, device, &out), 0);
    buffer_fini(text);
    *text = out;
}

static struct known_peer find(struct bytes text, const struct known_name *who)
{
    struct known_peer p;
    size_t line = 0;
    struct bytes copy = unit_copy(text);
    assert_int_equal(known_peers_find(copy, who, &p, &line), 0);
    assert_int_equal(line, 0);
    unit_free(copy);
    return p;
}

static void expect_device(const struct known_device *got, const struct known_device *want)
{
    assert_true(fingerprint_equal(&got->print, &want->print));
    assert_int_equal(got->how, want->how);
    assert_int_equal(got->since.ms, want->since.ms);
    assert_int_equal(got->has_key, want->has_key);
    assert_memory_equal(&got->key, &want->key, sizeof got->key);
}

static void test_what_is_set_is_found(void **state)
{
    struct known_name carol = {BYTES("carol"), BYTES(HUB)}, bob2 = {BYTES("bob"), BYTES(HUB)},
                      elsewhere = {BYTES("bob"), BYTES(OTHER_HUB)};
    struct known_device one = device(1, KNOWN_MET, 5),
                        two = device(2, KNOWN_VOUCHED, 1700000000),
                        three = device(3, KNOWN_SIGNED, 0);
    struct buffer text;
    buffer_init(&text, LIMIT_MIB);
    set(&text, &bob, &one);
    set(&text, &carol, &three);
    set(&text, &bob2, &two);
    set(&text, &elsewhere, &three);
    struct known_peer p = find(buffer_view(&text), &bob);
    assert_int_equal(p.count, 2);
    expect_device(&p.devices[0], &one);
    expect_device(&p.devices[1], &two);
    one = device(1, KNOWN_WORDS, 6);
    set(&text, &bob, &one);
    p = find(buffer_view(&text), &bob2);
    assert_int_equal(p.count, 2);
    expect_device(&p.devices[0], &two);
    expect_device(&p.devices[1], &one);
    p = find(buffer_view(&text), &carol);
    assert_int_equal(p.count, 1);
    expect_device(&p.devices[0], &three);
    buffer_fini(&text);
}

static void test_the_file_is_as_documented(void **state)
{
    struct known_device d = device(0, KNOWN_WORDS, 1700000000);
    char print[FINGERPRINT_TEXT_LEN + 1], want[300];
    struct buffer text;
    buffer_init(&text, LIMIT_MIB);
    set(&text, &bob, &d);
    fingerprint_write(print, &d.print);
    snprintf(want, sizeof want, "bob@" HUB " %s words 1700000000 %s\n", print,
             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_bytes(buffer_view(&text), bytes_from_str(want));
    buffer_fini(&text);
}

static void test_lines_of_an_older_kith(void **state)
{
    struct bytes text = BYTES("# people\n\nBOB@" HUB " " PRINT "\nbob@" OTHER_HUB " " PRINT
                              "\nbob@" HUB " " OTHER_PRINT);
    struct known_peer p = find(text, &bob);
    assert_int_equal(p.count, 2);
    assert_int_equal(p.devices[0].how, KNOWN_MET);
    assert_int_equal(p.devices[0].since.ms, 0);
    assert_false(p.devices[0].has_key);
    struct known_device learned = p.devices[0];
    learned.how = KNOWN_WORDS;
    struct buffer out;
    buffer_init(&out, LIMIT_MIB);
    learned.has_key = false; /* what has no key is written as it was read */
    assert_int_equal(known_peers_set(text, &bob, &learned, &out), 0);
    assert_bytes(buffer_view(&out), BYTES("# people\n\nbob@" OTHER_HUB " " PRINT "\nbob@" HUB
                                          " " OTHER_PRINT "\nbob@" HUB " " PRINT "\n"));
    buffer_fini(&out);
}

/* What is believed for somebody's signature is asked about anew. */
static void test_who_is_doubted(void **state)
{
    struct known_name carol = {BYTES("carol"), BYTES(HUB)};
    struct known_device met = device(1, KNOWN_MET, 5), sure = device(2, KNOWN_WORDS, 6),
                        sign = device(3, KNOWN_SIGNED, 7),
                        vouched = device(4, KNOWN_VOUCHED, 8),
                        doubted = device(5, KNOWN_DOUBTED, 9);
    const struct known_device *const all[] = {&met, &sign, &sure, &vouched};
    struct buffer text, out;
    buffer_init(&text, LIMIT_MIB);
    buffer_init(&out, LIMIT_MIB);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        set(&text, &bob, all[i]);
    set(&text, &carol, &sign);
    assert_int_equal(known_peers_doubt(buffer_view(&text), &bob, &doubted, &out), 0);
    struct known_peer p = find(buffer_view(&out), &bob);
    assert_int_equal(p.count, 3);
    expect_device(&p.devices[0], &met);
    expect_device(&p.devices[1], &sure);
    expect_device(&p.devices[2], &doubted);
    assert_int_equal(find(buffer_view(&out), &carol).count, 1);
    buffer_fini(&text);
    buffer_fini(&out);
}

static void test_who_is_forgotten(void **state)
{
    struct bytes text = BYTES("# people\nbob@" HUB " " PRINT "\nbob@" OTHER_HUB " " PRINT
                              "\nBOB@" HUB " " OTHER_PRINT "\nbobby@" HUB " " PRINT "\n");
    struct buffer out;
    buffer_init(&out, LIMIT_MIB);
    assert_int_equal(known_peers_forget(text, &bob, &out), 0);
    assert_bytes(buffer_view(&out),
                 BYTES("# people\nbob@" OTHER_HUB " " PRINT "\nbobby@" HUB " " PRINT "\n"));
    assert_int_equal(find(buffer_view(&out), &bob).count, 0);
    buffer_fini(&out);
}

#define KEY_OF_ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void test_a_damaged_line_is_named(void **state)
{
    static const char *const lines[] = {
        "half",
        " ",
        "bob",
        "bob@" HUB,
        "bob@" HUB " ",
        "bob@" HUB " " PRINT " ",
        "bob@" HUB " " PRINT "\r",
        "bob@" HUB " " PRINT " met",
        "bob@" HUB " " PRINT " met 5",
        "bob@" HUB " " PRINT " met 5 ",
        "bob@" HUB " " PRINT " met 5 " KEY_OF_ZEROS, /* its fingerprint is another */
        "bob@" HUB " " PRINT "x",
        "bob@x " PRINT,
        "b/b@" HUB " " PRINT,
        "@" HUB " " PRINT,
        " bob@" HUB " " PRINT,
        "bob@" HUB " " PRINT " # mine",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char text[400];
        struct known_peer p;
        size_t line = 0;
        snprintf(text, sizeof text, "# people\ncarol@" HUB " " PRINT "\n%s\nbob@" HUB " " PRINT,
                 lines[i]);
        struct bytes copy = unit_copy(bytes_from_str(text));
        assert_int_equal(known_peers_find(copy, &bob, &p, &line), KNOWN_PEERS_DAMAGED);
        assert_int_equal(line, 3);
        unit_free(copy);
    }
}

static void test_damage_in_what_was_written(void **state)
{
    struct known_device d = device(0, KNOWN_SIGNED, 12);
    struct buffer text;
    struct known_peer p;
    size_t line = 0;
    buffer_init(&text, LIMIT_MIB);
    set(&text, &bob, &d);
    size_t print_ends = 3 + 1 + 43 + 1 + 43;
    for (size_t len = 1; len < buffer_len(&text) - 1; len++) { /* it was cut off */
        if (len != print_ends)
            assert_int_equal(
                known_peers_find(bytes_first(buffer_view(&text), len), &bob, &p, &line),
                KNOWN_PEERS_DAMAGED);
    }
    buffer_fini(&text);
}

static void test_one_device_twice(void **state)
{
    struct known_peer p;
    size_t line = 0;
    assert_int_equal(
        known_peers_find(BYTES("bob@" HUB " " PRINT "\nBob@" HUB " " PRINT), &bob, &p, &line),
        KNOWN_PEERS_DAMAGED);
    assert_int_equal(line, 2);
}

static void test_too_many_of_one(void **state)
{
    struct buffer text;
    struct known_peer p;
    size_t line = 0;
    buffer_init(&text, LIMIT_MIB);
    for (size_t i = 0; i < LIMIT_KNOWN_DEVICES; i++) {
        struct known_device d = device((uint8_t)i, KNOWN_MET, 0);
        set(&text, &bob, &d);
    }
    assert_int_equal(find(buffer_view(&text), &bob).count, LIMIT_KNOWN_DEVICES);
    struct known_device more = device(200, KNOWN_MET, 0);
    set(&text, &bob, &more);
    assert_int_equal(known_peers_find(buffer_view(&text), &bob, &p, &line),
                     KNOWN_PEERS_DAMAGED);
    assert_int_equal(line, LIMIT_KNOWN_DEVICES + 1);
    buffer_fini(&text);
}

static void test_a_full_buffer(void **state)
{
    struct known_device d = device(0, KNOWN_MET, 0);
    struct buffer out;
    buffer_init(&out, 100);
    assert_int_equal(known_peers_set(BYTES(""), &bob, &d, &out), BUFFER_FULL);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_set_is_found),
        cmocka_unit_test(test_the_file_is_as_documented),
        cmocka_unit_test(test_lines_of_an_older_kith),
        cmocka_unit_test(test_who_is_doubted),
        cmocka_unit_test(test_who_is_forgotten),
        cmocka_unit_test(test_a_damaged_line_is_named),
        cmocka_unit_test(test_damage_in_what_was_written),
        cmocka_unit_test(test_one_device_twice),
        cmocka_unit_test(test_too_many_of_one),
        cmocka_unit_test(test_a_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "kithd/options.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 16 };

struct outcome {
    int result;
    struct options options;
    char said[4096]; /* on either stream */
};

/* Parses words that are separated by blanks; "''" is an empty one. */
static void parse(struct outcome *ret, const char *line)
{
    static char room[512], program[] = "kithd", empty[] = "";
    char *argv[WORDS_MAX] = {program}, *rest = room;
    int argc = 1;
    snprintf(room, sizeof room, "%s", line);
    for (char *word; (word = strsep(&rest, " ")) && *word;) {
        assert_in_range(argc, 1, WORDS_MAX - 1);
        argv[argc++] = strcmp(word, "''") == 0 ? empty : word;
    }
    *ret = (struct outcome){0};
    FILE *f = fmemopen(ret->said, sizeof ret->said, "w");
    assert_non_null(f);
    ret->result = options_parse(&ret->options, argc, argv, f, f);
    fclose(f);
}

static void test_the_defaults(void **state)
{
    struct outcome got;
    parse(&got, "");
    const struct options *o = &got.options;
    assert_int_equal(got.result, 0);
    assert_null(o->name);
    assert_null(o->data);
    assert_null(o->log);
    assert_int_equal(o->listener_count, 1);
    assert_string_equal(o->listeners[0].host, "127.0.0.1");
    assert_int_equal(o->listeners[0].port, 12345);
    assert_false(o->listeners[0].is_unix || o->listeners[0].replies_full);
    assert_false(o->second || o->one_at_a_time || o->open || o->open_admin || o->log_requests);
    assert_true(o->workers >= 1);
    assert_int_equal(o->backlog, 1024);
    assert_int_equal(o->delay_ms, 0);
    assert_int_equal(o->memory_max, 0);
    assert_int_equal(o->unframed_ms, 30);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *line, *host;
        unsigned port;
        bool is_unix;
    } cases[] = {
        {"lab", "127.0.0.1", 12345, false},
        {"lab 10.0.0.1", "10.0.0.1", 12345, false},
        {"lab 10.0.0.1 9090", "10.0.0.1", 9090, false},
        {"lab ::1 9090", "::1", 9090, false},
        {"lab localhost:99", "localhost", 99, false},
        {"--listen 10.0.0.1", "10.0.0.1", 12345, false},
        {"--listen 10.0.0.1:0", "10.0.0.1", 0, false},
        {"--listen=[::1]:65535", "::1", 65535, false},
        {"--listen [::1]", "::1", 12345, false},
        {"--listen ::1", "::1", 12345, false},
        {"--listen ./hub.sock", "./hub.sock", 12345, true},
        {"--listen unix:hub.sock", "hub.sock", 12345, true},
        {"--listen /a:b/c", "/a:b/c", 12345, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct outcome got;
        parse(&got, cases[i].line);
        assert_int_equal(got.result, 0);
        const struct options_listener *l = &got.options.listeners[0];
        assert_string_equal(l->host, cases[i].host);
        assert_int_equal(l->port, cases[i].port);
        assert_int_equal(l->is_unix, cases[i].is_unix);
    }
}

static void test_the_words_listener_is_the_first(void **state)
{
    struct outcome got;
    parse(&got, "lab 10.0.0.1 1 --listen 10.0.0.2:2 --listen ./3");
    assert_int_equal(got.options.listener_count, 3);
    assert_string_equal(got.options.listeners[0].host, "10.0.0.1");
    assert_string_equal(got.options.listeners[1].host, "10.0.0.2");
    assert_string_equal(got.options.listeners[2].host, "./3");
    parse(&got, "--listen 10.0.0.2:2 lab 10.0.0.1 1");
    assert_string_equal(got.options.listeners[0].host, "10.0.0.1");
    assert_int_equal(got.options.listeners[1].port, 2);
}

static void test_replies_by_listener(void **state)
{
    struct outcome got;
    parse(&got, "--listen a,replies=full --listen b --listen c,replies=terse --replies full");
    const struct options_listener *l = got.options.listeners;
    assert_true(l[0].replies_full && l[1].replies_full && !l[2].replies_full);
    parse(&got, "--listen a,replies=full --listen b");
    assert_true(l[0].replies_full && !l[1].replies_full);
}

static void test_every_option(void **state)
{
    struct outcome got;
    parse(&got, "lab --data d --durability second --backlog 7 --one-at-a-time");
    assert_string_equal(got.options.name, "lab");
    assert_string_equal(got.options.data, "d");
    assert_true(got.options.second && got.options.one_at_a_time);
    assert_int_equal(got.options.backlog, 7);
    assert_int_equal(got.options.workers, 1);
    parse(&got,
          "--workers 3 --maxmemory 3G --delay 50 --unframed-ms 0 --open --open-admin --log l");
    assert_int_equal(got.options.workers, 3);
    assert_int_equal(got.options.delay_ms, 50);
    assert_int_equal(got.options.memory_max, 3 * 1024 * LIMIT_MIB);
    assert_int_equal(got.options.unframed_ms, 0);
    assert_true(got.options.open && got.options.open_admin);
    assert_string_equal(got.options.log, "l");
    parse(&got, "--log-requests --one-at-a-time");
    assert_true(got.options.log_requests);
    assert_int_equal(got.options.backlog, 5);
}

static void test_what_is_refused(void **state)
{
    static const char *const lines[] = {
        "a b c d",
        "'' x",
        "lab x 65536",
        "lab x -1",
        "lab x 012",
        "--nonsense",
        "--data",
        "--data ''",
        "--log ''",
        "--workers 0",
        "--workers 257",
        "--workers x",
        "--backlog 0",
        "--backlog 65536",
        "--maxmemory",
        "--maxmemory x",
        "--maxmemory k",
        "--maxmemory -1",
        "--maxmemory 1t",
        "--maxmemory 17179869184g",
        "--delay -1",
        "--delay 3600001",
        "--unframed-ms 60001",
        "--durability never",
        "--replies loud",
        "--listen ''",
        "--listen [::1",
        "--listen [::1]x",
        "--listen [::1]:",
        "--listen a:",
        "--listen 12401",
        "12401",
        "name 12401",
        "--listen a,b",
        "--listen a,replies=",
        "--data --open",
        "--one-at-a-time --workers 2",
        "--replies",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct outcome got;
        parse(&got, lines[i]);
        assert_int_equal(got.result, OPTIONS_INVALID);
        assert_memory_equal(got.said, "kithd: ", 7);
        assert_ptr_equal(strchr(got.said, '\n'), got.said + strlen(got.said) - 1);
    }
}

static void test_too_many_listeners(void **state)
{
    char program[] = "kithd", option[] = "--listen", address[] = "a";
    char *argv[2 * LIMIT_LISTENERS + 3] = {program};
    for (size_t i = 1; i < COUNT_OF(argv); i++)
        argv[i] = i % 2 ? option : address;
    struct options o;
    FILE *f = fopen("/dev/null", "w");
    assert_non_null(f);
    assert_int_equal(options_parse(&o, 2 * LIMIT_LISTENERS + 1, argv, f, f), 0);
    assert_int_equal(options_parse(&o, 2 * LIMIT_LISTENERS + 3, argv, f, f), OPTIONS_INVALID);
    fclose(f);
}

static void test_help_and_version(void **state)
{
    struct outcome got;
    parse(&got, "--help");
    assert_int_equal(got.result, OPTIONS_HELP);
    assert_memory_equal(got.said, "usage: kithd", 12);
    parse(&got, "-h");
    assert_int_equal(got.result, OPTIONS_HELP);
    assert_memory_equal(got.said, "usage: kithd", 12);
    parse(&got, "--version --nonsense");
    assert_int_equal(got.result, OPTIONS_HELP);
    assert_string_equal(got.said, "kithd " KITH_VERSION "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_defaults),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_the_words_listener_is_the_first),
        cmocka_unit_test(test_replies_by_listener),
        cmocka_unit_test(test_every_option),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_too_many_listeners),
        cmocka_unit_test(test_help_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

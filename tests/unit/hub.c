#include "hub/hub.h"

#include "base/limits.h"
#include "store/embedded.h"
#include "support/faulty_disk.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>

/* One hub, on a store over a disk in memory, and one connection whose other end is the test.
 * The log moves when the test says so. */

enum { HUB_UID = 1000, OTHER_UID = 1001 };

struct scene {
    struct faulty_disk *disk;
    struct embedded *store;
    struct hub_shared shared;
    struct hub hub;
    struct connection *c;
    struct buffer got; /* what has left */
    uint64_t ns;
    uint32_t uid;   /* of the other end, ... */
    bool uid_known; /* ... where it can be known */
    bool deaf;      /* the other end takes nothing */
    size_t stops;   /* HUB_EVENT_STOP */
    size_t asked;   /* HUB_EVENT_IDENTIFY */
};

static void tick(struct scene *s)
{
    hub_tick(&s->hub, (struct instant){s->ns}, (struct walltime){1000});
}

static void handle(struct scene *s, const struct hub_event *event)
{
    struct connection *c = event->connection;
    if (event->kind == HUB_EVENT_STOP) {
        s->stops++;
    } else if (event->kind == HUB_EVENT_JOB) {
        job_run(event->job);
        job_done(event->job);
    } else if (event->kind == HUB_EVENT_IDENTIFY) {
        s->asked++;
        connection_identified(c, s->uid_known, s->uid);
    } else {
        struct bytes out = connection_output(c);
        struct buffer *to = c->user ? c->user : &s->got; /* where a test has several */
        while (out.len > 0) {
            if (!s->deaf)
                assert_int_equal(buffer_append_bytes(to, out), 0);
            connection_sent(c, s->deaf ? 0 : out.len);
            if (s->deaf)
                return;
            out = connection_output(c);
        }
    }
}

static bool has_more(const struct scene *s)
{
    return hub_deadline(&s->hub).ns <= s->ns;
}

/* Turn after turn, as long as something is put off. */
static void take_events(struct scene *s)
{
    struct hub_event event;
    for (;;) {
        while (hub_next_event(&s->hub, &event))
            handle(s, &event);
        if (!has_more(s))
            return;
        tick(s);
    }
}

static void move_log(struct scene *s)
{
    struct instant deadline, now = {s->ns};
    bool moved = true;
    while (moved) {
        moved = embedded_segment_step(s->store, now, &deadline) == 0;
        moved |= embedded_log_step(s->store, now, &deadline) == 0;
    }
    hub_log_moved(&s->hub);
    take_events(s);
}

/* Until nothing waits for the log any more. */
static void settle(struct scene *s)
{
    take_events(s);
    while (!list_is_empty(&s->hub.waiting))
        move_log(s);
}

static void open_scene(struct scene *s, const struct hub_config *config)
{
    *s = (struct scene){.disk = faulty_disk_new(), .uid = HUB_UID, .uid_known = true, .ns = 1};
    struct embedded_config store_config = {.secret = 1};
    struct recovery_report report;
    assert_int_equal(embedded_open(&s->store, &store_config, faulty_disk(s->disk),
                                   (struct walltime){1}, &report),
                     0);
    s->shared.store = embedded_store(s->store);
    s->shared.config = *config;
    s->shared.config.uid = HUB_UID;
    s->shared.config.password_cost = password_cost_least;
    buffer_init(&s->got, 64 * LIMIT_MIB);
    hub_init(&s->hub, &s->shared);
    tick(s);
}

static void close_scene(struct scene *s)
{
    hub_fini(&s->hub);
    assert_int_equal(s->shared.counters.connections, 0);
    embedded_free(s->store);
    faulty_disk_free(s->disk);
    buffer_fini(&s->got);
}

static void connect_from(struct scene *s, enum access_origin origin, bool full)
{
    struct access_peer peer = {.origin = origin};
    assert_int_equal(hub_accept(&s->hub, &peer, full, &s->c), 0);
}

static void say(struct scene *s, struct bytes in)
{
    struct bytes copy = unit_copy(in);
    tick(s);
    connection_feed(s->c, copy);
    unit_free(copy);
    take_events(s);
}

static void say_str(struct scene *s, const char *in)
{
    say(s, bytes_from_str(in));
}

static void wait_ms(struct scene *s, uint64_t ms)
{
    s->ns += ms * 1000000;
    tick(s);
    take_events(s);
}

/* What has left since the last time is this. */
static void expect(struct scene *s, struct bytes want)
{
    assert_bytes(buffer_view(&s->got), want);
    buffer_truncate(&s->got, 0);
}

static void expect_str(struct scene *s, const char *want)
{
    expect(s, bytes_from_str(want));
}

/* ---- conversations: all that is said, all that is answered ---- */

struct conversation {
    struct bytes said, answered;
    bool full, far, ends; /* ends: the other end says no more */
    bool closed;          /* by the hub, at the end */
};

#define RESP "*1\r\n$4\r\nPING\r\n" /* opens the RESP door; answered +PONG */

static const struct conversation conversations[] = {
    /* text */
    {.said = BYTES("STORE k = v w\nGET k\n"), .answered = BYTES("1\nv w\n")},
    {.said = BYTES("STORE k=a=b\r\nGET k\r\n"), .answered = BYTES("1\r\na=b\r\n")},
    {.said = BYTES("STORE k = 1\nSTORE k = 2\nGET x\n"),
     .answered =
         BYTES("Saved Successfully for key:k\nUpdate Successfully for key:k\nInvalid Key:x\n"),
     .full = true},
    {.said =
         BYTES("STORE k\nSTORE = v\nSTORE a b = v\nSTORE k =\nSTORE k = a\rb\nGET\nGET a b\n"),
     .answered = BYTES("0\n0\n0\n0\n0\nERROR\nERROR\n")},
    {.said = BYTES("hello\n\n store k = v\nget k\nNAME = x\nREPLIES maybe\nQUITE\n"),
     .answered = BYTES("hello\n\n store k = v\nget k\nNAME = x\nREPLIES maybe\nQUITE\n")},
    {.said = BYTES("REPLIES full\nGET x\nREPLIES terse\nGET x\n"),
     .answered = BYTES("full\nInvalid Key:x\nterse\nERROR\n")},
    {.said = BYTES("NAME=our hub\n"
                   "bare"),
     .answered = BYTES("our hub\nbare"),
     .ends = true,
     .closed = true},
    {.said = BYTES("GET k"), .answered = BYTES("ERROR"), .ends = true, .closed = true},
    {.said = BYTES(""), .answered = BYTES(""), .ends = true, .closed = true},
    {.said = BYTES("hi\nGET / HTTP/1.1\nSTORE k = v\n"),
     .answered = BYTES("hi\n"),
     .closed = true},
    {.said = BYTES("host: x\nSTORE k = v\n"), .answered = BYTES(""), .closed = true},
    {.said = BYTES("*hello\n*1x\n*\n"), .answered = BYTES("*hello\n*1x\n*\n")},
    {.said = BYTES("\x16\x03\x01"), .answered = BYTES(""), .closed = true},
    {.said = BYTES("\x01hello\n"), .answered = BYTES(""), .closed = true},
    {.said = BYTES("\xc3\xa9t\xc3\xa9\n"), .answered = BYTES("\xc3\xa9t\xc3\xa9\n")},
    /* text, from elsewhere */
    {.said = BYTES("hi\nSTORE k = v\nGET k\nNAME=x\nQUIT\n"),
     .answered = BYTES("hi\n0\nERROR\n"
                       "ERROR: from another machine this needs an admin's account, or a hub "
                       "started with --open-admin\n"
                       "ERROR: from another machine this needs an admin's account, or a hub "
                       "started with --open-admin\n"),
     .far = true},
    /* RESP: the connection */
    {.said = BYTES(RESP "PING\r\nping hi\r\nECHO \"a b\"\r\n"),
     .answered = BYTES("+PONG\r\n+PONG\r\n$2\r\nhi\r\n$3\r\na b\r\n")},
    {.said = BYTES(RESP "SELECT 0\r\nSELECT 1\r\nSELECT x\r\n"),
     .answered = BYTES("+PONG\r\n+OK\r\n-ERR DB index is out of range\r\n"
                       "-ERR value is not an integer or out of range\r\n")},
    {.said =
         BYTES(RESP "CLIENT GETNAME\r\nCLIENT SETNAME me\r\nCLIENT GETNAME\r\nCLIENT ID\r\n"
                    "CLIENT SETINFO LIB-NAME x\r\nCLIENT SETINFO COLOR x\r\nCLIENT KILL x\r\n"),
     .answered = BYTES("+PONG\r\n$-1\r\n+OK\r\n$2\r\nme\r\n:1\r\n+OK\r\n"
                       "-ERR unrecognized option 'COLOR'\r\n"
                       "-ERR unknown subcommand or wrong number of arguments for 'KILL'\r\n")},
    {.said =
         BYTES(RESP "HELLO 4\r\nHELLO x\r\nHELLO 3 AUTH a b\r\nGET x\r\nHELLO 3\r\nGET x\r\n"),
     .answered =
         BYTES("+PONG\r\n-NOPROTO unsupported protocol version\r\n"
               "-ERR Protocol version is not an integer or out of range\r\n"
               "-WRONGPASS the name or the password is wrong\r\n$-1\r\n"
               "%7\r\n$6\r\nserver\r\n$4\r\nkith\r\n$7\r\nversion\r\n$5\r\n" KITH_VERSION "\r\n"
               "$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n"
               "$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n_\r\n")},
    {.said = BYTES(RESP "QUIT\r\nPING\r\n"),
     .answered = BYTES("+PONG\r\n+OK\r\n"),
     .closed = true},
    {.said = BYTES("*1\r\n$x\r\nPING\r\n"),
     .answered = BYTES("-ERR Protocol error: invalid bulk length\r\n"),
     .closed = true},
    {.said = BYTES(RESP "GET / HTTP/1.1\r\nSET k v\r\n"),
     .answered = BYTES("+PONG\r\n"),
     .closed = true},
    {.said = BYTES(RESP "NOPE a\r\nGET\r\nPING a b c\r\n"),
     .answered = BYTES("+PONG\r\n-ERR unknown command 'NOPE'\r\n"
                       "-ERR wrong number of arguments for 'get' command\r\n"
                       "-ERR wrong number of arguments for 'ping' command\r\n")},
    /* RESP: values */
    {.said =
         BYTES(RESP "SET k v\r\nGET k\r\nSET k v EY 3\r\nSTORE k w\r\nSTORE l w\r\nSTRLEN k\r\n"
                    "STRLEN x\r\nAPPEND k xyz\r\nAPPEND new n\r\nGET k\r\n"),
     .answered = BYTES("+PONG\r\n+OK\r\n$1\r\nv\r\n-ERR syntax error\r\n+Updated\r\n"
                       "+Saved\r\n:1\r\n:0\r\n:4\r\n:1\r\n$4\r\nwxyz\r\n")},
    {.said = BYTES(
         RESP
         "INCR n\r\nINCRBY n 9\r\nDECR n\r\nDECRBY n 20\r\nINCRBY n x\r\nSET s abc\r\n"
         "INCR s\r\nSET m 9223372036854775807\r\nINCR m\r\nDECRBY m -9223372036854775808\r\n"
         "GET n\r\n"),
     .answered = BYTES(
         "+PONG\r\n:1\r\n:10\r\n:9\r\n:-11\r\n-ERR value is not an integer or out of range\r\n"
         "+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n"
         "-ERR increment or decrement would overflow\r\n-ERR decrement would overflow\r\n"
         "$3\r\n-11\r\n")},
    {.said =
         BYTES(RESP "MSET a 1 b 2 a 3\r\nMSET a\r\nMSET a 1 b\r\nMGET a x b\r\nEXISTS a a x\r\n"
                    "DBSIZE\r\nDEL a a x\r\nDBSIZE\r\n"),
     .answered = BYTES("+PONG\r\n+OK\r\n-ERR wrong number of arguments for 'mset' command\r\n"
                       "-ERR wrong number of arguments for 'mset' "
                       "command\r\n*3\r\n$1\r\n3\r\n$-1\r\n$1\r\n2\r\n:2\r\n"
                       ":2\r\n:1\r\n:1\r\n")},
    {.said = BYTES(
         RESP
         "*3\r\n$3\r\nSET\r\n$3\r\na\r\n\r\n$2\r\n\0\n\r\n*2\r\n$3\r\nGET\r\n$3\r\na\r\n\r\n"),
     .answered = BYTES("+PONG\r\n+OK\r\n$2\r\n\0\n\r\n")},
    {.said = BYTES(RESP "*2\r\n$3\r\nGET\r\n$0\r\n\r\n"),
     .answered = BYTES(
         "+PONG\r\n-ERR a key is 1 byte to 64 KiB, a value at most 64 MiB, and one command at "
         "most 65 MiB\r\n")},
    /* RESP: the hub */
    {.said = BYTES(
         RESP "NAME\r\nNAME zorro\r\nNAME\r\nNAME \" x\"\r\nCONFIG GET sav*\r\n"
              "CONFIG SET a b\r\nCOMMAND NOPE\r\nCOMMAND INFO nope get\r\nSHUTDOWN NOW\r\n"),
     .answered = BYTES(
         "+PONG\r\n$4\r\nkith\r\n$5\r\nzorro\r\n$5\r\nzorro\r\n"
         "-ERR a name is 1 to 64 bytes of UTF-8 without control characters, not blank at its "
         "ends\r\n*2\r\n$4\r\nsave\r\n$0\r\n\r\n"
         "-ERR Unknown option or number of arguments for CONFIG SET - 'a'\r\n"
         "-ERR unknown subcommand or wrong number of arguments for 'NOPE'\r\n"
         "*2\r\n$-1\r\n*6\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
         "-ERR syntax error\r\n")},
    /* RESP, from elsewhere */
    {.said = BYTES(RESP "SET k v\r\nNAME x\r\nNAME\r\n"),
     .answered = BYTES("+PONG\r\n-NOPERM from another machine the table needs a login over "
                       "TLS, or a hub started with --open\r\n"
                       "-NOPERM from another machine this needs an admin's account, or a hub "
                       "started with --open-admin\r\n"
                       "$4\r\nkith\r\n"),
     .far = true},
};

static void hold(const struct conversation *talk, size_t piece)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){.unframed_ms = 30});
    connect_from(&s, talk->far ? ACCESS_REMOTE : ACCESS_LOOPBACK, talk->full);
    for (size_t at = 0; at < talk->said.len; at += piece) {
        size_t n = talk->said.len - at < piece ? talk->said.len - at : piece;
        say(&s, bytes_first(bytes_from(talk->said, at), n));
        settle(&s);
    }
    if (talk->ends)
        connection_feed_end(s.c);
    settle(&s);
    expect(&s, talk->answered);
    assert_int_equal(s.c->state == CONNECTION_CLOSED, talk->closed);
    close_scene(&s);
}

static void test_conversations(void **state)
{
    for (size_t i = 0; i < COUNT_OF(conversations); i++) {
        hold(&conversations[i], SIZE_MAX / 2);
        hold(&conversations[i], 1);
        hold(&conversations[i], 7);
    }
}

/* ---- answers wait until they are true ---- */

static void test_a_write_is_answered_when_durable(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    say_str(&s, "hi\nSTORE k = v\nhi\n");
    expect_str(&s, "hi\n"); /* what came before the write does not wait for it */
    move_log(&s);
    expect_str(&s, "1\nhi\n");
    say_str(&s, "GET k\n"); /* durable: nothing to wait for */
    expect_str(&s, "v\n");
    close_scene(&s);
}

/* Another connection reads what is not durable yet: a value, an absence, a count. */
static void test_a_read_waits_for_what_it_saw(void **state)
{
    static const struct {
        const char *write, *read, *answer;
    } cases[] = {
        {"STORE k = new\n", "GET k\n", "new\n"},
        {"*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n", "GET k\n", "ERROR\n"},
        {"STORE l = 1\n", "*1\r\n$6\r\nDBSIZE\r\n", ":2\r\n"},
        {"STORE l = 1\n", "*3\r\n$4\r\nMGET\r\n$1\r\nk\r\n$1\r\nl\r\n",
         "*2\r\n$3\r\nold\r\n$1\r\n1\r\n"},
        {"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n", "*2\r\n$6\r\nEXISTS\r\n$1\r\nn\r\n", ":1\r\n"},
        {"NAME=new\n", "*1\r\n$4\r\nNAME\r\n", "$3\r\nnew\r\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scene s;
        open_scene(&s, &(struct hub_config){0});
        connect_from(&s, ACCESS_LOOPBACK, false);
        say_str(&s, "STORE k = old\n");
        settle(&s);
        connect_from(&s, ACCESS_LOOPBACK, false);
        say_str(&s, cases[i].write);
        buffer_truncate(&s.got, 0);
        connect_from(&s, ACCESS_LOOPBACK, false);
        say_str(&s, cases[i].read);
        expect_str(&s, "");
        settle(&s);
        size_t n = strlen(cases[i].answer), got = buffer_len(&s.got);
        assert_true(got > n);
        assert_bytes(bytes_from(buffer_view(&s.got), got - n), bytes_from_str(cases[i].answer));
        close_scene(&s);
    }
}

static void test_a_full_disk_refuses_and_recovers(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    faulty_disk_limit(s.disk, faulty_disk_bytes(s.disk));
    connect_from(&s, ACCESS_LOOPBACK, true);
    struct buffer line;
    buffer_init(&line, LIMIT_MIB);
    assert_int_equal(buffer_append_str(&line, "STORE k = "), 0);
    for (size_t i = 0; i < 400000; i++)
        assert_int_equal(buffer_append_str(&line, "v"), 0);
    assert_int_equal(buffer_append_str(&line, "\n"), 0);
    for (int i = 0; i < 5; i++) {
        say(&s, buffer_view(&line));
        settle(&s);
    }
    buffer_truncate(&s.got, 0);
    say(&s, buffer_view(&line));
    say_str(&s, "hi\n");
    settle(&s);
    expect_str(&s, "Not Saved for key:k: the disk is full: the table can be read, not changed\n"
                   "hi\n");
    faulty_disk_limit(s.disk, UINT64_MAX);
    wait_ms(&s, LIMIT_SEGMENT_RETRY_MS);
    move_log(&s);
    say(&s, buffer_view(&line));
    settle(&s);
    expect_str(&s, "Update Successfully for key:k\n");
    buffer_fini(&line);
    close_scene(&s);
}

/* ---- who is at the other end ---- */

static void test_admin_commands_ask_who_it_is(void **state)
{
    static const struct {
        uint32_t uid;
        bool known, may;
    } cases[] = {
        {HUB_UID, true, true}, {0, true, true}, {OTHER_UID, true, false}, {0, false, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scene s;
        open_scene(&s, &(struct hub_config){0});
        s.uid = cases[i].uid;
        s.uid_known = cases[i].known;
        connect_from(&s, ACCESS_LOOPBACK, false);
        say_str(&s, "hi\n");
        assert_int_equal(s.asked, 0);
        say_str(&s, "NAME=x\nQUIT\n");
        settle(&s);
        assert_int_equal(s.asked, 1);
        assert_int_equal(s.stops, cases[i].may);
        if (cases[i].may)
            expect_str(&s, "hi\nx\nServer Quitting..!\n");
        else
            assert_true(bytes_starts_with(buffer_view(&s.got), "hi\nERROR: "));
        close_scene(&s);
    }
}

static void test_a_refusal_spoils_the_transaction(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    s.uid = OTHER_UID;
    s.uid_known = true;
    connect_from(&s, ACCESS_LOOPBACK, false);
    say_str(&s, "*1\r\n$5\r\nMULTI\r\nSET k v\r\nFLUSHALL\r\nEXEC\r\nGET k\r\n");
    settle(&s);
    expect_str(&s, "+OK\r\n+QUEUED\r\n-NOPERM only the hub's own user or root may do this\r\n"
                   "-EXECABORT Transaction discarded because of previous errors.\r\n$-1\r\n");
    close_scene(&s);
}

/* ---- silence, delays, readers that do not read ---- */

static void test_silence_ends_a_bare_message(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){.unframed_ms = 30});
    connect_from(&s, ACCESS_LOOPBACK, false);
    say_str(&s, "STORE k");
    wait_ms(&s, 29);
    say_str(&s, " = v"); /* the silence begins anew */
    wait_ms(&s, 29);
    settle(&s);
    expect_str(&s, "");
    wait_ms(&s, 1);
    settle(&s);
    expect_str(&s, "1");
    say_str(&s, "GET k");
    wait_ms(&s, 30);
    expect_str(&s, "v");
    say_str(&s, "framed\nhalf"); /* who has sent a newline once ends messages himself */
    wait_ms(&s, 10000);
    expect_str(&s, "framed\n");
    close_scene(&s);
}

static void test_silence_ends_nothing_else(void **state)
{
    struct scene s;
    char large[LIMIT_BARE_MESSAGE_BYTES + 1];
    memset(large, 'x', sizeof large);
    static const struct {
        enum access_origin origin;
        uint64_t unframed_ms;
        size_t len;
        bool ends;
    } cases[] = {
        {ACCESS_UNIX, 30, LIMIT_BARE_MESSAGE_BYTES, true},
        {ACCESS_LOOPBACK, 30, LIMIT_BARE_MESSAGE_BYTES + 1, false},
        {ACCESS_REMOTE, 30, 5, false},
        {ACCESS_LOOPBACK, 0, 5, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_scene(&s, &(struct hub_config){.unframed_ms = cases[i].unframed_ms});
        connect_from(&s, cases[i].origin, false);
        say(&s, bytes_make(large, cases[i].len));
        wait_ms(&s, 60000);
        expect(&s, bytes_make(large, cases[i].ends ? cases[i].len : 0));
        close_scene(&s);
    }
}

static void test_delays_add_up_on_a_connection(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){.delay_ms = 100});
    connect_from(&s, ACCESS_LOOPBACK, false);
    say_str(&s, "a\nb\n");
    wait_ms(&s, 99);
    expect_str(&s, "");
    wait_ms(&s, 1);
    expect_str(&s, "a\n");
    wait_ms(&s, 99);
    expect_str(&s, "");
    wait_ms(&s, 1);
    expect_str(&s, "b\n");
    wait_ms(&s, 1000);
    say_str(&s, "c\n");
    wait_ms(&s, 100);
    expect_str(&s, "c\n");
    close_scene(&s);
}

static void test_a_held_reply_is_no_stall(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){.delay_ms = LIMIT_STALL_MS});
    connect_from(&s, ACCESS_LOOPBACK, false);
    say_str(&s, "a\nb\nc\n");
    for (int i = 0; i < 3; i++)
        wait_ms(&s, LIMIT_STALL_MS);
    expect_str(&s, "a\nb\nc\n");
    close_scene(&s);
}

static void test_many_held_replies_rest_the_connection(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){.delay_ms = 1});
    connect_from(&s, ACCESS_LOOPBACK, false);
    for (size_t i = 0; i < LIMIT_HELD_REPLIES + 5; i++)
        say_str(&s, "x\n");
    assert_int_equal(s.c->replies->count, LIMIT_HELD_REPLIES);
    assert_false(connection_wants_input(s.c));
    wait_ms(&s, 1);
    assert_int_equal(s.c->replies->count, LIMIT_HELD_REPLIES);
    for (size_t i = 0; i < LIMIT_HELD_REPLIES + 5; i++)
        wait_ms(&s, 1);
    assert_int_equal(buffer_len(&s.got), 2 * (LIMIT_HELD_REPLIES + 5));
    assert_true(connection_wants_input(s.c));
    close_scene(&s);
}

static void test_unread_replies_rest_the_connection(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    char line[1024];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    s.deaf = true;
    for (size_t i = 0; i < LIMIT_UNREAD_REPLY_BYTES / sizeof line; i++) {
        assert_true(connection_wants_input(s.c));
        say(&s, bytes_make(line, sizeof line));
    }
    assert_false(connection_wants_input(s.c));
    say_str(&s, "waits\n");
    assert_int_equal(connection_unread(s.c), LIMIT_UNREAD_REPLY_BYTES);
    s.deaf = false;
    hub_set_ready(s.c);
    take_events(&s);
    assert_int_equal(buffer_len(&s.got), LIMIT_UNREAD_REPLY_BYTES + 6);
    assert_true(connection_wants_input(s.c));
    close_scene(&s);
}

/* Nobody gets far ahead of the log. */
static void test_many_held_commands_rest_the_connection(void **state)
{
    static const char get[] = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    enum { GETS = LIMIT_HELD_INPUT_BYTES / (sizeof get - 1) + 100 };
    struct scene s;
    struct buffer said;
    buffer_init(&said, 64 * LIMIT_MIB);
    assert_int_equal(buffer_append_str(&said, RESP "SET k v\r\n"), 0);
    for (size_t i = 0; i < GETS; i++)
        assert_int_equal(buffer_append_str(&said, get), 0);
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    say(&s, buffer_view(&said));
    assert_int_equal(s.c->rests, CONNECTION_RESTS_OUTPUT);
    assert_false(connection_wants_input(s.c));
    assert_in_range(reply_queue_held(s.c->replies), LIMIT_HELD_INPUT_BYTES,
                    LIMIT_HELD_INPUT_BYTES + sizeof get);
    expect_str(&s, "+PONG\r\n");
    move_log(&s);
    assert_int_equal(buffer_len(&s.got), strlen("+OK\r\n") + GETS * strlen("$1\r\nv\r\n"));
    assert_int_equal(s.c->rests, 0);
    buffer_fini(&said);
    close_scene(&s);
}

static void test_a_stalled_reader_is_closed(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    s.deaf = true;
    say_str(&s, "hello\n");
    wait_ms(&s, LIMIT_STALL_MS - 1);
    assert_int_equal(s.c->state, CONNECTION_TEXT);
    wait_ms(&s, 1);
    assert_int_equal(s.c->state, CONNECTION_CLOSED);
    assert_true(s.c->aborted);
    close_scene(&s);
}

/* ---- limits of a message ---- */

static void test_long_lines(void **state)
{
    static const struct {
        enum access_origin origin;
        size_t max;
    } cases[] = {{ACCESS_LOOPBACK, LIMIT_TEXT_LINE_BYTES},
                 {ACCESS_REMOTE, LIMIT_GUEST_MESSAGE_BYTES}};
    char *line = malloc(LIMIT_TEXT_LINE_BYTES + 2);
    assert_non_null(line);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t over = 0; over <= 1; over++) {
            struct scene s;
            size_t n = cases[i].max + over;
            open_scene(&s, &(struct hub_config){0});
            connect_from(&s, cases[i].origin, false);
            memset(line, 'x', n);
            line[n] = '\n';
            say(&s, bytes_make(line, n + 1));
            expect(&s, over ? BYTES("ERROR: the line is too long\n") : bytes_make(line, n + 1));
            assert_int_equal(s.c->state == CONNECTION_CLOSED, over);
            close_scene(&s);
        }
    }
    free(line);
}

/* ---- large values ---- */

enum { LARGE = 3 * LIMIT_MIB + 7 }; /* more than goes into the log at once */

static void append(struct buffer *b, const char *text)
{
    assert_int_equal(buffer_append_str(b, text), 0);
}

static void append_many(struct buffer *b, char fill, size_t n)
{
    uint8_t *space;
    assert_int_equal(buffer_reserve(b, n, &space), 0);
    memset(space, fill, n);
    buffer_wrote(b, n);
}

static void append_bulk(struct buffer *b, char fill, size_t n)
{
    char head[32];
    snprintf(head, sizeof head, "$%zu\r\n", n);
    append(b, head);
    append_many(b, fill, n);
    append(b, "\r\n");
}

/* As a worker reads: where the connection wants it, at most n bytes in a turn. */
static void read_in(struct scene *s, struct bytes in, size_t n)
{
    uint8_t shared[LIMIT_READ_BYTES];
    while (in.len > 0) {
        uint8_t *space = shared;
        tick(s);
        size_t room = connection_space(s->c, &space, sizeof shared);
        if (room > 0) {
            size_t some = room < n ? room : n;
            some = some < in.len ? some : in.len;
            memcpy(space, in.data, some);
            connection_feed(s->c, bytes_make(space, some));
            in = bytes_from(in, some);
        }
        settle(s);
    }
}

static void hold_large_talk(size_t piece, size_t n)
{
    struct scene s;
    struct buffer said, wanted;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    buffer_init(&said, 64 * LIMIT_MIB);
    buffer_init(&wanted, 64 * LIMIT_MIB);
    append(&said, RESP "GET l\r\n*3\r\n$3\r\nSET\r\n$1\r\nl\r\n");
    append_bulk(&said, 'x', n);
    append(&said, "PING\r\nGET l\r\n*3\r\n$5\r\nSTORE\r\n$1\r\nl\r\n");
    append_bulk(&said, 'y', n);
    append(&said, "*5\r\n$4\r\nMSET\r\n$1\r\nm\r\n");
    append_bulk(&said, 'm', n);
    append(&said, "$1\r\nn\r\n");
    append_bulk(&said, 'n', n);
    append(&said, "*2\r\n$4\r\nECHO\r\n");
    append_bulk(&said, 'e', n);
    append(&said, "MGET l x m n\r\nDEL l\r\nGET l\r\n");
    append(&wanted, "+PONG\r\n$-1\r\n+OK\r\n+PONG\r\n");
    append_bulk(&wanted, 'x', n);
    append(&wanted, "+Updated\r\n+OK\r\n");
    append_bulk(&wanted, 'e', n);
    append(&wanted, "*4\r\n");
    append_bulk(&wanted, 'y', n);
    append(&wanted, "$-1\r\n");
    append_bulk(&wanted, 'm', n);
    append_bulk(&wanted, 'n', n);
    append(&wanted, ":1\r\n$-1\r\n");
    read_in(&s, buffer_view(&said), piece);
    settle(&s);
    assert_int_equal(buffer_len(&s.got), buffer_len(&wanted));
    assert_true(bytes_equal(buffer_view(&s.got), buffer_view(&wanted)));
    assert_null(s.c->inbox);
    assert_null(s.c->replies);
    buffer_fini(&said);
    buffer_fini(&wanted);
    close_scene(&s);
}

static void test_large_values(void **state)
{
    hold_large_talk(SIZE_MAX, LARGE);
    hold_large_talk(5000, LARGE);
    hold_large_talk(1, LIMIT_LARGE_BYTES + 1);
    hold_large_talk(SIZE_MAX, LIMIT_LARGE_BYTES);
}

static void begin_large_set(struct scene *s, size_t n)
{
    struct buffer said;
    buffer_init(&said, 64 * LIMIT_MIB);
    append(&said, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n");
    append_bulk(&said, 'x', n);
    struct bytes in = buffer_view(&said);
    uint8_t shared[LIMIT_READ_BYTES];
    while (in.len > 0) {
        uint8_t *space = shared;
        tick(s);
        size_t some = connection_space(s->c, &space, sizeof shared);
        some = some < in.len ? some : in.len;
        memcpy(space, in.data, some);
        connection_feed(s->c, bytes_make(space, some));
        in = bytes_from(in, some);
    }
    take_events(s);
    buffer_fini(&said);
}

/* From the socket's memory to the reply: the value is where it was put first. */
static void test_a_large_value_is_not_copied(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    begin_large_set(&s, LARGE);
    assert_int_equal(s.c->rests, CONNECTION_RESTS_LOG);
    const uint8_t *memory = inbox_view(s.c->inbox).data;
    settle(&s);
    expect_str(&s, "+OK\r\n");
    assert_null(s.c->inbox);
    struct connection *other;
    for (int text = 0; text <= 1; text++) {
        connect_from(&s, ACCESS_LOOPBACK, false);
        other = s.c;
        struct bytes get = text ? BYTES("GET k\n") : BYTES("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
        tick(&s);
        connection_feed(other, get);
        if (!text)
            connection_sent(other, connection_output(other).len); /* the length */
        struct bytes out = connection_output(other);
        assert_true(out.data > memory && out.data < memory + 100);
    }
    close_scene(&s);
}

static void test_a_large_value_is_given_up_halfway(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    say_str(&s, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nabc");
    connection_abort(s.c); /* not whole yet */
    take_events(&s);
    connection_free(s.c);
    connect_from(&s, ACCESS_LOOPBACK, false);
    begin_large_set(&s, LARGE);
    assert_int_equal(s.c->rests, CONNECTION_RESTS_LOG);
    connection_abort(s.c); /* half of it is in the log */
    take_events(&s);
    connection_free(s.c);
    connect_from(&s, ACCESS_LOOPBACK, false);
    say_str(&s, "GET k\n");
    settle(&s);
    expect_str(&s, "ERROR\n");
    close_scene(&s);
}

/* ---- shares: nobody waits for another one's work ---- */

static size_t lines_in(struct bytes b)
{
    size_t n = 0;
    for (size_t i = 0; i < b.len; i++)
        n += b.data[i] == '\n';
    return n;
}

/* What the events of this turn let leave, of one connection. */
static size_t end_turn_lines(struct scene *s)
{
    struct hub_event event;
    while (hub_next_event(&s->hub, &event))
        handle(s, &event);
    size_t n = lines_in(buffer_view(&s->got));
    buffer_truncate(&s->got, 0);
    return n;
}

static void test_a_pipeline_has_its_share_of_a_turn(void **state)
{
    enum { COMMANDS = 100000 };
    struct scene s;
    struct buffer many;
    buffer_init(&many, 64 * LIMIT_MIB);
    append(&many, RESP);
    for (size_t i = 1; i < COMMANDS; i++)
        append(&many, "PING\r\n");
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    struct connection *greedy = s.c;
    connect_from(&s, ACCESS_LOOPBACK, false);
    connection_feed(greedy, buffer_view(&many));
    size_t answered = end_turn_lines(&s), turns = 1;
    for (; answered < COMMANDS; turns++) {
        assert_true(has_more(&s));
        tick(&s);
        connection_feed(s.c, BYTES("hello\n")); /* somebody else, in every turn */
        size_t n = end_turn_lines(&s) - 1;
        assert_in_range(n, 1, LIMIT_TURN_BYTES / strlen("PING\r\n"));
        answered += n;
    }
    assert_int_equal(answered, COMMANDS);
    assert_true(turns > COMMANDS * strlen("PING\r\n+PONG\r\n") / LIMIT_TURN_BYTES);
    tick(&s);
    assert_false(has_more(&s));
    buffer_fini(&many);
    close_scene(&s);
}

static void test_one_is_read_from_once_a_turn(void **state)
{
    struct scene s;
    uint8_t shared[1], *space = shared;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    tick(&s);
    assert_int_equal(connection_space(s.c, &space, 1), 1);
    connection_feed(s.c, BYTES("a\n"));
    assert_int_equal(connection_space(s.c, &space, 1), 0);
    assert_true(connection_wants_input(s.c));
    tick(&s);
    assert_int_equal(connection_space(s.c, &space, 1), 1);
    connection_feed(s.c, BYTES("half")); /* nothing to be run, but read */
    assert_int_equal(connection_space(s.c, &space, 1), 0);
    assert_ptr_equal(space, shared);
    close_scene(&s);
}

static void test_output_has_its_share_of_a_turn(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    begin_large_set(&s, LARGE);
    settle(&s);
    buffer_truncate(&s.got, 0);
    tick(&s);
    connection_feed(s.c, BYTES("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"));
    struct hub_event event;
    size_t before = 0, whole = strlen("$3145735\r\n") + LARGE + 2;
    for (;;) {
        while (hub_next_event(&s.hub, &event))
            handle(&s, &event);
        assert_in_range(buffer_len(&s.got) - before, 1, LIMIT_TURN_OUTPUT_BYTES);
        before = buffer_len(&s.got);
        if (before == whole)
            break;
        assert_true(has_more(&s));
        tick(&s);
    }
    close_scene(&s);
}

/* ---- what all connections hold together ---- */

/* A connection of some hub that holds about so much. */
static struct connection *burden(struct scene *s, struct hub *hub, size_t units)
{
    struct access_peer peer = {.origin = ACCESS_LOOPBACK};
    struct buffer said;
    buffer_init(&said, 64 * LIMIT_MIB);
    assert_int_equal(hub_accept(hub, &peer, false, &s->c), 0);
    append(&said, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9999999\r\n");
    append_many(&said, 'x', units * CONNECTION_HELD_UNIT);
    say(s, buffer_view(&said));
    buffer_fini(&said);
    return s->c;
}

static void test_who_holds_most_is_closed(void **state)
{
    struct scene s;
    struct connection *c[3];
    open_scene(&s, &(struct hub_config){.held_bytes_max = 20 * CONNECTION_HELD_UNIT});
    static const size_t units[] = {4, 10, 6};
    for (size_t i = 0; i < 3; i++)
        c[i] = burden(&s, &s.hub, units[i]);
    assert_int_equal(s.shared.counters.held, 20);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(c[i]->state, CONNECTION_RESP);
    /* Replies count as input does. */
    connect_from(&s, ACCESS_LOOPBACK, false);
    s.deaf = true;
    char line[CONNECTION_HELD_UNIT];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    say(&s, bytes_make(line, sizeof line));
    assert_int_equal(c[1]->state, CONNECTION_CLOSED);
    assert_true(c[1]->aborted);
    assert_int_equal(s.shared.counters.held, 11);
    assert_int_equal(c[2]->state, CONNECTION_RESP);
    for (size_t i = 0; i < 3; i++)
        connection_free(c[i]);
    assert_int_equal(s.shared.counters.held, 1);
    s.deaf = false;
    hub_set_ready(s.c);
    take_events(&s);
    assert_int_equal(s.shared.counters.held, 0);
    close_scene(&s);
}

static void count_wake(void *ctx)
{
    ++*(size_t *)ctx;
}

/* Whoever notices that all hold too much, it is the largest of all that is closed. */
static void test_who_holds_most_may_be_another_workers(void **state)
{
    struct scene s;
    struct hub other;
    size_t wakes = 0, wakes_other = 0;
    open_scene(&s, &(struct hub_config){.held_bytes_max = 20 * CONNECTION_HELD_UNIT});
    hub_init(&other, &s.shared);
    s.hub.mail = (struct mailbox){.wake = count_wake, .ctx = &wakes};
    other.mail = (struct mailbox){.wake = count_wake, .ctx = &wakes_other};
    struct connection *small = burden(&s, &s.hub, 2), *large = burden(&s, &other, 12);
    struct connection *late = burden(&s, &s.hub, 9);
    assert_int_equal(s.shared.counters.held, 23);
    assert_int_equal(late->state, CONNECTION_RESP);
    assert_int_equal(large->state, CONNECTION_RESP); /* it is the other's to close */
    assert_true(wakes_other > 0);
    wakes_other = 0;
    hub_take_mail(&other);
    assert_int_equal(large->state, CONNECTION_CLOSED);
    assert_int_equal(s.shared.counters.held, 11);
    /* What has gone meanwhile is nobody's burden: the other looks, and gives it back. */
    struct connection *last = burden(&s, &s.hub, 10);
    assert_int_equal(last->state, CONNECTION_RESP);
    assert_true(wakes_other > 0);
    wakes_other = 0;
    assert_int_equal(wakes, 0);
    hub_take_mail(&other);
    assert_int_equal(wakes, 1);
    hub_take_mail(&s.hub);
    assert_int_equal(last->state, CONNECTION_CLOSED);
    assert_int_equal(small->state, CONNECTION_RESP);
    assert_int_equal(late->state, CONNECTION_RESP);
    /* Nor is a worker without connections woken any more. */
    hub_fini(&other);
    assert_int_equal(burden(&s, &s.hub, 11)->state, CONNECTION_CLOSED);
    assert_int_equal(wakes_other, 0);
    close_scene(&s);
}

/* ---- long replies ---- */

enum { LONG_BYTES = 60000, LONG_COUNT = 100 }; /* together more than a piece */

/* A bulk string of n bytes, the i-th of its kind. */
static void append_long(struct buffer *b, size_t i, size_t n)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%015zu", i);
    append_bulk(b, 'x', n);
    memcpy(b->data + b->end - 2 - strlen(digits), digits, strlen(digits));
}

/* Each key's name, or its value, is long. */
static void put_long(struct scene *s, size_t name_bytes, size_t value_bytes)
{
    for (size_t i = 0; i < LONG_COUNT; i++) {
        struct buffer said;
        buffer_init(&said, LIMIT_MIB);
        append(&said, "*3\r\n$3\r\nSET\r\n");
        append_long(&said, i, name_bytes);
        append_long(&said, i, value_bytes);
        say(s, buffer_view(&said));
        settle(s);
        expect_str(s, "+OK\r\n");
        buffer_fini(&said);
    }
}

static void append_mget(struct buffer *b, size_t name_bytes)
{
    append(b, "*101\r\n$4\r\nMGET\r\n");
    for (size_t i = 0; i < LONG_COUNT; i++)
        append_long(b, i, name_bytes);
}

/* One turn, and no more; how much of its replies has been written then, and has not left. */
static size_t begin_turn(struct scene *s, struct connection *c, struct bytes in)
{
    struct hub_event event;
    tick(s);
    if (in.len > 0)
        connection_feed(c, in);
    while (hub_next_event(&s->hub, &event))
        handle(s, &event);
    return connection_unread(c);
}

static void test_a_long_reply_is_made_in_pieces(void **state)
{
    enum { NAME_BYTES = 15 };
    struct scene s;
    struct buffer said, wanted;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    put_long(&s, NAME_BYTES, LONG_BYTES);
    struct connection *reader = s.c;
    buffer_init(&said, LIMIT_MIB);
    buffer_init(&wanted, 64 * LIMIT_MIB);
    append_mget(&said, NAME_BYTES);
    append(&said, "PING\r\n");
    size_t unread = begin_turn(&s, reader, buffer_view(&said));
    assert_true(unread > LIMIT_UNREAD_REPLY_BYTES && unread < LIMIT_PIECE_BYTES + LONG_BYTES);
    assert_false(connection_wants_input(reader));
    /* Others are served meanwhile; what they change shows in the pieces that follow. */
    struct buffer other_got;
    buffer_init(&other_got, LIMIT_MIB);
    connect_from(&s, ACCESS_LOOPBACK, false);
    s.c->user = &other_got;
    begin_turn(&s, s.c, BYTES("*3\r\n$3\r\nSET\r\n$15\r\n000000000000099\r\n$1\r\nn\r\n"));
    settle(&s);
    assert_bytes(buffer_view(&other_got), BYTES("+OK\r\n"));
    append(&wanted, "*100\r\n");
    for (size_t i = 0; i < LONG_COUNT - 1; i++)
        append_long(&wanted, i, LONG_BYTES);
    append(&wanted, "$1\r\nn\r\n+PONG\r\n");
    assert_true(bytes_equal(buffer_view(&s.got), buffer_view(&wanted)));
    buffer_fini(&said);
    buffer_fini(&wanted);
    buffer_fini(&other_got);
    close_scene(&s);
}

/* It could be told between two pieces, and nobody could tell what is which. */
static void test_a_long_reply_to_who_is_told_is_made_at_once(void **state)
{
    enum { NAME_BYTES = 15 };
    struct scene s;
    struct buffer said;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    put_long(&s, NAME_BYTES, LONG_BYTES);
    say_str(&s, "HELLO 3\r\nSUBSCRIBE news\r\n");
    settle(&s);
    buffer_truncate(&s.got, 0);
    buffer_init(&said, LIMIT_MIB);
    append_mget(&said, NAME_BYTES);
    begin_turn(&s, s.c, buffer_view(&said));
    assert_true(connection_unread(s.c) + buffer_len(&s.got) > (size_t)LONG_COUNT * LONG_BYTES);
    settle(&s);
    assert_true(bytes_starts_with(buffer_view(&s.got), "*100\r\n$60000\r\n"));
    buffer_fini(&said);
    close_scene(&s);
}

/* However large a reply is that is on its way: what was told alone counts. */
static void test_a_large_reply_is_nothing_that_was_told(void **state)
{
    enum { VALUE_BYTES = LIMIT_UNREAD_PUSH_BYTES + LIMIT_MIB };
    struct scene s;
    struct buffer other_got;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    struct connection *reader = s.c;
    begin_large_set(&s, VALUE_BYTES);
    say_str(&s, "HELLO 3\r\nSUBSCRIBE news\r\n");
    settle(&s);
    buffer_truncate(&s.got, 0);
    begin_turn(&s, reader, BYTES("GET k\r\n"));
    assert_true(connection_unread(reader) > LIMIT_UNREAD_PUSH_BYTES);
    buffer_init(&other_got, LIMIT_MIB);
    connect_from(&s, ACCESS_LOOPBACK, false);
    s.c->user = &other_got;
    begin_turn(&s, s.c, BYTES(RESP "PUBLISH news 1\r\nPUBLISH news 2\r\n"));
    hub_take_mail(&s.hub);
    settle(&s);
    static const char told[] = ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n1\r\n"
                               ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n2\r\n";
    struct bytes got = buffer_view(&s.got);
    assert_int_equal(got.len,
                     strlen("$34603008\r\n") + VALUE_BYTES + strlen("\r\n") + strlen(told));
    assert_bytes(bytes_from(got, got.len - strlen(told)), bytes_from_str(told));
    buffer_fini(&other_got);
    close_scene(&s);
}

static void test_many_names_are_told_in_pieces(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    put_long(&s, LONG_BYTES, 15);
    size_t unread = begin_turn(&s, s.c, BYTES("KEYS *\r\nPING\r\n"));
    assert_true(unread > LIMIT_UNREAD_REPLY_BYTES && unread < LIMIT_PIECE_BYTES + LONG_BYTES);
    settle(&s);
    struct bytes got = buffer_view(&s.got);
    size_t name = strlen("$60000\r\n") + LONG_BYTES + strlen("\r\n");
    assert_true(bytes_starts_with(got, "*100\r\n$60000\r\nxxx"));
    assert_int_equal(got.len, strlen("*100\r\n") + LONG_COUNT * name + strlen("+PONG\r\n"));
    assert_bytes(bytes_from(got, got.len - strlen("+PONG\r\n")), BYTES("+PONG\r\n"));
    close_scene(&s);
}

static void test_little_may_come_behind_what_goes_on(void **state)
{
    struct scene s;
    struct buffer behind;
    open_scene(&s, &(struct hub_config){0});
    connect_from(&s, ACCESS_LOOPBACK, false);
    buffer_init(&behind, 2 * LIMIT_MIB);
    append_many(&behind, '\n', LIMIT_TURN_BYTES);
    say_str(&s, RESP);
    begin_turn(&s, s.c, buffer_view(&behind)); /* more than one turn's share */
    assert_int_equal(s.c->rests, CONNECTION_RESTS_TURN);
    assert_true(connection_wants_input(s.c));
    append_many(&behind, '\n', LIMIT_HELD_INPUT_BYTES);
    connection_feed(s.c, buffer_view(&behind));
    assert_int_equal(s.c->rests, CONNECTION_RESTS_TURN);
    assert_false(connection_wants_input(s.c));
    settle(&s);
    assert_true(connection_wants_input(s.c));
    buffer_fini(&behind);
    close_scene(&s);
}

/* ---- --maxmemory ---- */

static void test_a_full_table_refuses_to_grow(void **state)
{
    struct scene s;
    static const char oom[] = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    open_scene(&s, &(struct hub_config){.memory_max = LIMIT_LARGE_BYTES});
    connect_from(&s, ACCESS_LOOPBACK, false);
    begin_large_set(&s, LIMIT_LARGE_BYTES + 1); /* what is begun below it may pass it */
    settle(&s);
    expect_str(&s, "+OK\r\n");
    say_str(&s, "SET l v\r\nINCR n\r\nCONFIG GET maxmem*\r\n");
    settle(&s);
    struct buffer wanted;
    buffer_init(&wanted, LIMIT_MIB);
    append(&wanted, oom);
    append(&wanted, oom);
    append(&wanted, "*2\r\n$9\r\nmaxmemory\r\n$5\r\n65536\r\n");
    expect(&s, buffer_view(&wanted));
    buffer_fini(&wanted);
    say_str(&s, "MULTI\r\nSET l v\r\nEXEC\r\n");
    settle(&s);
    assert_true(bytes_starts_with(buffer_view(&s.got), "+OK\r\n-OOM "));
    assert_true(buffer_len(&s.got) > strlen("+OK\r\n") + strlen(oom));
    buffer_truncate(&s.got, 0);
    struct connection *resp = s.c;
    connect_from(&s, ACCESS_LOOPBACK, true);
    say_str(&s, "STORE l = v\nREPLIES terse\nSTORE l = v\n");
    settle(&s);
    expect_str(&s, "Not Saved for key:l: command not allowed when used memory > "
                   "'maxmemory'.\nterse\n0\n");
    s.c = resp;
    say_str(&s, "STRLEN k\r\nDEL k\r\n");
    settle(&s);
    expect_str(&s, ":65537\r\n:1\r\n");
    say_str(&s, "SET l v\r\n"); /* there is room again */
    settle(&s);
    expect_str(&s, "+OK\r\n");
    close_scene(&s);
}

/* ---- several at once ---- */

enum { CROWD = 5 };

struct crowd {
    struct connection *c[CROWD];
    struct buffer got[CROWD];
};

static void crowd_open(struct crowd *crowd, struct scene *s)
{
    for (size_t i = 0; i < CROWD; i++) {
        connect_from(s, ACCESS_LOOPBACK, false);
        buffer_init(&crowd->got[i], LIMIT_MIB);
        crowd->c[i] = s->c;
        s->c->user = &crowd->got[i];
    }
}

static void crowd_close(struct crowd *crowd)
{
    for (size_t i = 0; i < CROWD; i++)
        buffer_fini(&crowd->got[i]);
}

static void crowd_expect(struct crowd *crowd, const char *const want[CROWD])
{
    for (size_t i = 0; i < CROWD; i++) {
        assert_bytes(buffer_view(&crowd->got[i]), bytes_from_str(want[i]));
        buffer_truncate(&crowd->got[i], 0);
    }
}

/* The inputs lie side by side in the same memory each time, as a worker has them. */
static void crowd_says(struct crowd *crowd, struct scene *s, const char *const said[CROWD])
{
    static uint8_t space[1024];
    struct hub_input inputs[CROWD];
    size_t used = 0, n = 0;
    for (size_t i = 0; i < CROWD; i++) {
        size_t len = strlen(said[i]);
        if (len == 0)
            continue;
        inputs[n++] = (struct hub_input){crowd->c[i], bytes_make(space + used, len)};
        memcpy(space + used, said[i], len);
        used += len;
    }
    tick(s);
    if (n > 1)
        hub_feed(&s->hub, inputs, n);
    else
        connection_feed(inputs[0].connection, inputs[0].bytes);
    settle(s);
}

#define GET(key) "*2\r\n$3\r\nGET\r\n$1\r\n" key "\r\n"
#define SET(key, value) "*3\r\n$3\r\nSET\r\n$1\r\n" key "\r\n$1\r\n" value "\r\n"
#define GOT(value) "$1\r\n" value "\r\n"

static void test_inputs_of_several_at_once(void **state)
{
    struct scene s;
    struct crowd crowd;
    open_scene(&s, &(struct hub_config){0});
    crowd_open(&crowd, &s);
    crowd_says(&crowd, &s,
               (const char *[]){SET("a", "1"), GET("a"), "GET a\n", "*2\r\n$3\r\nGE",
                                SET("b", "2") GET("b")});
    crowd_expect(&crowd, (const char *[]){"+OK\r\n", GOT("1"), "1\n", "", "+OK\r\n" GOT("2")});
    /* What stands in that memory now is not what was looked at then. */
    crowd_says(&crowd, &s,
               (const char *[]){SET("a", "3"), GET("b"), "GET b\n", "", GET("a") GET("b")});
    crowd_expect(&crowd, (const char *[]){"+OK\r\n", GOT("2"), "2\n", "", GOT("3") GOT("2")});
    crowd_says(&crowd, &s, (const char *[]){SET("b", "4"), "", "", "", ""});
    crowd_expect(&crowd, (const char *[]){"+OK\r\n", "", "", "", ""});
    /* Text that looks like a command, and the other half of one. */
    crowd_says(
        &crowd, &s,
        (const char *[]){GET("a"), GET("b"), RESP, "T\r\n$1\r\nb\r\n" GET("a"), GET("b")});
    crowd_expect(&crowd,
                 (const char *[]){GOT("3"), GOT("4"), RESP, GOT("4") GOT("3"), GOT("4")});
    connection_drain(crowd.c[1]);
    crowd_says(&crowd, &s, (const char *[]){GET("a"), GET("b"), "", SET("b", "5"), GET("b")});
    crowd_expect(&crowd, (const char *[]){GOT("3"), "", "", "+OK\r\n", GOT("5")});
    /* One that was looked at and did not run. */
    crowd_says(&crowd, &s, (const char *[]){"", GET("b"), "text\n", "", ""});
    crowd_expect(&crowd, (const char *[]){"", "", "text\n", "", ""});
    crowd_says(&crowd, &s, (const char *[]){SET("a", "6"), "", "", "", ""});
    crowd_expect(&crowd, (const char *[]){"+OK\r\n", "", "", "", ""});
    crowd_close(&crowd);
    close_scene(&s);
}

static void crowd_member_says(struct crowd *crowd, struct scene *s, size_t i, const char *said)
{
    s->c = crowd->c[i];
    say_str(s, said);
}

static size_t count_events(struct scene *s)
{
    size_t n = 0;
    struct hub_event event;
    for (; hub_next_event(&s->hub, &event); n++)
        handle(s, &event);
    return n;
}

static void test_who_awaits_more_of_the_log_is_left_alone(void **state)
{
    struct scene s;
    struct crowd crowd;
    struct instant deadline;
    open_scene(&s, &(struct hub_config){0});
    crowd_open(&crowd, &s);
    assert_true(s.hub.awaited_lsn == HUB_AWAITS_NOTHING);
    crowd_member_says(&crowd, &s, 0, SET("a", "1"));
    assert_int_equal(embedded_log_step(s.store, (struct instant){s.ns}, &deadline), 0);
    crowd_member_says(&crowd, &s, 1, SET("b", "2"));
    crowd_member_says(&crowd, &s, 2, GET("b"));
    hub_log_moved(&s.hub);
    assert_int_equal(count_events(&s), 1);
    crowd_expect(&crowd, (const char *[]){"+OK\r\n", "", "", "", ""});
    assert_int_equal(s.hub.awaited_lsn, store_durable(s.shared.store) + 1);
    hub_log_moved(&s.hub);
    assert_int_equal(count_events(&s), 0);
    move_log(&s);
    crowd_expect(&crowd, (const char *[]){"", "+OK\r\n", GOT("2"), "", ""});
    assert_true(s.hub.awaited_lsn == HUB_AWAITS_NOTHING);
    crowd_close(&crowd);
    close_scene(&s);
}

/* ---- TLS ---- */

struct other_end {
    struct identity *identity;
    struct tls_config *hub, *client;
    struct tls *tls;
    struct buffer plain, out;
};

/* A scene whose connection opens with a handshake. */
static void open_secure_scene(struct scene *s, struct other_end *h)
{
    open_scene(s, &(struct hub_config){0});
    static const char *const none[] = {NULL};
    static const uint8_t seed[IDENTITY_SEED_BYTES] = {1};
    assert_int_equal(identity_new(&h->identity, seed, NULL, 0), 0);
    assert_int_equal(tls_config_new(&h->hub, TLS_HUB, h->identity, none), 0);
    assert_int_equal(tls_config_new(&h->client, TLS_CLIENT, NULL, none), 0);
    assert_int_equal(tls_new(&h->tls, h->client), 0);
    buffer_init(&h->plain, 64 * LIMIT_MIB);
    buffer_init(&h->out, 64 * LIMIT_MIB);
    assert_int_equal(tls_begin(h->tls, &h->out), 0);
    s->shared.tls = h->hub;
    connect_from(s, ACCESS_LOOPBACK, false);
}

static void close_secure_scene(struct scene *s, struct other_end *h)
{
    close_scene(s); /* its connection uses what h has */
    tls_free(h->tls);
    tls_config_free(h->client);
    tls_config_free(h->hub);
    identity_free(h->identity);
    buffer_fini(&h->plain);
    buffer_fini(&h->out);
}

/* Back and forth until neither has anything to say. */
static void shake_hands(struct other_end *h, struct scene *s)
{
    while (buffer_len(&h->out) > 0) {
        say(s, buffer_view(&h->out));
        buffer_truncate(&h->out, 0);
        settle(s);
        assert_int_equal(tls_feed(h->tls, buffer_view(&s->got), &h->plain, &h->out), 0);
        buffer_truncate(&s->got, 0);
    }
}

static void say_secretly(struct other_end *h, struct scene *s, const char *text)
{
    assert_int_equal(tls_write(h->tls, bytes_from_str(text), &h->out), 0);
    shake_hands(h, s);
}

static void expect_secretly(struct other_end *h, const char *want)
{
    assert_bytes(buffer_view(&h->plain), bytes_from_str(want));
    buffer_truncate(&h->plain, 0);
}

static void test_a_conversation_over_tls(void **state)
{
    struct scene s;
    struct other_end h;
    open_secure_scene(&s, &h);
    shake_hands(&h, &s);
    assert_int_equal(handshakes_count(&s.shared.handshakes), 0);
    say_secretly(&h, &s, "STORE k = v\nGET k\nhel");
    expect_secretly(&h, "1\nv\n");
    say_secretly(&h, &s, "lo\n");
    expect_secretly(&h, "hello\n");
    assert_int_equal(tls_close(h.tls, &h.out), 0);
    shake_hands(&h, &s);
    assert_int_equal(tls_state(h.tls), TLS_OVER); /* it was told, too */
    assert_int_equal(s.c->state, CONNECTION_CLOSED);
    close_secure_scene(&s, &h);
}

static void test_a_handshake_has_its_time(void **state)
{
    struct scene s;
    struct other_end h;
    open_secure_scene(&s, &h);
    say(&s, bytes_first(buffer_view(&h.out), 1));
    assert_int_equal(handshakes_count(&s.shared.handshakes), 1);
    wait_ms(&s, LIMIT_HANDSHAKE_MS - 1);
    assert_int_equal(s.c->state, CONNECTION_SNIFFING);
    wait_ms(&s, 1);
    assert_int_equal(s.c->state, CONNECTION_CLOSED);
    connection_free(s.c);
    assert_int_equal(handshakes_count(&s.shared.handshakes), 0);
    close_secure_scene(&s, &h);
}

static void test_who_reads_nothing_over_tls_is_closed(void **state)
{
    struct scene s;
    struct other_end h;
    open_secure_scene(&s, &h);
    shake_hands(&h, &s);
    s.deaf = true;
    assert_int_equal(tls_write(h.tls, BYTES("hello\n"), &h.out), 0);
    say(&s, buffer_view(&h.out));
    wait_ms(&s, LIMIT_STALL_MS - 1);
    assert_int_equal(s.c->state, CONNECTION_TEXT);
    wait_ms(&s, 1);
    assert_int_equal(s.c->state, CONNECTION_CLOSED);
    close_secure_scene(&s, &h);
}

static size_t count_warnings(const struct scene *s)
{
    struct bytes rest = buffer_view(&s->hub.log);
    const char level[] = "level=warning";
    size_t n = 0;
    for (; rest.len >= sizeof level - 1; rest = bytes_from(rest, 1))
        n += bytes_starts_with(rest, level);
    return n;
}

/* A flood leaves a line a second in the log, not one for each of its connections. */
static void test_handshakes_that_make_room_are_logged_together(void **state)
{
    struct scene s;
    struct other_end h;
    open_secure_scene(&s, &h);
    connection_free(s.c);
    for (size_t i = 0; i < LIMIT_HANDSHAKES_OF_ADDRESS + 9; i++) {
        connect_from(&s, ACCESS_LOOPBACK, false);
        say(&s, bytes_first(buffer_view(&h.out), 1));
        hub_take_mail(&s.hub);
    }
    assert_int_equal(handshakes_closed(&s.shared.handshakes), 9);
    assert_int_equal(count_warnings(&s), 1);
    wait_ms(&s, LIMIT_HANDSHAKES_LOG_MS);
    connect_from(&s, ACCESS_LOOPBACK, false);
    say(&s, bytes_first(buffer_view(&h.out), 1));
    hub_take_mail(&s.hub);
    assert_int_equal(count_warnings(&s), 2);
    struct bytes log = buffer_view(&s.hub.log);
    const char end[] = " connections=9\n";
    assert_bytes(bytes_from(log, log.len - strlen(end)), bytes_from_str(end));
    close_secure_scene(&s, &h);
}

static void test_the_oldest_handshake_makes_room(void **state)
{
    struct connection *all[LIMIT_HANDSHAKES_OF_ADDRESS + 1];
    struct scene s;
    struct other_end h;
    open_secure_scene(&s, &h);
    connection_free(s.c);
    for (size_t i = 0; i < LIMIT_HANDSHAKES_OF_ADDRESS; i++) {
        connect_from(&s, ACCESS_LOOPBACK, false);
        all[i] = s.c;
        say(&s, bytes_first(buffer_view(&h.out), 1));
    }
    connect_from(&s, ACCESS_LOOPBACK, false);
    shake_hands(&h, &s);
    hub_take_mail(&s.hub);
    assert_int_equal(all[0]->state, CONNECTION_CLOSED);
    assert_int_equal(all[1]->state, CONNECTION_SNIFFING);
    assert_int_equal(handshakes_count(&s.shared.handshakes), LIMIT_HANDSHAKES_OF_ADDRESS - 1);
    say_secretly(&h, &s, "hello\n");
    expect_secretly(&h, "hello\n");
    close_secure_scene(&s, &h);
}

/* ---- stopping ---- */

static void test_what_is_owed_leaves_before_the_stop(void **state)
{
    struct scene s;
    open_scene(&s, &(struct hub_config){.delay_ms = 50});
    connect_from(&s, ACCESS_LOOPBACK, false);
    say_str(&s, "STORE k = v\nhalf a");
    hub_stop(&s.hub);
    say_str(&s, " line\n");
    take_events(&s);
    assert_int_equal(s.c->state, CONNECTION_DRAINING);
    wait_ms(&s, 50);
    expect_str(&s, ""); /* its time has come, but it is not on disk */
    move_log(&s);
    expect_str(&s, "1\n");
    assert_int_equal(s.c->state, CONNECTION_CLOSED);
    assert_false(s.c->aborted);
    connection_free(s.c);
    assert_true(hub_is_empty(&s.hub));
    connect_from(&s, ACCESS_LOOPBACK, false); /* too late */
    take_events(&s);
    assert_int_equal(s.c->state, CONNECTION_CLOSED);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations),
        cmocka_unit_test(test_a_write_is_answered_when_durable),
        cmocka_unit_test(test_a_read_waits_for_what_it_saw),
        cmocka_unit_test(test_a_full_disk_refuses_and_recovers),
        cmocka_unit_test(test_admin_commands_ask_who_it_is),
        cmocka_unit_test(test_a_refusal_spoils_the_transaction),
        cmocka_unit_test(test_silence_ends_a_bare_message),
        cmocka_unit_test(test_silence_ends_nothing_else),
        cmocka_unit_test(test_delays_add_up_on_a_connection),
        cmocka_unit_test(test_a_held_reply_is_no_stall),
        cmocka_unit_test(test_many_held_replies_rest_the_connection),
        cmocka_unit_test(test_unread_replies_rest_the_connection),
        cmocka_unit_test(test_many_held_commands_rest_the_connection),
        cmocka_unit_test(test_a_stalled_reader_is_closed),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_large_values),
        cmocka_unit_test(test_a_large_value_is_not_copied),
        cmocka_unit_test(test_a_large_value_is_given_up_halfway),
        cmocka_unit_test(test_a_pipeline_has_its_share_of_a_turn),
        cmocka_unit_test(test_one_is_read_from_once_a_turn),
        cmocka_unit_test(test_output_has_its_share_of_a_turn),
        cmocka_unit_test(test_who_holds_most_is_closed),
        cmocka_unit_test(test_who_holds_most_may_be_another_workers),
        cmocka_unit_test(test_a_long_reply_is_made_in_pieces),
        cmocka_unit_test(test_a_long_reply_to_who_is_told_is_made_at_once),
        cmocka_unit_test(test_a_large_reply_is_nothing_that_was_told),
        cmocka_unit_test(test_many_names_are_told_in_pieces),
        cmocka_unit_test(test_little_may_come_behind_what_goes_on),
        cmocka_unit_test(test_a_full_table_refuses_to_grow),
        cmocka_unit_test(test_inputs_of_several_at_once),
        cmocka_unit_test(test_who_awaits_more_of_the_log_is_left_alone),
        cmocka_unit_test(test_a_conversation_over_tls),
        cmocka_unit_test(test_a_handshake_has_its_time),
        cmocka_unit_test(test_who_reads_nothing_over_tls_is_closed),
        cmocka_unit_test(test_the_oldest_handshake_makes_room),
        cmocka_unit_test(test_handshakes_that_make_room_are_logged_together),
        cmocka_unit_test(test_what_is_owed_leaves_before_the_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

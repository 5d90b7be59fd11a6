#include "io/outbox_stream.h"

#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>

/* A pipe into an outbox. */
struct fed {
    int from, to, spool;
    struct outbox_stream s;
    struct outbox *o;
};

static void feed(struct scratch *s, struct fed *f)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    f->from = ends[0];
    f->to = ends[1];
    f->spool = scratch_file(s);
    f->o = &f->s.outbox;
    assert_int_equal(outbox_stream_open(&f->s, f->from, f->spool, BYTES("in.tar")), 0);
}

static void drop_fed(struct fed *f)
{
    close(f->from);
    if (f->to >= 0)
        close(f->to);
    close(f->spool);
}

static void say(struct fed *f, struct bytes text)
{
    assert_int_equal(write(f->to, text.data, text.len), text.len);
}

static void end(struct fed *f)
{
    close(f->to);
    f->to = -1;
}

static void expect_read(struct fed *f, uint64_t offset, size_t room, struct bytes want)
{
    uint8_t got[64];
    size_t n;
    assert_true(room <= sizeof got);
    assert_int_equal(f->o->ops->read(f->o, offset, got, room, &n), 0);
    assert_bytes(bytes_make(got, n), want);
}

static void test_what_comes_is_one_file(void **state)
{
    struct fed f;
    struct transfer_entry e;
    uint64_t at;
    feed(*state, &f);
    assert_int_equal(f.o->ops->entry(f.o, 0, &e), 0);
    assert_bytes(e.name, BYTES("in.tar"));
    assert_int_equal(e.kind, TRANSFER_FILE);
    assert_true(e.size == TRANSFER_SIZE_UNKNOWN);
    assert_true(e.seconds > 1000000000);
    assert_int_equal(f.o->ops->entry(f.o, 1, &e), OUTBOX_END);
    assert_int_equal(f.o->ops->open(f.o), 0);
    assert_int_equal(f.o->ops->check(f.o), 0);
    say(&f, BYTES("abc"));
    say(&f, BYTES("def"));
    expect_read(&f, 0, 4, BYTES("abcd"));
    assert_int_equal(f.o->ops->look(f.o, &e), 0);
    assert_true(e.size == TRANSFER_SIZE_UNKNOWN);
    end(&f);
    expect_read(&f, 4, 10, BYTES("ef"));
    expect_read(&f, 2, 3, BYTES("cde"));
    expect_read(&f, 6, 10, BYTES(""));
    expect_read(&f, 100, 10, BYTES(""));
    assert_int_equal(f.o->ops->look(f.o, &e), 0);
    assert_int_equal(e.size, 6);
    assert_int_equal(f.o->ops->entry(f.o, 0, &e), 0);
    assert_true(e.size == TRANSFER_SIZE_UNKNOWN); /* as it was said */
    assert_int_equal(f.o->ops->next_data(f.o, 3, &at), 0);
    assert_int_equal(at, 3);
    drop_fed(&f);
}

static void test_nothing_is_left_out(void **state)
{
    struct fed f;
    uint8_t got[8];
    size_t n;
    feed(*state, &f);
    say(&f, BYTES("abcdef"));
    assert_int_equal(f.o->ops->read(f.o, 1, got, 1, &n), -ESTALE);
    expect_read(&f, 0, 2, BYTES("ab"));
    assert_int_equal(f.o->ops->read(f.o, 3, got, 1, &n), -ESTALE);
    assert_int_equal(f.o->ops->read(f.o, INT64_MAX, got, 1, &n), -ESTALE);
    expect_read(&f, 2, 4, BYTES("cdef"));
    drop_fed(&f);
}

static void test_another_process_goes_on(void **state)
{
    struct fed f;
    struct transfer_entry first, second;
    feed(*state, &f);
    assert_int_equal(f.o->ops->entry(f.o, 0, &first), 0);
    say(&f, BYTES("abcdef"));
    expect_read(&f, 0, 4, BYTES("abcd"));
    assert_int_equal(outbox_stream_open(&f.s, f.from, f.spool, BYTES("in.tar")), 0);
    end(&f);
    expect_read(&f, 1, 10, BYTES("bcdef"));
    assert_int_equal(f.o->ops->entry(f.o, 0, &second), 0);
    assert_int_equal(first.seconds, second.seconds);
    assert_int_equal(first.nanoseconds, second.nanoseconds);
    drop_fed(&f);
}

/* More than one read of it. */
enum { MUCH = 300000 };

static void say_much(struct fed *f, uint8_t *into)
{
    char text[1000];
    size_t n;
    memset(text, 'm', sizeof text);
    for (size_t at = 0; at < MUCH; at += sizeof text) {
        say(f, bytes_make(text, sizeof text));
        assert_int_equal(f->o->ops->read(f->o, at, into, sizeof text, &n), 0);
        assert_int_equal(n, sizeof text);
    }
}

static uint64_t blocks_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static void test_what_is_kept_is_forgotten(void **state)
{
    struct fed f;
    uint8_t got[1000];
    size_t n;
    feed(*state, &f);
    say_much(&f, got);
    assert_true(blocks_of(f.spool) >= MUCH);
    f.o->ops->kept(f.o, 0, 200000);
    assert_true(blocks_of(f.spool) < MUCH - 150000);
    const uint64_t first = 200000 / 4096 * 4096;
    for (int again = 0; again < 2; again++) { /* another process knows it, too */
        assert_int_equal(f.o->ops->read(f.o, first - 1, got, 10, &n), -ESTALE);
        assert_int_equal(f.o->ops->read(f.o, 0, got, 10, &n), -ESTALE);
        expect_read(&f, first, 3, BYTES("mmm"));
        assert_int_equal(outbox_stream_open(&f.s, f.from, f.spool, BYTES("in.tar")), 0);
    }
    f.o->ops->kept(f.o, 0, 100); /* late */
    assert_int_equal(f.o->ops->read(f.o, 0, got, 10, &n), -ESTALE);
    expect_read(&f, first, 3, BYTES("mmm"));
    f.o->ops->kept(f.o, 0, UINT64_MAX);
    assert_true(blocks_of(f.spool) <= 3 * 4096);
    say(&f, BYTES("more"));
    expect_read(&f, MUCH, 4, BYTES("more"));
    f.o->ops->kept(f.o, 1, 0); /* all of it */
    assert_int_equal(f.o->ops->read(f.o, 0, got, 10, &n), -ESTALE);
    drop_fed(&f);
}

/* It was ended between taking bytes and spooling them. */
static void test_a_spool_that_lacks_something_is_refused(void **state)
{
    struct fed f;
    uint8_t got[16];
    size_t n;
    feed(*state, &f);
    say(&f, BYTES("abc"));
    expect_read(&f, 0, 3, BYTES("abc"));
    int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    f.s.spool_fd = full;
    say(&f, BYTES("def"));
    assert_int_equal(f.o->ops->read(f.o, 3, got, 3, &n), -ENOSPC); /* nothing was taken */
    f.s.spool_fd = f.spool;
    expect_read(&f, 0, 6, BYTES("abcdef"));
    assert_int_equal(pwrite(f.spool, "\1", 1, 9), 1);
    assert_int_equal(outbox_stream_open(&f.s, f.from, f.spool, BYTES("a")), OUTBOX_STREAM_TORN);
    assert_int_equal(pwrite(f.spool, "\0", 1, 9), 1);
    assert_int_equal(outbox_stream_open(&f.s, f.from, f.spool, BYTES("a")), 0);
    assert_int_equal(ftruncate(f.spool, 4095), 0);
    assert_int_equal(outbox_stream_open(&f.s, f.from, f.spool, BYTES("a")), OUTBOX_STREAM_TORN);
    assert_int_equal(ftruncate(f.spool, 0), 0);
    assert_int_equal(pwrite(f.spool, "something else", 14, 5000), 14);
    assert_int_equal(outbox_stream_open(&f.s, f.from, f.spool, BYTES("a")), OUTBOX_STREAM_TORN);
    assert_int_equal(outbox_stream_open(&f.s, f.from, f.spool, BYTES("a/b")), -EINVAL);
    close(full);
    drop_fed(&f);
}

static char mark_of(const struct fed *f)
{
    char mark;
    assert_int_equal(pread(f->spool, &mark, 1, 9), 1);
    return mark;
}

static void test_what_cannot_be_taken_is_not_lost(void **state)
{
    struct fed f;
    uint8_t got[16];
    size_t n;
    feed(*state, &f);
    say(&f, BYTES("abc"));
    f.s.fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* reading a folder fails */
    assert_int_equal(f.o->ops->read(f.o, 0, got, 3, &n), -EISDIR);
    close(f.s.fd);
    assert_int_equal(mark_of(&f), 0);
    f.s.fd = f.from;
    expect_read(&f, 0, 3, BYTES("abc"));
    drop_fed(&f);
}

/* Files must not grow past so many bytes, while f reads. */
static int read_limited(struct fed *f, rlim_t bytes, uint64_t offset, uint8_t *into,
                        size_t room)
{
    struct rlimit before, limit;
    size_t n;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = bytes;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int r = f->o->ops->read(f->o, offset, into, room, &n);
    setrlimit(RLIMIT_FSIZE, &before);
    return r;
}

static void test_what_was_taken_and_lost_is_missed(void **state)
{
    struct fed f;
    uint8_t got[16];
    size_t n;
    feed(*state, &f);
    say(&f, BYTES("abc"));
    expect_read(&f, 0, 3, BYTES("abc"));
    say(&f, BYTES("def"));
    assert_int_equal(read_limited(&f, 4096 + 3, 3, got, 3), -EFBIG);
    assert_int_equal(mark_of(&f), 1);
    say(&f, BYTES("ghi"));
    assert_int_equal(f.o->ops->read(f.o, 3, got, 3, &n), -EFBIG); /* nothing after a gap */
    expect_read(&f, 0, 3, BYTES("abc"));
    assert_int_equal(outbox_stream_open(&f.s, f.from, f.spool, BYTES("a")), OUTBOX_STREAM_TORN);
    drop_fed(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_what_comes_is_one_file),
        SCRATCH_TEST(test_nothing_is_left_out),
        SCRATCH_TEST(test_another_process_goes_on),
        SCRATCH_TEST(test_what_is_kept_is_forgotten),
        SCRATCH_TEST(test_a_spool_that_lacks_something_is_refused),
        SCRATCH_TEST(test_what_cannot_be_taken_is_not_lost),
        SCRATCH_TEST(test_what_was_taken_and_lost_is_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

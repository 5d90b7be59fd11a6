/* What is planted in an inbox and in a staging while a real carrier works there, journals that
 * were tampered with, and what a carrier has in its hands (hostile_world.h). */

#include "base/hash.h"

#include "hostile_world.h"

#include <sched.h>
#include <signal.h>
#include <sys/sysmacros.h>

static const char *program;

/* ---- planted before ---- */

enum planted {
    LINK_TO_FOLDER, /* to outside */
    LINK_TO_FILE,   /* to outside/precious */
    LINK_TO_NOTHING,
    OTHER_NAME, /* of outside/precious */
    PIPE,
    DEVICE, /* of root's making; else a pipe, too */
    FOLDER
};

static void plant_device(struct scratch *s, const char *at)
{
    mode_t kind = geteuid() == 0 ? S_IFCHR : S_IFIFO;
    assert_int_equal(mknodat(s->fd, at, kind | 0600, makedev(1, 3)), 0);
}

static void plant(struct hostile_world *w, const char *at, enum planted what)
{
    struct scratch *s = w->scratch;
    char to[128];
    snprintf(to, sizeof to, "%s/outside%s", s->path,
             what == LINK_TO_FILE      ? "/precious"
             : what == LINK_TO_NOTHING ? "/nothing"
                                       : "");
    if (what == OTHER_NAME)
        assert_int_equal(linkat(s->fd, "outside/precious", s->fd, at, 0), 0);
    else if (what == PIPE)
        assert_int_equal(mkfifoat(s->fd, at, 0600), 0);
    else if (what == DEVICE)
        plant_device(s, at);
    else if (what == FOLDER)
        scratch_put_folder(s, at);
    else
        assert_int_equal(symlinkat(to, s->fd, at), 0);
}

/* In place of what is there. */
static void replace(struct hostile_world *w, const char *at, enum planted what)
{
    char aside[192];
    snprintf(aside, sizeof aside, "%s.aside", at);
    assert_int_equal(renameat(w->scratch->fd, at, w->scratch->fd, aside), 0);
    plant(w, at, what);
}

static void make_staging(struct hostile_world *w)
{
    char path[160];
    scratch_put_folder(w->scratch, "inbox/.kith");
    scratch_put_folder(w->scratch, hostile_staged(path, ""));
}

static void say_file(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_end(w, 1, 3);
}

static void receive_file(struct hostile_world *w)
{
    hostile_connect(w, &hostile_usual);
    say_file(w);
    hostile_part(w);
}

static void expect_received(struct hostile_world *w, const char *published)
{
    hostile_expect_end(w, CARRIER_DONE, TRANSFER_REASON_NONE);
    assert_string_equal(w->published, published);
    hostile_expect_untouched(w);
}

/* Is refused before a word is said. */
static void expect_no_staging(struct hostile_world *w)
{
    hostile_start(w, &hostile_usual);
    hostile_await_end(w);
    hostile_expect_end(w, CARRIER_STOPPED, TRANSFER_DISK_FAILED);
    hostile_expect_untouched(w);
    close(w->socket);
    w->socket = -1;
}

static const enum planted no_folders[] = {LINK_TO_FOLDER, LINK_TO_FILE, LINK_TO_NOTHING,
                                          OTHER_NAME,     PIPE,         DEVICE};

static void remove_at(struct hostile_world *w, const char *at)
{
    assert_int_equal(unlinkat(w->scratch->fd, at, 0), 0);
}

static void test_no_folder_where_all_is_staged(void **state)
{
    struct hostile_world *w = *state;
    for (size_t i = 0; i < COUNT_OF(no_folders); i++) {
        plant(w, "inbox/.kith", no_folders[i]);
        expect_no_staging(w);
        remove_at(w, "inbox/.kith");
    }
}

static void test_no_folder_where_it_is_staged(void **state)
{
    struct hostile_world *w = *state;
    char path[160];
    scratch_put_folder(w->scratch, "inbox/.kith");
    hostile_staged(path, "");
    for (size_t i = 0; i < COUNT_OF(no_folders); i++) {
        plant(w, path, no_folders[i]);
        expect_no_staging(w);
        remove_at(w, path);
    }
}

/* An empty journal says that nothing of it counts: all of it goes. */
static void test_planted_in_a_staging(void **state)
{
    static const char *const names[] = {"journal", "content", "tree"};
    struct hostile_world *w = *state;
    char path[160], told[64] = "a ";
    unsigned count = 1;
    for (size_t n = 0; n < COUNT_OF(names); n++) {
        for (size_t i = 0; i < COUNT_OF(no_folders); i++) {
            make_staging(w);
            plant(w, hostile_staged(path, names[n]), no_folders[i]);
            receive_file(w);
            expect_received(w, told);
            assert_false(scratch_has(w->scratch, "inbox/.kith"));
            snprintf(told, sizeof told, "a (%u) ", ++count);
        }
    }
}

static void test_planted_under_its_name(void **state)
{
    struct hostile_world *w = *state;
    struct hostile_terms terms = hostile_usual;
    for (size_t i = 0; i < COUNT_OF(no_folders); i++) {
        enum planted what = no_folders[i];
        bool gives_way = what == OTHER_NAME; /* a plain file: its other name stays */
        plant(w, "inbox/a", what);
        terms.rule = INBOX_REFUSE;
        hostile_connect(w, &terms);
        say_file(w);
        hostile_part(w);
        hostile_expect_end(w, CARRIER_STOPPED, TRANSFER_NAME_TAKEN);
        hostile_expect_inbox(w, 1);
        terms.rule = INBOX_REPLACE;
        hostile_connect(w, &terms);
        say_file(w);
        hostile_part(w);
        expect_received(w, gives_way ? "a " : "a (2) ");
        remove_at(w, "inbox/a");
        if (!gives_way)
            remove_at(w, "inbox/a (2)");
    }
}

/* ---- planted while it is received ---- */

static void await_staged(struct hostile_world *w, const char *what)
{
    char path[160];
    hostile_staged(path, what);
    while (!scratch_has(w->scratch, path))
        sched_yield();
}

/* A file is staged, and open. */
static void begin_file(struct hostile_world *w)
{
    hostile_connect(w, &hostile_usual);
    hostile_file(w, 0, 0, 3, "a");
    hostile_send(w);
    await_staged(w, "content/0");
}

static void end_file(struct hostile_world *w)
{
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
    hostile_part(w);
}

static void expect_refused(struct hostile_world *w, enum transfer_reason reason)
{
    hostile_expect_end(w, CARRIER_STOPPED, reason);
    assert_string_equal(w->published, "");
    hostile_expect_untouched(w);
}

static void test_content_is_replaced(void **state)
{
    char path[160];
    for (size_t i = 0; i < COUNT_OF(no_folders); i++) {
        struct hostile_world *w = hostile_make(program);
        begin_file(w);
        replace(w, hostile_staged(path, "content/0"), no_folders[i]);
        end_file(w);
        assert_int_equal(w->how, CARRIER_STOPPED);
        assert_string_equal(w->published, "");
        hostile_expect_inbox(w, 0);
        hostile_free(w);
    }
}

static void test_content_has_another_name(void **state)
{
    struct hostile_world *w = *state;
    char path[160];
    begin_file(w);
    assert_int_equal(linkat(w->scratch->fd, hostile_staged(path, "content/0"), w->scratch->fd,
                            "inbox/mine", 0),
                     0);
    end_file(w);
    expect_refused(w, TRANSFER_DISK_FAILED);
}

/* What is open is gone on with, wherever it is now. */
static void test_folders_of_the_staging_are_replaced(void **state)
{
    static const char *const names[] = {"content", "tree"};
    char path[160];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct hostile_world *w = hostile_make(program);
        begin_file(w);
        replace(w, hostile_staged(path, names[i]), LINK_TO_FOLDER);
        end_file(w);
        expect_received(w, "a ");
        scratch_expect(w->scratch, "inbox/a", BYTES("new"));
        hostile_free(w);
    }
}

static void test_its_place_in_the_tree_is_taken(void **state)
{
    char path[160];
    for (size_t i = 0; i < COUNT_OF(no_folders); i++) {
        struct hostile_world *w = hostile_make(program);
        begin_file(w);
        plant(w, hostile_staged(path, "tree/a"), no_folders[i]);
        end_file(w);
        expect_refused(w, TRANSFER_NAME_REFUSED);
        hostile_expect_inbox(w, 0);
        hostile_free(w);
    }
}

static void test_a_folder_of_the_tree_is_a_link(void **state)
{
    struct hostile_world *w = *state;
    char path[160];
    begin_file(w);
    plant(w, hostile_staged(path, "tree/d"), LINK_TO_FOLDER);
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 3);
    hostile_folder(w, 1, 0, "d");
    hostile_whole_file(w, 2, 1, "precious");
    hostile_end(w, 3, 6);
    hostile_part(w);
    expect_refused(w, TRANSFER_NAME_REFUSED);
}

static void test_a_link_is_planted_under_its_name(void **state)
{
    struct hostile_world *w = *state;
    begin_file(w);
    plant(w, "inbox/a", LINK_TO_FILE);
    end_file(w);
    expect_received(w, "a (2) ");
}

static void test_the_inbox_is_replaced(void **state)
{
    struct hostile_world *w = *state;
    begin_file(w);
    replace(w, "inbox", LINK_TO_FOLDER);
    end_file(w);
    expect_received(w, "a ");
    scratch_expect(w->scratch, "inbox.aside/a", BYTES("new"));
}

/* ---- what came on an earlier connection ---- */

/* A file in a folder, whole; and one of which a chunk came. All is kept. */
static const struct bytes first = {(const uint8_t *)"first", 5};
enum { SECOND_BYTES = TRANSFER_CHUNK_BYTES + 3, ALL_BYTES = SECOND_BYTES + 5 };

static struct bytes second_at(uint64_t offset)
{
    static const uint8_t data[SECOND_BYTES] = {[0] = 's', [SECOND_BYTES - 1] = 'd'};
    uint64_t left = SECOND_BYTES - offset;
    return bytes_make(data + offset,
                      left < TRANSFER_CHUNK_BYTES ? (size_t)left : TRANSFER_CHUNK_BYTES);
}

static void begin_two(struct hostile_world *w)
{
    hostile_connect(w, &hostile_usual);
    hostile_folder(w, 0, 0, "d");
    hostile_file(w, 1, 1, first.len, "one");
    hostile_chunk(w, 1, 0, first);
    hostile_whole(w, 1, first.len);
    hostile_file(w, 2, 0, SECOND_BYTES, "two");
    hostile_chunk(w, 2, 0, second_at(0));
    hostile_part(w);
    hostile_expect_end(w, CARRIER_CUT, TRANSFER_REASON_NONE);
}

static void say_rest_of(struct hostile_world *w, uint64_t number, uint64_t offset,
                        uint64_t *count)
{
    uint64_t size = number == 1 ? first.len : SECOND_BYTES;
    while (offset < size) {
        struct bytes data = number == 1 ? first : second_at(offset);
        hostile_chunk(w, number, offset, data);
        offset += data.len;
        *count += data.len;
    }
    hostile_whole(w, number, size);
}

/* As an honest sender: from there on. */
static void say_from(struct hostile_world *w, const struct transfer_message *place)
{
    uint64_t count = 0;
    for (uint64_t n = place->number; n < 3; n++) {
        bool within = place->within && n == place->number;
        if (n == 0)
            hostile_folder(w, 0, 0, "d");
        else if (!within)
            hostile_file(w, n, n == 1, n == 1 ? first.len : SECOND_BYTES,
                         n == 1 ? "one" : "two");
        if (n > 0)
            say_rest_of(w, n, within ? place->offset : 0, &count);
    }
    hostile_end(w, 3, count);
    hostile_send(w);
}

/* Content as it was said, whatever is asked for. */
static void answer(struct hostile_world *w)
{
    struct transfer_message m;
    while (hostile_await(w, TRANSFER_AGAIN, &m)) {
        bool is_first = m.number == 1;
        hostile_chunk(w, m.number, m.offset,
                      is_first ? first : second_at(m.offset < SECOND_BYTES ? m.offset : 0));
        hostile_send(w);
    }
}

static void go_on(struct hostile_world *w)
{
    struct transfer_message place;
    hostile_connect(w, &hostile_usual);
    if (hostile_await(w, TRANSFER_PLACE, &place)) {
        say_from(w, &place);
        answer(w);
    }
    hostile_part(w);
}

static void expect_content(struct hostile_world *w, const char *path, size_t size)
{
    static uint8_t got[SECOND_BYTES + 1];
    int fd = openat(w->scratch->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, sizeof got), size);
    close(fd);
    assert_memory_equal(got, size == first.len ? first.data : second_at(0).data,
                        size < TRANSFER_CHUNK_BYTES ? size : TRANSFER_CHUNK_BYTES);
}

static void expect_both(struct hostile_world *w)
{
    hostile_expect_end(w, CARRIER_DONE, TRANSFER_REASON_NONE);
    expect_content(w, "inbox/d/one", first.len);
    expect_content(w, "inbox/two", SECOND_BYTES);
    hostile_expect_inbox(w, 2);
    assert_false(scratch_has(w->scratch, "inbox/.kith"));
}

static void test_it_is_gone_on_with(void **state)
{
    struct hostile_world *w = *state;
    begin_two(w);
    go_on(w);
    expect_both(w);
}

static void change_byte(struct hostile_world *w, const char *what, off_t at)
{
    char path[160], byte;
    int fd = openat(w->scratch->fd, hostile_staged(path, what), O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void test_content_that_changed_is_asked_for(void **state)
{
    struct hostile_world *w = *state;
    begin_two(w);
    change_byte(w, "content/1", 0);
    change_byte(w, "content/2", 1000);
    go_on(w);
    expect_both(w);
}

/* ---- AGAIN, and what is answered ---- */

static void begin_again(struct hostile_world *w, struct transfer_message *ret)
{
    begin_two(w);
    change_byte(w, "content/1", 0);
    hostile_connect(w, &hostile_usual);
    assert_true(hostile_await(w, TRANSFER_PLACE, ret));
    say_from(w, ret);
    assert_true(hostile_await(w, TRANSFER_AGAIN, ret));
    assert_int_equal(ret->number, 1);
    assert_int_equal(ret->offset, 0);
}

static void test_again_is_answered_with_other_data(void **state)
{
    struct hostile_world *w = *state;
    struct transfer_message m;
    unsigned asked = 0;
    begin_again(w, &m);
    do {
        asked++;
        hostile_chunk(w, 1, 0, BYTES("other"));
        hostile_send(w);
    } while (hostile_await(w, TRANSFER_AGAIN, &m));
    hostile_part(w);
    assert_int_equal(asked, LIMIT_TRANSFER_AGAIN);
    expect_refused(w, TRANSFER_DIFFERS);
    hostile_expect_inbox(w, 0);
}

static void answer_shorter(struct hostile_world *w)
{
    hostile_chunk(w, 1, 0, BYTES("firs"));
}

static void answer_wrong_sum(struct hostile_world *w)
{
    hostile_chunk(w, 1, 0, first);
    w->out.data[w->out.end - 1] ^= 1;
}

static void answer_of_another(struct hostile_world *w)
{
    hostile_chunk(w, 2, 0, second_at(0));
}

static void answer_elsewhere(struct hostile_world *w)
{
    hostile_chunk(w, 1, TRANSFER_CHUNK_BYTES, first);
}

static void answer_entry(struct hostile_world *w)
{
    hostile_file(w, 3, 0, 3, "b");
}

static void answer_end(struct hostile_world *w)
{
    hostile_end(w, 3, ALL_BYTES);
}

static void answer_hole(struct hostile_world *w)
{
    hostile_numbers(w, TRANSFER_HOLE, 3, 1, 0, first.len);
}

static void answer_twice(struct hostile_world *w)
{
    hostile_chunk(w, 1, 0, BYTES("other"));
    hostile_chunk(w, 1, 0, BYTES("other"));
}

static void test_again_is_answered_against_the_rules(void **state)
{
    static const struct {
        void (*say)(struct hostile_world *w);
        enum transfer_reason reason;
    } answers[] = {
        {answer_shorter, TRANSFER_DIFFERS},   {answer_wrong_sum, TRANSFER_BROKEN},
        {answer_of_another, TRANSFER_BROKEN}, {answer_elsewhere, TRANSFER_BROKEN},
        {answer_entry, TRANSFER_BROKEN},      {answer_end, TRANSFER_BROKEN},
        {answer_hole, TRANSFER_BROKEN},       {answer_twice, TRANSFER_BROKEN},
    };
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct hostile_world *w = hostile_make(program);
        struct transfer_message m;
        begin_again(w, &m);
        do {
            answers[i].say(w);
            hostile_send(w);
        } while (hostile_await(w, TRANSFER_AGAIN, &m));
        hostile_part(w);
        expect_refused(w, answers[i].reason);
        hostile_expect_inbox(w, 0);
        hostile_free(w);
    }
}

/* Of what was given up nothing is published; of the rest all is. */
static void test_again_is_answered_with_dropped(void **state)
{
    struct hostile_world *w = *state;
    struct transfer_message m;
    begin_again(w, &m);
    hostile_say(w, TRANSFER_DROPPED, BYTES("\0\0\0\0\0\0\0\1\13"));
    hostile_send(w);
    answer(w);
    hostile_part(w);
    hostile_expect_end(w, CARRIER_DONE, TRANSFER_REASON_NONE);
    assert_false(scratch_has(w->scratch, "inbox/d/one"));
    expect_content(w, "inbox/two", SECOND_BYTES);
    hostile_expect_inbox(w, 2);
}

/* ---- journals that were tampered with ---- */

struct journal {
    uint8_t bytes[1024];
    size_t len;
};

static void take_journal(struct hostile_world *w, struct journal *ret)
{
    char path[160];
    int fd = openat(w->scratch->fd, hostile_staged(path, "journal"), O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, ret->bytes, sizeof ret->bytes);
    assert_true(n > 0 && n < (ssize_t)sizeof ret->bytes);
    close(fd);
    ret->len = (size_t)n;
}

/* As begin_two left it, but for the journal. */
static void put_staging(struct hostile_world *w, const struct journal *j)
{
    char path[160];
    assert_int_equal(beneath_remove(w->scratch->fd, "inbox"), 0);
    scratch_put_folder(w->scratch, "inbox");
    make_staging(w);
    scratch_put_folder(w->scratch, hostile_staged(path, "content"));
    scratch_put(w->scratch, hostile_staged(path, "content/1"), first);
    scratch_put(w->scratch, hostile_staged(path, "content/2"), second_at(0));
    scratch_put(w->scratch, hostile_staged(path, "journal"), bytes_make(j->bytes, j->len));
}

/* What is not whole counts as not said, with all behind it. */
static void test_a_journal_with_a_wrong_byte(void **state)
{
    struct hostile_world *w = *state;
    struct journal real, j;
    begin_two(w);
    take_journal(w, &real);
    for (size_t at = 0; at < real.len; at++) {
        j = real;
        j.bytes[at] ^= 1;
        put_staging(w, &j);
        go_on(w);
        expect_both(w);
    }
}

static void test_a_journal_cut_short(void **state)
{
    struct hostile_world *w = *state;
    struct journal j;
    begin_two(w);
    for (take_journal(w, &j); j.len > 0; j.len -= j.len < 7 ? j.len : 7) {
        put_staging(w, &j);
        go_on(w);
        expect_both(w);
    }
}

enum { RECORD_HEAD_BYTES = 4 + 8 };

static bool is_known_content(int folder, const char *name)
{
    static uint8_t got[SECOND_BYTES + 1];
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, got, sizeof got);
    close(fd);
    if (n == (ssize_t)first.len)
        return memcmp(got, first.data, first.len) == 0;
    return n == SECOND_BYTES && memcmp(got, second_at(0).data, TRANSFER_CHUNK_BYTES) == 0 &&
           memcmp(got + TRANSFER_CHUNK_BYTES, second_at(TRANSFER_CHUNK_BYTES).data, 3) == 0;
}

/* Of files, at the top and in its folders. */
static void expect_known_content(int folder)
{
    DIR *dir = fdopendir(folder);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        int fd = openat(folder, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
            expect_known_content(fd);
        else
            assert_true(is_known_content(folder, e->d_name));
    }
    closedir(dir);
}

/* It is refused, or begun anew, or says another name: but what is published was sent. */
static void expect_nothing_else(struct hostile_world *w)
{
    assert_true(w->ended);
    assert_true(w->how == CARRIER_DONE || w->how == CARRIER_STOPPED);
    expect_known_content(openat(w->scratch->fd, "inbox", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    hostile_expect_untouched(w);
}

/* Every byte of every record, whose sum is right all the same. */
static void test_a_journal_that_was_forged(void **state)
{
    struct hostile_world *w = *state;
    struct journal real, j;
    size_t len;
    begin_two(w);
    take_journal(w, &real);
    for (size_t at = 0; at < real.len; at += RECORD_HEAD_BYTES + len) {
        len = number_get_be32(real.bytes + at);
        for (size_t i = 0; i < len; i++) {
            j = real;
            uint8_t *body = j.bytes + at + RECORD_HEAD_BYTES;
            body[i] ^= 1;
            number_put_be64(j.bytes + at + 4, hash_bytes(bytes_make(body, len), at));
            put_staging(w, &j);
            go_on(w);
            expect_nothing_else(w);
        }
    }
}

/* ---- what a carrier has in its hands ---- */

/* What we have open without closing it at exec is ours to answer for. */
static bool is_inherited(const char *number)
{
    uint64_t fd;
    assert_true(number_parse_u64(bytes_from_str(number), &fd));
    int flags = fcntl((int)fd, F_GETFD);
    return flags >= 0 && !(flags & FD_CLOEXEC);
}

static void expect_descriptors(struct hostile_world *w, DIR *dir)
{
    char to[PATH_MAX], inbox[128];
    unsigned sockets = 0;
    snprintf(inbox, sizeof inbox, "%s/inbox", w->scratch->path);
    for (const struct dirent *e; (e = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, to, sizeof to - 1);
        if (n < 0)
            continue; /* "." and ".." */
        to[n] = '\0';
        bool is_socket = strncmp(to, "socket:", 7) == 0;
        bool is_first = strcmp(e->d_name, "0") == 0;
        if (is_first || !is_inherited(e->d_name)) {
            assert_true(is_socket || strncmp(to, inbox, strlen(inbox)) == 0);
            sockets += is_socket;
        }
    }
    assert_int_equal(sockets, 2);
}

/* Its descriptors can be seen by root alone: others of its user cannot look into it. */
static void test_it_has_no_more_open_than_it_needs(void **state)
{
    struct hostile_world *w = *state;
    char path[64];
    begin_file(w);
    snprintf(path, sizeof path, "/proc/%d/fd", w->carrier.pid);
    DIR *dir = opendir(path);
    if (dir)
        expect_descriptors(w, dir);
    else
        assert_true(errno == EACCES && geteuid() != 0);
    if (dir)
        closedir(dir);
    end_file(w);
    expect_received(w, "a ");
}

static void test_it_gains_no_rights(void **state)
{
    struct hostile_world *w = *state;
    char path[64], status[4096];
    begin_file(w);
    snprintf(path, sizeof path, "/proc/%d/status", w->carrier.pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, status, sizeof status - 1);
    assert_true(n > 0);
    status[n] = '\0';
    close(fd);
    assert_non_null(strstr(status, "\nNoNewPrivs:\t1\n"));
    end_file(w);
    expect_received(w, "a ");
}

static void test_one_works_on_a_transfer_at_a_time(void **state)
{
    struct hostile_world *w = *state, other = {.program = w->program, .scratch = w->scratch};
    begin_file(w);
    hostile_start(&other, &hostile_usual);
    hostile_await_end(&other);
    hostile_expect_end(&other, CARRIER_STOPPED, TRANSFER_BUSY);
    close(other.socket);
    end_file(w);
    expect_received(w, "a ");
}

/* ---- with whom it ends ---- */

/* A record, byte by byte, so that some come while it is waited for them; its end never comes.
 */
static void begin_record(struct hostile_world *w)
{
    static const uint8_t record[16 * 1024] = {23, 3, 3, 0x40};
    hostile_send(w);
    for (size_t i = 0; i < sizeof record; i++) {
        if (send(w->stream.fd, record + i, 1, MSG_NOSIGNAL) < 0)
            return; /* it has ended */
        sched_yield();
    }
}

static void test_what_came_is_kept_whatever_comes_next(void **state)
{
    struct hostile_world *w = *state;
    struct transfer_message m;
    hostile_connect(w, &hostile_usual);
    hostile_file(w, 0, 0, TRANSFER_CHUNK_BYTES + 3, "a");
    begin_record(w);
    assert_true(hostile_await(w, TRANSFER_KEPT, &m));
    hostile_cut(w);
    hostile_expect_end(w, CARRIER_CUT, TRANSFER_REASON_NONE);
}

static void test_it_ends_whatever_comes_last(void **state)
{
    struct hostile_world *w = *state;
    struct transfer_message m;
    hostile_connect(w, &hostile_usual);
    say_file(w);
    hostile_send(w);
    assert_true(hostile_await(w, TRANSFER_DONE, &m));
    begin_record(w);
    hostile_await_end(w);
    expect_received(w, "a ");
}

/* Starts a carrier, hands our end of its connection on, and waits to be killed. */
_Noreturn static void be_its_parent(struct hostile_world *w, int courier)
{
    hostile_start(w, &hostile_usual);
    courier_send(courier, BYTES("its connection"), w->socket);
    close(w->socket);
    for (;;)
        pause();
}

/* Its peer is there, and says nothing more. */
static void test_it_ends_with_its_parent(void **state)
{
    struct hostile_world *w = *state;
    struct transfer_message m;
    struct buffer message;
    int ends[2];
    assert_int_equal(courier_pair(ends), 0);
    pid_t parent = fork();
    if (parent == 0)
        be_its_parent(w, ends[1]);
    buffer_init(&message, COURIER_BYTES);
    assert_int_equal(courier_receive(ends[0], true, &message, &w->socket), 0);
    buffer_fini(&message);
    assert_int_equal(hostile_try_agree(w, &hostile_id, hostile_secret), 0);
    hostile_file(w, 0, 0, 3, "a");
    hostile_send(w);
    await_staged(w, "content/0");
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    while (hostile_hear(w, &m))
        continue;
    hostile_expect_inbox(w, 0);
    close(ends[0]);
    close(ends[1]);
}

/* ---- all ---- */

static int make_world(void **state)
{
    *state = hostile_make(program);
    return 0;
}

static int free_world(void **state)
{
    hostile_free(*state);
    return 0;
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_no_folder_where_all_is_staged),
        WORLD_TEST(test_no_folder_where_it_is_staged),
        WORLD_TEST(test_planted_in_a_staging),
        WORLD_TEST(test_planted_under_its_name),
        cmocka_unit_test(test_content_is_replaced),
        WORLD_TEST(test_content_has_another_name),
        cmocka_unit_test(test_folders_of_the_staging_are_replaced),
        cmocka_unit_test(test_its_place_in_the_tree_is_taken),
        WORLD_TEST(test_a_folder_of_the_tree_is_a_link),
        WORLD_TEST(test_a_link_is_planted_under_its_name),
        WORLD_TEST(test_the_inbox_is_replaced),
        WORLD_TEST(test_it_is_gone_on_with),
        WORLD_TEST(test_content_that_changed_is_asked_for),
        WORLD_TEST(test_again_is_answered_with_other_data),
        cmocka_unit_test(test_again_is_answered_against_the_rules),
        WORLD_TEST(test_again_is_answered_with_dropped),
        WORLD_TEST(test_a_journal_with_a_wrong_byte),
        WORLD_TEST(test_a_journal_cut_short),
        WORLD_TEST(test_a_journal_that_was_forged),
        WORLD_TEST(test_it_has_no_more_open_than_it_needs),
        WORLD_TEST(test_it_gains_no_rights),
        WORLD_TEST(test_one_works_on_a_transfer_at_a_time),
        WORLD_TEST(test_what_came_is_kept_whatever_comes_next),
        WORLD_TEST(test_it_ends_whatever_comes_last),
        WORLD_TEST(test_it_ends_with_its_parent),
    };
    assert(argc == 2);
    program = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

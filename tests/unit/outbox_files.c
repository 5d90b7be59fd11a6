#include "io/outbox_files.h"

#include "scratch.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

/* ---- what the walk tells of ---- */

enum { TOLD_MAX = 16 };

struct told {
    size_t count;
    struct {
        char path[256];
        bool is_named;
        enum outbox_files_problem problem;
        int error;
    } all[TOLD_MAX];
};

static void tell(void *ctx, const char *path, bool is_named, enum outbox_files_problem problem,
                 int error)
{
    struct told *t = ctx;
    assert_true(t->count < TOLD_MAX);
    snprintf(t->all[t->count].path, sizeof t->all[0].path, "%.255s", path);
    t->all[t->count].is_named = is_named;
    t->all[t->count].problem = problem;
    t->all[t->count++].error = error;
}

static bool was_told(const struct told *t, const char *end, enum outbox_files_problem problem)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t len = strlen(t->all[i].path), n = strlen(end);
        if (len >= n && strcmp(t->all[i].path + len - n, end) == 0 &&
            t->all[i].problem == problem)
            return true;
    }
    return false;
}

/* ---- a list, and an outbox over it ---- */

struct listed {
    int fd;
    struct outbox_files_keys keys;
    struct outbox_totals totals;
    struct told told;
    struct outbox_files o;
};

/* Below the scratch folder; NULL ends them. */
static int walk(struct scratch *s, struct listed *l, const char *const *names)
{
    char paths[8][PATH_MAX];
    const char *args[8];
    size_t count = 0;
    for (; names[count]; count++) {
        snprintf(paths[count], PATH_MAX, "%s/%s", s->path, names[count]);
        args[count] = paths[count];
    }
    l->fd = scratch_file(s);
    l->told.count = 0;
    return outbox_files_walk(l->fd, args, count, l->keys, &l->totals, tell, &l->told);
}

#define WALK(s, l, ...) walk(s, l, (const char *const[]){__VA_ARGS__, NULL})

static struct listed *list_of(struct scratch *s, const char *name)
{
    struct listed *l = calloc(1, sizeof *l);
    assert_non_null(l);
    assert_int_equal(WALK(s, l, name), 0);
    assert_int_equal(outbox_files_open(&l->o, l->fd), 0);
    return l;
}

static void drop_list(struct listed *l)
{
    outbox_files_close(&l->o);
    close(l->fd);
    free(l);
}

static struct transfer_entry entry(struct listed *l, uint64_t number)
{
    struct transfer_entry e;
    assert_int_equal(l->o.outbox.ops->entry(&l->o.outbox, number, &e), 0);
    assert_int_equal(e.number, number);
    return e;
}

/* The number of the entry of that name. */
static uint64_t number_of(struct listed *l, const char *name)
{
    for (uint64_t n = 0; n < l->totals.entries; n++) {
        if (bytes_equal_str(entry(l, n).name, name))
            return n;
    }
    fail_msg("no entry %s", name);
    return 0;
}

static int open_entry(struct listed *l, const char *name)
{
    number_of(l, name);
    return l->o.outbox.ops->open(&l->o.outbox);
}

static void expect_content(struct listed *l, struct bytes want)
{
    uint8_t got[64];
    size_t n;
    assert_int_equal(l->o.outbox.ops->read(&l->o.outbox, 0, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), want);
}

/* ---- the walk ---- */

static void put_tree(struct scratch *s)
{
    scratch_put_folder(s, "top");
    scratch_put_folder(s, "top/a");
    scratch_put_folder(s, "top/a/empty");
    scratch_put(s, "top/a/x", BYTES("xx"));
    scratch_put(s, "top/y", BYTES("yyy"));
    assert_int_equal(fchmodat(s->fd, "top/y", 0755, 0), 0);
    const struct timespec times[2] = {{1, 2}, {-3, 4}};
    assert_int_equal(utimensat(s->fd, "top/y", times, 0), 0);
}

static void test_a_tree_is_listed(void **state)
{
    struct scratch *s = *state;
    put_tree(s);
    struct listed *l = list_of(s, "top");
    assert_int_equal(l->totals.entries, 5);
    assert_int_equal(l->totals.bytes, 5);
    assert_int_equal(l->told.count, 0);
    struct transfer_entry e = entry(l, 0);
    assert_bytes(e.name, BYTES("top"));
    assert_int_equal(e.kind, TRANSFER_FOLDER);
    assert_int_equal(e.depth, 0);
    assert_int_equal(e.size, 0);
    e = entry(l, number_of(l, "x"));
    assert_int_equal(e.kind, TRANSFER_FILE);
    assert_int_equal(e.depth, 2);
    assert_int_equal(e.size, 2);
    assert_false(e.executable);
    assert_bytes(e.name, BYTES("x"));
    e = entry(l, number_of(l, "y"));
    assert_int_equal(e.depth, 1);
    assert_int_equal(e.seconds, -3);
    assert_int_equal(e.nanoseconds, 4);
    assert_true(e.executable);
    assert_true(entry(l, number_of(l, "a")).number < number_of(l, "empty"));
    assert_int_equal(l->o.outbox.ops->entry(&l->o.outbox, 5, &e), OUTBOX_END);
    assert_int_equal(l->o.outbox.ops->entry(&l->o.outbox, UINT64_MAX, &e), OUTBOX_END);
    drop_list(l);
}

static void put_socket(struct scratch *s, const char *name)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    snprintf(where.sun_path, sizeof where.sun_path, "%s/%s", s->path, name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof where), 0);
    close(fd);
}

static void test_what_is_not_sent_is_told(void **state)
{
    struct scratch *s = *state;
    struct listed l = {0};
    scratch_put_folder(s, "top");
    scratch_put(s, "top/file", BYTES("x"));
    assert_int_equal(symlinkat("file", s->fd, "top/link"), 0);
    assert_int_equal(symlinkat("..", s->fd, "top/way"), 0);
    assert_int_equal(mkfifoat(s->fd, "top/fifo", 0600), 0);
    put_socket(s, "top/socket");
    assert_int_equal(WALK(s, &l, "top", "missing"), 0);
    close(l.fd);
    assert_int_equal(l.totals.entries, 2);
    assert_int_equal(l.told.count, 5);
    assert_true(was_told(&l.told, "/top/link", OUTBOX_FILES_LINK));
    assert_true(was_told(&l.told, "/top/way", OUTBOX_FILES_LINK));
    assert_true(was_told(&l.told, "/top/fifo", OUTBOX_FILES_SPECIAL));
    assert_true(was_told(&l.told, "/top/socket", OUTBOX_FILES_SPECIAL));
    assert_true(was_told(&l.told, "/missing", OUTBOX_FILES_UNREADABLE));
    assert_true(l.told.all[4].is_named && !l.told.all[0].is_named);
    assert_int_equal(l.told.all[4].error, -ENOENT);
    assert_int_equal(l.told.all[0].error, 0);
}

/* Root can read everything: the kernel is asked as an ordinary user then. */
static void test_what_cannot_be_read_is_told(void **state)
{
    struct scratch *s = *state;
    struct listed l = {0};
    bool is_root = geteuid() == 0;
    scratch_put_folder(s, "top");
    scratch_put(s, "top/file", BYTES("x"));
    scratch_put_folder(s, "top/folder");
    assert_int_equal(fchmodat(s->fd, "top/file", 0, 0), 0);
    assert_int_equal(fchmodat(s->fd, "top/folder", 0, 0), 0);
    assert_int_equal(fchmodat(s->fd, ".", 0755, 0), 0);
    l.fd = scratch_file(s);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    char path[128];
    snprintf(path, sizeof path, "%s/top", s->path);
    l.told.count = 0;
    int r = outbox_files_walk(l.fd, (const char *const[]){path}, 1, l.keys, &l.totals, tell,
                              &l.told);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(fchmodat(s->fd, "top/folder", 0700, 0), 0);
    close(l.fd);
    assert_int_equal(r, 0);
    assert_int_equal(l.totals.entries, 1);
    assert_true(was_told(&l.told, "/top/file", OUTBOX_FILES_UNREADABLE));
    assert_true(was_told(&l.told, "/top/folder", OUTBOX_FILES_UNREADABLE));
    assert_int_equal(l.told.all[0].error, -EACCES);
}

static void test_the_keys_are_never_listed(void **state)
{
    struct scratch *s = *state;
    struct listed l = {0};
    struct stat keys;
    scratch_put_folder(s, "home");
    scratch_put_folder(s, "home/.config");
    scratch_put_folder(s, "home/.config/kith");
    scratch_put(s, "home/.config/kith/device.key", BYTES("x"));
    scratch_put(s, "home/.config/other", BYTES("x"));
    assert_int_equal(fstatat(s->fd, "home/.config/kith", &keys, 0), 0);
    l.keys = (struct outbox_files_keys){keys.st_dev, keys.st_ino};
    assert_int_equal(WALK(s, &l, "home"), 0);
    assert_int_equal(l.totals.entries, 3);
    assert_int_equal(l.told.count, 1);
    assert_true(was_told(&l.told, "/home/.config/kith", OUTBOX_FILES_KEYS));
    close(l.fd);
    assert_int_equal(WALK(s, &l, "home/.config/kith"), 0);
    assert_int_equal(l.totals.entries, 0);
    assert_true(was_told(&l.told, "/home/.config/kith", OUTBOX_FILES_KEYS));
    close(l.fd);
}

static void test_names_at_the_top(void **state)
{
    struct scratch *s = *state;
    scratch_put_folder(s, "real");
    scratch_put(s, "real/x", BYTES("x"));
    assert_int_equal(symlinkat("real", s->fd, "link"), 0);
    assert_int_equal(symlinkat("real/x", s->fd, "file link"), 0);
    static const struct {
        const char *path, *name;
        uint64_t entries;
    } tests[] = {
        {"real", "real", 2},        {"real/", "real", 2},        {"real//", "real", 2},
        {"real/.", "real", 2},      {"real/../real", "real", 2}, {"link", "link", 2},
        {"link/", "link", 2},       {"link/.", "real", 2},       {"file link", "file link", 1},
        {"link/../real/x", "x", 1},
    };
    for (size_t i = 0; i < COUNT_OF(tests); i++) {
        struct listed *l = list_of(s, tests[i].path);
        assert_int_equal(l->totals.entries, tests[i].entries);
        assert_bytes(entry(l, 0).name, bytes_from_str(tests[i].name));
        entry(l, tests[i].entries - 1);
        assert_int_equal(l->o.outbox.ops->open(&l->o.outbox), 0);
        expect_content(l, BYTES("x"));
        drop_list(l);
    }
}

/* A path from here is found later, too, from anywhere. */
static void test_paths_from_here(void **state)
{
    struct scratch *s = *state;
    struct listed l = {.fd = scratch_file(s)};
    scratch_put(s, "-rf", BYTES("x"));
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(fchdir(s->fd), 0);
    int r = outbox_files_walk(l.fd, (const char *const[]){"-rf", "."}, 2, l.keys, &l.totals,
                              tell, &l.told);
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_int_equal(r, 0);
    assert_int_equal(l.totals.entries, 3);
    assert_int_equal(outbox_files_open(&l.o, l.fd), 0);
    assert_bytes(entry(&l, 1).name, bytes_from_str(s->path + strlen("/tmp/")));
    for (uint64_t n = 0; n < 3; n += 2) {
        entry(&l, n);
        assert_int_equal(l.o.outbox.ops->open(&l.o.outbox), 0);
        expect_content(&l, BYTES("x"));
    }
    outbox_files_close(&l.o);
    close(l.fd);
}

static void test_what_has_no_name_of_its_own_is_refused(void **state)
{
    struct scratch *s = *state;
    struct listed l = {.fd = scratch_file(s)};
    static const char *const roots[] = {"/", "//", "/..", "/./"};
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        l.told.count = 0;
        assert_int_equal(
            outbox_files_walk(l.fd, &roots[i], 1, l.keys, &l.totals, tell, &l.told),
            OUTBOX_FILES_REFUSED);
        assert_int_equal(l.told.count, 1);
        assert_true(was_told(&l.told, roots[i], OUTBOX_FILES_NAMELESS));
    }
    close(l.fd);
    scratch_put_folder(s, "a");
    scratch_put_folder(s, "b");
    scratch_put(s, "a/x", BYTES("1"));
    scratch_put(s, "b/x", BYTES("2"));
    assert_int_equal(WALK(s, &l, "a/x", "b", "b/x"), OUTBOX_FILES_REFUSED);
    close(l.fd);
    assert_int_equal(l.told.count, 1);
    assert_int_equal(l.told.all[0].problem, OUTBOX_FILES_TWICE);
    assert_int_equal(WALK(s, &l, "a", "b", "a/x"), 0);
    close(l.fd);
}

static void test_so_deep_and_so_long(void **state)
{
    struct scratch *s = *state;
    struct listed *l;
    char name[NAME_MAX + 1];
    int fd = dup(s->fd);
    for (unsigned depth = 0; depth <= LIMIT_TRANSFER_DEPTH; depth++) {
        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        int below = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        close(openat(below, "file", O_WRONLY | O_CREAT, 0600));
        close(fd);
        fd = below;
    }
    close(fd);
    l = list_of(s, "d");
    assert_int_equal(l->totals.entries, 2 * LIMIT_TRANSFER_DEPTH); /* a file in each of 64 */
    assert_int_equal(l->told.count, 1);
    assert_int_equal(l->told.all[0].problem, OUTBOX_FILES_DEEP);
    unsigned deepest = 0;
    for (uint64_t n = 0; n < l->totals.entries; n++) {
        struct transfer_entry e = entry(l, n);
        deepest = e.depth > deepest ? e.depth : deepest;
        if (e.kind == TRANSFER_FILE)
            assert_int_equal(l->o.outbox.ops->open(&l->o.outbox), 0);
    }
    assert_int_equal(deepest, LIMIT_TRANSFER_DEPTH);
    drop_list(l);

    /* 16 folders of 255 bytes, the first of 254, a slash behind each: 4095 before a name. */
    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    fd = dup(s->fd);
    for (unsigned depth = 0; depth < 16; depth++) {
        const char *folder = depth == 0 ? name + 1 : name;
        assert_int_equal(mkdirat(fd, folder, 0755), 0);
        int below = openat(fd, folder, O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = below;
    }
    close(openat(fd, "1", O_WRONLY | O_CREAT, 0600));
    close(openat(fd, "22", O_WRONLY | O_CREAT, 0600));
    close(fd);
    l = list_of(s, name + 1);
    assert_int_equal(l->totals.entries, 17);
    assert_int_equal(l->told.count, 1);
    assert_int_equal(l->told.all[0].problem, OUTBOX_FILES_LONG);
    assert_int_equal(open_entry(l, "1"), 0);
    drop_list(l);
}

static void test_names_of_every_kind(void **state)
{
    struct scratch *s = *state;
    char names[256][3];
    char longest[NAME_MAX + 1] = "";
    memset(longest, '\xff', NAME_MAX);
    scratch_put_folder(s, "top");
    int top = openat(s->fd, "top", O_RDONLY | O_DIRECTORY);
    for (int c = 1; c < 256; c++) {
        snprintf(names[c], sizeof names[c], "-%c", c == '/' ? '-' : c);
        close(openat(top, names[c], O_WRONLY | O_CREAT, 0600));
    }
    close(openat(top, longest, O_WRONLY | O_CREAT, 0600));
    close(top);
    struct listed *l = list_of(s, "top");
    assert_int_equal(l->totals.entries, 1 + 254 + 1);
    for (int c = 1; c < 256; c++)
        assert_int_equal(open_entry(l, names[c]), 0);
    assert_int_equal(open_entry(l, longest), 0);
    drop_list(l);
}

/* ---- the list, read back ---- */

/* Over more than one of the places that are known; with folders that go on over them. */
static void test_a_long_list_is_read_from_anywhere(void **state)
{
    enum { FILES = 2 * OUTBOX_LIST_STRIDE + 100 };
    struct scratch *s = *state;
    char name[32];
    scratch_put_folder(s, "top");
    scratch_put_folder(s, "top/in");
    int in = openat(s->fd, "top/in", O_RDONLY | O_DIRECTORY);
    scratch_put(s, "file", BYTES("x"));
    for (int n = 0; n < FILES; n++) { /* all of them one file: quickly made */
        snprintf(name, sizeof name, "%d", n);
        assert_int_equal(linkat(s->fd, "file", in, name, 0), 0);
    }
    close(in);
    struct listed *l = list_of(s, "top");
    assert_int_equal(l->totals.entries, FILES + 2);
    static const uint64_t numbers[] = {
        2,    2 * OUTBOX_LIST_STRIDE, 3, FILES + 1, OUTBOX_LIST_STRIDE, OUTBOX_LIST_STRIDE - 1,
        FILES};
    char names[COUNT_OF(numbers)][32];
    for (uint64_t n = 0; n < FILES + 2; n++) {
        struct transfer_entry e = entry(l, n);
        for (size_t i = 0; i < COUNT_OF(numbers); i++) {
            if (numbers[i] == n)
                snprintf(names[i], sizeof names[i], "%.*s", (int)e.name.len, e.name.data);
        }
    }
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct transfer_entry e = entry(l, numbers[i]);
        assert_bytes(e.name, bytes_from_str(names[i]));
        assert_int_equal(e.depth, 2);
        assert_int_equal(l->o.outbox.ops->open(&l->o.outbox), 0);
    }
    /* What is far away is not looked for from the first record on. */
    struct transfer_entry e;
    assert_int_equal(pwrite(l->fd, "x", 1, 40 * OUTBOX_LIST_STRIDE), 1);
    assert_bytes(entry(l, numbers[1]).name, bytes_from_str(names[1]));
    assert_int_equal(l->o.outbox.ops->entry(&l->o.outbox, OUTBOX_LIST_STRIDE - 1, &e),
                     -EUCLEAN);
    entry(l, OUTBOX_LIST_STRIDE);
    entry(l, numbers[1]);
    drop_list(l);
}

/* Every byte of it counts, and every end. */
static void test_a_list_that_is_not_whole_is_refused(void **state)
{
    struct scratch *s = *state;
    struct outbox_files o;
    struct listed l = {0};
    uint8_t whole[4096];
    put_tree(s);
    assert_int_equal(WALK(s, &l, "top"), 0);
    ssize_t len = pread(l.fd, whole, sizeof whole, 0);
    assert_true(len > 0 && len < (ssize_t)sizeof whole);
    for (ssize_t at = 0; at < len; at++) {
        uint8_t wrong = whole[at] ^ 1;
        assert_int_equal(pwrite(l.fd, &wrong, 1, at), 1);
        assert_int_equal(outbox_files_open(&o, l.fd), OUTBOX_LIST_TORN);
        assert_int_equal(pwrite(l.fd, &whole[at], 1, at), 1);
    }
    assert_int_equal(pwrite(l.fd, "x", 1, len), 1);
    assert_int_equal(outbox_files_open(&o, l.fd), OUTBOX_LIST_TORN);
    for (ssize_t cut = len - 1; cut >= 0; cut--) {
        assert_int_equal(ftruncate(l.fd, cut), 0);
        assert_int_equal(outbox_files_open(&o, l.fd), OUTBOX_LIST_TORN);
    }
    assert_int_equal(pwrite(l.fd, whole, (size_t)len, 0), len);
    assert_int_equal(outbox_files_open(&o, l.fd), 0);
    outbox_files_close(&o);
    close(l.fd);
}

/* Whole, but no tree. */
static void test_a_list_of_what_lies_in_no_folder_is_refused(void **state)
{
    struct outbox_list_writer *w = calloc(1, sizeof *w);
    struct outbox_files o;
    struct outbox_record r = {
        .kind = TRANSFER_FILE, .name = BYTES("a"), .path = BYTES("/a"), .state = {.size = 1}};
    for (unsigned depth = 0; depth < 2; depth++) {
        int fd = scratch_file(*state);
        outbox_list_begin(w, fd);
        assert_int_equal(outbox_list_add(w, &r), 0);
        r.depth = depth;
        r.path = depth == 0 ? r.path : BYTES("");
        assert_int_equal(outbox_list_add(w, &r), 0);
        assert_int_equal(outbox_list_finish(w), 0);
        assert_int_equal(outbox_files_open(&o, fd), depth == 0 ? 0 : OUTBOX_LIST_TORN);
        if (depth == 0)
            outbox_files_close(&o);
        close(fd);
    }
    free(w);
}

/* ---- content ---- */

static void test_content_is_read(void **state)
{
    struct scratch *s = *state;
    uint8_t got[4];
    size_t n;
    put_tree(s);
    struct listed *l = list_of(s, "top");
    struct outbox *o = &l->o.outbox;
    assert_int_equal(open_entry(l, "y"), 0);
    assert_int_equal(o->ops->read(o, 1, got, 2, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("yy"));
    assert_int_equal(o->ops->read(o, 1, got, sizeof got, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(o->ops->read(o, 9, got, sizeof got, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(o->ops->check(o), 0);
    o->ops->kept(o, 0, 0);
    assert_int_equal(open_entry(l, "x"), 0);
    expect_content(l, BYTES("xx"));
    drop_list(l);
}

/* The folder that is held open is no other's. */
static void test_files_of_one_name_in_many_folders(void **state)
{
    struct scratch *s = *state;
    char path[32];
    scratch_put_folder(s, "top");
    for (int n = 0; n < 5; n++) {
        snprintf(path, sizeof path, "top/%d", n);
        scratch_put_folder(s, path);
        snprintf(path, sizeof path, "top/%d/x", n);
        scratch_put(s, path, bytes_from_str(path));
    }
    struct listed *l = list_of(s, "top");
    for (uint64_t n = 1; n < l->totals.entries; n += 2) {
        snprintf(path, sizeof path, "top/%c/x", *entry(l, n).name.data);
        entry(l, n + 1);
        assert_int_equal(l->o.outbox.ops->open(&l->o.outbox), 0);
        expect_content(l, bytes_from_str(path));
    }
    drop_list(l);
}

static void test_holes_are_found(void **state)
{
    struct scratch *s = *state;
    const uint64_t size = 8 << 20;
    uint64_t at;
    int fd = openat(s->fd, "sparse", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(pwrite(fd, "x", 1, (off_t)size / 2), 1);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
    struct listed *l = list_of(s, "sparse");
    struct outbox *o = &l->o.outbox;
    assert_int_equal(open_entry(l, "sparse"), 0);
    assert_int_equal(o->ops->next_data(o, 0, &at), 0);
    assert_in_range(at, size / 4, size / 2);
    assert_int_equal(o->ops->next_data(o, size / 2, &at), 0);
    assert_int_equal(at, size / 2);
    assert_int_equal(o->ops->next_data(o, size / 4 * 3, &at), 0);
    assert_int_equal(at, size);
    drop_list(l);
}

static void test_what_has_changed_since_the_walk(void **state)
{
    struct scratch *s = *state;
    struct transfer_entry e;
    put_tree(s);
    struct listed *l = list_of(s, "top");
    struct outbox *o = &l->o.outbox;
    scratch_put(s, "top/a/x", BYTES("XX")); /* as long as it was */
    assert_int_equal(open_entry(l, "x"), OUTBOX_CHANGED);
    expect_content(l, BYTES("XX"));
    assert_int_equal(o->ops->check(o), 0); /* since it was opened */
    scratch_put(s, "top/a/x", BYTES("longer"));
    assert_int_equal(o->ops->check(o), OUTBOX_CHANGED);
    assert_int_equal(o->ops->look(o, &e), 0);
    assert_int_equal(e.size, 6);
    assert_int_equal(e.number, number_of(l, "x"));
    assert_bytes(e.name, BYTES("x"));
    assert_int_equal(o->ops->check(o), 0);
    assert_int_equal(fchmodat(s->fd, "top/a/x", 0700, 0), 0);
    assert_int_equal(o->ops->check(o), OUTBOX_CHANGED);
    assert_int_equal(o->ops->look(o, &e), 0);
    assert_true(e.executable);
    /* Another file of that name, though all else is the same. */
    scratch_put(s, "other", BYTES("yyy"));
    assert_int_equal(renameat(s->fd, "other", s->fd, "top/y"), 0);
    assert_int_equal(open_entry(l, "y"), OUTBOX_CHANGED);
    expect_content(l, BYTES("yyy"));
    drop_list(l);
}

/* Its time says that it was not changed: in the same step of the clock it could have been. */
static void test_what_changes_all_the_time_is_like_nothing(void **state)
{
    struct outbox_state a = {.size = 1, .proven = true}, b = a;
    assert_true(outbox_state_same(&a, &b));
    b.proven = false;
    assert_false(outbox_state_same(&a, &b));
    assert_false(outbox_state_same(&b, &b));
}

static void test_every_difference_counts(void **state)
{
    const struct outbox_state a = {.size = 1, .proven = true};
    struct outbox_state others[] = {a, a, a, a, a, a, a};
    others[0].size++;
    others[1].device++;
    others[2].inode++;
    others[3].mtime.tv_sec++;
    others[4].mtime.tv_nsec++;
    others[5].ctime.tv_sec++;
    others[6].ctime.tv_nsec++;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(outbox_state_same(&a, &others[i]));
}

static void test_what_was_changed_just_now_is_waited_for(void **state)
{
    struct scratch *s = *state;
    struct outbox_state a;
    struct timespec now;
    mode_t mode;
    scratch_put(s, "x", BYTES("x"));
    assert_int_equal(outbox_state_look(s->fd, "x", 0, &a, &mode), 0);
    clock_gettime(CLOCK_REALTIME, &now);
    assert_true((now.tv_sec - a.ctime.tv_sec) * 1000 +
                    (now.tv_nsec - a.ctime.tv_nsec) / 1000000 >=
                LIMIT_TRANSFER_SETTLE_MS);
    assert_true(a.proven);
    assert_true(S_ISREG(mode));
}

static void test_what_is_there_no_more(void **state)
{
    struct scratch *s = *state;
    static const char *const ways[] = {"removed", "link", "fifo", "folder", "socket"};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        put_tree(s);
        struct listed *l = list_of(s, "top");
        assert_int_equal(renameat(s->fd, "top/a/x", s->fd, "x"), 0);
        if (strcmp(ways[i], "link") == 0)
            assert_int_equal(symlinkat("../../x", s->fd, "top/a/x"), 0);
        else if (strcmp(ways[i], "fifo") == 0)
            assert_int_equal(mkfifoat(s->fd, "top/a/x", 0600), 0);
        else if (strcmp(ways[i], "folder") == 0)
            scratch_put_folder(s, "top/a/x");
        else if (strcmp(ways[i], "socket") == 0)
            put_socket(s, "top/a/x");
        assert_int_equal(open_entry(l, "x"), OUTBOX_GONE);
        assert_int_equal(open_entry(l, "y"), 0); /* the others are sent all the same */
        drop_list(l);
        assert_int_equal(beneath_empty(s->fd, ""), 0);
    }
}

static void test_a_folder_that_is_a_link_now_is_not_entered(void **state)
{
    struct scratch *s = *state;
    put_tree(s);
    struct listed *l = list_of(s, "top");
    assert_int_equal(renameat(s->fd, "top/a", s->fd, "moved"), 0);
    assert_int_equal(symlinkat("../moved", s->fd, "top/a"), 0);
    assert_int_equal(open_entry(l, "x"), OUTBOX_GONE);
    assert_int_equal(beneath_remove(s->fd, "top"), 0);
    assert_int_equal(open_entry(l, "y"), OUTBOX_GONE);
    drop_list(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_a_tree_is_listed),
        SCRATCH_TEST(test_what_is_not_sent_is_told),
        SCRATCH_TEST(test_what_cannot_be_read_is_told),
        SCRATCH_TEST(test_the_keys_are_never_listed),
        SCRATCH_TEST(test_names_at_the_top),
        SCRATCH_TEST(test_paths_from_here),
        SCRATCH_TEST(test_what_has_no_name_of_its_own_is_refused),
        SCRATCH_TEST(test_so_deep_and_so_long),
        SCRATCH_TEST(test_names_of_every_kind),
        SCRATCH_TEST(test_a_long_list_is_read_from_anywhere),
        SCRATCH_TEST(test_a_list_that_is_not_whole_is_refused),
        SCRATCH_TEST(test_a_list_of_what_lies_in_no_folder_is_refused),
        SCRATCH_TEST(test_content_is_read),
        SCRATCH_TEST(test_files_of_one_name_in_many_folders),
        SCRATCH_TEST(test_holes_are_found),
        SCRATCH_TEST(test_what_has_changed_since_the_walk),
        cmocka_unit_test(test_what_changes_all_the_time_is_like_nothing),
        cmocka_unit_test(test_every_difference_counts),
        SCRATCH_TEST(test_what_was_changed_just_now_is_waited_for),
        SCRATCH_TEST(test_what_is_there_no_more),
        SCRATCH_TEST(test_a_folder_that_is_a_link_now_is_not_entered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

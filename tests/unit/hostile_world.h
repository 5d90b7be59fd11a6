#ifndef KITH_UNIT_HOSTILE_WORLD_H
#define KITH_UNIT_HOSTILE_WORLD_H

/* A real carrier that receives (meet/carrying.h), as a process of its own, confined, into a
 * folder of a test; and what a sender may say to it, be it as wrong as it likes. Around the
 * inbox lies what nobody may touch:
 *
 *     inbox/              where it receives into
 *     outside/precious    "precious"
 */

#include "base/limits.h"
#include "base/number.h"
#include "base/sum.h"
#include "io/child.h"
#include "io/courier.h"
#include "io/secret_stream.h"
#include "meet/carrier.h"
#include "meet/carrying.h"
#include "peer/inbox.h"
#include "peer/transfer_message.h"
#include "peer/transfer_note.h"
#include "wire/field.h"

#include "scratch.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

static const struct random_id hostile_id = {{7, 6, 5, 4, 3, 2, 1}};
static const uint8_t hostile_secret[TRANSFER_SECRET_BYTES] = "said over the session";

/* What was accepted, and into what. */
struct hostile_terms {
    enum inbox_rule rule;
    bool sha256;
    uint64_t cap, entries, bytes;
};

static const struct hostile_terms hostile_usual = {
    .rule = INBOX_RENAME, .cap = 4 * LIMIT_MIB, .entries = 8, .bytes = 2 * LIMIT_MIB};

struct hostile_world {
    struct scratch *scratch;
    const char *program; /* kith's path */
    struct child carrier;
    int courier, socket; /* ours; -1: closed */
    struct secret_stream stream;
    bool agreed;
    struct buffer out, in; /* to be said; heard, no whole frame yet */
    /* What the carrier has told: */
    bool ended;
    uint64_t how, reason;
    char published[512]; /* names, a blank behind each */
    unsigned files;
};

/* ---- the carrier ---- */

static inline void hostile_loopback(int ret[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    ret[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(ret[0], (struct sockaddr *)&at, sizeof at), 0);
    ret[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(ret[1] >= 0);
    close(listener);
}

static inline void hostile_order(struct hostile_world *w, struct buffer *message, int fd)
{
    assert_int_equal(courier_send(w->courier, buffer_view(message), fd), 0);
    buffer_truncate(message, 0);
}

static inline void hostile_order_all(struct hostile_world *w, const struct hostile_terms *t,
                                     int connection)
{
    struct buffer b;
    char into[128];
    snprintf(into, sizeof into, "%s/inbox", w->scratch->path);
    buffer_init(&b, COURIER_BYTES);
    field_append_number(&b, CARRYING_RECEIVE);
    field_append(&b, bytes_make(hostile_id.bytes, sizeof hostile_id.bytes));
    field_append(&b, bytes_make(hostile_secret, sizeof hostile_secret));
    field_append_number(&b, t->sha256);
    field_append(&b, bytes_from_str(into));
    field_append_number(&b, t->rule);
    field_append_number(&b, t->cap);
    field_append_number(&b, t->entries);
    field_append_number(&b, t->bytes);
    hostile_order(w, &b, -1);
    field_append_number(&b, CARRYING_CONNECTION);
    field_append_number(&b, false);
    hostile_order(w, &b, connection);
    field_append_number(&b, CARRYING_GO);
    hostile_order(w, &b, -1);
    buffer_fini(&b);
}

/* Starts one, with the other end of w->socket; nothing is said yet. */
static inline void hostile_start(struct hostile_world *w, const struct hostile_terms *terms)
{
    static const char *const argv[] = {CARRIER_NAME, NULL};
    int ends[2], sockets[2];
    sigset_t none;
    sigemptyset(&none);
    w->ended = false;
    w->files = 0;
    w->published[0] = '\0';
    assert_int_equal(courier_pair(ends), 0);
    assert_int_equal(
        child_start_program(&w->carrier, w->program, argv, &none, ends[1], STDOUT_FILENO), 0);
    close(ends[1]);
    w->courier = ends[0];
    hostile_loopback(sockets);
    w->socket = sockets[0];
    hostile_order_all(w, terms, sockets[1]);
    close(sockets[1]);
}

static inline int hostile_try_agree(struct hostile_world *w, const struct random_id *id,
                                    const uint8_t *secret)
{
    w->stream = (struct secret_stream){0};
    int r = secret_stream_open(&w->stream, w->socket, id, secret, false);
    w->socket = -1;
    w->agreed = r == 0;
    return r;
}

static inline void hostile_connect(struct hostile_world *w, const struct hostile_terms *terms)
{
    hostile_start(w, terms);
    assert_int_equal(hostile_try_agree(w, &hostile_id, hostile_secret), 0);
}

/* ---- what is said ---- */

static inline void hostile_say(struct hostile_world *w, uint8_t type, struct bytes payload)
{
    assert_int_equal(peer_frame_write(&w->out, type, payload), 0);
}

/* What it does not want any more it need not take. */
static inline void hostile_send(struct hostile_world *w)
{
    secret_stream_write(&w->stream, buffer_view(&w->out));
    buffer_truncate(&w->out, 0);
}

static inline void hostile_say_entry(struct hostile_world *w, uint8_t type, uint64_t number,
                                     enum transfer_kind kind, unsigned depth, uint64_t size,
                                     struct bytes name)
{
    uint8_t head[32] = {0};
    number_put_be64(head, number);
    head[8] = (uint8_t)kind;
    head[10] = (uint8_t)(depth >> 8);
    head[11] = (uint8_t)depth;
    number_put_be64(head + 12, size);
    assert_int_equal(peer_frame_write_two(&w->out, type, bytes_make(head, sizeof head), name),
                     0);
}

static inline void hostile_file(struct hostile_world *w, uint64_t number, unsigned depth,
                                uint64_t size, const char *name)
{
    hostile_say_entry(w, TRANSFER_ENTRY, number, TRANSFER_FILE, depth, size,
                      bytes_from_str(name));
}

static inline void hostile_folder(struct hostile_world *w, uint64_t number, unsigned depth,
                                  const char *name)
{
    hostile_say_entry(w, TRANSFER_ENTRY, number, TRANSFER_FOLDER, depth, 0,
                      bytes_from_str(name));
}

static inline void hostile_afresh(struct hostile_world *w, uint64_t number, uint64_t size,
                                  const char *name)
{
    hostile_say_entry(w, TRANSFER_AFRESH, number, TRANSFER_FILE, 0, size, bytes_from_str(name));
}

static inline void hostile_chunk(struct hostile_world *w, uint64_t number, uint64_t offset,
                                 struct bytes data)
{
    uint8_t head[32];
    number_put_be64(head, number);
    number_put_be64(head + 8, offset);
    sum_bytes(data, number_get_be64(hostile_id.bytes), head + 16);
    assert_int_equal(
        peer_frame_write_two(&w->out, TRANSFER_CHUNK, bytes_make(head, sizeof head), data), 0);
}

/* A message of numbers alone, 8 bytes each. */
static inline void hostile_numbers(struct hostile_world *w, uint8_t type, size_t n, uint64_t a,
                                   uint64_t b, uint64_t c)
{
    uint8_t payload[24];
    number_put_be64(payload, a);
    number_put_be64(payload + 8, b);
    number_put_be64(payload + 16, c);
    hostile_say(w, type, bytes_make(payload, 8 * n));
}

static inline void hostile_whole(struct hostile_world *w, uint64_t number, uint64_t size)
{
    hostile_numbers(w, TRANSFER_WHOLE, 2, number, size, 0);
}

static inline void hostile_end(struct hostile_world *w, uint64_t entries, uint64_t bytes)
{
    hostile_numbers(w, TRANSFER_END, 2, entries, bytes, 0);
}

/* A file of three bytes, all of it. */
static inline void hostile_whole_file(struct hostile_world *w, uint64_t number, unsigned depth,
                                      const char *name)
{
    hostile_file(w, number, depth, 3, name);
    hostile_chunk(w, number, 0, BYTES("new"));
    hostile_whole(w, number, 3);
}

/* ---- what is heard ---- */

/* The next message of the carrier's; false: there is none any more. */
static inline bool hostile_hear(struct hostile_world *w, struct transfer_message *ret)
{
    struct peer_frame f;
    size_t consumed, n;
    uint8_t *to;
    for (;;) {
        if (peer_frame_parse(buffer_view(&w->in), 256, &consumed, &f) == 0) {
            assert_int_equal(transfer_message_read(&f, ret), 0);
            buffer_consume(&w->in, consumed);
            return true;
        }
        assert_int_equal(buffer_reserve(&w->in, 4096, &to), 0);
        if (secret_stream_read(&w->stream, to, 4096, &n) != 0 || n == 0)
            return false;
        buffer_wrote(&w->in, n);
    }
}

/* Past all others. */
static inline bool hostile_await(struct hostile_world *w, enum transfer_message_type type,
                                 struct transfer_message *ret)
{
    while (hostile_hear(w, ret))
        if (ret->type == type)
            return true;
    return false;
}

/* ---- what it tells ---- */

static inline void hostile_take_published(struct hostile_world *w, struct bytes news)
{
    struct bytes name, called;
    size_t len = strlen(w->published);
    assert_true(field_next(&news, &name) && field_next(&news, &called));
    snprintf(w->published + len, sizeof w->published - len, "%.*s ", (int)called.len,
             (const char *)called.data);
}

static inline void hostile_take_news(struct hostile_world *w, struct bytes news)
{
    uint64_t what;
    assert_true(field_next_number(&news, &what));
    assert_false(w->ended);
    w->files += what == CARRIER_FILE;
    if (what == CARRIER_PUBLISHED)
        hostile_take_published(w, news);
    if (what != CARRIER_END)
        return;
    w->ended = true;
    assert_true(field_next_number(&news, &w->how) && field_next_number(&news, &w->reason));
}

/* Until it is gone, by itself. */
static inline void hostile_await_end(struct hostile_world *w)
{
    struct buffer message;
    int fd;
    buffer_init(&message, COURIER_BYTES);
    while (courier_receive(w->courier, true, &message, &fd) == 0) {
        struct bytes news, all = buffer_view(&message);
        while (field_next(&all, &news))
            hostile_take_news(w, news);
        buffer_truncate(&message, 0);
    }
    buffer_fini(&message);
    close(w->courier);
    w->courier = -1;
    child_abandon(&w->carrier);
}

/* Nothing more is said. It has its last word, and it is over. */
static inline void hostile_part(struct hostile_world *w)
{
    struct transfer_message m;
    hostile_send(w);
    secret_stream_end(&w->stream);
    while (hostile_hear(w, &m))
        continue;
    secret_stream_close(&w->stream);
    buffer_truncate(&w->in, 0);
    hostile_await_end(w);
}

/* The connection breaks off. */
static inline void hostile_cut(struct hostile_world *w)
{
    secret_stream_close(&w->stream);
    buffer_truncate(&w->in, 0);
    hostile_await_end(w);
}

static inline void hostile_expect_end_at(struct hostile_world *w, enum carrier_end how,
                                         enum transfer_reason reason, const char *file,
                                         int line)
{
    if (w->ended && w->how == how && w->reason == reason)
        return;
    print_error("ended %d, how %d, %s\n", w->ended, (int)w->how,
                transfer_reason_text((enum transfer_reason)w->reason));
    _fail(file, line);
}

#define hostile_expect_end(w, how, reason) \
    hostile_expect_end_at(w, how, reason, __FILE__, __LINE__)

/* ---- what is left ---- */

static inline size_t hostile_count(struct hostile_world *w, const char *folder)
{
    size_t n = 0;
    int fd = openat(w->scratch->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fdopendir(fd);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
             strcmp(e->d_name, ".kith") != 0;
    closedir(dir);
    return n;
}

/* Nothing outside the inbox was made, changed, or given another name. */
static inline void hostile_expect_untouched(struct hostile_world *w)
{
    struct stat st = scratch_stat(w->scratch, "outside/precious");
    assert_int_equal(hostile_count(w, "outside"), 1);
    scratch_expect(w->scratch, "outside/precious", BYTES("precious"));
    assert_int_equal(st.st_mode, S_IFREG | 0644);
    assert_int_equal(st.st_mtime, 1000);
}

static inline void hostile_expect_inbox(struct hostile_world *w, size_t count)
{
    assert_int_equal(hostile_count(w, "inbox"), count);
    hostile_expect_untouched(w);
}

/* "inbox/.kith/ID/" and what. */
static inline const char *hostile_staged(char out[160], const char *what)
{
    char text[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(text, &hostile_id);
    snprintf(out, 160, "inbox/.kith/%s%s%s", text, what[0] ? "/" : "", what);
    return out;
}

/* ---- begin and end of a test ---- */

static inline struct hostile_world *hostile_make(const char *program)
{
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct hostile_world *w = calloc(1, sizeof *w);
    void *scratch;
    assert_non_null(w);
    umask(022);
    scratch_make(&scratch);
    w->scratch = scratch;
    w->program = program;
    w->courier = w->socket = -1;
    buffer_init(&w->out, 64 * LIMIT_MIB);
    buffer_init(&w->in, LIMIT_MIB);
    scratch_put_folder(w->scratch, "inbox");
    scratch_put_folder(w->scratch, "outside");
    scratch_put(w->scratch, "outside/precious", BYTES("precious"));
    assert_int_equal(utimensat(w->scratch->fd, "outside/precious", old, 0), 0);
    return w;
}

static inline void hostile_free(struct hostile_world *w)
{
    void *scratch = w->scratch;
    if (w->courier >= 0) {
        child_abandon(&w->carrier);
        close(w->courier);
    }
    secret_stream_close(&w->stream);
    buffer_fini(&w->out);
    buffer_fini(&w->in);
    scratch_remove(&scratch);
    free(w);
}

#endif

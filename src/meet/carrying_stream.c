#include "meet/carrying_inner.h"

#include "io/clock.h"
#include "io/problem.h"
#include "io/tcp_window.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

enum { READ_BYTES = 64 * 1024, TOLD_MS = 250, PART_MS = 2000, BOUND_PERCENT = 70 };

static uint64_t processor_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int carrying_agree(struct carrying *c)
{
    buffer_init(&c->in, 2 * LIMIT_PEER_FRAME_BYTES);
    int r = secret_stream_open(&c->stream, c->connection, &c->id, c->secret, !c->dialed);
    c->connection = -1;
    if (r != 0)
        return r;
    c->told = clock_instant();
    c->used_ns = processor_ns();
    carrying_begin(c, CARRIER_CONNECTED);
    carrying_tell(c);
    return 0;
}

static void wait_began(struct carrying *c, struct instant since)
{
    c->waited_ns += clock_instant().ns - since.ns;
}

int carrying_read(struct carrying *c, size_t most)
{
    struct instant since = clock_instant();
    uint8_t *to;
    size_t room = most < READ_BYTES ? READ_BYTES : most, n = 0;
    int r = buffer_reserve(&c->in, room, &to);
    if (r != 0)
        return r;
    r = secret_stream_read(&c->stream, to, most, &n);
    wait_began(c, since);
    if (r != 0)
        return r;
    buffer_wrote(&c->in, n);
    return n == 0 ? CARRYING_ENDED : 0;
}

/* False when it is time. */
static bool wait_for_bytes(const struct carrying *c, struct instant until)
{
    struct pollfd p = {.fd = c->stream.fd, .events = POLLIN};
    struct instant now = clock_instant();
    if (now.ns >= until.ns)
        return false;
    uint64_t ms = (until.ns - now.ns) / 1000000 + 1;
    return poll(&p, 1, ms > INT32_MAX ? -1 : (int)ms) >= 0 || errno == EINTR;
}

/* Bytes that came may be a part of a record, whose rest never comes. */
bool carrying_await(struct carrying *c, struct instant until)
{
    struct instant since = clock_instant();
    bool has = secret_stream_has_input(&c->stream);
    while (!has && wait_for_bytes(c, until))
        has = secret_stream_has_input(&c->stream);
    wait_began(c, since);
    return has;
}

bool carrying_frame(struct carrying *c, size_t max, struct peer_frame *ret, bool *ret_broken)
{
    size_t consumed;
    int r = peer_frame_parse(buffer_view(&c->in), max, &consumed, ret);
    *ret_broken = r == PEER_FRAME_TOO_LONG;
    if (r == 0)
        buffer_consume(&c->in, consumed);
    return r == 0;
}

int carrying_write(struct carrying *c, struct buffer *out)
{
    struct instant since = clock_instant();
    int r = buffer_len(out) > 0 ? secret_stream_write(&c->stream, buffer_view(out)) : 0;
    buffer_consume(out, buffer_len(out));
    wait_began(c, since);
    return r;
}

/* What is sent last is lost where the other side still sends, unread. */
void carrying_part(struct carrying *c)
{
    struct instant by = instant_after_ms(clock_instant(), PART_MS);
    int r = secret_stream_end(&c->stream);
    while (r == 0 && clock_instant().ns < by.ns && carrying_await(c, by)) {
        buffer_consume(&c->in, buffer_len(&c->in));
        r = carrying_read(c, READ_BYTES);
    }
    secret_stream_close(&c->stream);
}

bool carrying_is_due(struct carrying *c)
{
    return clock_instant().ns >= instant_after_ms(c->told, TOLD_MS).ns;
}

/* Writing waits for the connection and computes: what was computed counts as such. Who waits
 * for the connection waits for the other side, where that takes nothing. */
static enum carrier_bound bound_by(const struct carrying *c, uint64_t passed, uint64_t used)
{
    uint64_t refused = (tcp_window_refused_us(c->stream.fd) - c->refused_us) * 1000;
    if (used * 100 >= passed * BOUND_PERCENT)
        return CARRIER_BY_CPU;
    if (c->waited_ns * 100 < passed * BOUND_PERCENT)
        return CARRIER_BY_DISK;
    return refused * 2 >= passed ? CARRIER_BY_OTHER : CARRIER_BY_NETWORK;
}

void carrying_tell_progress(struct carrying *c, uint64_t entries, uint64_t bytes, uint64_t kept,
                            struct bytes path)
{
    struct instant now = clock_instant();
    uint64_t used = processor_ns();
    carrying_begin(c, CARRIER_RUNS);
    carrying_number(c, entries);
    carrying_number(c, bytes);
    carrying_number(c, kept);
    carrying_number(c, bound_by(c, now.ns - c->told.ns, used - c->used_ns));
    carrying_bytes(c, path);
    carrying_tell(c);
    c->told = now;
    c->used_ns = used;
    c->refused_us = tcp_window_refused_us(c->stream.fd);
    c->waited_ns = 0;
}

void carrying_cut(struct carrying *c, int error)
{
    const char *words = error == SECRET_STREAM_STRANGER ? "who answered is another"
                        : error == SECRET_STREAM_BROKEN ? "the connection was tampered with"
                        : error == CARRYING_ENDED       ? "the other side has ended it"
                                                        : problem_text(error);
    secret_stream_close(&c->stream);
    carrying_end(c, CARRIER_CUT, TRANSFER_REASON_NONE, words);
}

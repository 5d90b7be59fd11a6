/* Bytes that come in place of the other end's, before, within or after a handshake with it:
 * they are never taken for anything it has said, nor for its key. */

#include "tls/tls.h"

#include "fuzz.h"
#include "tls/identity.h"

enum { ROLES = 4, FLIGHTS = 4, BUFFER_BYTES = 1 << 20 };

struct end {
    struct identity *identity;
    struct tls_config *config;
    struct tls *tls;
    struct buffer plain, out;
};

static void open_end(struct end *e, enum tls_role role, uint8_t seed)
{
    static const char *const protocols[] = {"kith-peer/1", NULL};
    uint8_t secret[IDENTITY_SEED_BYTES] = {seed};
    if (identity_new(&e->identity, secret, NULL, 0) != 0 ||
        tls_config_new(&e->config, role, e->identity, protocols) != 0 ||
        tls_new(&e->tls, e->config) != 0)
        abort();
    buffer_init(&e->plain, BUFFER_BYTES);
    buffer_init(&e->out, BUFFER_BYTES);
}

static void close_end(struct end *e)
{
    tls_free(e->tls);
    tls_config_free(e->config);
    identity_free(e->identity);
    buffer_fini(&e->plain);
    buffer_fini(&e->out);
}

static void deliver(struct end *from, struct end *to)
{
    if (tls_feed(to->tls, buffer_view(&from->out), &to->plain, &to->out) != 0)
        abort();
    buffer_truncate(&from->out, 0);
}

/* As much of a handshake as the input wants. */
static void begin(struct end *dials, struct end *answers, size_t flights)
{
    if (tls_begin(dials->tls, &dials->out) != 0)
        abort();
    for (size_t i = 0; i < flights; i++)
        deliver(i % 2 ? answers : dials, i % 2 ? dials : answers);
}

static void feed(struct end *e, struct fuzz_stream s)
{
    bool was_open = tls_is_open(e->tls);
    while (tls_state(e->tls) != TLS_FAILED && fuzz_stream_more(&s)) {
        struct bytes in = fuzz_stream_in(&s);
        int r = tls_feed(e->tls, in, &e->plain, &e->out);
        assert(r <= 0 || r == TLS_BROKEN);
        s.start = s.end;
        fuzz_free(in);
        assert((r != 0) == (tls_state(e->tls) == TLS_FAILED));
        assert(was_open || !tls_is_open(e->tls));
        assert(buffer_len(&e->plain) == 0);
    }
    assert(was_open || !tls_is_open(e->tls));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum tls_role roles[ROLES] = {TLS_HUB, TLS_CLIENT, TLS_PEER_ANSWERS,
                                               TLS_PEER_DIALS};
    if (size < 2 + FUZZ_SIZES)
        return 0;
    enum tls_role role = roles[data[0] % ROLES];
    bool dials = role == TLS_CLIENT || role == TLS_PEER_DIALS;
    enum tls_role other = role == TLS_HUB            ? TLS_CLIENT
                          : role == TLS_CLIENT       ? TLS_HUB
                          : role == TLS_PEER_ANSWERS ? TLS_PEER_DIALS
                                                     : TLS_PEER_ANSWERS;
    struct fuzz_stream s = {.sizes = data + 2,
                            .stream = bytes_make(data + 2 + FUZZ_SIZES, size - 2 - FUZZ_SIZES)};
    struct end own, there;
    open_end(&own, role, 1);
    open_end(&there, other, 2);
    begin(dials ? &own : &there, dials ? &there : &own, data[1] % FLIGHTS);
    feed(&own, s);
    close_end(&own);
    close_end(&there);
    return 0;
}

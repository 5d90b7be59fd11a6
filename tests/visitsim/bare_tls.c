#include "tls/tls.h"

#include <errno.h>
#include <stdlib.h>

/* tls/tls.h without cryptography, for simulations, where the real one costs more than all the
 * rest: an end shows the key it says is its own, and what is said stays readable. It takes the
 * real one's place at linking, below everything that is simulated.
 *
 *     u8 kind   u24 length   payload
 *     HELLO     u8 whether a key is shown, key[32], u8 number[8], protocol, where one is spoken
 *     DATA      bytes
 *     CLOSE     nothing
 *
 * A client's HELLO is answered by a server's. */

enum { CLOSE = 0x15, HELLO = 0x16, DATA = 0x17 };
enum { RECORD_BYTES = 16 * 1024 };
enum { HEAD_BYTES = 4, NUMBER_BYTES = 8, HELLO_BYTES = 1 + PUBLIC_KEY_BYTES + NUMBER_BYTES };

struct tls_config {
    enum tls_role role;
    const struct identity *own;
    const char *const *protocols;
};

struct tls {
    const struct tls_config *config;
    enum tls_state state;
    bool peer_shown;
    struct public_key peer;
    const char *protocol;
    uint8_t numbers[2][NUMBER_BYTES]; /* the client's, the server's */
    struct buffer in;
};

static bool is_server(const struct tls *t)
{
    return t->config->role == TLS_HUB || t->config->role == TLS_PEER_ANSWERS;
}

int tls_config_new(struct tls_config **ret, enum tls_role role, const struct identity *own,
                   const char *const *protocols)
{
    struct tls_config *c = malloc(sizeof *c);
    if (!c)
        return -ENOMEM;
    *c = (struct tls_config){role, own, protocols};
    *ret = c;
    return 0;
}

void tls_config_free(struct tls_config *c)
{
    free(c);
}

/* No two connections have one number: else what is proven on one would hold on another. */
static void number_connection(struct tls *t)
{
    static uint64_t last;
    last++;
    memcpy(t->numbers[is_server(t)], &last, sizeof last);
}

int tls_new(struct tls **ret, const struct tls_config *c)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->config = c;
    buffer_init(&t->in, SIZE_MAX / 4);
    number_connection(t);
    *ret = t;
    return 0;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    buffer_fini(&t->in);
    free(t);
}

static int write_record(struct buffer *out, uint8_t kind, struct bytes payload)
{
    uint8_t head[HEAD_BYTES] = {kind, (uint8_t)(payload.len >> 16), (uint8_t)(payload.len >> 8),
                                (uint8_t)payload.len};
    int r = buffer_append(out, head, sizeof head);
    return r == 0 ? buffer_append_bytes(out, payload) : r;
}

static int write_hello(struct tls *t, const char *protocol, struct buffer *out)
{
    uint8_t hello[HELLO_BYTES + 64] = {t->config->own != NULL};
    size_t n = protocol ? strlen(protocol) : 0;
    if (t->config->own)
        memcpy(hello + 1, identity_key(t->config->own)->bytes, PUBLIC_KEY_BYTES);
    memcpy(hello + 1 + PUBLIC_KEY_BYTES, t->numbers[is_server(t)], NUMBER_BYTES);
    if (n > 0)
        memcpy(hello + HELLO_BYTES, protocol, n);
    return write_record(out, HELLO, bytes_make(hello, HELLO_BYTES + n));
}

int tls_begin(struct tls *t, struct buffer *out)
{
    return write_hello(t, t->config->protocols[0], out);
}

static const char *find_protocol(const struct tls *t, struct bytes name)
{
    for (const char *const *p = t->config->protocols; *p; p++)
        if (bytes_equal_str(name, *p))
            return *p;
    return NULL;
}

static int take_hello(struct tls *t, struct bytes hello, struct buffer *out)
{
    if (t->state != TLS_HANDSHAKE || hello.len < HELLO_BYTES)
        return TLS_BROKEN;
    struct bytes name = bytes_from(hello, HELLO_BYTES);
    t->peer_shown = hello.data[0];
    memcpy(t->peer.bytes, hello.data + 1, PUBLIC_KEY_BYTES);
    memcpy(t->numbers[!is_server(t)], hello.data + 1 + PUBLIC_KEY_BYTES, NUMBER_BYTES);
    t->protocol = find_protocol(t, name);
    bool must_show = t->config->role != TLS_HUB, must_speak = t->config->role > TLS_CLIENT;
    if ((must_show && !t->peer_shown) || ((must_speak || name.len > 0) && !t->protocol))
        return TLS_BROKEN;
    t->state = TLS_OPEN;
    return is_server(t) ? write_hello(t, t->protocol, out) : 0;
}

static int take_record(struct tls *t, uint8_t kind, struct bytes payload, struct buffer *plain,
                       struct buffer *out)
{
    if (kind == HELLO)
        return take_hello(t, payload, out);
    if (t->state != TLS_OPEN)
        return TLS_BROKEN;
    if (kind == DATA)
        return buffer_append_bytes(plain, payload);
    t->state = TLS_OVER;
    return kind == CLOSE ? 0 : TLS_BROKEN;
}

int tls_feed(struct tls *t, struct bytes in, struct buffer *plain, struct buffer *out)
{
    int r = buffer_append_bytes(&t->in, in);
    while (r == 0 && buffer_len(&t->in) >= HEAD_BYTES) {
        struct bytes have = buffer_view(&t->in);
        size_t n = (size_t)have.data[1] << 16 | (size_t)have.data[2] << 8 | have.data[3];
        if (have.len < HEAD_BYTES + n)
            return 0;
        r = take_record(t, have.data[0], bytes_first(bytes_from(have, HEAD_BYTES), n), plain,
                        out);
        buffer_consume(&t->in, HEAD_BYTES + n);
    }
    if (buffer_len(&t->in) == 0)
        buffer_release(&t->in);
    if (r != 0)
        t->state = TLS_FAILED;
    return r;
}

int tls_write(struct tls *t, struct bytes plain, struct buffer *out)
{
    int r = 0;
    while (r == 0 && plain.len > 0) {
        size_t n = plain.len < RECORD_BYTES ? plain.len : RECORD_BYTES;
        r = write_record(out, DATA, bytes_first(plain, n));
        plain = bytes_from(plain, n);
    }
    return r;
}

int tls_close(struct tls *t, struct buffer *out)
{
    return write_record(out, CLOSE, bytes_make(NULL, 0));
}

enum tls_state tls_state(const struct tls *t)
{
    return t->state;
}

const char *tls_problem(const struct tls *t)
{
    return "a broken handshake";
}

const struct public_key *tls_peer(const struct tls *t)
{
    return t->peer_shown ? &t->peer : NULL;
}

const char *tls_protocol(const struct tls *t)
{
    return t->protocol;
}

int tls_export(struct tls *t, const char *label, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = t->numbers[i % 2][i / 2 % NUMBER_BYTES];
    return 0;
}

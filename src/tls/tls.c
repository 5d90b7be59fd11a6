#include "tls/tls.h"

#include "tls/identity_openssl.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROTOCOLS = 4,
    RECORD_BYTES = 16 * 1024,
};

/* So much a key encrypts until it is renewed: 2^22 records, far below the 2^24.5 that RFC 8446,
 * section 5.5, allows. */
#define KEY_BYTES_MAX ((uint64_t)64 * 1024 * 1024 * 1024)

struct tls_config {
    SSL_CTX *context;
    BIO_METHOD *method;
    enum tls_role role;
    const char *protocols[PROTOCOLS];
    uint8_t offered[256]; /* protocols as ALPN has them: length, name, ... */
    unsigned offered_len;
};

struct tls {
    SSL *ssl;
    enum tls_state state;
    const struct tls_config *config;
    const char *problem;
    struct bytes in;    /* during a call: what is left of what was fed */
    struct buffer *out; /* during a call: where to write */
    int out_error;      /* why something could not be written there */
    uint64_t written;   /* since the last renewal of the key */
    struct public_key peer;
    bool has_peer;
};

/* ---- the BIO ---- */

static int bio_read(BIO *b, char *to, size_t n, size_t *ret_read)
{
    struct tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (t->in.len == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    if (n > t->in.len)
        n = t->in.len;
    memcpy(to, t->in.data, n);
    t->in = bytes_from(t->in, n);
    *ret_read = n;
    return 1;
}

static int bio_write(BIO *b, const char *from, size_t n, size_t *ret_written)
{
    struct tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    t->out_error = buffer_append(t->out, from, n);
    if (t->out_error != 0)
        return 0;
    *ret_written = n;
    return 1;
}

static long bio_control(BIO *b, int command, long number, void *pointer)
{
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kith");
    if (m && BIO_meth_set_read_ex(m, bio_read) && BIO_meth_set_write_ex(m, bio_write) &&
        BIO_meth_set_ctrl(m, bio_control))
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* ---- what the other end may show ---- */

/* The one certificate's key, where it is of the kind we know. */
static bool read_key(X509_STORE_CTX *store, struct public_key *ret)
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
    size_t n = sizeof ret->bytes;
    return sk_X509_num(sent) <= 1 && key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
           EVP_PKEY_get_raw_public_key(key, ret->bytes, &n) == 1 && n == sizeof ret->bytes;
}

/* In place of OpenSSL's search for a chain of trust: who it is decides, and the caller knows.
 */
static int take_certificate(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *t = SSL_get_app_data(ssl);
    t->has_peer = read_key(store, &t->peer);
    if (t->has_peer)
        return 1;
    t->problem = "the certificate is not a single one of an Ed25519 key";
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned offered_len, void *context)
{
    const struct tls_config *c = context;
    unsigned char *chosen;
    int r = SSL_select_next_proto(&chosen, ret_len, c->offered, c->offered_len, offered,
                                  offered_len);
    *ret = chosen;
    return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- the config ---- */

static bool is_server(enum tls_role role)
{
    return role == TLS_HUB || role == TLS_PEER_ANSWERS;
}

static bool set_identity(SSL_CTX *context, const struct identity *own)
{
    return !own || (SSL_CTX_use_certificate(context, own->certificate) == 1 &&
                    SSL_CTX_use_PrivateKey(context, own->key) == 1);
}

static bool set_protocols(struct tls_config *c, const char *const *protocols)
{
    for (size_t i = 0; protocols[i]; i++) {
        size_t len = strlen(protocols[i]);
        if (i == PROTOCOLS || c->offered_len + 1 + len > sizeof c->offered)
            return false;
        c->protocols[i] = protocols[i];
        c->offered[c->offered_len++] = (uint8_t)len;
        memcpy(c->offered + c->offered_len, protocols[i], len);
        c->offered_len += (unsigned)len;
    }
    if (is_server(c->role))
        SSL_CTX_set_alpn_select_cb(c->context, choose_protocol, c);
    else if (c->offered_len > 0)
        return SSL_CTX_set_alpn_protos(c->context, c->offered, c->offered_len) == 0;
    return true;
}

static bool set_up(struct tls_config *c, const struct identity *own,
                   const char *const *protocols)
{
    SSL_CTX *context = c->context;
    if (!context || !c->method || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION))
        return false;
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    int verify = SSL_VERIFY_PEER;
    if (c->role == TLS_PEER_ANSWERS)
        verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, verify, NULL);
    SSL_CTX_set_cert_verify_callback(context, take_certificate, NULL);
    return set_identity(context, own) && set_protocols(c, protocols);
}

int tls_config_new(struct tls_config **ret, enum tls_role role, const struct identity *own,
                   const char *const *protocols)
{
    struct tls_config *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->role = role;
    c->context = SSL_CTX_new(is_server(role) ? TLS_server_method() : TLS_client_method());
    c->method = make_method();
    if (!set_up(c, own, protocols)) {
        tls_config_free(c);
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

void tls_config_free(struct tls_config *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->context);
    BIO_meth_free(c->method);
    free(c);
}

/* ---- a connection ---- */

int tls_new(struct tls **ret, const struct tls_config *c)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->config = c;
    t->ssl = SSL_new(c->context);
    BIO *b = t->ssl ? BIO_new(c->method) : NULL;
    if (!b) {
        tls_free(t);
        return -ENOMEM;
    }
    BIO_set_data(b, t);
    BIO_set_init(b, 1);
    SSL_set_bio(t->ssl, b, b);
    SSL_set_app_data(t->ssl, t);
    if (is_server(c->role))
        SSL_set_accept_state(t->ssl);
    else
        SSL_set_connect_state(t->ssl);
    *ret = t;
    return 0;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

static void begin_call(struct tls *t, struct bytes in, struct buffer *out)
{
    ERR_clear_error();
    t->in = in;
    t->out = out;
    t->out_error = 0;
}

static int fail(struct tls *t, int result, const char *problem)
{
    t->state = TLS_FAILED;
    if (!t->problem)
        t->problem = problem;
    return result;
}

/* What follows from a call of OpenSSL that did not succeed; 0 where it only wants more. */
static int judge(struct tls *t, int result)
{
    if (t->out_error != 0)
        return fail(t, t->out_error, "no room for what is to be sent");
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        t->state = TLS_OVER;
        return 0;
    default: {
        unsigned long error = ERR_peek_last_error();
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
            return fail(t, -ENOMEM, "out of memory");
        const char *words = ERR_reason_error_string(error);
        return fail(t, TLS_BROKEN, words ? words : "the connection was broken off");
    }
    }
}

/* Who has protocols to offer insists on one of them; only a hub also takes who asks for none.
 */
static int open_up(struct tls *t)
{
    t->state = TLS_OPEN;
    bool needs_protocol = t->config->role != TLS_HUB && t->config->offered_len > 0;
    if (needs_protocol && !tls_protocol(t))
        return fail(t, TLS_BROKEN, "the other end speaks another protocol");
    return 0;
}

static int shake_hands(struct tls *t)
{
    int r = SSL_do_handshake(t->ssl);
    return r == 1 ? open_up(t) : judge(t, r);
}

int tls_begin(struct tls *t, struct buffer *out)
{
    begin_call(t, bytes_make(NULL, 0), out);
    return shake_hands(t);
}

static int read_plain(struct tls *t, struct buffer *plain)
{
    while (t->state == TLS_OPEN) {
        uint8_t *space;
        size_t n;
        int r = buffer_reserve(plain, RECORD_BYTES, &space);
        if (r != 0)
            return fail(t, r, "no room for what has come");
        r = SSL_read_ex(t->ssl, space, RECORD_BYTES, &n);
        if (r != 1)
            return judge(t, r);
        buffer_wrote(plain, n);
    }
    return 0;
}

int tls_feed(struct tls *t, struct bytes in, struct buffer *plain, struct buffer *out)
{
    begin_call(t, in, out);
    int r = t->state == TLS_HANDSHAKE ? shake_hands(t) : 0;
    return r == 0 ? read_plain(t, plain) : r;
}

static int write_piece(struct tls *t, struct bytes piece)
{
    size_t n;
    int r = SSL_write_ex(t->ssl, piece.data, piece.len, &n);
    t->written += piece.len;
    if (r == 1)
        return 0;
    r = judge(t, r);
    return r != 0 ? r : fail(t, TLS_BROKEN, "the other end asks to be heard first");
}

int tls_write(struct tls *t, struct bytes plain, struct buffer *out)
{
    begin_call(t, bytes_make(NULL, 0), out);
    int r = 0;
    while (r == 0 && plain.len > 0) {
        if (t->written >= KEY_BYTES_MAX &&
            SSL_key_update(t->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
            t->written = 0;
        size_t n = plain.len < RECORD_BYTES ? plain.len : RECORD_BYTES;
        r = write_piece(t, bytes_first(plain, n));
        plain = bytes_from(plain, n);
    }
    return r;
}

int tls_close(struct tls *t, struct buffer *out)
{
    if (t->state != TLS_OPEN && t->state != TLS_OVER)
        return 0;
    begin_call(t, bytes_make(NULL, 0), out);
    int r = SSL_shutdown(t->ssl);
    return r < 0 ? judge(t, r) : 0;
}

enum tls_state tls_state(const struct tls *t)
{
    return t->state;
}

const char *tls_problem(const struct tls *t)
{
    return t->problem;
}

const struct public_key *tls_peer(const struct tls *t)
{
    return t->has_peer && t->state != TLS_HANDSHAKE ? &t->peer : NULL;
}

const char *tls_protocol(const struct tls *t)
{
    const unsigned char *name;
    unsigned len;
    SSL_get0_alpn_selected(t->ssl, &name, &len);
    for (size_t i = 0; i < PROTOCOLS && t->config->protocols[i]; i++) {
        const char *protocol = t->config->protocols[i];
        if (len == strlen(protocol) && memcmp(protocol, name, len) == 0)
            return protocol;
    }
    return NULL;
}

int tls_export(struct tls *t, const char *label, uint8_t *to, size_t n)
{
    return SSL_export_keying_material(t->ssl, to, n, label, strlen(label), NULL, 0, 0) == 1
               ? 0
               : fail(t, TLS_BROKEN, "no key material");
}

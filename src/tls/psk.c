#include "tls/psk.h"

#include <errno.h>

/* TLS_AES_128_GCM_SHA256 (RFC 8446, appendix B.4). */
static const uint8_t cipher_id[2] = {0x13, 0x01};
static const char cipher_name[] = "TLS_AES_128_GCM_SHA256";

/* The key as OpenSSL wants it: as if a session of before were resumed. NULL: out of memory. */
static SSL_SESSION *make_session(SSL *ssl, const struct psk *p)
{
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, cipher_id);
    SSL_SESSION *s = SSL_SESSION_new();
    if (s && cipher && SSL_SESSION_set1_master_key(s, p->key, sizeof p->key) == 1 &&
        SSL_SESSION_set_cipher(s, cipher) == 1 &&
        SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION) == 1)
        return s;
    SSL_SESSION_free(s);
    return NULL;
}

static int use(SSL *ssl, const EVP_MD *digest, const unsigned char **ret_id, size_t *ret_len,
               SSL_SESSION **ret)
{
    const struct psk *p = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    *ret = make_session(ssl, p);
    *ret_id = p->id.bytes;
    *ret_len = sizeof p->id.bytes;
    return *ret != NULL;
}

/* Of another name there is no key here: without one, and without a certificate, the handshake
 * fails. */
static int find(SSL *ssl, const unsigned char *id, size_t len, SSL_SESSION **ret)
{
    const struct psk *p = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    *ret = NULL;
    if (!bytes_equal(bytes_make(id, len), bytes_make(p->id.bytes, sizeof p->id.bytes)))
        return 1;
    *ret = make_session(ssl, p);
    return *ret != NULL;
}

/* Who shows a certificate has not shown that he has the key. */
static int refuse_certificate(X509_STORE_CTX *store, void *unused)
{
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static bool set_up(SSL_CTX *c, struct psk *p, bool answers)
{
    if (!SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) ||
        SSL_CTX_set_ciphersuites(c, cipher_name) != 1)
        return false;
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(c, 0);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_app_data(c, p);
    if (answers) {
        SSL_CTX_set_psk_find_session_callback(c, find);
        return true;
    }
    SSL_CTX_set_psk_use_session_callback(c, use);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(c, refuse_certificate, NULL);
    return true;
}

int psk_context(SSL_CTX **ret, struct psk *p, bool answers)
{
    SSL_CTX *c = SSL_CTX_new(answers ? TLS_server_method() : TLS_client_method());
    if (!c || !set_up(c, p, answers)) {
        SSL_CTX_free(c);
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

void psk_wipe(struct psk *p)
{
    OPENSSL_cleanse(p->key, sizeof p->key);
}

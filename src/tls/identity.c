#include "tls/identity_openssl.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 5280, section 4.1.2.5: this date says that there is no end. */
static const char always[] = "20000101000000Z", for_ever[] = "99991231235959Z";

static bool set_dates(X509 *c)
{
    return ASN1_TIME_set_string_X509(X509_getm_notBefore(c), always) &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(c), for_ever);
}

/* The first half of the fingerprint: always the same, and no other key's. A serial number is
 * positive (RFC 5280, section 4.1.2.2); the second bit keeps it from being zero. */
static bool set_serial(X509 *c, const struct fingerprint *f)
{
    uint8_t bytes[FINGERPRINT_BYTES / 2];
    memcpy(bytes, f->bytes, sizeof bytes);
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c));
    BN_free(n);
    return ok;
}

static bool set_subject(X509 *c)
{
    X509_NAME *name = X509_get_subject_name(c);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"kith",
                                      -1, -1, 0) &&
           X509_set_issuer_name(c, name);
}

static bool add_extension(X509 *c, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, c, c, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = e && X509_add_ext(c, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

static bool is_host_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t len = strlen(name);
    return len > 0 && len < 254 && strspn(name, allowed) == len;
}

/* Takes the value, whatever becomes of it. */
static bool push_name(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
    GENERAL_NAME *n = GENERAL_NAME_new();
    if (!n) {
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(n, type, value);
    if (sk_GENERAL_NAME_push(names, n) > 0)
        return true;
    GENERAL_NAME_free(n);
    return false;
}

/* An address, or a host's name; what is neither is passed over. */
static bool add_name(GENERAL_NAMES *names, const char *name)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    if (address)
        return push_name(names, GEN_IPADD, address);
    if (!is_host_name(name))
        return true;
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (text && ASN1_STRING_set(text, name, -1))
        return push_name(names, GEN_DNS, text);
    ASN1_STRING_free(text);
    return false;
}

static bool add_names(X509 *c, const char *const *names, size_t n)
{
    GENERAL_NAMES *all = GENERAL_NAMES_new();
    bool ok = all != NULL;
    for (size_t i = 0; i < n && i < IDENTITY_NAMES && ok; i++)
        ok = add_name(all, names[i]);
    if (ok && sk_GENERAL_NAME_num(all) > 0)
        ok = X509_add1_ext_i2d(c, NID_subject_alt_name, all, 0, 0) == 1;
    GENERAL_NAMES_free(all);
    return ok;
}

static bool make_certificate(struct identity *i, const char *const *names, size_t n)
{
    X509 *c = i->certificate = X509_new();
    return c && X509_set_version(c, X509_VERSION_3) && set_dates(c) &&
           set_serial(c, &i->fingerprint) && set_subject(c) && X509_set_pubkey(c, i->key) &&
           add_extension(c, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(c, NID_key_usage, "critical,digitalSignature") &&
           add_extension(c, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add_extension(c, NID_subject_key_identifier, "hash") && add_names(c, names, n) &&
           X509_sign(c, i->key, NULL) > 0;
}

int identity_new(struct identity **ret, const uint8_t seed[IDENTITY_SEED_BYTES],
                 const char *const *names, size_t name_count)
{
    struct identity *i = calloc(1, sizeof *i);
    if (!i)
        return -ENOMEM;
    size_t n = PUBLIC_KEY_BYTES;
    i->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, IDENTITY_SEED_BYTES);
    bool ok = i->key && EVP_PKEY_get_raw_public_key(i->key, i->public_key.bytes, &n) == 1;
    if (ok) {
        i->fingerprint = fingerprint_of(&i->public_key);
        ok = make_certificate(i, names, name_count);
    }
    if (!ok) {
        identity_free(i);
        return -ENOMEM;
    }
    *ret = i;
    return 0;
}

void identity_free(struct identity *i)
{
    if (!i)
        return;
    X509_free(i->certificate);
    EVP_PKEY_free(i->key);
    free(i);
}

const struct public_key *identity_key(const struct identity *i)
{
    return &i->public_key;
}

const struct fingerprint *identity_fingerprint(const struct identity *i)
{
    return &i->fingerprint;
}

int identity_certificate(const struct identity *i, struct buffer *out)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *text;
    int r = -ENOMEM;
    if (memory && PEM_write_bio_X509(memory, i->certificate)) {
        long n = BIO_get_mem_data(memory, &text);
        r = buffer_append(out, text, (size_t)n);
    }
    BIO_free(memory);
    return r;
}

#include "tls/identity_openssl.h"

#include "unit.h"

#include <openssl/x509v3.h>

static const char *const names[] = {"localhost", "127.0.0.1", "::1", "no name", "a.example"};
static const uint8_t seed[IDENTITY_SEED_BYTES] = {1, 2, 3};

static void test_an_identity_is_always_the_same(void **state)
{
    struct identity *a, *b;
    struct buffer first, second;
    buffer_init(&first, 10000);
    buffer_init(&second, 10000);
    assert_int_equal(identity_new(&a, seed, names, COUNT_OF(names)), 0);
    assert_int_equal(identity_new(&b, seed, names, COUNT_OF(names)), 0);
    assert_int_equal(identity_certificate(a, &first), 0);
    assert_int_equal(identity_certificate(b, &second), 0);
    assert_bytes(buffer_view(&first), buffer_view(&second));
    identity_free(a);
    identity_free(b);
    buffer_fini(&first);
    buffer_fini(&second);
}

static void test_a_certificate_names_its_hub(void **state)
{
    struct identity *i;
    assert_int_equal(identity_new(&i, seed, names, COUNT_OF(names)), 0);
    assert_int_equal(X509_check_host(i->certificate, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(i->certificate, "a.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(i->certificate, "b.example", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(i->certificate, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(i->certificate, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(i->certificate, "127.0.0.2", 0), 0);
    assert_int_equal(X509_verify(i->certificate, i->key), 1);
    identity_free(i);
}

/* As OpenSSL would have it. */
static void test_a_fingerprint_is_of_the_public_key(void **state)
{
    struct identity *i;
    assert_int_equal(identity_new(&i, seed, NULL, 0), 0);
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(i->key, &der);
    uint8_t digest[FINGERPRINT_BYTES];
    assert_int_equal(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(digest, identity_fingerprint(i)->bytes, sizeof digest);
    OPENSSL_free(der);
    identity_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_identity_is_always_the_same),
        cmocka_unit_test(test_a_certificate_names_its_hub),
        cmocka_unit_test(test_a_fingerprint_is_of_the_public_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "client/device_list.h"

#include "base/limits.h"

enum { FINGERPRINT = 1, KEY, LABEL, SINCE, SIGNER, SIGNATURE, VALUES }; /* behind the head */

static bool read_key(const struct resp_value *v, struct device *d)
{
    struct fingerprint said, own;
    if (v[KEY].kind != RESP_BULK || v[KEY].text.len != PUBLIC_KEY_BYTES ||
        v[FINGERPRINT].kind != RESP_BULK || !fingerprint_read(v[FINGERPRINT].text, &said))
        return false;
    memcpy(d->key.bytes, v[KEY].text.data, PUBLIC_KEY_BYTES);
    own = fingerprint_of(&d->key);
    return fingerprint_equal(&said, &own);
}

static bool read_label(const struct resp_value *v, struct device *d)
{
    if (v[LABEL].kind != RESP_BULK || !device_label_is_valid(v[LABEL].text) ||
        v[SINCE].kind != RESP_INTEGER || v[SINCE].number < 0 ||
        v[SINCE].number > INT64_MAX / 1000)
        return false;
    if (v[LABEL].text.len > 0)
        memcpy(d->label, v[LABEL].text.data, v[LABEL].text.len);
    d->since.ms = v[SINCE].number * 1000;
    return true;
}

static bool read_signature(const struct resp_value *v, struct device *d)
{
    if (v[SIGNER].kind == RESP_NULL && v[SIGNATURE].kind == RESP_NULL)
        return true;
    if (v[SIGNER].kind != RESP_BULK || v[SIGNATURE].kind != RESP_BULK ||
        v[SIGNATURE].text.len != SIGNATURE_BYTES ||
        !fingerprint_read(v[SIGNER].text, &d->signer))
        return false;
    memcpy(d->signature.bytes, v[SIGNATURE].text.data, SIGNATURE_BYTES);
    d->is_signed = true;
    d->is_signed = device_has_word(d); /* its own is none */
    return true;
}

static bool read_device(const struct resp_value *v, struct device *d)
{
    *d = (struct device){.is_signed = false};
    return v->kind == RESP_ARRAY && v->number == VALUES - 1 && read_key(v, d) &&
           read_label(v, d) && read_signature(v, d);
}

bool device_list_read(const struct resp_value *values, size_t count, struct device *ret,
                      size_t *ret_n)
{
    if (count < 1 || values->kind != RESP_ARRAY || values->number < 0 ||
        values->number > (int64_t)LIMIT_ACCOUNT_DEVICES ||
        count - 1 != (size_t)values->number * VALUES)
        return false;
    for (size_t i = 0; i < (size_t)values->number; i++) {
        if (!read_device(&values[1 + i * VALUES], &ret[i]))
            return false;
    }
    *ret_n = (size_t)values->number;
    return true;
}

bool device_list_is_unsigned(const struct device *devices, size_t n,
                             const struct public_key *key)
{
    for (size_t i = 1; i < n; i++)
        if (memcmp(&devices[i].key, key, sizeof *key) == 0)
            return !devices[i].is_signed;
    return false;
}

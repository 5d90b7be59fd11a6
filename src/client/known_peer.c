#include "client/known_peer.h"

static const char *const words[] = {
    [KNOWN_DOUBTED] = "doubted", [KNOWN_MET] = "met",     [KNOWN_SIGNED] = "signed",
    [KNOWN_VOUCHED] = "vouched", [KNOWN_WORDS] = "words",
};

const char *known_how_word(enum known_how how)
{
    return words[how];
}

bool known_how_read(struct bytes word, enum known_how *ret)
{
    for (enum known_how how = KNOWN_DOUBTED; how <= KNOWN_WORDS; how++) {
        if (bytes_equal_str(word, words[how])) {
            *ret = how;
            return true;
        }
    }
    return false;
}

const struct known_device *known_peer_device(const struct known_peer *p,
                                             const struct fingerprint *print)
{
    for (size_t i = 0; i < p->count; i++) {
        if (fingerprint_equal(&p->devices[i].print, print))
            return &p->devices[i];
    }
    return NULL;
}

bool known_peer_is_verified(const struct known_peer *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (known_how_is_verified(p->devices[i].how))
            return true;
    }
    return false;
}

/* ---- vouching ---- */

/* The hub's list, without those that are doubted; and the known ones that it leaves out, so
 * that what a device has signed counts after it has left the account. */
struct chain {
    struct device devices[LIMIT_ACCOUNT_DEVICES + LIMIT_KNOWN_DEVICES];
    size_t count;
};

static bool has(const struct chain *c, const struct public_key *key)
{
    for (size_t i = 0; i < c->count; i++) {
        if (memcmp(&c->devices[i].key, key, sizeof *key) == 0)
            return true;
    }
    return false;
}

static bool is_doubted(const struct known_peer *p, const struct public_key *key)
{
    struct fingerprint print = fingerprint_of(key);
    const struct known_device *d = known_peer_device(p, &print);
    return d && d->how == KNOWN_DOUBTED;
}

static void gather(struct chain *c, const struct known_peer *p, const struct device *devices,
                   size_t n)
{
    c->count = 0;
    for (size_t i = 0; i < n && i < LIMIT_ACCOUNT_DEVICES; i++) {
        if (!is_doubted(p, &devices[i].key))
            c->devices[c->count++] = devices[i];
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct known_device *d = &p->devices[i];
        if (d->has_key && d->how != KNOWN_DOUBTED && !has(c, &d->key))
            c->devices[c->count++] = (struct device){.key = d->key};
    }
}

/* The best word there is for it; DOUBTED where there is none. In the chain nobody is doubted.
 */
static enum known_how find_word(const struct known_peer *p, struct bytes name,
                                const struct public_key *key, const struct chain *c)
{
    enum known_how best = KNOWN_DOUBTED;
    for (size_t i = 0; i < p->count; i++) {
        const struct known_device *d = &p->devices[i];
        enum known_how how = known_how_is_verified(d->how) ? KNOWN_VOUCHED : KNOWN_SIGNED;
        if (how > best && device_is_believed(name, c->devices, c->count, &d->print, key))
            best = how;
    }
    return best;
}

/* An older kith did not remember keys. */
static enum known_verdict judge_known(const struct known_device *known,
                                      const struct public_key *key, struct known_device *ret)
{
    *ret = *known;
    ret->has_key = true;
    ret->key = *key;
    if (known->how == KNOWN_DOUBTED)
        return KNOWN_REFUSED;
    return known->has_key ? KNOWN_BELIEVED : KNOWN_NEW;
}

enum known_verdict known_peer_judge(const struct known_peer *p, struct bytes name,
                                    const struct public_key *key, const struct device *devices,
                                    size_t n, struct walltime now, struct known_device *ret)
{
    struct known_device found = {.print = fingerprint_of(key),
                                 .how = KNOWN_MET,
                                 .since = now,
                                 .has_key = true,
                                 .key = *key};
    const struct known_device *known = known_peer_device(p, &found.print);
    struct chain chain;
    if (known)
        return judge_known(known, key, ret);
    if (p->count > 0 && !devices)
        return KNOWN_UNSURE;
    if (p->count > 0) {
        gather(&chain, p, devices, n);
        found.how = find_word(p, name, key, &chain);
    }
    if (found.how == KNOWN_DOUBTED ||
        (known_peer_is_verified(p) && !known_how_is_verified(found.how)))
        return KNOWN_STRANGE;
    if (p->count == LIMIT_KNOWN_DEVICES)
        return KNOWN_TOO_MANY;
    *ret = found;
    return KNOWN_NEW;
}

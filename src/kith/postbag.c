#include "kith/postbag.h"

#include "client/letters_seen.h"
#include "io/entropy.h"
#include "io/problem.h"
#include "kith/peer_trust.h"
#include "kith/trust.h"
#include "people/account_name.h"

#include <stdio.h>

#define SEEN_FILE "letters_seen"
#define LOCK_FILE "letters_seen.lock"

/* ---- whose devices ---- */

static int judge(struct postbag *b, struct bytes name, const struct fingerprint *print)
{
    char why[PEER_TRUST_BYTES], text[ACCOUNT_NAME_BYTES + 1];
    snprintf(text, sizeof text, "%.*s", (int)name.len, (const char *)name.data);
    return peer_trust(b->session, text, print, why);
}

static bool is_vouched_for(struct postbag *b, struct bytes name, const struct public_key *key,
                           const struct device *devices, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct fingerprint known = fingerprint_of(&devices[i].key);
        if (judge(b, name, &known) == EXIT_DONE &&
            device_is_believed(name, devices, n, &known, key))
            return true;
    }
    return false;
}

static enum post_trust trust(void *ctx, struct bytes name, const struct public_key *key,
                             const struct device *devices, size_t n)
{
    struct fingerprint print = fingerprint_of(key);
    int code = judge(ctx, name, &print);
    if (code == EXIT_DONE)
        return POST_BELIEVED;
    if (code != EXIT_CHANGED)
        return POST_STRANGE;
    if (!devices)
        return POST_UNSURE;
    return is_vouched_for(ctx, name, key, devices, n) ? POST_BELIEVED : POST_STRANGE;
}

/* ---- letters that were shown ---- */

static bool recall(void *ctx, struct buffer *seen)
{
    struct postbag *b = ctx;
    b->lock = profile_try_lock(&b->profile, LOCK_FILE);
    if (b->lock < 0)
        return false;
    if (profile_read(&b->profile, SEEN_FILE, seen) != 0)
        buffer_truncate(seen, 0); /* it is more than we write: not ours, or damaged */
    return true;
}

static bool remember(void *ctx, struct bytes seen, bool changed)
{
    struct postbag *b = ctx;
    int r = changed ? profile_write(&b->profile, SEEN_FILE, seen) : 0;
    profile_unlock(b->lock);
    b->lock = -1;
    return r == 0;
}

const struct post_keep postbag_keep = {trust, recall, remember};

/* ---- opening ---- */

int postbag_open(struct postbag *b, struct session *s, uint8_t seed[PEER_LETTER_SEED_BYTES],
                 uint8_t entropy[CHANCE_SEED_BYTES])
{
    *b = (struct postbag){.session = s, .profile.fd = -1, .lock = -1};
    int code = trust_seed(s, seed);
    if (code != EXIT_DONE)
        return code;
    int r = profile_open(&b->profile, trust_profile(s));
    if (r == 0)
        r = entropy_fill(entropy, CHANCE_SEED_BYTES);
    return r == 0 ? EXIT_DONE
                  : session_fail(s, EXIT_NO, "cannot use the profile for letters%s%s",
                                 r < 0 ? ": " : "", r < 0 ? problem_text(r) : "");
}

void postbag_close(struct postbag *b)
{
    if (b->session)
        profile_close(&b->profile);
}

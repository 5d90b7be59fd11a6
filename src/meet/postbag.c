#include "meet/postbag.h"

#include "client/letters_seen.h"
#include "io/entropy.h"
#include "io/problem.h"
#include "meet/peer_trust.h"
#include "people/account_name.h"

#include <errno.h>
#include <stdio.h>

#define SEEN_FILE "letters_seen"
#define LOCK_FILE "letters_seen.lock"

/* ---- whose devices ---- */

static enum post_trust trust(void *ctx, struct bytes name, const struct public_key *key,
                             const struct device *devices, size_t n)
{
    struct postbag *b = ctx;
    char text[ACCOUNT_NAME_BYTES + 1];
    struct peer_trust t = {.unsure = false};
    snprintf(text, sizeof text, "%.*s", (int)name.len, (const char *)name.data);
    enum trouble_kind kind = peer_trust(b->self, text, key, devices, n, &t, &b->why);
    if (kind != TROUBLE_NONE)
        return kind == TROUBLE_CHANGED ? POST_STRANGE : POST_UNREAD;
    return t.unsure ? POST_UNSURE : POST_BELIEVED;
}

static struct bytes why(void *ctx)
{
    const struct postbag *b = ctx;
    return bytes_from_str(b->why.words);
}

/* ---- letters that were shown ---- */

static bool recall(void *ctx, struct buffer *seen)
{
    struct postbag *b = ctx;
    b->lock = profile_try_lock(&b->profile, LOCK_FILE);
    if (b->lock == -EWOULDBLOCK)
        return false; /* what else is wrong shows when something is to be remembered */
    if (profile_read(&b->profile, SEEN_FILE, seen) != 0)
        buffer_truncate(seen, 0); /* it is more than we write: not ours, or damaged */
    return true;
}

static bool remember(void *ctx, struct bytes seen, bool changed)
{
    struct postbag *b = ctx;
    int r = changed ? profile_write(&b->profile, SEEN_FILE, seen) : 0;
    if (b->lock >= 0)
        profile_unlock(b->lock);
    b->lock = -1;
    return r == 0;
}

/* What cannot be kept is said when something is said, not here. */
static void record(void *ctx, struct bytes other, const struct said *said)
{
    struct postbag *b = ctx;
    if (b->chronicle)
        chronicle_append(b->chronicle, other, said);
}

const struct post_keep postbag_keep = {trust, why, recall, remember, record};

/* ---- opening ---- */

enum trouble_kind postbag_open(struct postbag *b, const struct self *self,
                               uint8_t seed[PEER_LETTER_SEED_BYTES],
                               uint8_t entropy[CHANCE_SEED_BYTES], struct trouble *ret)
{
    *b =
        (struct postbag){.self = self, .profile.fd = -1, .lock = -1, .chronicle = b->chronicle};
    if (self_seed(self, seed, ret) != TROUBLE_NONE)
        return ret->kind;
    int r = profile_open(&b->profile, self->profile);
    if (r == 0)
        r = entropy_fill(entropy, CHANCE_SEED_BYTES);
    if (r == 0)
        return TROUBLE_NONE;
    return trouble_set(ret, TROUBLE_FAILED, "cannot use the profile for letters%s%s",
                       r < 0 ? ": " : "", r < 0 ? problem_text(r) : "");
}

void postbag_close(struct postbag *b)
{
    if (b->self)
        profile_close(&b->profile);
}

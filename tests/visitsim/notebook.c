#include "notebook.h"

#include "client/known_peers.h"
#include "world.h"

#include <stdlib.h>

_Static_assert((int)NOTEBOOK_ACCOUNTS == (int)WORLD_ACCOUNTS, "each has a page");

/* ---- the judge's own rules ---- */

bool notebook_believes(const struct notebook *b, size_t account, size_t key)
{
    return b->of[account].believed & 1u << key;
}

bool notebook_doubts(const struct notebook *b, size_t account, size_t key)
{
    return b->of[account].doubted & 1u << key;
}

bool notebook_knows_nobody(const struct notebook *b, size_t account)
{
    return b->of[account].believed == 0 && b->of[account].doubted == 0;
}

/* Of who is verified, only a verified device's word counts. An account has two devices: there
 * are no chains of words. */
static bool other_is_trusted(const struct notebook *b, size_t account, size_t key)
{
    unsigned verified = b->of[account].verified;
    unsigned trusted = verified ? verified : b->of[account].believed;
    return key < WORLD_DEVICES && trusted & 1u << world_sibling(key);
}

bool notebook_must_believe(const struct notebook *b, size_t account, size_t key)
{
    if (notebook_doubts(b, account, key))
        return false;
    return notebook_believes(b, account, key) ||
           (b->world->sign_kept[key] && other_is_trusted(b, account, key));
}

static bool may_believe(const struct notebook *b, size_t account, size_t key)
{
    if (notebook_doubts(b, account, key))
        return false;
    return notebook_believes(b, account, key) || notebook_knows_nobody(b, account) ||
           (b->world->sign_asked[key] && other_is_trusted(b, account, key));
}

static void judge_belief(struct notebook *b, size_t account, size_t key)
{
    unsigned bit = 1u << key, verified = b->of[account].verified;
    CHECK(b->world, may_believe(b, account, key), "device %zu believes key %zu to be %s's",
          b->device, key, world_name(account));
    if (!(b->of[account].believed & bit) && verified)
        b->of[account].verified |= bit;
    b->of[account].believed |= bit;
}

static void judge_disbelief(const struct notebook *b, size_t account, size_t key)
{
    bool known = notebook_believes(b, account, key) || notebook_knows_nobody(b, account);
    CHECK(b->world, !known, "device %zu does not believe key %zu to be %s's", b->device, key,
          world_name(account));
}

/* ---- what is written down ---- */

static struct known_name name_of(const struct notebook *b, struct bytes name)
{
    return (struct known_name){.name = name, .hub = bytes_from_str(b->world->hub_print)};
}

static void change(struct notebook *b, const struct known_name *who,
                   const struct known_device *device)
{
    struct buffer changed;
    struct bytes text = buffer_view(&b->known);
    buffer_init(&changed, SIZE_MAX / 4);
    int r = device ? known_peers_set(text, who, device, &changed)
                   : known_peers_forget(text, who, &changed);
    if (r != 0)
        abort();
    buffer_fini(&b->known);
    b->known = changed;
}

enum post_trust notebook_trust(struct notebook *b, struct bytes name,
                               const struct public_key *key, const struct device *devices,
                               size_t n)
{
    struct world *w = b->world;
    struct known_name who = name_of(b, name);
    struct known_peer known;
    struct known_device device;
    size_t line, account = world_account(w, name), number = world_key(w, key);
    if (known_peers_find(buffer_view(&b->known), &who, &known, &line) != 0)
        trace_fail(&w->trace, "what is known of people is damaged");
    enum known_verdict verdict =
        known_peer_judge(&known, name, key, devices, n, world_wall(w), &device);
    if (verdict == KNOWN_NEW)
        change(b, &who, &device);
    if (verdict == KNOWN_NEW || verdict == KNOWN_BELIEVED) {
        judge_belief(b, account, number);
        return POST_BELIEVED;
    }
    judge_disbelief(b, account, number);
    return verdict == KNOWN_UNSURE ? POST_UNSURE : POST_STRANGE;
}

void notebook_words(struct notebook *b, struct bytes name, const struct public_key *key,
                    bool same)
{
    struct known_name who = name_of(b, name);
    size_t account = world_account(b->world, name);
    unsigned bit = 1u << world_key(b->world, key);
    struct known_device device = {.print = fingerprint_of(key),
                                  .how = same ? KNOWN_WORDS : KNOWN_DOUBTED,
                                  .since = world_wall(b->world),
                                  .has_key = true,
                                  .key = *key};
    change(b, &who, &device);
    if (same) {
        b->of[account].believed |= bit;
        b->of[account].verified |= bit;
        b->of[account].doubted &= ~bit;
    } else {
        b->of[account].believed &= ~bit;
        b->of[account].verified &= ~bit;
        b->of[account].doubted |= bit;
    }
}

void notebook_forget(struct notebook *b, size_t account)
{
    struct known_name who = name_of(b, bytes_from_str(world_name(account)));
    change(b, &who, NULL);
    memset(&b->of[account], 0, sizeof b->of[account]);
}

/* ---- of the post ---- */

static enum post_trust trust(void *ctx, struct bytes name, const struct public_key *key,
                             const struct device *devices, size_t n)
{
    return notebook_trust(ctx, name, key, devices, n);
}

static bool recall(void *ctx, struct buffer *seen)
{
    struct notebook *b = ctx;
    return buffer_append_bytes(seen, buffer_view(&b->seen)) == 0;
}

static bool remember(void *ctx, struct bytes seen, bool changed)
{
    struct notebook *b = ctx;
    if (!changed)
        return true;
    buffer_truncate(&b->seen, 0);
    return buffer_append_bytes(&b->seen, seen) == 0;
}

static void record(void *ctx, struct bytes other, const struct said *said)
{
    struct notebook *b = ctx;
    if (world_account(b->world, said->from) == account_of(b->device) &&
        world_account(b->world, other) == world_account(b->world, said->to))
        mail_told(b->world, b->device, said->text);
}

const struct post_keep notebook_keep = {
    .trust = trust, .recall = recall, .remember = remember, .record = record};

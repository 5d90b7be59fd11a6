#include "meet/peer_trust.h"

#include "base/limits.h"
#include "client/known_peers.h"
#include "io/clock.h"
#include "io/problem.h"

#include <stdio.h>
#include <string.h>

#define KNOWN_PEERS "known_peers"

/* The file, open and locked. */
struct book {
    struct profile profile;
    int lock; /* -1: not locked */
    struct buffer text;
};

static enum trouble_kind broken(const struct book *b, int error, struct trouble *ret)
{
    return trouble_set(ret, TROUBLE_FAILED, "cannot use %.300s/" KNOWN_PEERS ": %s",
                       b->profile.path,
                       error == BUFFER_FULL ? "it is too large" : problem_text(error));
}

static void book_close(struct book *b)
{
    if (b->lock >= 0)
        profile_unlock(b->lock);
    profile_close(&b->profile);
    buffer_fini(&b->text);
}

static enum trouble_kind book_open(struct book *b, const struct self *s, struct trouble *ret)
{
    b->lock = -1;
    buffer_init(&b->text, LIMIT_KNOWN_PEERS_BYTES);
    int r = profile_open(&b->profile, s->profile);
    if (r == 0)
        b->lock = r = profile_lock(&b->profile);
    if (r > 0 && b->lock < 0)
        return trouble_set(ret, TROUBLE_FAILED, "cannot use the profile to remember people in");
    if (b->lock < 0)
        return broken(b, r, ret);
    r = profile_read(&b->profile, KNOWN_PEERS, &b->text);
    return r == 0 ? TROUBLE_NONE : broken(b, r, ret);
}

static struct known_name name_on(const struct self *s, const char *name)
{
    return (struct known_name){.name = bytes_from_str(name),
                               .hub = bytes_from_str(s->hub_print)};
}

static enum trouble_kind damaged(const struct book *b, size_t line, struct trouble *ret)
{
    return trouble_set(ret, TROUBLE_FAILED,
                       "line %zu of %.300s/" KNOWN_PEERS
                       " is damaged; nobody is believed until "
                       "it is mended or taken out",
                       line, b->profile.path);
}

static enum trouble_kind book_find(const struct book *b, const struct known_name *who,
                                   struct known_peer *ret_known, struct trouble *ret)
{
    size_t line = 0;
    return known_peers_find(buffer_view(&b->text), who, ret_known, &line) == 0
               ? TROUBLE_NONE
               : damaged(b, line, ret);
}

/* device NULL: he is forgotten. */
static enum trouble_kind book_write(const struct book *b, const struct known_name *who,
                                    const struct known_device *device, struct trouble *ret)
{
    struct buffer changed;
    struct bytes text = buffer_view(&b->text);
    buffer_init(&changed, LIMIT_KNOWN_PEERS_BYTES);
    int r = !device                        ? known_peers_forget(text, who, &changed)
            : device->how == KNOWN_DOUBTED ? known_peers_doubt(text, who, device, &changed)
                                           : known_peers_set(text, who, device, &changed);
    if (r == 0)
        r = profile_write(&b->profile, KNOWN_PEERS, buffer_view(&changed));
    buffer_fini(&changed);
    return r == 0 ? TROUBLE_NONE : broken(b, r, ret);
}

/* ---- what is not believed ---- */

enum { COMMAND_BYTES = SELF_COMMAND_BYTES + ACCOUNT_NAME_BYTES + 16 };

/* The way out, to be typed as it is. */
static void write_command(const struct self *s, const char *name, char out[COMMAND_BYTES])
{
    char begin[SELF_COMMAND_BYTES];
    self_command(s, begin);
    snprintf(out, COMMAND_BYTES, "%s forget %s", begin, name);
}

static enum trouble_kind strange(const struct self *s, const char *name, const char *print,
                                 bool verified, struct trouble *ret)
{
    char command[COMMAND_BYTES];
    write_command(s, name, command);
    if (verified)
        return trouble_set(
            ret, TROUBLE_CHANGED,
            "THIS MAY BE SOMEBODY ELSE. %s was verified, and no verified device of his vouches "
            "for this one, whose fingerprint is %s. Either he has not signed it yet (kith "
            "devices --sign, there), or somebody, who may be the hub, takes his place: ask him "
            "in person. Only if he lost his devices: %s, and verify him again",
            name, print, command);
    return trouble_set(
        ret, TROUBLE_CHANGED,
        "%s is on another device than before, for which none that you know vouches: its "
        "fingerprint is %s. Ask %s by another way whether it is what kith id prints there. If "
        "so, kith devices --sign on his other device makes it known, or %s begins anew",
        name, print, name, command);
}

static enum trouble_kind refuse(const struct self *s, const char *name, const char *print,
                                enum known_verdict verdict, bool verified, struct trouble *ret)
{
    char command[COMMAND_BYTES];
    write_command(s, name, command);
    if (verdict == KNOWN_REFUSED)
        return trouble_set(ret, TROUBLE_CHANGED,
                           "the words compared with %s at this device (%s) were not the same: "
                           "somebody may be in between. If that was a mistake, %s begins anew",
                           name, print, command);
    if (verdict == KNOWN_TOO_MANY)
        return trouble_set(ret, TROUBLE_FAILED,
                           "%s has had more devices than can be remembered; %s begins anew",
                           name, command);
    return strange(s, name, print, verified, ret);
}

/* ---- judging ---- */

static enum trouble_kind judge(const struct self *s, struct book *b, const char *name,
                               const struct public_key *key, const struct device *devices,
                               size_t n, struct peer_trust *ret_trust, struct trouble *ret)
{
    struct known_name who = name_on(s, name);
    struct known_peer known;
    struct known_device device = {.print = fingerprint_of(key)};
    char print[FINGERPRINT_TEXT_LEN + 1];
    enum trouble_kind kind = book_find(b, &who, &known, ret);
    if (kind != TROUBLE_NONE)
        return kind;
    fingerprint_write(print, &device.print);
    enum known_verdict verdict =
        known_peer_judge(&known, who.name, key, devices, n, clock_walltime(), &device);
    *ret_trust = (struct peer_trust){.unsure = verdict == KNOWN_UNSURE,
                                     .verified = known_how_is_verified(device.how)};
    if (verdict == KNOWN_NEW)
        return book_write(b, &who, &device, ret);
    if (verdict == KNOWN_BELIEVED || verdict == KNOWN_UNSURE)
        return TROUBLE_NONE;
    return refuse(s, name, print, verdict, known_peer_is_verified(&known), ret);
}

enum trouble_kind peer_trust(const struct self *s, const char *name,
                             const struct public_key *key, const struct device *devices,
                             size_t n, struct peer_trust *ret_trust, struct trouble *ret)
{
    struct book b;
    enum trouble_kind kind = book_open(&b, s, ret);
    if (kind == TROUBLE_NONE)
        kind = judge(s, &b, name, key, devices, n, ret_trust, ret);
    book_close(&b);
    return kind;
}

enum trouble_kind peer_trust_words(const struct self *s, const char *name,
                                   const struct public_key *key, bool same, struct trouble *ret)
{
    struct known_name who = name_on(s, name);
    struct known_device device = {.print = fingerprint_of(key),
                                  .how = same ? KNOWN_WORDS : KNOWN_DOUBTED,
                                  .since = clock_walltime(),
                                  .has_key = true,
                                  .key = *key};
    struct known_peer known;
    struct book b;
    enum trouble_kind kind = book_open(&b, s, ret);
    if (kind == TROUBLE_NONE)
        kind = book_find(&b, &who, &known, ret);
    if (kind == TROUBLE_NONE)
        kind = book_write(&b, &who, &device, ret);
    book_close(&b);
    return kind;
}

enum trouble_kind peer_trust_known(const struct self *s, const char *name,
                                   struct known_peer *ret_known, struct trouble *ret)
{
    struct known_name who = name_on(s, name);
    struct book b;
    enum trouble_kind kind = book_open(&b, s, ret);
    if (kind == TROUBLE_NONE)
        kind = book_find(&b, &who, ret_known, ret);
    book_close(&b);
    return kind;
}

enum trouble_kind peer_trust_forget(const struct self *s, const char *name, size_t *ret_count,
                                    struct trouble *ret)
{
    struct known_name who = name_on(s, name);
    struct known_peer known = {.count = 0};
    struct book b;
    enum trouble_kind kind = book_open(&b, s, ret);
    if (kind == TROUBLE_NONE)
        kind = book_find(&b, &who, &known, ret);
    if (kind == TROUBLE_NONE && known.count > 0)
        kind = book_write(&b, &who, NULL, ret);
    if (kind == TROUBLE_NONE)
        *ret_count = known.count;
    book_close(&b);
    return kind;
}

enum trouble_kind peer_trust_verified(const struct self *s,
                                      void (*fn)(void *ctx, struct bytes name), void *ctx,
                                      struct trouble *ret)
{
    struct bytes hub = bytes_from_str(s->hub_print);
    struct known_name who;
    struct known_device device;
    size_t line = 0;
    struct book b;
    enum trouble_kind kind = book_open(&b, s, ret);
    struct bytes rest = buffer_view(&b.text);
    int r = KNOWN_PEERS_END;
    while (kind == TROUBLE_NONE && (r = known_peers_next(&rest, &line, &who, &device)) == 0) {
        if (known_how_is_verified(device.how) && bytes_equal(who.hub, hub))
            fn(ctx, who.name);
    }
    if (r == KNOWN_PEERS_DAMAGED)
        kind = damaged(&b, line, ret);
    book_close(&b);
    return kind;
}

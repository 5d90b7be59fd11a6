#include "meet/peer_trust.h"

#include "base/limits.h"
#include "client/known_hubs.h"
#include "io/problem.h"
#include "people/account_name.h"

#include <ctype.h>
#include <stdio.h>

#define KNOWN_PEERS "known_peers"

enum { ADDRESS_BYTES = ACCOUNT_NAME_BYTES + 1 + FINGERPRINT_TEXT_LEN + 1 };

static void write_address(const struct self *s, const char *name, char out[ADDRESS_BYTES])
{
    snprintf(out, ADDRESS_BYTES, "%.*s@%s", ACCOUNT_NAME_BYTES, name, s->hub_print);
    for (char *c = out; *c != '@'; c++)
        *c = (char)tolower((unsigned char)*c);
}

static int remember(const struct profile *p, struct bytes known, struct bytes address,
                    struct bytes fingerprint)
{
    struct buffer changed;
    buffer_init(&changed, LIMIT_MIB + LIMIT_KIB);
    int r = known_hubs_set(known, address, fingerprint, &changed);
    if (r == 0)
        r = profile_write(p, KNOWN_PEERS, buffer_view(&changed));
    buffer_fini(&changed);
    return r;
}

static enum trouble_kind changed(const struct profile *p, const char *name, const char *address,
                                 const char *print, struct bytes expected, struct trouble *ret)
{
    return trouble_set(ret, TROUBLE_CHANGED,
                       "%s is on another device than before: its fingerprint is %s, not %.*s. "
                       "Ask %s by another way whether that is so; then remove the line "
                       "%.60s... from %.300s/" KNOWN_PEERS,
                       name, print, (int)(expected.len < 100 ? expected.len : 100),
                       (const char *)expected.data, name, address, p->path);
}

static enum trouble_kind judge(const struct profile *p, const char *name, const char *address,
                               const char *print, struct trouble *ret)
{
    struct buffer known;
    enum trouble_kind kind = TROUBLE_NONE;
    buffer_init(&known, LIMIT_MIB);
    int r = profile_read(p, KNOWN_PEERS, &known);
    struct bytes expected = known_hubs_find(buffer_view(&known), bytes_from_str(address));
    if (r == 0 && expected.len == 0)
        r = remember(p, buffer_view(&known), bytes_from_str(address), bytes_from_str(print));
    else if (r == 0 && !bytes_equal_str(expected, print))
        kind = changed(p, name, address, print, expected, ret);
    buffer_fini(&known);
    if (r == 0)
        return kind;
    return trouble_set(ret, TROUBLE_FAILED, "cannot use %.300s/" KNOWN_PEERS ": %s", p->path,
                       r == BUFFER_FULL ? "it is too large" : problem_text(r));
}

enum trouble_kind peer_trust(const struct self *s, const char *name,
                             const struct fingerprint *print, struct trouble *ret)
{
    char address[ADDRESS_BYTES], text[FINGERPRINT_TEXT_LEN + 1];
    struct profile p;
    enum trouble_kind kind;
    write_address(s, name, address);
    fingerprint_write(text, print);
    int lock = -1, r = profile_open(&p, s->profile);
    if (r == 0)
        lock = profile_lock(&p);
    if (lock >= 0)
        kind = judge(&p, name, address, text, ret);
    else
        kind =
            trouble_set(ret, TROUBLE_FAILED, "cannot use the profile to remember %s in", name);
    if (lock >= 0)
        profile_unlock(lock);
    profile_close(&p);
    return kind;
}

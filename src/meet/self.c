#include "meet/self.h"

#include "base/limits.h"
#include "client/known_hubs.h"
#include "io/problem.h"
#include "people/account_name.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KNOWN_HUBS "known_hubs"

bool self_profile_is_valid(const char *name)
{
    return account_name_is_valid(bytes_from_str(name)) && name[0] != '.';
}

void self_init(struct self *s, const char *profile, const struct where *where,
               const char *where_text)
{
    *s = (struct self){.profile = profile ? profile : SELF_DEFAULT_PROFILE,
                       .where = where,
                       .where_text = where_text};
}

void self_fini(struct self *s)
{
    tls_config_free(s->to_hub);
    identity_free(s->identity);
    s->to_hub = NULL;
    s->identity = NULL;
}

void self_command(const struct self *s, char out[SELF_COMMAND_BYTES])
{
    bool own = strcmp(s->profile, SELF_DEFAULT_PROFILE) != 0;
    snprintf(out, SELF_COMMAND_BYTES, "kith%s%s --hub %s", own ? " --as " : "",
             own ? s->profile : "", s->where_text);
}

static enum trouble_kind no_profile(const struct profile *p, int error, struct trouble *ret)
{
    switch (error) {
    case PROFILE_NOWHERE:
        return trouble_set(ret, TROUBLE_FAILED, "there is no home folder to remember hubs in");
    case PROFILE_IS_OPEN:
        return trouble_set(ret, TROUBLE_FAILED, "%.300s must be yours alone: chmod 700 it",
                           p->path);
    case PROFILE_KEY_IS_OPEN:
        return trouble_set(ret, TROUBLE_FAILED,
                           "%.300s/" PROFILE_KEY_FILE " must be yours alone: it is this "
                           "device's secret key. chmod 600 it, if nobody can have read it",
                           p->path);
    case PROFILE_KEY_IS_NONE:
        return trouble_set(ret, TROUBLE_FAILED, "%.300s/" PROFILE_KEY_FILE " holds no key",
                           p->path);
    default:
        return trouble_set(ret, TROUBLE_FAILED, "cannot use %.300s: %s",
                           p->path ? p->path : "the profile",
                           error == BUFFER_FULL ? "it is too large" : problem_text(error));
    }
}

/* ---- who one is ---- */

/* What the profile's functions return; what is wrong, but no home folder, is in *ret. */
static int read_seed(const struct self *s, uint8_t ret_seed[PROFILE_KEY_BYTES],
                     struct trouble *ret)
{
    struct profile p;
    int r = profile_open(&p, s->profile);
    if (r == 0)
        r = profile_key(&p, ret_seed);
    if (r != 0 && r != PROFILE_NOWHERE)
        no_profile(&p, r, ret);
    profile_close(&p);
    return r;
}

enum trouble_kind self_seed(const struct self *s, uint8_t ret_seed[PROFILE_KEY_BYTES],
                            struct trouble *ret)
{
    int r = read_seed(s, ret_seed, ret);
    if (r == PROFILE_NOWHERE)
        return trouble_set(ret, TROUBLE_FAILED, "there is no home folder to keep a key in");
    return r == 0 ? TROUBLE_NONE : ret->kind;
}

enum trouble_kind self_identity(struct self *s, struct trouble *ret)
{
    uint8_t seed[PROFILE_KEY_BYTES];
    enum trouble_kind kind = TROUBLE_NONE;
    if (s->identity)
        return TROUBLE_NONE;
    int r = read_seed(s, seed, ret);
    if (r != 0 && r != PROFILE_NOWHERE)
        kind = ret->kind;
    else if (r == 0 && identity_new(&s->identity, seed, NULL, 0) != 0)
        kind = trouble_no_memory(ret);
    sodium_memzero(seed, sizeof seed);
    return kind;
}

enum trouble_kind self_config(struct self *s, struct trouble *ret)
{
    static const char *const protocols[] = {"kith-hub/1", NULL};
    enum trouble_kind kind = self_identity(s, ret);
    if (kind != TROUBLE_NONE || s->to_hub)
        return kind;
    int r = tls_config_new(&s->to_hub, TLS_CLIENT, s->identity, protocols);
    return r == 0 ? TROUBLE_NONE : trouble_set(ret, TROUBLE_FAILED, "%s", problem_text(r));
}

/* ---- which hub ---- */

/* What the profile holds, read into `known`; KNOWN_HUBS_DAMAGED, in line *ret_line. */
static int read_known(const struct profile *p, const char *address, struct buffer *known,
                      struct bytes *ret_print, size_t *ret_line)
{
    int r = profile_read(p, KNOWN_HUBS, known);
    return r == 0 ? known_hubs_find(buffer_view(known), bytes_from_str(address), ret_print,
                                    ret_line)
                  : r;
}

static enum trouble_kind unknown(const struct profile *p, int error, size_t line,
                                 struct trouble *ret)
{
    if (error != KNOWN_HUBS_DAMAGED)
        return no_profile(p, error, ret);
    return trouble_set(ret, TROUBLE_FAILED,
                       "line %zu of %.300s/" KNOWN_HUBS
                       " is damaged; no hub is believed until it is mended or taken out",
                       line, p->path);
}

static int remember(const struct profile *p, const char *address, const char *fingerprint,
                    size_t *ret_line)
{
    struct buffer known, changed;
    struct bytes before;
    buffer_init(&known, LIMIT_MIB);
    buffer_init(&changed, LIMIT_MIB + LIMIT_KIB);
    int r = read_known(p, address, &known, &before, ret_line);
    if (r == 0)
        r = known_hubs_set(buffer_view(&known), bytes_from_str(address),
                           bytes_from_str(fingerprint), &changed);
    if (r == 0)
        r = profile_write(p, KNOWN_HUBS, buffer_view(&changed));
    buffer_fini(&known);
    buffer_fini(&changed);
    return r;
}

static int remember_alone(const struct profile *p, const char *address, const char *fingerprint,
                          size_t *ret_line)
{
    int lock = profile_lock(p);
    if (lock < 0)
        return lock;
    int r = remember(p, address, fingerprint, ret_line);
    profile_unlock(lock);
    return r;
}

enum trouble_kind self_remember_hub(const struct self *s, struct trouble *ret)
{
    struct profile p;
    size_t line = 0;
    int r = profile_open(&p, s->profile);
    if (r == 0)
        r = remember_alone(&p, s->where_text, s->hub_print, &line);
    enum trouble_kind kind = r == 0 ? TROUBLE_NONE : unknown(&p, r, line, ret);
    profile_close(&p);
    return kind;
}

static enum trouble_kind find_known(const struct self *s, struct buffer *out,
                                    struct bytes *ret_print, struct trouble *ret)
{
    struct profile p;
    size_t line = 0;
    int r = profile_open(&p, s->profile);
    if (r == 0)
        r = read_known(&p, s->where_text, out, ret_print, &line);
    enum trouble_kind kind = r == 0 ? TROUBLE_NONE : unknown(&p, r, line, ret);
    profile_close(&p);
    return kind;
}

enum trouble_kind self_known_hub(struct self *s, struct trouble *ret)
{
    struct buffer known;
    struct bytes print = bytes_from_str(s->where->fingerprint);
    enum trouble_kind kind = TROUBLE_NONE;
    buffer_init(&known, LIMIT_MIB);
    if (print.len == 0)
        kind = find_known(s, &known, &print, ret);
    if (kind == TROUBLE_NONE && print.len != FINGERPRINT_TEXT_LEN)
        kind = trouble_set(ret, TROUBLE_FAILED, "the hub at %s was never met", s->where_text);
    if (kind == TROUBLE_NONE) {
        memcpy(s->hub_print, print.data, print.len);
        s->hub_print[print.len] = '\0';
    }
    buffer_fini(&known);
    return kind;
}

static enum trouble_kind changed(const struct self *s, struct bytes expected,
                                 struct trouble *ret)
{
    int shown = expected.len < 100 ? (int)expected.len : 100;
    return trouble_set(ret, TROUBLE_CHANGED,
                       "the hub at %s is another one: its fingerprint is %s, not %.*s. Who "
                       "keeps it can tell why; if that is right: kith join kith://%s#%s",
                       s->where_text, s->hub_print, shown, (const char *)expected.data,
                       s->where_text, s->hub_print);
}

static enum trouble_kind judge(const struct self *s, struct bytes expected, bool *ret_met,
                               struct trouble *ret)
{
    *ret_met = expected.len == 0;
    if (*ret_met)
        return self_remember_hub(s, ret);
    return bytes_equal_str(expected, s->hub_print) ? TROUBLE_NONE : changed(s, expected, ret);
}

enum trouble_kind self_judge_hub(struct self *s, const struct public_key *key, bool *ret_met,
                                 struct trouble *ret)
{
    struct fingerprint print = fingerprint_of(key);
    fingerprint_write(s->hub_print, &print);
    if (s->where->fingerprint[0])
        return judge(s, bytes_from_str(s->where->fingerprint), ret_met, ret);
    struct buffer known;
    struct bytes expected = {0};
    buffer_init(&known, LIMIT_MIB);
    enum trouble_kind kind = find_known(s, &known, &expected, ret);
    if (kind == TROUBLE_NONE)
        kind = judge(s, expected, ret_met, ret);
    buffer_fini(&known);
    return kind;
}

/* ---- no hub ---- */

enum trouble_kind self_no_hub(const struct self *s, const char *why, bool refused,
                              struct trouble *ret)
{
    const char *hint = "";
    if (refused && strcmp(s->where->host, WHERE_DEFAULT_HOST) == 0)
        hint = "; kithd starts a hub";
    else if (s->where->host[0] && access(s->where->host, F_OK) == 0)
        hint = "; the path of a Unix socket has a slash in it, as in ./hub.sock";
    return trouble_set(ret, TROUBLE_UNREACHABLE, "nothing to connect to at %s: %s%s",
                       s->where_text, why, hint);
}

enum trouble_kind self_strange(const struct self *s, struct trouble *ret)
{
    return trouble_set(ret, TROUBLE_FOREIGN, "what answers at %s is not a kith hub",
                       s->where_text);
}

enum trouble_kind self_nobody(const struct self *s, struct trouble *ret)
{
    char command[SELF_COMMAND_BYTES];
    self_command(s, command);
    return trouble_set(ret, TROUBLE_DENIED,
                       "this device is nobody's at %s: %s register makes an account, %s login "
                       "adds the device to one",
                       s->where_text, command, command);
}

#include "kith/trust.h"

#include "base/limits.h"
#include "client/known_hubs.h"
#include "io/problem.h"
#include "io/profile.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#define KNOWN_HUBS "known_hubs"

enum { HANDSHAKE_MS = 10000 };

static int broken(struct session *s, int error)
{
    const char *why = error == DIAL_BROKEN ? dial_tls_problem(s->dial)
                      : error == DIAL_END  ? "it closed the connection"
                                           : dial_problem(error);
    return session_fail(s, EXIT_UNREACHABLE, "no TLS at %s: %.200s", s->where_text, why);
}

/* ---- what is remembered ---- */

static int no_profile(struct session *s, const struct profile *p, int error)
{
    if (error == PROFILE_NOWHERE)
        return session_fail(s, EXIT_NO, "there is no home folder to remember hubs in");
    if (error == PROFILE_IS_OPEN)
        return session_fail(s, EXIT_NO, "%.300s must be yours alone: chmod 700 it", p->path);
    if (error == PROFILE_KEY_IS_OPEN)
        return session_fail(s, EXIT_NO,
                            "%.300s/" PROFILE_KEY_FILE " must be yours alone: it "
                            "is this device's secret key. chmod 600 it, if nobody "
                            "can have read it",
                            p->path);
    if (error == PROFILE_KEY_IS_NONE)
        return session_fail(s, EXIT_NO, "%.300s/" PROFILE_KEY_FILE " holds no key", p->path);
    return session_fail(s, EXIT_NO, "cannot use %.300s: %s", p->path ? p->path : "the profile",
                        error == BUFFER_FULL ? "it is too large" : problem_text(error));
}

static int remember(const struct profile *p, const char *address, const char *fingerprint)
{
    struct buffer known, changed;
    buffer_init(&known, LIMIT_MIB);
    buffer_init(&changed, LIMIT_MIB + LIMIT_KIB);
    int r = profile_read(p, KNOWN_HUBS, &known);
    if (r == 0)
        r = known_hubs_set(buffer_view(&known), bytes_from_str(address),
                           bytes_from_str(fingerprint), &changed);
    if (r == 0)
        r = profile_write(p, KNOWN_HUBS, buffer_view(&changed));
    buffer_fini(&known);
    buffer_fini(&changed);
    return r;
}

static int remember_alone(const struct profile *p, const char *address, const char *fingerprint)
{
    int lock = profile_lock(p);
    if (lock < 0)
        return lock;
    int r = remember(p, address, fingerprint);
    profile_unlock(lock);
    return r;
}

int trust_remember(struct session *s)
{
    struct profile p;
    int r = profile_open(&p, trust_profile(s));
    if (r == 0)
        r = remember_alone(&p, s->where_text, s->hub_print);
    int code = r == 0 ? EXIT_DONE : no_profile(s, &p, r);
    profile_close(&p);
    return code;
}

static int find_known(struct session *s, struct buffer *out, struct bytes *ret)
{
    struct profile p;
    int r = profile_open(&p, trust_profile(s));
    if (r == 0)
        r = profile_read(&p, KNOWN_HUBS, out);
    int code = r == 0 ? EXIT_DONE : no_profile(s, &p, r);
    profile_close(&p);
    *ret = known_hubs_find(buffer_view(out), bytes_from_str(s->where_text));
    return code;
}

/* ---- who one is oneself ---- */

const char *trust_profile(const struct session *s)
{
    return s->options.as ? s->options.as : "default";
}

/* What the profile's functions return; what is wrong, but no home folder, is said. */
static int read_seed(struct session *s, uint8_t ret[PROFILE_KEY_BYTES], int *ret_code)
{
    struct profile p;
    int r = profile_open(&p, trust_profile(s));
    if (r == 0)
        r = profile_key(&p, ret);
    *ret_code = r == 0 || r == PROFILE_NOWHERE ? EXIT_DONE : no_profile(s, &p, r);
    profile_close(&p);
    return r;
}

int trust_seed(struct session *s, uint8_t ret[PROFILE_KEY_BYTES])
{
    int code, r = read_seed(s, ret, &code);
    return r == PROFILE_NOWHERE
               ? session_fail(s, EXIT_NO, "there is no home folder to keep a key in")
               : code;
}

int trust_identity(struct session *s)
{
    uint8_t seed[PROFILE_KEY_BYTES];
    int code;
    if (s->identity)
        return EXIT_DONE;
    if (read_seed(s, seed, &code) == 0 && identity_new(&s->identity, seed, NULL, 0) != 0)
        code = session_fail(s, EXIT_NO, "%s", problem_text(-ENOMEM));
    sodium_memzero(seed, sizeof seed);
    return code;
}

int trust_config(struct session *s)
{
    static const char *const protocols[] = {"kith-hub/1", NULL};
    int code = trust_identity(s);
    if (code != EXIT_DONE || s->tls)
        return code;
    int r = tls_config_new(&s->tls, TLS_CLIENT, s->identity, protocols);
    return r == 0 ? EXIT_DONE : session_fail(s, EXIT_NO, "%s", problem_text(r));
}

static int open_tls(struct session *s)
{
    int code = trust_config(s);
    if (code != EXIT_DONE)
        return code;
    int r = dial_secure(s->dial, s->tls, HANDSHAKE_MS);
    return r == 0 ? EXIT_DONE : broken(s, r);
}

/* ---- judging it ---- */

static int changed(struct session *s, struct bytes expected, const char *fingerprint)
{
    int shown = expected.len < 100 ? (int)expected.len : 100;
    return session_fail(s, EXIT_CHANGED,
                        "the hub at %s is another one: its fingerprint is %s, not %.*s. Who "
                        "keeps it can tell why; if that is right: kith join kith://%s#%s",
                        s->where_text, fingerprint, shown, (const char *)expected.data,
                        s->where_text, fingerprint);
}

static int meet(struct session *s, const char *fingerprint)
{
    int code = trust_remember(s);
    if (code != EXIT_DONE || s->output.quiet || s->output.json || s->silent)
        return code;
    char text[WHERE_TEXT_BYTES + 160];
    snprintf(text, sizeof text,
             "met the hub at %s for the first time; remembered its fingerprint: %s",
             s->where_text, fingerprint);
    output_error_line("kith: ", bytes_from_str(text));
    return EXIT_DONE;
}

static int judge(struct session *s, struct bytes expected, const char *fingerprint)
{
    if (expected.len == 0)
        return meet(s, fingerprint);
    return bytes_equal_str(expected, fingerprint) ? EXIT_DONE
                                                  : changed(s, expected, fingerprint);
}

int trust_key(struct session *s, const struct public_key *key)
{
    struct fingerprint print = fingerprint_of(key);
    fingerprint_write(s->hub_print, &print);
    if (s->where.fingerprint[0])
        return judge(s, bytes_from_str(s->where.fingerprint), s->hub_print);
    struct buffer known;
    struct bytes expected;
    buffer_init(&known, LIMIT_MIB);
    int code = find_known(s, &known, &expected);
    if (code == EXIT_DONE)
        code = judge(s, expected, s->hub_print);
    buffer_fini(&known);
    return code;
}

int trust_hub(struct session *s)
{
    int code = open_tls(s);
    return code == EXIT_DONE ? trust_key(s, tls_peer(dial_tls(s->dial))) : code;
}

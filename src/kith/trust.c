#include "kith/trust.h"

enum { HANDSHAKE_MS = 10000 };

static int broken(struct session *s, int error)
{
    const char *why = error == DIAL_BROKEN ? dial_tls_problem(s->dial)
                      : error == DIAL_END  ? "it closed the connection"
                                           : dial_problem(error);
    return session_fail(s, EXIT_UNREACHABLE, "no TLS at %s: %.200s", s->where_text, why);
}

int trust_remember(struct session *s)
{
    struct trouble t;
    return self_remember_hub(&s->self, &t) == TROUBLE_NONE ? EXIT_DONE : session_trouble(s, &t);
}

int trust_seed(struct session *s, uint8_t ret[PROFILE_KEY_BYTES])
{
    struct trouble t;
    return self_seed(&s->self, ret, &t) == TROUBLE_NONE ? EXIT_DONE : session_trouble(s, &t);
}

int trust_identity(struct session *s)
{
    struct trouble t;
    return self_identity(&s->self, &t) == TROUBLE_NONE ? EXIT_DONE : session_trouble(s, &t);
}

static int open_tls(struct session *s)
{
    struct trouble t;
    if (self_config(&s->self, &t) != TROUBLE_NONE)
        return session_trouble(s, &t);
    int r = dial_secure(s->dial, s->self.to_hub, HANDSHAKE_MS);
    return r == 0 ? EXIT_DONE : broken(s, r);
}

int trust_hub(struct session *s)
{
    struct trouble t;
    bool met;
    int code = open_tls(s);
    if (code != EXIT_DONE)
        return code;
    if (self_judge_hub(&s->self, tls_peer(dial_tls(s->dial)), &met, &t) != TROUBLE_NONE)
        return session_trouble(s, &t);
    if (met)
        session_met(s);
    return EXIT_DONE;
}

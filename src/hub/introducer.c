#include "hub/introducer.h"

#include "hub/hub.h"
#include "hub/introduced.h"
#include "hub/member.h"
#include "hub/notice.h"
#include "wire/endpoint.h"

#include <stdio.h>

enum {
    PERSON_BYTES = ACCOUNT_NAME_BYTES + FINGERPRINT_TEXT_LEN + PUBLIC_KEY_TEXT_LEN + 8,
    WORDS_BYTES = 256 + PERSON_BYTES + (ENDPOINT_TEXT_BYTES + 1) * LIMIT_CANDIDATES,
};

void introducer_describe(const struct connection *c, const char *candidates,
                         struct introduction_side *ret)
{
    static const struct net_address loopback = {{[10] = 0xff, 0xff, 127, 0, 0, 1}};
    const struct member *m = connection_member(c);
    *ret = (struct introduction_side){
        .device = m->device, .connection = c->id, .seen = "-", .candidates = candidates};
    memcpy(ret->key, m->key, sizeof ret->key);
    memcpy(ret->name, m->name, sizeof ret->name);
    if (c->peer.address)
        net_address_write(ret->seen, c->peer.address);
    else if (c->peer.origin == ACCESS_LOOPBACK)
        net_address_write(ret->seen, &loopback);
}

/* NAME FINGERPRINT KEY */
static const char *write_person(char out[PERSON_BYTES], const struct introduction_side *side)
{
    struct fingerprint f = fingerprint_of(&side->device);
    char fingerprint[FINGERPRINT_TEXT_LEN + 1], key[PUBLIC_KEY_TEXT_LEN + 1];
    fingerprint_write(fingerprint, &f);
    public_key_write(key, &side->device);
    snprintf(out, PERSON_BYTES, "%s %s %s", side->name, fingerprint, key);
    return out;
}

static int side_of(const struct introduction *i, const struct member *m)
{
    return m->has_device ? introduction_side(i, m->key, &m->device) : -1;
}

/* What this process knows of is in memory; what one before it knew, in the store. */
int introducer_find(struct hub *hub, const struct random_id *id, const struct member *m,
                    struct introduction *ret, bool *ret_fresh)
{
    struct walltime since;
    if (introductions_find(&hub->shared->introductions, id, hub->now, ret) == 0) {
        *ret_fresh = instant_after_ms(ret->since, LIMIT_RELAY_FRESH_MS).ns > hub->now.ns;
        return side_of(ret, m);
    }
    if (!introduced_find(hub->shared->store, hub->wall, id, ret, &since))
        return -1;
    *ret_fresh = hub->wall.ms - since.ms < (int64_t)LIMIT_RELAY_FRESH_MS; /* neither is < 0 */
    return side_of(ret, m);
}

void introducer_tell_invited(struct hub_shared *s, const struct random_id *id,
                             const struct introduction_side *from, const char *to_key)
{
    char text[RANDOM_ID_TEXT_LEN + 1], person[PERSON_BYTES], words[WORDS_BYTES];
    random_id_write(text, id);
    snprintf(words, sizeof words, "invited %s %s", text, write_person(person, from));
    notice_to_account(s, to_key, 0, words);
}

static void tell_introduced(struct hub_shared *s, const struct random_id *id,
                            const struct introduction_side *to,
                            const struct introduction_side *about)
{
    char text[RANDOM_ID_TEXT_LEN + 1], person[PERSON_BYTES], words[WORDS_BYTES];
    random_id_write(text, id);
    bool dials = memcmp(to->device.bytes, about->device.bytes, PUBLIC_KEY_BYTES) < 0;
    snprintf(words, sizeof words, "introduced %s %s %s %s%s%s", text,
             write_person(person, about), dials ? "dials" : "answers", about->seen,
             about->candidates ? " " : "", about->candidates ? about->candidates : "");
    notice_to_connection(s, to->key, to->connection, words);
}

static const char *write_declined(char words[WORDS_BYTES], const struct introduction *i,
                                  const char *name, const char *reason)
{
    char text[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(text, &i->id);
    snprintf(words, WORDS_BYTES, "declined %s %s %s", text, name, reason);
    return words;
}

void introducer_tell_accepted(struct hub_shared *s, const struct introduction *i)
{
    char words[WORDS_BYTES];
    tell_introduced(s, &i->id, &i->from, &i->to);
    tell_introduced(s, &i->id, &i->to, &i->from);
    notice_to_account(s, i->to.key, i->to.connection,
                      write_declined(words, i, i->from.name, "answered"));
}

static void tell_inviter(struct hub_shared *s, const struct introduction *i, const char *reason)
{
    char words[WORDS_BYTES];
    notice_to_connection(s, i->from.key, i->from.connection,
                         write_declined(words, i, i->to.name, reason));
}

void introducer_tell_declined(struct hub_shared *s, const struct introduction *i,
                              uint64_t decliner, const char *reason)
{
    char words[WORDS_BYTES];
    tell_inviter(s, i, reason);
    notice_to_account(s, i->to.key, decliner,
                      write_declined(words, i, i->from.name, "answered"));
}

void introducer_tell_over(struct hub_shared *s, const struct introduction *i,
                          const char *reason)
{
    char words[WORDS_BYTES];
    notice_to_account(s, i->to.key, 0, write_declined(words, i, i->from.name, reason));
}

static void tell_about(struct hub_shared *s, const struct introduction *i, int side,
                       const char *what)
{
    char text[RANDOM_ID_TEXT_LEN + 1], words[RANDOM_ID_TEXT_LEN + 16];
    random_id_write(text, &i->id);
    snprintf(words, sizeof words, "%s %s", what, text);
    notice_to_account(s, side ? i->from.key : i->to.key, 0, words);
}

void introducer_tell_waits(struct hub_shared *s, const struct introduction *i, int side)
{
    tell_about(s, i, side, "relay");
}

void introducer_tell_unbelieved(struct hub_shared *s, const struct introduction *i, int side)
{
    tell_about(s, i, side, "unbelieved");
}

void introducer_tell_cancelled(struct hub_shared *s, const struct introduction *i,
                               uint64_t canceller)
{
    introducer_tell_over(s, i, "gone");
    if (i->from.connection != canceller)
        tell_inviter(s, i, "answered");
}

void introducer_tick(struct hub *hub)
{
    struct introduction i;
    while (introductions_expire(&hub->shared->introductions, hub->now, &i)) {
        tell_inviter(hub->shared, &i, "timeout");
        introducer_tell_over(hub->shared, &i, "timeout");
        introduction_fini(&i);
    }
}

void introducer_drop(struct hub_shared *s, const struct connection *c, bool account_gone)
{
    struct introduction i;
    const char *key = connection_member(c)->key;
    while (introductions_drop_from(&s->introductions, c->id, &i)) {
        introducer_tell_over(s, &i, "gone");
        introduction_fini(&i);
    }
    while (account_gone && introductions_drop_to(&s->introductions, key, &i)) {
        tell_inviter(s, &i, "gone");
        introduction_fini(&i);
    }
}

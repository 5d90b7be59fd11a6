#include "hub/revocation.h"

#include "hub/hub.h"
#include "hub/member.h"
#include "hub/notice.h"

#include <stdio.h>

enum { WORDS_BYTES = ACCOUNT_NAME_BYTES + FINGERPRINT_TEXT_LEN + PUBLIC_KEY_TEXT_LEN + 16 };

void revocation_note(struct revocation *r, const struct account *a, const struct device *d)
{
    memcpy(r->name, a->name, sizeof r->name);
    r->devices[r->count++] = d->key;
}

void revocation_note_all(struct revocation *r, const struct account *a)
{
    r->count = 0;
    for (size_t i = 0; i < a->device_count; i++)
        revocation_note(r, a, &a->devices[i]);
}

static void write_words(char out[WORDS_BYTES], const char *name, const struct public_key *key)
{
    struct fingerprint f = fingerprint_of(key);
    char print[FINGERPRINT_TEXT_LEN + 1], text[PUBLIC_KEY_TEXT_LEN + 1];
    fingerprint_write(print, &f);
    public_key_write(text, key);
    snprintf(out, WORDS_BYTES, "revoked %s %s %s", name, print, text);
}

void revocation_tell(const struct revocation *r, const struct connection *by, uint64_t lsn)
{
    char words[WORDS_BYTES];
    for (size_t i = 0; i < r->count; i++) {
        write_words(words, r->name, &r->devices[i]);
        notice_to_others(by->hub->shared, by->id, lsn, words);
    }
}

void revocation_tell_own(struct connection *c, uint64_t lsn)
{
    const struct member *m = connection_member(c);
    char words[WORDS_BYTES];
    if (!c->extra->attendant || !m->has_device)
        return;
    write_words(words, m->name, &m->device);
    struct push *p = push_new_notice(bytes_make(NULL, 0), bytes_from_str(words));
    if (!p)
        return; /* the end says enough */
    p->lsn = lsn;
    notice_tell(c, &p, 1);
    push_unref(p);
}

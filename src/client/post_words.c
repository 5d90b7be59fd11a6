#include "client/post_words.h"

#include "base/clean.h"
#include "people/account_name.h"

#include <stdio.h>

enum { NAME = ACCOUNT_NAME_BYTES, WHY_SHOWN = 200 };

static void write_kept(const struct post_outcome *o, const char *name,
                       char out[POST_WORDS_BYTES])
{
    char full[60] = "", strangers[96] = "";
    if (o->full > 0)
        snprintf(full, sizeof full, "; %zu more had no room for it", o->full);
    if (o->strangers > 0)
        snprintf(strangers, sizeof strangers, "; %zu more, not known as %s's, got none",
                 o->strangers, name);
    snprintf(out, POST_WORDS_BYTES, "a letter waits for %s, sealed, for %zu device%s%s%s", name,
             o->kept, o->kept == 1 ? "" : "s", full, strangers);
}

static void write_refused(const struct post_outcome *o, const char *name,
                          char out[POST_WORDS_BYTES])
{
    struct bytes why = o->why;
    struct buffer clean;
    if (bytes_starts_with(why, "ERR "))
        bytes_next_word(&why); /* for programs */
    buffer_init(&clean, POST_WORDS_BYTES - 100);
    clean_append(&clean, bytes_trim(why), WHY_SHOWN); /* as much as fits */
    snprintf(out, POST_WORDS_BYTES, "not sent to %s: the hub says %.*s", name,
             (int)buffer_len(&clean),
             buffer_len(&clean) > 0 ? (const char *)buffer_view(&clean).data : "");
    buffer_fini(&clean);
}

void post_words_outcome(const struct post_outcome *o, char out[POST_WORDS_BYTES])
{
    char name[NAME + 1];
    snprintf(name, sizeof name, "%.*s", (int)o->name.len, (const char *)o->name.data);
    switch (o->result) {
    case POST_KEPT:
        write_kept(o, name, out);
        return;
    case POST_NO_DEVICE:
        snprintf(out, POST_WORDS_BYTES, "not sent: %s has no device to write to", name);
        return;
    case POST_NO_OTHER:
        snprintf(out, POST_WORDS_BYTES,
                 "not sent: that is you, and a letter to oneself is for one's other devices, "
                 "of which you have none");
        return;
    case POST_NO_TRUST:
        snprintf(out, POST_WORDS_BYTES,
                 "not sent: no device the hub says is %s's is one that is known as %s's; ask "
                 "%s, by another way, what kith id prints there",
                 name, name, name);
        return;
    case POST_BOX_FULL:
        snprintf(out, POST_WORDS_BYTES,
                 "not sent: %s has no room for more letters, or none for more of yours", name);
        return;
    case POST_REFUSED:
        write_refused(o, name, out);
        return;
    case POST_UNDECIDED:
        snprintf(out, POST_WORDS_BYTES,
                 "the hub has not said that it keeps the letter to %s: it may, or not", name);
        return;
    case POST_NOT_SEALED:
        snprintf(out, POST_WORDS_BYTES, "not sent to %s: it could not be sealed", name);
        return;
    case POST_NO_KNOWLEDGE:
        snprintf(out, POST_WORDS_BYTES, "not sent to %s: %.*s", name, (int)o->why.len,
                 o->why.len > 0 ? (const char *)o->why.data : "");
    }
}

void post_words_refusal(int result, char out[POST_WORDS_BYTES])
{
    const char *why = result == POST_NO_NAME    ? "nobody can be called that"
                      : result == POST_NO_TEXT  ? "a letter is UTF-8, and not empty"
                      : result == POST_TOO_MANY ? "too many letters are on their way"
                                                : "out of memory";
    if (result == POST_TOO_LONG)
        snprintf(out, POST_WORDS_BYTES, "too long for a letter: that is at most %d bytes",
                 (int)PEER_LETTER_TEXT_BYTES);
    else
        snprintf(out, POST_WORDS_BYTES, "%s", why);
}

void post_words_warning(enum post_warning warning, struct bytes name,
                        char out[POST_WORDS_BYTES])
{
    const char *n = (const char *)name.data;
    int len = (int)name.len;
    switch (warning) {
    case POST_FORGED:
        snprintf(out, POST_WORDS_BYTES,
                 "a letter said to be from %.*s was not genuine: it was thrown away, unread",
                 len, n);
        return;
    case POST_NOT_BELIEVED:
        snprintf(out, POST_WORDS_BYTES,
                 "a letter said to be from %.*s is from a device that is not known as his: it "
                 "is left with the hub, unread. Ask %.*s, by another way, what kith id prints "
                 "there",
                 len, n, len, n);
        return;
    case POST_NOT_KEPT:
        snprintf(
            out, POST_WORDS_BYTES,
            "cannot remember in the profile which letters were shown: they may come again");
        return;
    case POST_NOT_JUDGED:
        snprintf(out, POST_WORDS_BYTES, "letters are left with the hub, unread: %.*s", len, n);
    }
}

void post_words_stranger(const struct fingerprint *print, const char *kith,
                         char out[POST_WORDS_BYTES])
{
    char text[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(text, print);
    snprintf(out, POST_WORDS_BYTES,
             "its fingerprint is %s. If that is what he says, kith devices --sign, on a device "
             "of his that is known here, lets the next kith letters or visit show it; if not, "
             "%s letters --discard %s throws away, unread, what it has left",
             text, kith, text);
}

#include "client/visit_inner.h"
#include "people/account_name.h"

#include <stdio.h>
#include <stdlib.h>

/* Five words that two compare by another way. They are asked about only after the person has
 * wanted it, here or by /verify: what the other side begins must not turn a line that is being
 * typed for somebody into an answer. */

static bool is_him(const char *name, struct bytes other)
{
    return name[0] && account_name_equal(bytes_from_str(name), other);
}

static void copy_name(char to[ACCOUNT_NAME_BYTES + 1], const char *name)
{
    snprintf(to, ACCOUNT_NAME_BYTES + 1, "%s", name);
}

/* ---- who is verified ---- */

static struct visit_name *find_verified(const struct visit *v, struct bytes name)
{
    list_foreach (at, &v->verified) {
        struct visit_name *n = list_entry(at, struct visit_name, link);
        if (is_him(n->name, name))
            return n;
    }
    return NULL;
}

bool verify_is_verified(const struct visit *v, struct bytes name)
{
    return find_verified(v, name) != NULL;
}

void visit_verified(struct visit *v, struct bytes name)
{
    struct visit_name *n;
    if (!account_name_is_valid(name) || find_verified(v, name) || !(n = malloc(sizeof *n)))
        return; /* without memory he is only not shown as one */
    account_name_fold(name, n->name);
    list_append(&v->verified, &n->link);
}

void verify_fini(struct visit *v)
{
    struct list *link;
    while ((link = list_pop(&v->verified)))
        free(list_entry(link, struct visit_name, link));
}

/* ---- his devices ---- */

uint64_t visit_ask_devices(struct visit *v, const char *name)
{
    const struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("OF"),
                                 bytes_from_str(name)};
    if (v->state != VISIT_HERE)
        return 0;
    uint64_t number = ++v->devices_asked;
    visit_ask(v, ASKED_DEVICES, bytes_make(&number, sizeof number), argv, 3);
    return number;
}

void visit_disbelieve(struct visit *v, struct bytes id)
{
    const struct bytes argv[] = {bytes_from_str("DECLINE"), id, bytes_from_str("UNBELIEVED")};
    if (v->state == VISIT_HERE)
        visit_ask(v, ASKED_ANSWER, bytes_make(NULL, 0), argv, 3);
}

void verify_devices(struct visit *v, struct bytes number, const struct resp_value *values,
                    size_t count)
{
    uint64_t asked;
    memcpy(&asked, number.data, sizeof asked);
    v->handler->devices(v, asked, values, count);
}

/* ---- the words ---- */

bool verify_is_open(const struct visit *v)
{
    return v->words.open;
}

void verify_prompt(struct visit *v)
{
    char text[ACCOUNT_NAME_BYTES + 48];
    snprintf(text, sizeof text, "Are these the words %s sees? [yes/no] ", v->words.name);
    v->handler->prompt(v, bytes_from_str(text), false);
}

static void ask(struct visit *v)
{
    v->words.open = true;
    visit_say(v, VISIT_NEWS, "The words for %s: %s", v->words.name, v->words.text);
    visit_say(v, VISIT_NOTE,
              "Compare them by another way than this: side by side, or on the telephone.");
    visit_show_prompt(v);
}

static void tell(struct visit *v, bool was_open)
{
    visit_say(v, VISIT_NEWS, "%s compares words with you: %s", v->words.name, v->words.text);
    visit_say(v, VISIT_NOTE, "Look at them together; then /verify %s", v->words.name);
    if (was_open)
        visit_show_prompt(v);
}

static void write_words(char out[VISIT_WORDS_BYTES], const char *const words[], size_t n)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n && at < VISIT_WORDS_BYTES; i++)
        at += (size_t)snprintf(out + at, VISIT_WORDS_BYTES - at, "%s%s", i > 0 ? " " : "",
                               words[i]);
}

void visit_words(struct visit *v, const char *name, const char *const words[], size_t n,
                 const struct public_key *key)
{
    struct visit_words *w = &v->words;
    bool asked = is_him(v->comparing, bytes_from_str(name)), was_open = w->open;
    if (was_open && !is_him(w->name, bytes_from_str(name))) {
        visit_say(v, VISIT_NEWS, "%s compares words with you, too; later: /verify %s", name,
                  name);
        return;
    }
    *w = (struct visit_words){.key = *key};
    copy_name(w->name, name);
    write_words(w->text, words, n);
    if (!asked) {
        tell(v, was_open);
        return;
    }
    v->comparing[0] = '\0';
    ask(v);
}

void visit_words_fail(struct visit *v, const char *name, const char *why)
{
    if (is_him(v->comparing, bytes_from_str(name)))
        v->comparing[0] = '\0';
    visit_say(v, VISIT_PROBLEM, "No words with %s: %s", name, why);
}

void visit_words_differ(struct visit *v, const char *name)
{
    bool was_open = v->words.open && is_him(v->words.name, bytes_from_str(name));
    if (is_him(v->words.name, bytes_from_str(name)))
        v->words = (struct visit_words){.open = false};
    visit_say(v, VISIT_PROBLEM,
              "%s says the words were not the same: somebody may be between you; trust nothing "
              "that was said.",
              name);
    if (verify_is_verified(v, bytes_from_str(name)))
        visit_say(v, VISIT_PROBLEM, "You hold %s for verified: kith forget %s begins anew.",
                  name, name);
    if (was_open)
        visit_show_prompt(v);
}

void verify_revoked(struct visit *v, const struct public_key *key)
{
    struct visit_words w = v->words;
    if (!w.name[0] || memcmp(&w.key, key, sizeof *key) != 0)
        return;
    v->words = (struct visit_words){.open = false};
    visit_say(v, VISIT_PROBLEM, "No words with %s: the device they were of was revoked.",
              w.name);
    if (w.open)
        visit_show_prompt(v);
}

void verify_forget(struct visit *v, const char *name)
{
    if (!v->words.open && is_him(v->words.name, bytes_from_str(name)))
        v->words = (struct visit_words){.open = false};
}

/* ---- the person ---- */

static void begin(struct visit *v, struct bytes name)
{
    const char *with = visit_talks_name(v, name);
    if (!with) {
        visit_say_text(v, VISIT_PROBLEM, "You do not talk with ", name, "; /talk him first.");
        return;
    }
    copy_name(v->comparing, with);
    visit_say(v, VISIT_NOTE, "Asking the kith of %s for words to compare.", with);
    v->handler->talk_verify(v, v->comparing);
}

void verify_ask(struct visit *v, struct bytes name)
{
    struct bytes front = bytes_from_str(v->front[0] ? v->front : v->words.name);
    struct bytes whom = name.len > 0 ? name : front;
    if (!v->person)
        visit_say(v, VISIT_PROBLEM, "Words are compared by a person at a terminal.");
    else if (whom.len == 0)
        visit_say(v, VISIT_PROBLEM, "Whom? /verify NAME, with whom you talk.");
    else if (!account_name_is_valid(whom))
        visit_say_text(v, VISIT_PROBLEM, "Nobody can be called ", whom, "");
    else if (is_him(v->words.name, whom))
        ask(v);
    else
        begin(v, whom);
}

static void judge(struct visit *v, bool same)
{
    struct visit_words w = v->words;
    v->words = (struct visit_words){.open = false};
    bool kept = v->handler->judged(v, w.name, &w.key, same) == 0;
    if (same && kept) {
        visit_verified(v, bytes_from_str(w.name));
        visit_say(v, VISIT_NOTE, "%s is verified, at this device.", w.name);
    } else if (!same) {
        visit_say(v, VISIT_PROBLEM,
                  "Somebody may be between you and %s: trust nothing that was said.", w.name);
        if (kept)
            visit_say(v, VISIT_PROBLEM,
                      "There is no talk with that device any more; kith forget %s begins anew.",
                      w.name);
        visit_talks_close(v, bytes_from_str(w.name));
    }
    visit_show_prompt(v);
}

void verify_typed(struct visit *v, struct bytes line)
{
    struct bytes word = bytes_trim(line);
    if (bytes_equal_nocase_str(word, "yes") || bytes_equal_nocase_str(word, "y"))
        judge(v, true);
    else if (bytes_equal_nocase_str(word, "no") || bytes_equal_nocase_str(word, "n"))
        judge(v, false);
    else
        visit_say(v, VISIT_PROBLEM, "yes, or no? Ctrl+C puts it off.");
}

bool verify_put_off(struct visit *v)
{
    if (!v->words.open)
        return false;
    v->words.open = false;
    visit_say(v, VISIT_NOTE, "Not answered; /verify %s asks again.", v->words.name);
    visit_show_prompt(v);
    return true;
}

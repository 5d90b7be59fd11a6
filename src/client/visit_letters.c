#include "client/post_words.h"
#include "client/visit_inner.h"

#include <stdio.h>

static struct visit *visit_of(struct post *p)
{
    return (struct visit *)((char *)p - offsetof(struct visit, post));
}

/* Words that begin in lower case, as a sentence. */
static void say_words(struct visit *v, enum visit_tone tone, char words[POST_WORDS_BYTES])
{
    if (words[0] >= 'a' && words[0] <= 'z' && words[0] != '\0')
        words[0] = (char)(words[0] - 'a' + 'A');
    visit_say_text(v, tone, "", bytes_from_str(words), ".");
}

/* ---- the post wants something ---- */

static int on_request(struct post *p, const struct bytes *argv, size_t argc)
{
    struct visit *v = visit_of(p);
    visit_ask(v, ASKED_POST, bytes_make(NULL, 0), argv, argc);
    return v->state == VISIT_LEFT ? -1 : 0;
}

static bool on_show(struct post *p, const struct peer_letter *letter)
{
    struct visit *v = visit_of(p);
    char when[VISIT_WHEN_BYTES], before[ACCOUNT_NAME_BYTES + VISIT_WHEN_BYTES + 16];
    if (v->state == VISIT_LEFT)
        return false;
    v->handler->when(v, letter->written, when);
    snprintf(before, sizeof before, "%s wrote %s: ", letter->from.name, when);
    visit_say_lines(v, VISIT_ANSWER, before, letter->text);
    return v->state != VISIT_LEFT;
}

static void on_warn(struct post *p, enum post_warning warning, struct bytes name)
{
    char words[POST_WORDS_BYTES];
    post_words_warning(warning, name, words);
    say_words(visit_of(p), VISIT_PROBLEM, words);
    if (warning != POST_NOT_BELIEVED)
        return;
    post_words_stranger(&p->stranger, "kith", words);
    say_words(visit_of(p), VISIT_PROBLEM, words);
}

static void on_sent(struct post *p, const struct post_outcome *o)
{
    char words[POST_WORDS_BYTES];
    struct visit *v = visit_of(p);
    post_words_outcome(o, words);
    if (o->result != POST_KEPT)
        visit_say_text(v, VISIT_PROBLEM, "The letter: ", o->text, "");
    say_words(v, o->result == POST_KEPT ? VISIT_ANSWER : VISIT_PROBLEM, words);
}

static const struct post_handler handler = {
    .request = on_request, .show = on_show, .warn = on_warn, .sent = on_sent};

void visit_set_post(struct visit *v, const struct post_keep *keep, void *ctx,
                    const uint8_t seed[PEER_LETTER_SEED_BYTES],
                    const uint8_t entropy[CHANCE_SEED_BYTES])
{
    post_init(&v->post, &handler, keep, ctx, seed, entropy);
    v->post.takes = true;
    v->has_post = true;
}

/* ---- the visit ---- */

void letters_here(struct visit *v)
{
    if (v->has_post && v->member)
        post_here(&v->post, bytes_from_str(v->name));
}

void letters_came(struct visit *v)
{
    if (v->has_post)
        post_letter_came(&v->post);
    else
        visit_say(v, VISIT_NEWS, "Somebody has left a letter for this device.");
}

void letters_write(struct visit *v, struct bytes argument)
{
    char words[POST_WORDS_BYTES];
    struct bytes text = argument, name = bytes_next_word(&text);
    text = bytes_trim(text);
    if (!v->has_post || !v->member) {
        visit_say(v, VISIT_PROBLEM, "Letters are for who has logged in, over TLS.");
        return;
    }
    if (text.len == 0) {
        visit_say(v, VISIT_PROBLEM, "What? /letter NAME TEXT");
        return;
    }
    int r = post_send(&v->post, name, text);
    if (r == 0)
        return;
    post_words_refusal(r, words);
    visit_say_text(v, VISIT_PROBLEM, "The letter: ", text, "");
    visit_say_text(v, VISIT_PROBLEM, "Not sent: ", bytes_from_str(words), ".");
}

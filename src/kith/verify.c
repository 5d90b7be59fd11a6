/* kith verify NAME: two people compare five words, each at his terminal. The other one runs it,
 * too, or visits the hub. */

#include "base/limits.h"
#include "client/answer.h"
#include "io/input.h"
#include "io/problem.h"
#include "io/terminal.h"
#include "kith/command.h"
#include "kith/contact.h"
#include "meet/turn.h"

#include <stdio.h>
#include <termios.h>

enum { ANSWER_BYTES = 256, ASK_AGAIN_MAX = 5 };

struct verify {
    struct contact contact;
    struct bytes name;
    char own[RANDOM_ID_TEXT_LEN + 1]; /* the invitation made here, once the hub has said */
    char his[RANDOM_ID_TEXT_LEN + 1]; /* the one accepted */
    uint64_t asked; /* the number of the invitation's answer; 0: it was refused, or none yet */
    unsigned asked_again;
    bool away;             /* he is not here: waited for */
    bool turned_down;      /* an invitation of his was */
    bool begun;            /* both have agreed */
    bool asking;           /* the words are there */
    struct public_key key; /* of his device, whose words they are */
    int turn;              /* a visit beside this one leaves him to it; < 0: it does not */
    struct input input;
    bool input_open;
    struct buffer typed;
};

static struct verify *verify_of(struct contact *c)
{
    return (struct verify *)c;
}

static struct verify *verify_of_talks(struct talks *t)
{
    return verify_of(contact_of(t));
}

static void on_ending(struct contact *c)
{
    struct verify *v = verify_of(c);
    if (v->input_open)
        input_close(&v->input);
    v->input_open = false;
}

static void fail(struct verify *v, int code, const char *why)
{
    if (!v->contact.over)
        contact_end(&v->contact,
                    session_fail(v->contact.session, code, "%.*s %s", (int)v->name.len,
                                 (const char *)v->name.data, why));
}

static void say(struct verify *v, const char *before, const char *text)
{
    output_line(&v->contact.session->output, before, bytes_from_str(text));
}

/* ---- the question ---- */

static void ask(struct verify *v)
{
    printf("Are these the words %.*s sees? [yes/no] ", (int)v->name.len,
           (const char *)v->name.data);
    fflush(stdout);
}

static void judge(struct verify *v, bool same)
{
    struct session *s = v->contact.session;
    char name[ACCOUNT_NAME_BYTES + 1], text[ACCOUNT_NAME_BYTES + 40];
    struct trouble t;
    snprintf(name, sizeof name, "%.*s", (int)v->name.len, (const char *)v->name.data);
    if (peer_trust_words(&s->self, name, &v->key, same, &t) != TROUBLE_NONE) {
        contact_end(&v->contact, session_trouble(s, &t));
    } else if (!same) {
        talks_differ(&v->contact.presence.talks, v->name, &v->key);
        contact_end(
            &v->contact,
            session_fail(s, EXIT_CHANGED,
                         "somebody may be between you and %s: trust nothing that was said. "
                         "There is no talk with that device any more; kith forget %s begins "
                         "anew",
                         name, name));
    } else {
        snprintf(text, sizeof text, "%s is verified, at this device.", name);
        say(v, "", text);
        contact_end(&v->contact, EXIT_DONE);
    }
}

static void take_answer(struct verify *v, struct bytes line)
{
    struct bytes word = bytes_trim(line);
    if (bytes_equal_nocase_str(word, "yes") || bytes_equal_nocase_str(word, "y"))
        judge(v, true);
    else if (bytes_equal_nocase_str(word, "no") || bytes_equal_nocase_str(word, "n"))
        judge(v, false);
    else
        ask(v);
}

static struct verify *verify_of_input(struct input *i)
{
    return (struct verify *)((char *)i - offsetof(struct verify, input));
}

static void on_read(struct input *i, struct bytes in)
{
    struct verify *v = verify_of_input(i);
    if (buffer_append_bytes(&v->typed, in) != 0)
        buffer_truncate(&v->typed, 0);
    struct bytes typed = buffer_view(&v->typed);
    size_t end = bytes_find(typed, '\n');
    if (end == typed.len)
        return;
    take_answer(v, bytes_first(typed, end));
    buffer_truncate(&v->typed, 0); /* one line is one answer */
}

static void on_end(struct input *i)
{
    fail(verify_of_input(i), EXIT_NO, "is not verified: the question was not answered");
}

static void on_closed(struct input *i)
{
}

static const struct input_handler input_handler = {
    .read = on_read, .end = on_end, .closed = on_closed};

/* What was typed before there was a question answers none. */
static bool open_input(struct verify *v)
{
    tcflush(0, TCIFLUSH);
    int r = v->input_open ? 0 : input_open(&v->input, &v->contact.loop, &input_handler);
    if (r < 0) {
        fail(v, EXIT_NO, "is not verified: the terminal cannot be read");
        return false;
    }
    v->input_open = true;
    input_set_reading(&v->input, true);
    return true;
}

/* ---- the hub ---- */

static void meet(struct verify *v)
{
    v->away = false;
    v->asked = contact_ask(&v->contact, "MEET", v->name);
}

static void on_ready(struct contact *c, bool again)
{
    struct verify *v = verify_of(c);
    char text[3 * ACCOUNT_NAME_BYTES + 120];
    if (again)
        return;
    if (account_name_equal(bytes_from_str(c->presence.name), v->name)) {
        fail(v, EXIT_USAGE, "is you");
        return;
    }
    snprintf(text, sizeof text,
             "Asking %.*s, who has to visit the hub, or to run: kith verify %s",
             (int)v->name.len, (const char *)v->name.data, c->presence.name);
    say(v, "", text);
    v->turn = turn_take(&c->session->self, TURN_VERIFYING, v->name);
    meet(v);
}

static void on_lost(struct contact *c, const char *why)
{
    struct verify *v = verify_of(c);
    if (!v->begun)
        contact_lost(c, why);
}

static void await_him(struct verify *v)
{
    v->away = true;
    v->asked = 0;
    output_error_line("kith: ", bytes_from_str("he is waited for; Ctrl+C ends that"));
}

static void on_answer(struct contact *c, uint64_t number, const struct resp_value *reply)
{
    struct verify *v = verify_of(c);
    struct bytes text = reply->text;
    if (number != v->asked)
        return;
    if (reply->kind != RESP_FAILURE) {
        snprintf(v->own, sizeof v->own, "%.*s", (int)text.len, (const char *)text.data);
        presence_agree(&c->presence, text, v->name);
        return;
    }
    if (v->begun || v->his[0])
        return; /* he has met us meanwhile */
    bool absent = bytes_starts_with(text, "ABSENT ");
    int code = answer_is_denial(text) ? EXIT_DENIED : EXIT_NO;
    text = answer_words(text);
    session_fail(c->session, code, "%.*s", (int)(text.len < 300 ? text.len : 300),
                 (const char *)text.data);
    if (absent)
        await_him(v);
    else
        contact_end(&v->contact, code);
}

/* Where both have invited each other, the invitation of the smaller key stands. Who is turned
 * down for that asks no more; he who asks again has found nobody, since it was his visit that
 * has answered here: then his command is who words are compared with. */
static bool is_accepted(const struct verify *v, const struct notice *n)
{
    const struct public_key *own = identity_key(v->contact.session->self.identity);
    if (!account_name_equal(n->name, v->name))
        return false;
    return v->begun ? v->turned_down : !v->asked || memcmp(own, &n->key, sizeof *own) > 0;
}

static void take_invitation(struct verify *v, const struct notice *n)
{
    struct contact *c = &v->contact;
    if (!is_accepted(v, n)) {
        v->turned_down = v->turned_down || account_name_equal(n->name, v->name);
        contact_decline(c, n->id);
        return;
    }
    snprintf(v->his, sizeof v->his, "%.*s", (int)n->id.len, (const char *)n->id.data);
    contact_accept(c, n);
}

/* He may be comparing words with a visit beside this: then his next answer is another. */
static void take_refusal(struct verify *v, struct bytes reason)
{
    if (v->begun || v->his[0])
        return;
    v->own[0] = '\0';
    if (!bytes_equal_str(reason, "busy") || v->asked_again++ == ASK_AGAIN_MAX)
        fail(v, EXIT_NO, notice_refusal(reason));
    else
        contact_wake(&v->contact, LIMIT_SAY_AGAIN_MS);
}

static void on_wake(struct contact *c)
{
    struct verify *v = verify_of(c);
    if (!v->begun && !v->his[0] && !v->own[0] && c->presence.ready)
        meet(v);
}

static void take_introduction(struct verify *v, const struct notice *n)
{
    int code = contact_begin(&v->contact, n);
    v->begun = code == EXIT_DONE;
    if (code != EXIT_DONE)
        contact_end(&v->contact, code);
}

static void on_notice(struct contact *c, const struct notice *n)
{
    struct verify *v = verify_of(c);
    if (n->kind == NOTICE_INVITED) {
        take_invitation(v, n);
    } else if (n->kind == NOTICE_DECLINED && bytes_equal_str(n->id, v->own)) {
        take_refusal(v, n->reason);
    } else if (n->kind == NOTICE_INTRODUCED) {
        take_introduction(v, n);
    } else if (n->kind == NOTICE_ONLINE && v->away && account_name_equal(n->name, v->name)) {
        meet(v);
    }
}

/* ---- the talk ---- */

static void on_begun(struct talks *t, const char *name)
{
    struct verify *v = verify_of_talks(t);
    struct talk_link *l = talks_find(t, v->name);
    if (!l || talk_link_compare(l) != 0)
        fail(v, EXIT_NO, "takes nothing");
}

static void on_words(struct talks *t, const char *name, const char *const words[],
                     const struct public_key *key)
{
    struct verify *v = verify_of_talks(t);
    char line[200];
    size_t n = 0;
    if (v->contact.over || !open_input(v))
        return;
    for (size_t i = 0; i < WORDS_COUNT; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s", i > 0 ? " " : "", words[i]);
    if (v->asking)
        say(v, "", "\nOther words take the place of those before.");
    v->asking = true;
    v->key = *key;
    say(v, "The words: ", line);
    say(v, "", "Compare them by another way than this: side by side, or on the telephone.");
    ask(v);
}

static void on_no_words(struct talks *t, const char *name, const struct trouble *why)
{
    struct verify *v = verify_of_talks(t);
    bool lies = why->kind == TROUBLE_CHANGED;
    if (!v->contact.over)
        contact_end(&v->contact, session_fail(v->contact.session, lies ? EXIT_CHANGED : EXIT_NO,
                                              "no words with %s: %s", name, why->words));
}

static void on_differ(struct talks *t, const char *name)
{
    struct verify *v = verify_of_talks(t);
    if (!v->contact.over)
        contact_end(
            &v->contact,
            session_fail(v->contact.session, EXIT_CHANGED,
                         "%s says the words were not the same, and is not verified: somebody "
                         "may be between you",
                         name));
}

/* He may have answered and left: the words are still to be judged here. */
static void on_ended(struct talks *t, const char *name, const char *why)
{
    struct verify *v = verify_of_talks(t);
    if (v->asking || v->contact.over)
        return;
    if (why)
        contact_end(&v->contact, session_fail(v->contact.session, EXIT_NO,
                                              "no words with %s: %s", name, why));
    else
        fail(v, EXIT_NO, "has ended the talk");
}

static void on_refused(struct talks *t, const char *name, const struct trouble *why)
{
    struct verify *v = verify_of_talks(t);
    if (!v->contact.over)
        contact_end(&v->contact, session_trouble(v->contact.session, why));
}

static const struct talks_handler talks_handler = {.begun = on_begun,
                                                   .ended = on_ended,
                                                   .ask_devices = presence_ask_devices,
                                                   .disbelieve = presence_disbelieve,
                                                   .refused = on_refused,
                                                   .words = on_words,
                                                   .no_words = on_no_words,
                                                   .differ = on_differ,
                                                   .moved = presence_moved};

static const struct contact_handler contact_handler = {.ready = on_ready,
                                                       .lost = on_lost,
                                                       .ending = on_ending,
                                                       .answer = on_answer,
                                                       .notice = on_notice,
                                                       .wake = on_wake,
                                                       .talks = &talks_handler};

int verify_run(struct session *s)
{
    struct verify v = {.turn = -1};
    s->where.secure = !s->where.path[0];
    int code = session_word(s, 1, "Whom: ", "the name is missing", &v.name);
    if (code != EXIT_DONE)
        return code;
    if (!account_name_is_valid(v.name))
        return session_fail(s, EXIT_USAGE, "nobody can be called that");
    if (s->output.json || !terminal_is_there())
        return session_fail(s, EXIT_USAGE,
                            "words are compared by a person: kith verify needs a terminal");
    buffer_init(&v.typed, ANSWER_BYTES);
    code = contact_run(&v.contact, s, &contact_handler);
    turn_give_back(v.turn);
    buffer_fini(&v.typed);
    return code;
}

/* kith say NAME TEXT...: asks somebody to talk, says a text, and waits until it was shown. To
 * who is not there, or does not answer, the text goes as a letter.
 *
 * Several at once say it one after the other. Of this profile, one at a time asks the same
 * person, since another talk with him would take the place of the one before; and where the hub
 * says that somebody else of the account asks him already, it is tried again. Both within the
 * time that he has to answer. */

#include "base/limits.h"
#include "base/utf8.h"
#include "client/answer.h"
#include "client/post_words.h"
#include "io/clock.h"
#include "io/problem.h"
#include "kith/command.h"
#include "kith/contact.h"
#include "kith/reading.h"
#include "meet/turn.h"

#include <errno.h>

struct say {
    struct contact contact;
    struct bytes name, text;
    uint64_t asked;                  /* the number of the invitation's answer */
    char id[RANDOM_ID_TEXT_LEN + 1]; /* of the invitation, once the hub has said */
    bool begun;                      /* both have agreed */
    bool said;                       /* the text, in the talk */
    int turn;                        /* the lock on asking him; -1: none */
    struct instant by;               /* then he has not answered */
    const char *absent;              /* it goes as a letter, and why; else NULL */
};

static struct say *say_of(struct contact *c)
{
    return (struct say *)c;
}

static struct say *say_of_talks(struct talks *t)
{
    return say_of(contact_of(t));
}

static void fail(struct say *s, int code, const char *why)
{
    struct bytes name = s->name;
    if (!s->contact.over)
        contact_end(&s->contact, session_fail(s->contact.session, code, "%.*s %s",
                                              (int)(name.len < 64 ? name.len : 64),
                                              (const char *)name.data, why));
}

/* ---- a letter ---- */

static void write_letter(struct say *s, const char *absent)
{
    char words[POST_WORDS_BYTES], why[POST_WORDS_BYTES + 40];
    if (s->contact.session->options.now) {
        fail(s, EXIT_NO, absent);
        return;
    }
    int r = post_send(&s->contact.post, s->name, s->text);
    s->absent = absent;
    if (r == 0)
        return;
    post_words_refusal(r, words);
    snprintf(why, sizeof why, "%s; %s", absent, words);
    fail(s, EXIT_NO, why);
}

static int code_of(const struct post_outcome *o)
{
    switch (o->result) {
    case POST_KEPT:
        return EXIT_DONE;
    case POST_NO_TRUST:
        return EXIT_CHANGED;
    case POST_UNDECIDED:
        return EXIT_UNREACHABLE;
    default:
        return answer_is_denial(o->why) ? EXIT_DENIED : EXIT_NO;
    }
}

static void print_kept(struct output *out, const struct post_outcome *o)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "to", o->name);
    json_bool(&j, "letter", true);
    json_number(&j, "devices", (int64_t)o->kept);
    output_json(out, &j);
}

static void on_sent(struct post *p, const struct post_outcome *o)
{
    struct say *s = say_of(contact_of_post(p));
    struct output *out = &s->contact.session->output;
    char words[POST_WORDS_BYTES], line[POST_WORDS_BYTES + 120];
    post_words_outcome(o, words);
    snprintf(line, sizeof line, "%s; %s", s->absent, words);
    int code = code_of(o);
    if (code != EXIT_DONE) {
        fail(s, code, line);
        return;
    }
    snprintf(line, sizeof line, "%.*s %s; %s", (int)o->name.len, (const char *)o->name.data,
             s->absent, words);
    if (out->json)
        print_kept(out, o);
    else if (!out->quiet)
        output_error_line("kith: ", bytes_from_str(line));
    contact_end(&s->contact, out->failed != 0 ? EXIT_NO : EXIT_DONE);
}

static const struct post_handler post_handler = {.request = contact_post, .sent = on_sent};

/* ---- asking him ---- */

/* Where there can be no lock, nobody is kept from asking. */
static bool take_turn(struct say *s)
{
    if (s->turn < 0)
        s->turn = turn_take(&s->contact.session->self, TURN_SAYING, s->name);
    return s->turn != -EWOULDBLOCK;
}

static void ask(struct say *s)
{
    if (take_turn(s))
        s->asked = contact_ask(&s->contact, "MEET", s->name);
    else
        contact_wake(&s->contact, LIMIT_SAY_AGAIN_MS);
}

static void withdraw(struct say *s)
{
    const struct bytes argv[] = {bytes_from_str("CANCEL"), bytes_from_str(s->id)};
    if (s->id[0])
        contact_request(&s->contact, argv, 2);
    s->id[0] = '\0';
}

static void on_wake(struct contact *c)
{
    struct say *s = say_of(c);
    if (s->begun || s->absent || !c->presence.ready)
        return;
    if (!s->id[0] && clock_instant().ns < s->by.ns) {
        ask(s);
        return;
    }
    withdraw(s);
    write_letter(s, notice_refusal(bytes_from_str("timeout")));
}

/* The hub says itself that his time is over; by is for one that does not. */
static void await_him(struct say *s, struct bytes id)
{
    uint64_t now = clock_instant().ns;
    snprintf(s->id, sizeof s->id, "%.*s", (int)id.len, (const char *)id.data);
    presence_agree(&s->contact.presence, id, s->name);
    contact_wake(&s->contact,
                 LIMIT_SAY_LATE_MS + (s->by.ns > now ? (s->by.ns - now) / 1000000 : 0));
}

/* ---- the hub ---- */

static void on_ready(struct contact *c, bool again)
{
    struct say *s = say_of(c);
    if (again)
        return;
    s->by = instant_after_ms(clock_instant(), LIMIT_INVITED_MS);
    ask(s);
}

static void on_lost(struct contact *c, const char *why)
{
    if (say_of(c)->absent)
        post_give_up(&c->post);
    else if (!talks_find(&c->presence.talks, say_of(c)->name))
        contact_lost(c, why);
}

static void on_answer(struct contact *c, uint64_t number, const struct resp_value *reply)
{
    struct bytes text = reply->text;
    if (number != say_of(c)->asked)
        return;
    if (reply->kind == RESP_FAILURE && bytes_starts_with(text, "BUSY ")) {
        contact_wake(c, LIMIT_SAY_AGAIN_MS);
        return;
    }
    if (reply->kind == RESP_FAILURE && bytes_starts_with(text, "ABSENT ")) {
        write_letter(say_of(c), "is not here");
        return;
    }
    if (reply->kind == RESP_FAILURE) {
        contact_refused(c, text);
        return;
    }
    await_him(say_of(c), text);
}

static void refuse(struct say *s, struct bytes reason)
{
    const char *words = notice_refusal(reason);
    if (bytes_equal_str(reason, "declined"))
        fail(s, EXIT_NO, words);
    else
        write_letter(s, words);
}

static void on_notice(struct contact *c, const struct notice *n)
{
    struct say *s = say_of(c);
    if (n->kind == NOTICE_INVITED) {
        contact_decline(c, n->id);
    } else if (n->kind == NOTICE_DECLINED && bytes_equal_str(n->id, s->id)) {
        refuse(s, n->reason);
    } else if (n->kind == NOTICE_INTRODUCED && !s->absent) { /* else it goes as a letter */
        int code = contact_begin(c, n);
        s->begun = code == EXIT_DONE;
        if (code != EXIT_DONE)
            contact_end(c, code);
    }
}

/* ---- the talk ---- */

static void on_begun(struct talks *t, const char *name)
{
    struct say *s = say_of_talks(t);
    struct talk_link *l = talks_find(t, s->name);
    int r = l ? talk_link_say(l, s->text) : TALK_LINK_OVER;
    s->said = r == 0;
    if (r == TALK_LINK_NO_TEXT)
        contact_end(&s->contact, session_fail(s->contact.session, EXIT_USAGE,
                                              "a text is UTF-8, and at most 64 KiB"));
    else if (r != 0)
        fail(s, EXIT_NO, "takes nothing");
}

static void on_delivered(struct talks *t, struct talk_link *l)
{
    struct say *s = say_of_talks(t);
    struct contact *c = &s->contact;
    contact_keep(c,
                 &(struct said){
                     .from = bytes_from_str(c->presence.name), .to = s->name, .text = s->text},
                 s->name);
    contact_end(c, EXIT_DONE);
}

static void on_ended(struct talks *t, const char *name, const char *why)
{
    struct say *s = say_of_talks(t);
    if (why && !s->contact.over)
        contact_end(&s->contact,
                    session_fail(s->contact.session, EXIT_NO, "%s: %s",
                                 s->said ? "nothing says that it was shown" : "not delivered",
                                 why));
    fail(s, EXIT_NO,
         s->said ? "has ended the talk without saying that the text was shown"
                 : "has ended the talk; not delivered");
}

static void on_refused(struct talks *t, const char *name, const struct trouble *why)
{
    struct contact *c = contact_of(t);
    if (!c->over)
        contact_end(c, session_trouble(c->session, why));
}

static const struct talks_handler talks_handler = {.begun = on_begun,
                                                   .delivered = on_delivered,
                                                   .ended = on_ended,
                                                   .ask_devices = presence_ask_devices,
                                                   .disbelieve = presence_disbelieve,
                                                   .refused = on_refused,
                                                   .moved = presence_moved};

static const struct contact_handler contact_handler = {.ready = on_ready,
                                                       .lost = on_lost,
                                                       .answer = on_answer,
                                                       .notice = on_notice,
                                                       .wake = on_wake,
                                                       .talks = &talks_handler,
                                                       .post = &post_handler};

/* ---- the text ---- */

static int read_text(struct session *s, struct buffer *text)
{
    int code = session_announce_reading(s, 0, "the text");
    if (code != EXIT_DONE)
        return code;
    int r = reading_all(text, LIMIT_TALK_TEXT_BYTES + 1);
    if (r == -EFBIG)
        return session_fail(s, EXIT_USAGE, "a text is at most 64 KiB");
    if (r < 0)
        return session_fail(s, EXIT_USAGE, "cannot read standard input: %s", problem_text(r));
    if (buffer_len(text) > 0 && text->data[text->end - 1] == '\n')
        buffer_truncate(text, buffer_len(text) - 1); /* the last line's end */
    return EXIT_DONE;
}

static int take_text(struct session *s, struct buffer *text)
{
    const struct options *o = &s->options;
    struct bytes typed;
    if (o->word_count == 3 && o->literal_from > 2 && strcmp(o->words[2], "-") == 0)
        return read_text(s, text);
    int code = session_word(s, 2, "Text: ", "the text is missing", &typed);
    if (code != EXIT_DONE)
        return code;
    int r = o->word_count > 2 ? options_join(o, 2, text) : buffer_append_bytes(text, typed);
    return r == 0 ? EXIT_DONE : session_fail(s, EXIT_USAGE, "a text is at most 64 KiB");
}

static int check(struct session *s, struct bytes name, struct bytes text)
{
    if (!account_name_is_valid(name))
        return session_fail(s, EXIT_USAGE, "nobody can be called that");
    if (text.len == 0)
        return session_fail(s, EXIT_USAGE, "the text is empty");
    if (text.len > LIMIT_TALK_TEXT_BYTES)
        return session_fail(s, EXIT_USAGE, "a text is at most 64 KiB");
    return utf8_is_valid(text) ? EXIT_DONE : session_fail(s, EXIT_USAGE, "a text is UTF-8");
}

int say_run(struct session *s)
{
    struct say say = {.turn = -1};
    struct buffer text;
    buffer_init(&text, LIMIT_TALK_TEXT_BYTES + 3 * LIMIT_READ_BYTES);
    s->where.secure = !s->where.path[0];
    int code = session_word(s, 1, "Whom: ", "the name is missing", &say.name);
    if (code == EXIT_DONE)
        code = take_text(s, &text);
    say.text = buffer_view(&text);
    if (code == EXIT_DONE)
        code = check(s, say.name, say.text);
    if (code == EXIT_DONE)
        code = contact_run(&say.contact, s, &contact_handler);
    if (say.turn >= 0)
        turn_give_back(say.turn);
    buffer_fini(&text);
    return code;
}

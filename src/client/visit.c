#include "base/clean.h"
#include "base/limits.h"
#include "client/answer.h"
#include "client/verbs.h"
#include "client/visit_inner.h"
#include "wire/text_request.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* More of one text is not shown. */
enum { SHOWN_BYTES = 64 * 1024 };

static const char *const help_lines[] = {
    "GET_CLIENT_LIST       who is here; /who tells more",
    "GET_CLIENT_INFO name  talk with somebody, directly; /talk name",
    "SEND_FILE path        send a file, or a folder, to who is in front; /send path",
    "CLOSE_SESSION         end the talk, and speak to the hub again; /close",
    "VERIFY name           compare words, to be sure who it is; /verify",
    "/history [name]       what was said last, where kith was started with --history",
    "/path                 how the talks are connected",
    "DISCONNECT_CLIENT     leave, when in no talk; /quit",
    "#HELP                 these lines; /help",
    "LETTER name text      leave a letter for who is not here; /letter name text",
    "/accept /decline      answer who wants to talk with you, or offers files",
    "/transfers            files that are under way;  /cancel ID  ends one",
    "STORE key = value     keep a value;  GET key  fetches it",
    "QUIT                  stop the hub for everyone",
    "//text                say a line that begins with a slash",
};

void visit_init(struct visit *v, const struct visit_handler *handler, const char *where,
                bool person)
{
    *v = (struct visit){.handler = handler, .person = person, .full = true};
    snprintf(v->where, sizeof v->where, "%s", where);
    list_init(&v->asked);
    list_init(&v->names);
    list_init(&v->talks);
    list_init(&v->verified);
    buffer_init(&v->secret, LIMIT_TYPED_BYTES);
}

static void forget_asked(struct visit *v)
{
    struct list *link;
    while ((link = list_pop(&v->asked)))
        free(list_entry(link, struct asked, link));
    v->asked_count = 0;
}

void visit_fini(struct visit *v)
{
    forget_asked(v);
    people_fini(v);
    visit_talks_fini(v);
    verify_fini(v);
    if (v->has_post)
        post_fini(&v->post);
    greeting_forget(v);
    buffer_fini(&v->secret);
}

void visit_set_candidates(struct visit *v, const struct bytes *candidates, size_t n)
{
    v->candidates = candidates;
    v->candidate_count = n < NOTICE_CANDIDATES ? n : NOTICE_CANDIDATES;
}

/* ---- what is said ---- */

void visit_say_text(struct visit *v, enum visit_tone tone, const char *before,
                    struct bytes text, const char *after)
{
    struct buffer line;
    buffer_init(&line, SIZE_MAX);
    int r = buffer_append_str(&line, before);
    if (r == 0)
        r = clean_append(&line, text, SHOWN_BYTES);
    if (r == 0)
        r = buffer_append_str(&line, after);
    if (r == 0)
        v->handler->say(v, tone, buffer_view(&line));
    buffer_fini(&line);
    if (r != 0)
        visit_leave(v, VISIT_FAILED);
}

void visit_say_lines(struct visit *v, enum visit_tone tone, const char *before,
                     struct bytes text)
{
    do {
        visit_say_text(v, tone, before, bytes_next_line(&text), "");
    } while (text.len > 0 && v->state != VISIT_LEFT);
}

void visit_say(struct visit *v, enum visit_tone tone, const char *format, ...)
{
    char line[600];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    visit_say_text(v, tone, "", bytes_from_str(line), "");
}

void visit_say_help(struct visit *v)
{
    for (size_t i = 0; i < sizeof help_lines / sizeof *help_lines; i++)
        v->handler->say(v, VISIT_NOTE, bytes_from_str(help_lines[i]));
}

void visit_show_prompt(struct visit *v)
{
    char text[2 * ACCOUNT_NAME_BYTES + 16];
    if (v->state == VISIT_GREETING) {
        greeting_prompt(v);
        return;
    }
    if (verify_is_open(v)) {
        verify_prompt(v);
        return;
    }
    if (v->sure) {
        v->handler->prompt(v, bytes_from_str("Stop the hub for everyone? [y/N] "), false);
        return;
    }
    snprintf(text, sizeof text, "%s%s%s> ", v->name, v->front[0] ? " to " : "", v->front);
    bool talks = v->state == VISIT_HERE || (v->state == VISIT_AWAY && v->was_here);
    v->handler->prompt(v, bytes_from_str(talks ? text : ""), false);
}

void visit_leave(struct visit *v, enum visit_end end)
{
    if (v->state == VISIT_LEFT)
        return;
    v->state = VISIT_LEFT;
    if (v->has_post)
        post_give_up(&v->post);
    v->handler->leave(v, end);
}

/* ---- what is asked ---- */

void visit_ask(struct visit *v, enum asked_kind kind, struct bytes subject,
               const struct bytes *argv, size_t argc)
{
    struct asked *a = malloc(sizeof *a + subject.len);
    bool secret = kind == ASKED_LOGIN || kind == ASKED_REGISTER;
    if (!a || v->handler->request(v, argv, argc, secret) != 0) {
        free(a);
        visit_leave(v, VISIT_FAILED);
        return;
    }
    *a = (struct asked){.kind = kind, .len = subject.len};
    if (subject.len > 0)
        memcpy(a->subject, subject.data, subject.len);
    list_append(&v->asked, &a->link);
    v->asked_count++;
}

void visit_ask_word(struct visit *v, enum asked_kind kind, const char *word)
{
    struct bytes argv[] = {bytes_from_str(word)};
    visit_ask(v, kind, bytes_make(NULL, 0), argv, 1);
}

/* ---- the hub ---- */

void visit_connected(struct visit *v)
{
    struct bytes hello[] = {bytes_from_str("HELLO"), bytes_from_str("3"),
                            bytes_from_str("SETNAME"), bytes_from_str(v->label)};
    if (v->state != VISIT_AWAY)
        return;
    v->state = VISIT_MEETING;
    visit_ask(v, ASKED_HELLO, bytes_make(NULL, 0), hello, v->label[0] ? 4 : 2);
    visit_ask_word(v, ASKED_DEVICE, "LOGIN");
}

void visit_lost(struct visit *v, const char *why)
{
    if (v->state == VISIT_LEFT || v->state == VISIT_AWAY)
        return;
    if (v->stopping) {
        visit_say(v, VISIT_ANSWER, "Server Quitting..!");
        visit_leave(v, VISIT_DONE);
        return;
    }
    bool unanswered = v->asked_count > 0 && v->state == VISIT_HERE;
    forget_asked(v);
    people_lost(v);
    if (v->has_post)
        post_lost(&v->post);
    greeting_forget(v);
    v->state = VISIT_AWAY;
    v->sure = false;
    visit_say(v, VISIT_PROBLEM, "Lost the hub at %s: %s. Trying to get back.", v->where, why);
    if (unanswered)
        visit_say(v, VISIT_PROBLEM, "What was not answered yet may have been done, or not.");
    visit_show_prompt(v);
}

void visit_enter(struct visit *v)
{
    bool again = v->was_here;
    v->state = VISIT_HERE;
    v->was_here = true;
    bool greets = v->person || v->member;
    if (again)
        visit_say(v, VISIT_NOTE, "The hub at %s is back.", v->where);
    else if (v->member)
        visit_say(v, VISIT_NOTE, "Welcome, %s. You are at %s.", v->name, v->where);
    else if (greets)
        visit_say(v, VISIT_NOTE, "You are at %s, as nobody in particular.", v->where);
    if (!again && v->person)
        visit_say_help(v);
    if (v->member)
        visit_ask_word(v, ASKED_NAMES, "GET_CLIENT_LIST");
    if (again && v->member && v->handler->back)
        v->handler->back(v);
    letters_here(v);
    visit_show_prompt(v);
}

/* ---- answers ---- */

static void say_failure(struct visit *v, struct bytes why)
{
    bool denied = answer_is_denial(why);
    if (denied || bytes_starts_with(why, "ERR "))
        bytes_next_word(&why); /* for programs */
    visit_say_text(v, VISIT_PROBLEM,
                   denied ? "Not allowed: " : "The hub says: ", bytes_trim(why), "");
}

/* Any answer: a line for each text in it. */
static void say_values(struct visit *v, const struct resp_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct resp_value *value = &values[i];
        if (value->kind == RESP_NULL)
            visit_say(v, VISIT_ANSWER, "(nothing)");
        else if (value->kind == RESP_INTEGER || value->kind == RESP_BOOLEAN)
            visit_say(v, VISIT_ANSWER, "%lld", (long long)value->number);
        else if (value->kind != RESP_ARRAY && value->kind != RESP_MAP)
            visit_say_text(v, VISIT_ANSWER, "", value->text, "");
    }
}

static void say_stored(struct visit *v, struct bytes key, const struct resp_value *reply)
{
    enum answer_stored stored = answer_stored(reply);
    bool done = stored == ANSWER_SAVED || stored == ANSWER_UPDATED;
    if (!v->full)
        visit_say(v, VISIT_ANSWER, "%d", done);
    else if (done)
        visit_say_text(v, VISIT_ANSWER,
                       stored == ANSWER_SAVED ? "Saved Successfully for key:"
                                              : "Update Successfully for key:",
                       key, "");
    else if (reply->kind == RESP_FAILURE)
        say_failure(v, reply->text);
    else
        visit_say_text(v, VISIT_ANSWER, "Not Saved for key:", key, "");
}

static void say_fetched(struct visit *v, struct bytes key, const struct resp_value *reply)
{
    if (reply->kind == RESP_BULK)
        visit_say_text(v, VISIT_ANSWER, "", reply->text, "");
    else if (!v->full)
        visit_say(v, VISIT_ANSWER, "ERROR");
    else if (reply->kind == RESP_FAILURE)
        say_failure(v, reply->text);
    else
        visit_say_text(v, VISIT_ANSWER, "Invalid Key:", key, "");
}

static void take_reply(struct visit *v, const struct asked *a, const struct resp_value *values,
                       size_t count, struct walltime now)
{
    struct bytes subject = bytes_make(a->subject, a->len);
    switch (a->kind) {
    case ASKED_HELLO:
        if (values->kind == RESP_FAILURE)
            visit_leave(v, VISIT_STRANGE);
        return;
    case ASKED_DEVICE:
    case ASKED_WHOAMI:
    case ASKED_REGISTER:
    case ASKED_LOGIN:
        greeting_reply(v, a->kind, values);
        return;
    case ASKED_OWN:
        greeting_devices(v, values, count);
        return;
    case ASKED_DEVICES:
        verify_devices(v, subject, values, count);
        return;
    case ASKED_STORE:
        say_stored(v, subject, values);
        return;
    case ASKED_GET:
        say_fetched(v, subject, values);
        return;
    case ASKED_STOP:
        v->stopping = false;
        say_failure(v, values->text);
        return;
    case ASKED_REPLIES:
        v->full = bytes_equal_str(subject, "full");
        visit_say_text(v, VISIT_ANSWER, "", subject, "");
        return;
    case ASKED_POST:
        post_reply(&v->post, values, count, now);
        return;
    case ASKED_WATCH:
    case ASKED_OTHER:
        if (values->kind == RESP_FAILURE)
            say_failure(v, values->text);
        else
            say_values(v, values, count);
        return;
    default:
        if (values->kind != RESP_FAILURE || a->kind == ASKED_NAMES || a->kind == ASKED_MEET ||
            a->kind == ASKED_GO_ON || a->kind == ASKED_ABSENT) {
            people_reply(v, a, values, count, now);
            return;
        }
        if (!bytes_starts_with(values->text, "GONE ")) /* which a notice tells */
            say_failure(v, values->text);
        if (a->kind == ASKED_ANSWER)
            people_unanswered(v, subject);
    }
}

static void leave_if_done(struct visit *v)
{
    if (v->closing && v->asked_count == 0 && v->state != VISIT_MEETING)
        visit_leave(v, VISIT_DONE);
}

void visit_reply(struct visit *v, const struct resp_value *values, size_t count,
                 struct walltime now)
{
    struct list *first = list_pop(&v->asked);
    if (!first || v->state == VISIT_LEFT)
        return;
    struct asked *a = list_entry(first, struct asked, link);
    v->asked_count--;
    take_reply(v, a, values, count, now);
    free(a);
    leave_if_done(v);
}

static void say_change(struct visit *v, const struct answer_change *c)
{
    if (c->kind == ANSWER_FLUSHED) {
        visit_say(v, VISIT_NEWS, "(all keys removed)");
        return;
    }
    struct buffer line;
    buffer_init(&line, SIZE_MAX);
    int r = buffer_append_bytes(&line, c->key);
    if (r == 0 && c->kind == ANSWER_SET)
        r = buffer_append_str(&line, " = ");
    if (r == 0)
        r = buffer_append_bytes(&line, c->value);
    if (r == 0)
        visit_say_text(v, VISIT_NEWS, "", buffer_view(&line),
                       c->kind == ANSWER_SET       ? ""
                       : c->kind == ANSWER_EXPIRED ? " (expired)"
                                                   : " (removed)");
    buffer_fini(&line);
}

/* FOLLOW and UNFOLLOW are answered by a push that has their name. */
static bool is_watch_answer(const struct visit *v, const struct resp_value *values,
                            size_t count)
{
    if (list_is_empty(&v->asked) || count < 2)
        return false;
    const struct asked *a = list_entry(v->asked.next, struct asked, link);
    return a->kind == ASKED_WATCH && (bytes_equal_nocase_str(values[1].text, "follow") ||
                                      bytes_equal_nocase_str(values[1].text, "unfollow"));
}

void visit_push(struct visit *v, const struct resp_value *values, size_t count)
{
    struct answer_change change;
    struct notice n;
    if (v->state == VISIT_LEFT)
        return;
    if (is_watch_answer(v, values, count)) {
        free(list_entry(list_pop(&v->asked), struct asked, link));
        v->asked_count--;
        visit_say(v, VISIT_ANSWER, "OK");
        leave_if_done(v);
    } else if (answer_change(values, &change)) {
        say_change(v, &change);
    } else if (notice_parse(values, count, &n)) {
        people_notice(v, &n);
    }
}

/* ---- the person ---- */

bool visit_takes_lines(const struct visit *v)
{
    if (v->closing)
        return false;
    if (v->state == VISIT_GREETING)
        return v->asked_count == 0;
    return (v->state == VISIT_HERE || (v->state == VISIT_AWAY && v->was_here)) &&
           v->asked_count < LIMIT_UNANSWERED;
}

/* What needs no hub is answered in its turn all the same. */
static void ask_echo(struct visit *v, enum asked_kind kind, struct bytes text)
{
    struct bytes argv[] = {bytes_from_str("ECHO"), text};
    visit_ask(v, kind, text, argv, 2);
}

static void store_problem(struct visit *v, const struct text_request *request)
{
    bool store = request->verb == TEXT_STORE;
    visit_say(v, VISIT_PROBLEM, "%s: %s", store ? "Not stored" : "Not fetched",
              request->problem);
}

static void stop_hub(struct visit *v)
{
    v->stopping = true;
    visit_ask_word(v, ASKED_STOP, "SHUTDOWN");
}

static void ask_to_stop(struct visit *v)
{
    if (!v->person) {
        stop_hub(v);
        return;
    }
    v->sure = true;
    visit_show_prompt(v);
}

/* A message of the text door, put as a request. */
static void say_to_hub(struct visit *v, struct bytes line)
{
    struct text_request request = text_request_parse(line);
    struct bytes nothing = bytes_make(NULL, 0);
    struct bytes store[] = {bytes_from_str("STORE"), request.key, request.value};
    struct bytes get[] = {bytes_from_str("GET"), request.key};
    struct bytes follow[] = {bytes_from_str("FOLLOW"), request.value};
    struct bytes name[] = {bytes_from_str("NAME"), request.value};
    switch (request.verb) {
    case TEXT_STORE:
    case TEXT_GET:
        if (request.problem)
            store_problem(v, &request);
        else if (request.verb == TEXT_STORE)
            visit_ask(v, ASKED_STORE, request.key, store, 3);
        else
            visit_ask(v, ASKED_GET, request.key, get, 2);
        return;
    case TEXT_QUIT:
        ask_to_stop(v);
        return;
    case TEXT_NAME:
        visit_ask(v, ASKED_OTHER, nothing, name, 2);
        return;
    case TEXT_WATCH:
        visit_ask(v, ASKED_WATCH, nothing, follow, 2);
        return;
    case TEXT_UNWATCH:
        visit_ask_word(v, ASKED_WATCH, "UNFOLLOW");
        return;
    case TEXT_REPLIES:
        ask_echo(v, ASKED_REPLIES, bytes_from_str(request.full ? "full" : "terse"));
        return;
    case TEXT_HELP:
    case TEXT_HTTP:
    case TEXT_ECHO:
        ask_echo(v, ASKED_OTHER, line);
    }
}

static void leave_politely(struct visit *v)
{
    if (v->front[0]) {
        visit_say(v, VISIT_PROBLEM, "You talk with %s: CLOSE_SESSION first.", v->front);
        return;
    }
    v->closing = true; /* what was asked before is still answered */
    leave_if_done(v);
}

static void send_file(struct visit *v, struct bytes path)
{
    if (path.len == 0)
        visit_say(v, VISIT_PROBLEM, "What? SEND_FILE PATH");
    else if (v->front[0])
        v->handler->talk_send(v, path);
    else
        visit_say(v, VISIT_PROBLEM, "To whom? /talk NAME puts somebody in front.");
}

/* What needs no hub. */
static bool run_here(struct visit *v, const struct verb *verb)
{
    switch (verb->kind) {
    case VERB_NONE:
        return true;
    case VERB_UNKNOWN:
        visit_say_text(v, VISIT_PROBLEM, "There is no ", verb->argument,
                       "; /help shows what there is");
        return true;
    case VERB_WRONG:
        visit_say(v, VISIT_PROBLEM, "%s", verb->problem);
        return true;
    case VERB_HELP:
        visit_say_help(v);
        return true;
    case VERB_LEAVE:
        leave_politely(v);
        return true;
    case VERB_SEND:
        send_file(v, verb->argument);
        return true;
    case VERB_SAY:
        return visit_talks_say(v, verb->argument) || people_hold(v, verb->argument);
    case VERB_TALK:
        return visit_talks_switch(v, verb->argument);
    case VERB_ACCEPT:
    case VERB_DECLINE:
        return people_answer_offer(v, verb->argument, verb->kind == VERB_ACCEPT);
    case VERB_TRANSFERS:
        if (v->handler->transfers)
            v->handler->transfers(v);
        return true;
    case VERB_CANCEL:
        if (v->handler->cancel)
            v->handler->cancel(v, verb->argument);
        return true;
    case VERB_HISTORY:
        history_say(v, verb->argument);
        return true;
    case VERB_PATH:
        visit_talks_say_ways(v);
        return true;
    case VERB_CLOSE:
        people_close(v);
        return true;
    case VERB_VERIFY:
        verify_ask(v, verb->argument);
        return true;
    default:
        return false;
    }
}

static void run_at_hub(struct visit *v, const struct verb *verb)
{
    switch (verb->kind) {
    case VERB_SAY:
        say_to_hub(v, verb->argument);
        return;
    case VERB_LIST:
        visit_ask_word(v, ASKED_LIST, "GET_CLIENT_LIST");
        return;
    case VERB_WHO:
        visit_ask_word(v, ASKED_WHO, "WHO");
        return;
    case VERB_TALK:
        people_talk(v, verb->argument);
        return;
    case VERB_LETTER:
        letters_write(v, verb->argument);
        return;
    case VERB_ACCEPT:
    case VERB_DECLINE:
        people_accept(v, verb->argument, verb->kind == VERB_ACCEPT);
        return;
    default:
        ask_to_stop(v);
    }
}

static void answer_sure(struct visit *v, struct bytes line)
{
    struct bytes word = bytes_trim(line);
    v->sure = false;
    if (bytes_equal_nocase_str(word, "y") || bytes_equal_nocase_str(word, "yes"))
        stop_hub(v);
    else
        visit_say(v, VISIT_NOTE, "It goes on.");
    visit_show_prompt(v);
}

/* What was entered at once was all meant for the same. */
static void run_line(struct visit *v, struct bytes line, bool more)
{
    struct verb verb = verb_parse(line);
    bool done = run_here(v, &verb);
    if (!more)
        v->left[0] = v->missed[0] = '\0';
    if (done)
        return;
    if (v->state == VISIT_AWAY)
        visit_say_text(v, VISIT_PROBLEM, "Not sent, the hub is away: ", line, "");
    else
        run_at_hub(v, &verb);
}

void visit_typed(struct visit *v, struct bytes line, bool more)
{
    if (v->state == VISIT_GREETING)
        greeting_typed(v, line);
    else if (verify_is_open(v))
        verify_typed(v, line);
    else if (v->sure)
        answer_sure(v, line);
    else if (v->state == VISIT_HERE || v->state == VISIT_AWAY)
        run_line(v, line, more);
}

void visit_interrupted(struct visit *v, bool again)
{
    if (again) {
        visit_leave(v, VISIT_DONE);
        return;
    }
    if (verify_put_off(v))
        return;
    if (v->front[0]) {
        visit_talks_close_front(v);
        return;
    }
    if (v->sure) {
        v->sure = false;
        visit_show_prompt(v);
    }
    visit_say(v, VISIT_NOTE, "Ctrl+C again leaves.");
}

void visit_input_over(struct visit *v)
{
    v->closing = true;
    if (v->state == VISIT_AWAY && v->was_here)
        visit_leave(v, VISIT_DONE);
    else if (v->state != VISIT_AWAY)
        leave_if_done(v);
}

/* kith [HOST [PORT]]: a person's visit to a hub. Ties the visit (client/visit.h), which decides
 * everything, to a console, to the line to the hub and to the talks. */

#include "base/limits.h"
#include "base/number.h"
#include "client/accepting.h"
#include "client/completion.h"
#include "client/verbs.h"
#include "client/visit.h"
#include "io/clock.h"
#include "io/problem.h"
#include "kith/account_hub.h"
#include "kith/command.h"
#include "kith/console.h"
#include "kith/local_time.h"
#include "kith/paths.h"
#include "kith/visit_files.h"
#include "meet/hub_line.h"
#include "meet/postbag.h"
#include "meet/talks.h"
#include "meet/turn.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { TICK_MS = 1000 };

struct interactive {
    struct session *session;
    uv_loop_t loop;
    struct visit visit;
    struct console console;
    struct hub_line hub;
    struct talks talks;
    struct postbag bag;
    struct chronicle chronicle;
    struct visit_files files;
    uv_timer_t tick;      /* for files */
    uv_signal_t stops[2]; /* SIGTERM, SIGHUP */
    uint16_t peer_port;   /* 0: any */
    int code;             /* of the end */
    int signal;           /* that ended it; 0: none */
    bool over;
};

static void end(struct interactive *i, int code)
{
    if (i->over)
        return;
    i->over = true;
    i->code = code;
    console_close(&i->console);
    visit_files_close(&i->files);
    uv_close((uv_handle_t *)&i->tick, NULL);
    talks_close(&i->talks);
    hub_line_close(&i->hub);
    uv_close((uv_handle_t *)&i->stops[0], NULL);
    uv_close((uv_handle_t *)&i->stops[1], NULL);
}

/* ---- the visit wants something ---- */

static struct interactive *of_visit(struct visit *v)
{
    return (struct interactive *)((char *)v - offsetof(struct interactive, visit));
}

static void on_say(struct visit *v, enum visit_tone tone, struct bytes line)
{
    struct interactive *i = of_visit(v);
    if (!i->over)
        console_say(&i->console, tone, line);
    else if (tone == VISIT_PROBLEM)
        output_error_line("kith: ", line); /* what was said last has not arrived */
}

static void on_prompt(struct visit *v, struct bytes text, bool secret)
{
    if (!of_visit(v)->over)
        console_prompt(&of_visit(v)->console, text, secret);
}

static int on_request(struct visit *v, const struct bytes *argv, size_t argc, bool secret)
{
    struct interactive *i = of_visit(v);
    journal_note(&i->session->journal, "asked", argv[0]);
    return hub_line_ask(&i->hub, argv, argc, secret);
}

static void on_leave(struct visit *v, enum visit_end why)
{
    static const int codes[] = {[VISIT_DONE] = EXIT_DONE,
                                [VISIT_DENIED] = EXIT_DENIED,
                                [VISIT_STRANGE] = EXIT_UNREACHABLE,
                                [VISIT_FAILED] = EXIT_NO};
    struct interactive *i = of_visit(v);
    console_hide(&i->console);
    if (why == VISIT_STRANGE)
        session_strange(i->session);
    else if (why == VISIT_FAILED)
        session_fail(i->session, EXIT_NO, "out of memory");
    end(i, codes[why]);
}

/* ---- talks ---- */

static void on_introduced(struct visit *v, const struct notice *n)
{
    struct interactive *i = of_visit(v);
    char name[ACCOUNT_NAME_BYTES + 1];
    struct trouble t;
    snprintf(name, sizeof name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    if (talks_begin(&i->talks, v->name, n, &t) != TROUBLE_NONE)
        visit_talk_fails(v, name, t.words);
}

/* He is for a kith verify that waits for him here. */
static bool on_has_room(struct visit *v, struct bytes name)
{
    struct interactive *i = of_visit(v);
    return talks_have_room(&i->talks, name) &&
           !turn_is_taken(&i->session->self, TURN_VERIFYING, name);
}

/* What was said with somebody. */
static void keep(struct interactive *i, const char *other, struct said *said)
{
    char why[CHRONICLE_WHY_BYTES];
    said->when = clock_walltime();
    if (!chronicle_keep(&i->chronicle, bytes_from_str(other), said, why) && !i->over)
        console_say(&i->console, VISIT_PROBLEM, bytes_from_str(why));
}

static void see_said(void *ctx, const struct said *said)
{
    visit_said(ctx, said);
}

static bool on_history(struct visit *v, struct bytes name)
{
    return chronicle_last(&of_visit(v)->chronicle, name, LIMIT_HISTORY_SHOWN, see_said, v) == 0;
}

static void on_talk_say(struct visit *v, struct bytes text)
{
    static const char *const problems[] = {
        [TALK_LINK_FULL] = "too much waits that the other side has not taken",
        [TALK_LINK_NO_TEXT] = "it is too long, at most 64 KiB, or no text",
        [TALK_LINK_OVER] = "the talk is over"};
    struct talk_link *l = talks_find(&of_visit(v)->talks, bytes_from_str(v->front));
    int r = l ? talk_link_say(l, text) : TALK_LINK_OVER;
    if (r != 0)
        visit_talk_refused(v, r < 0 ? problem_text(r) : problems[r]);
    else
        keep(of_visit(v), v->front,
             &(struct said){.from = bytes_from_str(v->name),
                            .to = bytes_from_str(v->front),
                            .text = text});
}

static void on_talk_send(struct visit *v, struct bytes path)
{
    visit_files_send(&of_visit(v)->files, path);
}

static bool on_answer_offer(struct visit *v, struct bytes name, bool accepts)
{
    return visit_files_answer(&of_visit(v)->files, name, accepts);
}

static void on_transfers(struct visit *v)
{
    visit_files_tell(&of_visit(v)->files);
}

static void on_cancel(struct visit *v, struct bytes id)
{
    visit_files_cancel(&of_visit(v)->files, id);
}

static void on_talk_close(struct visit *v, const char *name)
{
    talks_end(&of_visit(v)->talks, bytes_from_str(name));
}

static void on_relay_waits(struct visit *v, struct bytes id)
{
    talks_called(&of_visit(v)->talks, id);
}

static void on_unbelieved(struct visit *v, struct bytes id)
{
    talks_disbelieved(&of_visit(v)->talks, id);
}

static void on_revoked(struct visit *v, const struct public_key *key)
{
    talks_revoked(&of_visit(v)->talks, key);
}

static void on_back(struct visit *v)
{
    talks_review(&of_visit(v)->talks);
}

static void on_devices(struct visit *v, uint64_t number, const struct resp_value *values,
                       size_t count)
{
    talks_devices(&of_visit(v)->talks, number, values, count);
}

static void on_talk_verify(struct visit *v, const char *name)
{
    struct talk_link *l = talks_find(&of_visit(v)->talks, bytes_from_str(name));
    if (!l || talk_link_compare(l) != 0)
        visit_words_fail(v, name, "they cannot be asked for now");
}

static int on_judged(struct visit *v, const char *name, const struct public_key *key, bool same)
{
    struct interactive *i = of_visit(v);
    struct trouble t;
    enum trouble_kind kind = peer_trust_words(&i->session->self, name, key, same, &t);
    if (kind != TROUBLE_NONE)
        on_say(v, VISIT_PROBLEM, bytes_from_str(t.words));
    if (!same)
        talks_differ(&i->talks, bytes_from_str(name), key);
    return (int)kind;
}

static void on_when(struct visit *v, struct walltime t, char out[VISIT_WHEN_BYTES])
{
    local_time_write(t, clock_walltime(), out);
}

static struct interactive *of_talks(struct talks *t)
{
    return (struct interactive *)((char *)t - offsetof(struct interactive, talks));
}

static struct visit *visit_of(struct talks *t)
{
    return &of_talks(t)->visit;
}

static void on_talk_begun(struct talks *t, const char *name)
{
    const struct talk_link *l = talks_find(t, bytes_from_str(name));
    visit_talk_begins(visit_of(t), name, l && l->verified);
    visit_files_begun(&of_talks(t)->files, name);
}

static void on_talk_joined(struct talks *t, const char *name, bool verified)
{
    visit_talk_joins(visit_of(t), name, verified);
}

static void on_talk_noted(struct talks *t, struct talk_link *l, struct bytes message)
{
    visit_files_noted(&of_talks(t)->files, l, message);
}

static void on_talk_bulk(struct talks *t, struct talk_link *l, struct bytes message)
{
    transfers_bulk(&of_talks(t)->files.transfers, l, message);
}

static void on_talk_room(struct talks *t, struct talk_link *l)
{
    transfers_room(&of_talks(t)->files.transfers, l);
}

static void on_talk_path(struct talks *t, const char *name, const char *way)
{
    transfers_look(&of_talks(t)->files.transfers);
    visit_talk_way(visit_of(t), name, way);
}

static void on_talk_heard(struct talks *t, const char *name, struct bytes text)
{
    struct visit *v = visit_of(t);
    keep(of_talks(t), name,
         &(struct said){
             .from = bytes_from_str(name), .to = bytes_from_str(v->name), .text = text});
    visit_talk_heard(v, name, text);
}

static void on_talk_ended(struct talks *t, const char *name, const char *why)
{
    visit_talk_ends(visit_of(t), name, why);
}

static void on_talk_undelivered(struct talks *t, struct talk_link *l, struct bytes text)
{
    struct visit *v = visit_of(t);
    const char *name = l->name;
    keep(of_talks(t), name,
         &(struct said){.from = bytes_from_str(v->name),
                        .to = bytes_from_str(name),
                        .text = text,
                        .undelivered = true});
    visit_talk_undelivered(v, name, text, l->arrived);
}

static void on_moved(struct talks *t)
{
    struct interactive *i = of_visit(visit_of(t));
    visit_set_candidates(&i->visit, t->candidates, t->candidate_count);
    hub_line_moved(&i->hub, t->own, t->own_count);
}

static uint64_t on_ask_devices(struct talks *t, const char *name)
{
    return visit_ask_devices(visit_of(t), name);
}

static void on_disbelieve(struct talks *t, struct bytes id)
{
    visit_disbelieve(visit_of(t), id);
}

static void on_talk_refused(struct talks *t, const char *name, const struct trouble *why)
{
    visit_talk_fails(visit_of(t), name, why->words);
}

static void on_words(struct talks *t, const char *name, const char *const words[],
                     const struct public_key *key)
{
    visit_words(visit_of(t), name, words, WORDS_COUNT, key);
}

static void on_no_words(struct talks *t, const char *name, const struct trouble *why)
{
    visit_words_fail(visit_of(t), name, why->words);
}

static void on_differ(struct talks *t, const char *name)
{
    visit_words_differ(visit_of(t), name);
}

static const struct talks_handler talks_handler = {.begun = on_talk_begun,
                                                   .joined = on_talk_joined,
                                                   .noted = on_talk_noted,
                                                   .bulk = on_talk_bulk,
                                                   .room = on_talk_room,
                                                   .ask_devices = on_ask_devices,
                                                   .disbelieve = on_disbelieve,
                                                   .refused = on_talk_refused,
                                                   .words = on_words,
                                                   .no_words = on_no_words,
                                                   .differ = on_differ,
                                                   .path = on_talk_path,
                                                   .moved = on_moved,
                                                   .heard = on_talk_heard,
                                                   .ended = on_talk_ended,
                                                   .undelivered = on_talk_undelivered};

/* ---- the person ---- */

static struct interactive *of_console(struct console *c)
{
    return (struct interactive *)((char *)c - offsetof(struct interactive, console));
}

static bool takes_lines(struct console *c)
{
    struct interactive *i = of_console(c);
    return !i->over && visit_takes_lines(&i->visit);
}

static void on_line(struct console *c, struct bytes line, bool more)
{
    visit_typed(&of_console(c)->visit, line, more);
}

static void on_no_room(struct console *c)
{
    on_say(&of_console(c)->visit, VISIT_PROBLEM,
           bytes_from_str("That is too long: 64 KiB at most. Nothing of it was taken."));
}

static void on_too_long(struct console *c)
{
    struct interactive *i = of_console(c);
    if (!i->over)
        end(i, session_fail(i->session, EXIT_USAGE, "a line is at most 1 MiB"));
}

static void on_interrupted(struct console *c, bool again)
{
    visit_interrupted(&of_console(c)->visit, again);
}

static void on_over(struct console *c)
{
    visit_input_over(&of_console(c)->visit);
}

static void on_broken(struct console *c)
{
    end(of_console(c), EXIT_NO);
}

/* ---- completion ---- */

static enum verb_takes offer_verbs(struct completion *words, struct bytes verb)
{
    enum verb_takes takes, ret = VERB_TAKES_NOTHING;
    const char *word;
    for (size_t n = 0; (word = verb_word(n, &takes)); n++) {
        if (words)
            completion_offer(words, bytes_from_str(word));
        else if (!words && bytes_equal_nocase_str(verb, word))
            ret = takes;
    }
    return ret;
}

static void offer_names(struct visit *v, struct completion *words)
{
    list_foreach (at, &v->names) {
        struct visit_name *n = list_entry(at, struct visit_name, link);
        completion_offer(words, bytes_from_str(n->name));
    }
}

/* One that fits goes in, with a blank behind it; of several what they share, and if that is
 * nothing new they are shown. */
static void complete(struct console *c, struct completion *words, bool path)
{
    struct bytes common = buffer_view(&words->common);
    if (words->count == 0)
        return;
    if (words->count > 1 && common.len <= words->word.len) {
        console_say(c, VISIT_NOTE, buffer_view(&words->list));
        return;
    }
    bool folder = path && common.len > 0 && common.data[common.len - 1] == '/';
    if (words->count == 1 && !folder && buffer_append_str(&words->common, " ") != 0)
        return;
    console_replace(c, words->word.len, buffer_view(&words->common));
}

static void on_complete(struct console *c, struct bytes before)
{
    struct interactive *i = of_console(c);
    struct bytes word = before, verb = bytes_next_word(&word);
    bool first = word.len == 0;
    struct completion words;
    enum verb_takes takes = VERB_TAKES_NOTHING;
    if (i->visit.state != VISIT_HERE)
        return;
    completion_init(&words, first ? verb : bytes_trim(word));
    if (first)
        offer_verbs(&words, verb);
    else
        takes = offer_verbs(NULL, verb);
    if (takes == VERB_TAKES_NAME)
        offer_names(&i->visit, &words);
    else if (takes == VERB_TAKES_PATH)
        paths_offer(&words);
    complete(c, &words, takes == VERB_TAKES_PATH);
    completion_fini(&words);
}

/* ---- the hub ---- */

static struct interactive *of_hub(struct hub_line *l)
{
    return (struct interactive *)((char *)l - offsetof(struct interactive, hub));
}

static void on_met(struct hub_line *l)
{
    console_hide(&of_hub(l)->console);
    session_met(of_hub(l)->session);
}

static void note_verified(void *ctx, struct bytes name)
{
    visit_verified(ctx, name);
}

static void on_up(struct hub_line *l)
{
    struct interactive *i = of_hub(l);
    struct trouble t;
    bool people = !i->session->where.path[0];
    talks_look_around(&i->talks, hub_line_is_local(l));
    visit_set_candidates(&i->visit, i->talks.candidates, i->talks.candidate_count);
    if (people &&
        peer_trust_verified(&i->session->self, note_verified, &i->visit, &t) != TROUBLE_NONE)
        on_say(&i->visit, VISIT_PROBLEM, bytes_from_str(t.words));
    visit_files_open(&i->files, &i->talks, i->session, &i->loop);
    visit_connected(&i->visit);
}

static void on_down(struct hub_line *l, const char *why)
{
    struct interactive *i = of_hub(l);
    visit_lost(&i->visit, why);
    if (!i->over)
        console_pump(&i->console);
}

static void on_answer(struct hub_line *l, const struct resp_value *values, size_t count)
{
    struct interactive *i = of_hub(l);
    visit_reply(&i->visit, values, count, clock_walltime());
    if (!i->over)
        console_pump(&i->console);
}

static void on_push(struct hub_line *l, const struct resp_value *values, size_t count)
{
    visit_push(&of_hub(l)->visit, values, count);
}

static void on_failed(struct hub_line *l, const struct trouble *why)
{
    struct interactive *i = of_hub(l);
    console_hide(&i->console);
    end(i, session_trouble(i->session, why));
}

static void on_tick(uv_timer_t *timer)
{
    struct interactive *i = timer->data;
    visit_files_tick(&i->files);
}

static void on_stop(uv_signal_t *stop, int number)
{
    struct interactive *i = stop->data;
    i->signal = number;
    end(i, EXIT_NO);
}

/* ---- one run ---- */

static const struct visit_handler visit_handler = {.say = on_say,
                                                   .prompt = on_prompt,
                                                   .request = on_request,
                                                   .leave = on_leave,
                                                   .introduced = on_introduced,
                                                   .has_room = on_has_room,
                                                   .talk_say = on_talk_say,
                                                   .talk_send = on_talk_send,
                                                   .answer_offer = on_answer_offer,
                                                   .transfers = on_transfers,
                                                   .cancel = on_cancel,
                                                   .talk_close = on_talk_close,
                                                   .talk_verify = on_talk_verify,
                                                   .judged = on_judged,
                                                   .devices = on_devices,
                                                   .relay_waits = on_relay_waits,
                                                   .unbelieved = on_unbelieved,
                                                   .revoked = on_revoked,
                                                   .back = on_back,
                                                   .history = on_history,
                                                   .when = on_when};

static const struct console_handler console_handler = {.takes_lines = takes_lines,
                                                       .line = on_line,
                                                       .no_room = on_no_room,
                                                       .too_long = on_too_long,
                                                       .interrupted = on_interrupted,
                                                       .over = on_over,
                                                       .complete = on_complete,
                                                       .broken = on_broken};

static const struct hub_line_handler hub_handler = {.met = on_met,
                                                    .up = on_up,
                                                    .down = on_down,
                                                    .answer = on_answer,
                                                    .push = on_push,
                                                    .failed = on_failed};

static void watch_signals(struct interactive *i)
{
    static const int numbers[] = {SIGTERM, SIGHUP};
    for (size_t n = 0; n < 2; n++) {
        uv_signal_init(&i->loop, &i->stops[n]);
        i->stops[n].data = i;
        uv_signal_start(&i->stops[n], on_stop, numbers[n]);
    }
}

/* Without a key there are no letters. */
static int open_post(struct interactive *i)
{
    uint8_t seed[PEER_LETTER_SEED_BYTES] = {0}, entropy[CHANCE_SEED_BYTES] = {0};
    struct session *s = i->session;
    struct trouble t;
    if (s->where.path[0])
        return EXIT_DONE;
    enum trouble_kind kind = self_identity(&s->self, &t);
    if (kind == TROUBLE_NONE && !s->self.identity)
        return EXIT_DONE;
    if (kind == TROUBLE_NONE)
        i->visit.device = identity_key(s->self.identity);
    if (kind == TROUBLE_NONE)
        kind = postbag_open(&i->bag, &s->self, seed, entropy, &t);
    if (kind == TROUBLE_NONE)
        visit_set_post(&i->visit, &postbag_keep, &i->bag, seed, entropy);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(entropy, sizeof entropy);
    return kind == TROUBLE_NONE ? EXIT_DONE : session_trouble(s, &t);
}

static int run(struct interactive *i)
{
    struct session *s = i->session;
    struct trouble t;
    i->chronicle = (struct chronicle){.self = &s->self, .keeps = s->options.history};
    i->bag.chronicle = &i->chronicle;
    visit_init(&i->visit, &visit_handler, s->where_text, false);
    int code = open_post(i);
    if (code != EXIT_DONE)
        return code;
    int r = console_open(&i->console, &i->loop, &s->output, &console_handler);
    if (r < 0)
        return session_fail(s, EXIT_NO, "cannot read standard input: %s", problem_text(r));
    i->visit.person = i->console.terminal;
    account_label(i->visit.label);
    i->visit.accepts = s->options.accept;
    watch_signals(i);
    visit_files_init(&i->files, &i->visit, s, s->options.accept);
    uv_timer_init(&i->loop, &i->tick);
    i->tick.data = i;
    uv_timer_start(&i->tick, on_tick, TICK_MS, TICK_MS);
    enum trouble_kind kind = hub_line_open(&i->hub, &i->loop, &s->self, &hub_handler, &t);
    if (kind == TROUBLE_NONE && !s->where.path[0])
        kind = talks_open(&i->talks, &i->loop, &s->self, i->peer_port, &talks_handler, &t);
    i->talks.ground.person = i->console.terminal;
    if (kind != TROUBLE_NONE)
        end(i, session_trouble(s, &t));
    uv_run(&i->loop, UV_RUN_DEFAULT);
    hub_line_fini(&i->hub);
    talks_fini(&i->talks);
    visit_files_fini(&i->files);
    console_fini(&i->console);
    return i->code;
}

/* HOST, and PORT where it is a word of its own. */
static int take_where(struct session *s)
{
    const struct options *o = &s->options;
    uint64_t port = 0;
    if (o->word_count > 0) {
        const char *problem = where_parse(bytes_from_str(o->words[0]), &s->where);
        if (problem)
            return session_fail(s, EXIT_USAGE, "%.200s: %s", o->words[0], problem);
    }
    if (o->word_count > 1) {
        if (!number_parse_u64(bytes_from_str(o->words[1]), &port) || port == 0 || port > 65535)
            return session_fail(s, EXIT_USAGE, "a port is 1 to 65535, not %.64s", o->words[1]);
        s->where.port = (uint16_t)port;
    }
    s->where.secure = !s->where.path[0];
    where_format(&s->where, s->where_text);
    return EXIT_DONE;
}

int interactive_run(struct session *s)
{
    struct interactive i = {.session = s};
    if (s->output.json)
        return session_fail(s, EXIT_USAGE, "--json does not go with a visit to a hub");
    int code = take_where(s);
    if (code == EXIT_DONE && s->options.accept && !accepting_is_valid(s->options.accept))
        code =
            session_fail(s, EXIT_USAGE,
                         "--accept takes names, as in alice,bob, or all, and a size of files, "
                         "as in 10M");
    if (code == EXIT_DONE)
        code = session_peer_port(s, &i.peer_port);
    if (code != EXIT_DONE)
        return code;
    int r = uv_loop_init(&i.loop);
    if (r < 0)
        return session_fail(s, EXIT_NO, "%s", problem_text(r));
    code = run(&i);
    visit_fini(&i.visit);
    postbag_close(&i.bag);
    uv_loop_close(&i.loop);
    if (i.signal != 0) {
        signal(i.signal, SIG_DFL);
        raise(i.signal);
    }
    return code;
}

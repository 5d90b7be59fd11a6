#include "visitor.h"

#include "liar.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>

static struct visitor *visitor_of(struct visit *v)
{
    return (struct visitor *)((char *)v - offsetof(struct visitor, visit));
}

/* ---- what the visit wants ---- */

static void on_say(struct visit *visit, enum visit_tone tone, struct bytes line)
{
    struct visitor *v = visitor_of(visit);
    SAY(v->world, "device %zu: %.*s", v->device, (int)line.len, (const char *)line.data);
    if (visit->state != VISIT_LEFT)
        mail_shown(v->world, v->device, line);
}

static void on_prompt(struct visit *visit, struct bytes text, bool secret)
{
    struct visitor *v = visitor_of(visit);
    snprintf(v->prompt, sizeof v->prompt, "%.*s", (int)text.len, (const char *)text.data);
    CHECK(v->world, visit->state != VISIT_GREETING || !v->world->is_known[v->device],
          "a device that was let in is asked again");
}

static enum visitor_request read_word(const struct bytes *argv, size_t argc)
{
    static const struct {
        const char *word;
        size_t argc;
        enum visitor_request request;
    } words[] = {{"MEET", 3, VISITOR_MEETS},      {"REGISTER", 3, VISITOR_REGISTERS},
                 {"LETTER", 5, VISITOR_WRITES},   {"LETTERS", 1, VISITOR_TAKES},
                 {"DEVICES", 3, VISITOR_DEVICES}, {"DEVICES", 4, VISITOR_SIGNS}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (bytes_equal_str(argv[0], words[i].word) && argc == words[i].argc)
            return words[i].request;
    return VISITOR_OTHER;
}

static struct visitor_asked read_request(struct visitor *v, const struct bytes *argv,
                                         size_t argc)
{
    struct world *w = v->world;
    struct visitor_asked asked = {.request = read_word(argv, argc)};
    if (asked.request == VISITOR_WRITES)
        asked.copy = mail_asked(w, v->device, argv);
    if (asked.request != VISITOR_MEETS && asked.request != VISITOR_REGISTERS)
        return asked;
    asked.account = world_account(w, argv[1]);
    asked.was_seen = w->is_seen[asked.account];
    return asked;
}

/* All that is said to people begins with ~, and so may what is sealed. */
static void judge_request(struct visitor *v, const struct bytes *argv, size_t argc)
{
    struct world *w = v->world;
    for (size_t i = 0; i < argc && i < 4; i++)
        CHECK(w, argv[i].len == 0 || argv[i].data[0] != '~',
              "what was said to a person goes to the hub");
    CHECK(w, v->asked_count < VISITOR_ASKED, "more requests than there should be");
    v->asked[(v->asked_first + v->asked_count++) % VISITOR_ASKED] = read_request(v, argv, argc);
    if (bytes_equal_str(argv[0], "ACCEPT"))
        judge_accepts(w, v->device, argv[1]);
}

static int on_request(struct visit *visit, const struct bytes *argv, size_t argc, bool secret)
{
    struct visitor *v = visitor_of(visit);
    judge_request(v, argv, argc);
    return conversation_ask(&v->conversation, argv, argc);
}

static void on_leave(struct visit *visit, enum visit_end end)
{
    struct visitor *v = visitor_of(visit);
    CHECK(v->world, end == VISIT_DONE, "a visit ends by itself: %d", end);
    v->has_left = true;
}

static void on_introduced(struct visit *visit, const struct notice *n)
{
    struct visitor *v = visitor_of(visit);
    size_t other = v->world->lies ? world_key(v->world, &n->key)
                                  : judge_device(v->world, &n->key, n->name);
    struct meeting *m = judge_introduced(v->world, v->device, n, other);
    introduced(v, n, other, m);
}

static void on_talk_say(struct visit *visit, struct bytes text)
{
    struct visitor *v = visitor_of(visit);
    struct talk_end *t = talk_find(v, visit->front);
    CHECK(v->world, t, "in front is a talk that is over");
    talk_say_text(t, text);
}

static void on_talk_send(struct visit *visit, struct bytes path)
{
    visit_talk_refused(visit, "no files");
}

static void on_talk_close(struct visit *visit, const char *name)
{
    struct visitor *v = visitor_of(visit);
    size_t waiting = introduced_give_up(v, bytes_from_str(name));
    CHECK(v->world, waiting > 0 || talk_find(v, name), "what is closed is a talk that is over");
    talk_close(v, name);
}

static void on_talk_verify(struct visit *visit, const char *name)
{
    struct visitor *v = visitor_of(visit);
    struct talk_end *t = talk_find(v, name);
    CHECK(v->world, t, "words are to be compared in a talk that is over");
    talk_compare(t);
}

/* Words are of an honest device: in nobody else's name are there any. */
static int on_judged(struct visit *visit, const char *name, const struct public_key *key,
                     bool same)
{
    struct visitor *v = visitor_of(visit);
    struct world *w = v->world;
    struct bytes who = bytes_from_str(name);
    struct talk_end *t = talk_find(v, name);
    size_t other = judge_device(w, key, who);
    notebook_words(&w->notebooks[v->device], who, key, same);
    mail_unsure(w, v->device, account_of(other));
    if (!same && t && t->other == other)
        talk_differ(t);
    return 0;
}

static void on_devices(struct visit *visit, uint64_t number, const struct resp_value *values,
                       size_t count)
{
    introduced_devices(visitor_of(visit), number, values, count);
}

/* As mail.c looks for it. */
static void on_when(struct visit *visit, struct walltime t, char out[VISIT_WHEN_BYTES])
{
    snprintf(out, VISIT_WHEN_BYTES, "then");
}

static void on_relay_waits(struct visit *visit, struct bytes id)
{
    talk_called(visitor_of(visit), id);
}

static const struct visit_handler visit_handler = {.say = on_say,
                                                   .prompt = on_prompt,
                                                   .request = on_request,
                                                   .leave = on_leave,
                                                   .introduced = on_introduced,
                                                   .talk_say = on_talk_say,
                                                   .talk_send = on_talk_send,
                                                   .talk_close = on_talk_close,
                                                   .talk_verify = on_talk_verify,
                                                   .judged = on_judged,
                                                   .devices = on_devices,
                                                   .when = on_when,
                                                   .relay_waits = on_relay_waits};

/* ---- the line to the hub ---- */

static void flush(struct visitor *v)
{
    struct bytes said = conversation_output(&v->conversation);
    if (!v->line || !tls_is_open(v->tls) || said.len == 0)
        return;
    if (tls_write(v->tls, said, &v->out) != 0)
        abort();
    conversation_sent(&v->conversation, said.len);
    wire_say(v->line, 0, buffer_view(&v->out));
    buffer_truncate(&v->out, 0);
}

static void judge_push(struct visitor *v, const struct resp_value *values, size_t count)
{
    struct world *w = v->world;
    struct notice n;
    if (!notice_parse(values, count, &n))
        return;
    if (n.kind == NOTICE_INVITED)
        judge_asked(w, judge_device(w, &n.key, n.name), account_of(v->device), n.id);
    else if (n.kind == NOTICE_ONLINE)
        w->is_seen[world_account(w, n.name)] = true;
}

static enum visitor_request judge_reply(struct visitor *v, const struct resp_value *values)
{
    const struct visitor_asked *asked = &v->asked[v->asked_first];
    CHECK(v->world, v->asked_count > 0, "an answer to nothing");
    v->asked_first = (v->asked_first + 1) % VISITOR_ASKED;
    v->asked_count--;
    if (values->kind == RESP_FAILURE)
        return asked->request;
    if (asked->request == VISITOR_WRITES)
        mail_kept(v->world, asked->copy);
    if (asked->request == VISITOR_SIGNS)
        v->world->sign_kept[world_sibling(v->device)] = true;
    if (asked->request == VISITOR_MEETS)
        judge_asked(v->world, v->device, asked->account, values->text);
    CHECK(v->world, asked->request != VISITOR_REGISTERS || !asked->was_seen,
          "an account that others saw was not kept");
    return asked->request;
}

static void take_reply(struct visitor *v, const struct resp_value *values, size_t count)
{
    struct world *w = v->world;
    enum visitor_request request = judge_reply(v, values);
    if (request == VISITOR_SIGNS)
        return;
    liar_reply(v, request, &values, &count);
    visit_reply(&v->visit, values, count, world_wall(w));
    if (!visitor_is_here(v))
        return;
    w->is_known[v->device] = true;
    w->registered[account_of(v->device)] = true;
    CHECK(w, strcmp(v->visit.name, world_name(account_of(v->device))) == 0,
          "somebody else's account");
}

static void take_replies(struct visitor *v)
{
    const struct resp_value *values;
    size_t count;
    int r;
    while ((r = conversation_next(&v->conversation, &values, &count)) == 0) {
        if (values->kind != RESP_PUSH) {
            take_reply(v, values, count);
            continue;
        }
        judge_push(v, values, count);
        liar_push(v, &values, &count);
        visit_push(&v->visit, values, count);
    }
    if (liar_says(v, &values, &count))
        visit_push(&v->visit, values, count);
    CHECK(v->world, r == CONVERSATION_MORE, "the hub says what is none of its words");
}

static void on_opened(void *owner)
{
    struct visitor *v = owner;
    if (tls_begin(v->tls, &v->out) != 0)
        abort();
    wire_say(v->line, 0, buffer_view(&v->out));
    buffer_truncate(&v->out, 0);
}

static void meet_hub(struct visitor *v)
{
    CHECK(v->world,
          memcmp(tls_peer(v->tls), identity_key(v->world->identities[PLACE_HUB]),
                 sizeof(struct public_key)) == 0,
          "another hub");
    visit_connected(&v->visit);
}

static void on_got(void *owner, struct bytes in)
{
    struct visitor *v = owner;
    bool was_open = tls_is_open(v->tls);
    if (tls_feed(v->tls, in, &v->plain, &v->out) != 0)
        trace_fail(&v->world->trace, "TLS with the hub fails");
    if (!was_open && tls_is_open(v->tls))
        meet_hub(v);
    if (conversation_feed(&v->conversation, buffer_view(&v->plain)) != 0)
        abort();
    buffer_truncate(&v->plain, 0);
    take_replies(v);
    flush(v);
}

static void hang_up(struct visitor *v)
{
    tls_free(v->tls);
    v->tls = NULL;
    v->line = NULL;
    v->asked_count = 0;
    conversation_fini(&v->conversation);
    conversation_init(&v->conversation, LIMIT_VISIT_REPLY_BYTES);
    buffer_truncate(&v->plain, 0);
    buffer_truncate(&v->out, 0);
    v->dials_at = world_later(v->world, 2000);
}

static void on_closed(void *owner)
{
    struct visitor *v = owner;
    hang_up(v);
    introduced_forget(v);
    visit_lost(&v->visit, "it was cut off");
}

static const struct wire_handler line_handler = {
    .opened = on_opened, .got = on_got, .closed = on_closed};

static void dial_hub(struct visitor *v)
{
    v->dials_at = INSTANT_NEVER;
    if (tls_new(&v->tls, v->to_hub) != 0)
        abort();
    v->line = wire_dial(v->world, v->device, PLACE_HUB, &line_handler, v);
}

/* ---- the person ---- */

static void type(struct visitor *v, const char *line)
{
    SAY(v->world, "device %zu: %s%s", v->device, v->prompt, line);
    visit_typed(&v->visit, bytes_from_str(line), false);
}

static void answer(struct visitor *v)
{
    struct world *w = v->world;
    size_t account = account_of(v->device);
    if (strstr(v->prompt, "new here"))
        type(v, w->registered[account] || !draw(w, 4) ? "returning" : "new");
    else if ((strstr(v->prompt, "name:") || strstr(v->prompt, "called")) && !draw(w, 4))
        type(v, ""); /* back to the first question */
    else if (strstr(v->prompt, "name:") || strstr(v->prompt, "called"))
        type(v, world_name(account));
    else if (strstr(v->prompt, "Your password") && !w->healed && !draw(w, 20))
        type(v, "wrong-horse");
    else
        type(v, "correct-horse");
}

static void say_to_person(struct visitor *v)
{
    struct talk_end *t = talk_find(v, v->visit.front);
    char line[80];
    CHECK(v->world, t, "in front is a talk that is over");
    for (uint64_t n = 1 + draw(v->world, 4); n > 0 && t->state != TALK_ENDING; n--) {
        snprintf(line, sizeof line, "~%u.%llu %s", t->side,
                 (unsigned long long)t->meeting->said[t->side] + 1, t->meeting->id);
        type(v, line);
    }
}

/* Most see that they are the same. */
static void answer_words(struct visitor *v)
{
    type(v, draw(v->world, 6) ? "yes" : "no");
}

static void write_letter(struct visitor *v)
{
    size_t account = draw(v->world, WORLD_ACCOUNTS);
    char text[MAIL_TEXT_BYTES], line[80];
    if (!visitor_is_here(v) || !mail_write(v->world, v->device, account, text))
        return;
    snprintf(line, sizeof line, "/letter %s %s", world_name(account), text);
    type(v, line);
}

/* With another command than the visit: kith devices --sign, kith forget. */
static void sign_other(struct visitor *v)
{
    struct world *w = v->world;
    uint8_t seed[IDENTITY_SEED_BYTES];
    size_t other = world_sibling(v->device);
    char print[FINGERPRINT_TEXT_LEN + 1];
    if (!visitor_is_here(v))
        return;
    world_write_seed(v->device, seed);
    fingerprint_write(print, identity_fingerprint(w->identities[other]));
    struct signature s =
        device_sign(bytes_from_str(v->visit.name), seed, identity_key(w->identities[other]));
    const struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("SIGN"),
                                 bytes_from_str(print), bytes_make(s.bytes, sizeof s.bytes)};
    w->sign_asked[other] = true;
    on_request(&v->visit, argv, 4, false);
}

static void forget_somebody(struct visitor *v)
{
    size_t account = draw(v->world, WORLD_ACCOUNTS);
    SAY(v->world, "device %zu forgets %s", v->device, world_name(account));
    notebook_forget(&v->world->notebooks[v->device], account);
    mail_unsure(v->world, v->device, account);
}

/* False: something else. */
static bool look_after_trust(struct visitor *v)
{
    uint64_t what = draw(v->world, 100);
    if (strstr(v->prompt, "Are these the words"))
        answer_words(v);
    else if (what < 6)
        write_letter(v);
    else if (what < 9)
        sign_other(v);
    else if (what < 10)
        forget_somebody(v);
    else if (what < 16)
        type(v, "/verify");
    else
        return false;
    return true;
}

static void type_something(struct visitor *v)
{
    /* the last ones only to the hub: to a person they would be said */
    enum { LINES = 12, SAID = 3 };
    static const char *const lines[LINES] = {
        "/accept", "/accept",         "/decline", "/close", "/path",       "/who",
        "/quit",   "GET_CLIENT_LIST", "#HELP",    "GET k",  "STORE k = v", "//x"};
    struct world *w = v->world;
    char line[64];
    uint64_t what = draw(w, 100);
    if (v->visit.front[0] && what < 60) {
        say_to_person(v);
    } else if (v->visit.left[0] && what < 80) {
        type(v, "~too late"); /* must not reach the hub, either */
    } else if (what < 75) {
        snprintf(line, sizeof line, "/talk %s", world_name(draw(w, WORLD_ACCOUNTS)));
        type(v, line);
    } else {
        type(v, lines[draw(w, v->visit.front[0] ? LINES - SAID : LINES)]);
    }
}

static void do_something(struct visitor *v)
{
    if (!look_after_trust(v))
        type_something(v);
}

static void act(struct visitor *v)
{
    struct world *w = v->world;
    v->acts_at = world_later(w, v->visit.state == VISIT_GREETING ? 200 : 1000);
    if (!visit_takes_lines(&v->visit))
        return;
    if (v->visit.state == VISIT_GREETING)
        answer(v);
    else if (!w->healed)
        do_something(v);
    else
        v->acts_at = INSTANT_NEVER;
    flush(v);
}

/* ---- life ---- */

static void set_rule(struct visitor *v)
{
    static const char *const rules[] = {NULL, "all", "all", "alice,bob"};
    v->visit.accepts = rules[draw(v->world, 4)];
}

static void open_post(struct visitor *v)
{
    struct world *w = v->world;
    uint8_t seed[IDENTITY_SEED_BYTES], entropy[CHANCE_SEED_BYTES];
    world_write_seed(v->device, seed);
    for (size_t i = 0; i < sizeof entropy; i++)
        entropy[i] = (uint8_t)draw(w, 256);
    visit_set_post(&v->visit, &notebook_keep, &w->notebooks[v->device], seed, entropy);
}

void visitor_start(struct world *w, size_t device)
{
    static const char *const hub[] = {"kith-hub/1", NULL}, *const peer[] = {"kith-peer/1",
                                                                            NULL};
    struct visitor *v = calloc(1, sizeof *v);
    struct identity *own = w->identities[device];
    if (!v || tls_config_new(&v->to_hub, TLS_CLIENT, own, hub) != 0 ||
        tls_config_new(&v->dials, TLS_PEER_DIALS, own, peer) != 0 ||
        tls_config_new(&v->answers, TLS_PEER_ANSWERS, own, peer) != 0)
        abort();
    v->world = w;
    v->device = device;
    v->dials_at = v->acts_at = w->trace.now;
    buffer_init(&v->plain, SIZE_MAX / 4);
    buffer_init(&v->out, SIZE_MAX / 4);
    list_init(&v->talks);
    list_init(&v->strangers);
    list_init(&v->waiting);
    conversation_init(&v->conversation, LIMIT_VISIT_REPLY_BYTES);
    visit_init(&v->visit, &visit_handler, "hub:12345", true);
    open_post(v);
    set_rule(v);
    world_write_address(w, device, v->at, sizeof v->at, true);
    v->candidate = bytes_from_str(v->at);
    visit_set_candidates(&v->visit, &v->candidate, 1);
    w->visitors[device] = v;
    SAY(w, "device %zu is on, at %s", device, v->at);
}

void visitor_stop(struct visitor *v)
{
    struct world *w = v->world;
    SAY(w, "device %zu is off", v->device);
    w->visitors[v->device] = NULL;
    introduced_forget(v);
    list_foreach (at, &v->talks)
        talk_drop(list_entry(at, struct talk_end, link));
    while (!list_is_empty(&v->talks))
        talk_free(list_entry(v->talks.next, struct talk_end, link));
    talk_drop_strangers(v);
    if (v->line)
        wire_close(v->line, 0);
    tls_free(v->tls);
    conversation_fini(&v->conversation);
    visit_fini(&v->visit);
    buffer_fini(&v->plain);
    buffer_fini(&v->out);
    tls_config_free(v->to_hub);
    tls_config_free(v->dials);
    tls_config_free(v->answers);
    free(v);
}

struct instant visitor_next(const struct visitor *v)
{
    struct instant at = instant_min(v->dials_at, v->acts_at);
    list_foreach (link, &v->talks)
        at = instant_min(at, talk_next(list_entry(link, struct talk_end, link)));
    return v->has_left ? v->world->trace.now : at;
}

void visitor_run(struct visitor *v)
{
    struct world *w = v->world;
    for (struct list *at = v->talks.next, *next; at != &v->talks; at = next) {
        struct talk_end *t = list_entry(at, struct talk_end, link);
        next = at->next;
        talk_run(t);
        if (t->over)
            talk_free(t);
    }
    if (v->dials_at.ns <= w->trace.now.ns)
        dial_hub(v);
    if (v->acts_at.ns <= w->trace.now.ns)
        act(v);
    flush(v);
    if (v->has_left)
        visitor_stop(v);
}

void visitor_arrive(struct visitor *v, struct wire *x)
{
    talk_take_stranger(v, x);
}

bool visitor_is_here(const struct visitor *v)
{
    return v->visit.state == VISIT_HERE && v->visit.member;
}

unsigned visitor_sees(const struct visitor *v)
{
    unsigned sees = 0;
    list_foreach (at, &v->visit.names) {
        const struct visit_name *n = list_entry(at, struct visit_name, link);
        sees |= 1u << world_account(v->world, bytes_from_str(n->name));
    }
    return sees;
}

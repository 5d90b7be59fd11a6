/* kith send NAME[,NAME] PATH...: sends files and folders, or standard input, to people, each
 * for himself; goes on with what is unfinished. It asks them to talk, waits for who is not
 * here, and ends when all of it is over. */

#include "kith/send.h"

#include "base/limits.h"
#include "client/accepting.h"
#include "io/clock.h"
#include "io/problem.h"
#include "kith/command.h"
#include "kith/contact.h"
#include "kith/meeting.h"
#include "kith/transfer_show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A process that was killed may hold what it worked on for a moment longer: its carrier has
 * just been started. */
enum { PEOPLE = 32, TICK_MS = 200, HELD_MS = 2000 };

struct send {
    struct contact contact;
    struct transfers transfers;
    struct transfer_show show;
    struct meeting people[PEOPLE];
    size_t count;
    bool resumes;               /* what was begun, and nothing new */
    const struct random_id *id; /* resumes: that alone; NULL: all */
    const char *gives_up;       /* on what ends now: why; NULL */
    bool awaits;                /* id is of one that is received: it is not over yet */
    bool begun;
    struct instant held_until; /* resumes: then what another process holds is left to it */
    int code;                  /* the worst of all */
};

static struct send *send_of(struct contact *c)
{
    return (struct send *)c;
}

static struct send *send_of_transfer(struct transfer *t)
{
    return (struct send *)((char *)t->all - offsetof(struct send, transfers));
}

static void worsen(struct send *s, int code)
{
    if (code > s->code)
        s->code = code;
}

static struct meeting *find_meeting(struct send *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (account_name_equal(bytes_from_str(s->people[i].name), bytes_from_str(name)))
            return &s->people[i];
    return NULL;
}

static bool is_idle(struct send *s)
{
    list_foreach (at, &s->transfers.all) {
        const struct transfer *t = list_entry(at, struct transfer, link);
        const struct meeting *m = find_meeting(s, t->record.name);
        if (!m || !m->over)
            return false;
    }
    return true;
}

static void end_if_over(struct send *s)
{
    if (!s->begun || s->awaits || !is_idle(s) || s->contact.over)
        return;
    if (s->code == EXIT_DONE && s->show.dropped > 0)
        s->code = EXIT_FAILED;
    if (s->contact.session->output.failed != 0)
        worsen(s, EXIT_NO);
    contact_end(&s->contact, s->code);
}

/* ---- transfers ---- */

static void on_listed(struct transfer *t)
{
    transfer_show_listed(&send_of_transfer(t)->show, t);
    contact_wake(&send_of_transfer(t)->contact, 0); /* he is to be asked */
}

static void on_told(struct transfer *t, const struct transfer_news *news)
{
    transfer_show_news(&send_of_transfer(t)->show, t, news);
}

/* By hand or by a rule is for those who wait for offers. */
static void on_offered(struct transfer *t)
{
    transfer_end(t, TRANSFER_NOT_HERE);
}

static int code_of(enum transfer_reason reason)
{
    switch (reason) {
    case TRANSFER_REASON_NONE:
        return EXIT_DONE;
    case TRANSFER_DECLINED:
    case TRANSFER_CANCELLED:
    case TRANSFER_PAUSED:
    case TRANSFER_NOT_HERE:
    case TRANSFER_UNKNOWN: /* it was cancelled there */
    case TRANSFER_TOO_MUCH:
    case TRANSFER_NAME_TAKEN:
        return EXIT_NO;
    default:
        return EXIT_FAILED;
    }
}

static void on_over(struct transfer *t, const char *why)
{
    struct send *s = send_of_transfer(t);
    if (s->contact.over) { /* it goes on another time */
        free(t->context);
        return;
    }
    if (s->gives_up) {
        transfer_show_given_up(&s->show, t, s->gives_up);
        return;
    }
    if (s->id && random_id_equal(&t->record.id, s->id))
        s->awaits = false;
    transfer_show_over(&s->show, t, why);
    contact_wake(&s->contact, 0);
    worsen(s, code_of(t->reason));
}

static const struct transfers_handler transfers_handler = {
    .listed = on_listed, .offered = on_offered, .told = on_told, .over = on_over};

/* ---- the people ---- */

/* False: there is no room for one more. */
static bool add_person(struct send *s, const char *name)
{
    if (find_meeting(s, name))
        return true;
    if (s->count == PEOPLE)
        return false;
    struct meeting *m = &s->people[s->count++];
    *m = (struct meeting){.state = MEETING_AWAY, .takes = s->resumes};
    snprintf(m->name, sizeof m->name, "%s", name);
    return true;
}

/* Nothing comes of what is for him, but that what was begun with him goes on another time. */
static void give_up(struct send *s, struct meeting *m, const char *why)
{
    struct list *next;
    meeting_end(m);
    session_fail(s->contact.session, EXIT_NO, "%s %s", m->name, why);
    worsen(s, EXIT_NO);
    s->gives_up = why;
    for (struct list *at = s->transfers.all.next; at != &s->transfers.all; at = next) {
        struct transfer *t = list_entry(at, struct transfer, link);
        next = at->next;
        bool his = account_name_equal(bytes_from_str(t->record.name), bytes_from_str(m->name));
        if (his && !t->record.has_device)
            transfer_end(t, TRANSFER_DECLINED);
    }
    s->gives_up = NULL;
    contact_wake(&s->contact, 0);
}

static void take_news(struct send *s, struct meeting *m, enum meeting_news news,
                      const char *why)
{
    bool waits = !s->contact.session->options.now;
    if (news == MEETING_REFUSED || (news == MEETING_WAITS && !waits))
        give_up(s, m, why);
    else if (news == MEETING_WAITS)
        transfer_show_note(&s->show, "%s %s; waiting for him", m->name, why);
}

/* He is asked once it is known what there is to send. */
static bool has_something_for(struct send *s, const struct meeting *m)
{
    if (s->awaits)
        return true;
    list_foreach (at, &s->transfers.all) {
        struct transfer *t = list_entry(at, struct transfer, link);
        if (t->state != TRANSFER_LISTING && t->state != TRANSFER_OVER &&
            account_name_equal(bytes_from_str(t->record.name), bytes_from_str(m->name)))
            return true;
    }
    return false;
}

static void begin_again(struct send *s)
{
    size_t held = transfers_take_up(&s->transfers, NULL, s->id);
    s->begun = held == 0 || clock_instant().ns >= s->held_until.ns;
    if (s->begun && s->transfers.count == 0 && held == 0 && !s->awaits)
        transfer_show_note(&s->show, "there is nothing to go on with");
    if (held > 0 && s->begun)
        transfer_show_note(&s->show, "another kith of this profile sends %zu of them", held);
}

static void on_wake(struct contact *c)
{
    struct send *s = send_of(c);
    if (s->resumes && !s->begun)
        begin_again(s);
    for (size_t i = 0; i < s->count; i++)
        if (has_something_for(s, &s->people[i]))
            meeting_tick(&s->people[i], c);
    transfers_look(&s->transfers);
    end_if_over(s);
    contact_wake(c, TICK_MS);
}

/* ---- the hub ---- */

static void fail(struct send *s, const struct trouble *why)
{
    if (!s->contact.over)
        contact_end(&s->contact, session_trouble(s->contact.session, why));
}

static void begin_for(struct send *s, const char *name)
{
    const struct options *o = &s->contact.session->options;
    const struct transfer_wish wish = {.name = name,
                                       .paths = (const char *const *)o->words + 2,
                                       .path_count = o->word_count - 2,
                                       .as = o->title,
                                       .input = o->title ? STDIN_FILENO : -1,
                                       .sha256 = o->sha256};
    struct transfer *t;
    struct trouble why;
    if (transfers_send(&s->transfers, &wish, &t, &why) != TROUBLE_NONE)
        fail(s, &why);
    else if (t->listed)
        transfer_show_again(&s->show, t);
}

/* Who is to send waits, too: it is he who offers anew. */
static void see_record(void *ctx, const struct transfer_record *r)
{
    struct send *s = ctx;
    bool meant = s->id ? random_id_equal(&r->id, s->id) : r->result == TRANSFER_OPEN;
    if (!meant || strcmp(r->hub, s->contact.session->self.hub_print) != 0)
        return;
    add_person(s, r->name);
    s->awaits = s->awaits || (s->id && r->incoming);
}

static void begin(struct send *s)
{
    struct contact *c = &s->contact;
    struct trouble why;
    if (transfers_open(&s->transfers, &c->presence.talks, &c->session->self, &c->loop,
                       &transfers_handler, &why) != TROUBLE_NONE) {
        fail(s, &why);
        return;
    }
    if (s->resumes) { /* on_wake takes them up */
        s->held_until = instant_after_ms(clock_instant(), HELD_MS);
        transfer_record_each(&s->transfers.profile, see_record, s);
    }
    for (size_t i = 0; !s->resumes && i < s->count && !c->over; i++)
        begin_for(s, s->people[i].name);
    s->begun = !s->resumes;
    contact_wake(c, 0);
}

static void on_ready(struct contact *c, bool again)
{
    if (!again)
        begin(send_of(c));
}

static void on_lost(struct contact *c, const char *why)
{
    struct send *s = send_of(c);
    for (size_t i = 0; i < s->count; i++)
        meeting_lost(&s->people[i]);
    transfer_show_note(&s->show, "lost the hub at %s: %s; trying to get back",
                       c->session->where_text, why);
}

static void on_answer(struct contact *c, uint64_t number, const struct resp_value *reply)
{
    struct send *s = send_of(c);
    char why[MEETING_WHY_BYTES];
    enum meeting_news news;
    for (size_t i = 0; i < s->count; i++)
        if (meeting_answer(&s->people[i], c, number, reply, &news, why))
            take_news(s, &s->people[i], news, why);
}

static void on_notice(struct contact *c, const struct notice *n)
{
    struct send *s = send_of(c);
    char why[MEETING_WHY_BYTES];
    enum meeting_news news;
    for (size_t i = 0; i < s->count; i++) {
        if (meeting_notice(&s->people[i], c, n, &news, why)) {
            take_news(s, &s->people[i], news, why);
            return;
        }
    }
    if (n->kind == NOTICE_INVITED)
        contact_decline(c, n->id);
}

/* Of standard input nothing more can be had. */
static bool can_go_on(const struct send *s)
{
    list_foreach (at, &s->transfers.all) {
        const struct transfer *t = list_entry(at, struct transfer, link);
        if (t->state != TRANSFER_LISTING && t->state != TRANSFER_OVER && !t->record.stream)
            return true;
    }
    return false;
}

static void on_ending(struct contact *c)
{
    struct send *s = send_of(c);
    transfer_show_clear(&s->show);
    if (c->signal != 0 && can_go_on(s))
        transfer_show_note(&s->show, "stopped; the same command goes on with it, and so does "
                                     "kith transfers resume");
    transfers_close(&s->transfers);
}

/* ---- talks ---- */

/* What was cancelled while he was away is told; nothing else of an earlier time is taken up. */
static void on_begun(struct talks *t, const char *name)
{
    static const struct random_id none;
    struct transfers *all = &send_of(contact_of(t))->transfers;
    transfers_take_up(all, name, &none);
    transfers_look(all);
}

static void on_path(struct talks *t, const char *name, const char *way)
{
    transfers_look(&send_of(contact_of(t))->transfers);
}

static void on_noted(struct talks *t, struct talk_link *l, struct bytes message)
{
    transfers_noted(&send_of(contact_of(t))->transfers, l, message);
}

static void on_bulk(struct talks *t, struct talk_link *l, struct bytes message)
{
    transfers_bulk(&send_of(contact_of(t))->transfers, l, message);
}

static void on_room(struct talks *t, struct talk_link *l)
{
    transfers_room(&send_of(contact_of(t))->transfers, l);
}

static void on_refused(struct talks *t, const char *name, const struct trouble *why)
{
    struct send *s = send_of(contact_of(t));
    struct meeting *m = find_meeting(s, name);
    if (m && !m->over) {
        give_up(s, m, why->words);
        worsen(s, why->kind == TROUBLE_CHANGED ? EXIT_CHANGED : EXIT_NO);
    }
}

static const struct talks_handler talks_handler = {.begun = on_begun,
                                                   .path = on_path,
                                                   .noted = on_noted,
                                                   .bulk = on_bulk,
                                                   .room = on_room,
                                                   .ask_devices = presence_ask_devices,
                                                   .disbelieve = presence_disbelieve,
                                                   .refused = on_refused,
                                                   .moved = presence_moved};

static const struct post_handler post_handler = {.request = contact_post};

static const struct contact_handler contact_handler = {.ready = on_ready,
                                                       .lost = on_lost,
                                                       .ending = on_ending,
                                                       .answer = on_answer,
                                                       .notice = on_notice,
                                                       .wake = on_wake,
                                                       .talks = &talks_handler,
                                                       .post = &post_handler};

/* ---- one run ---- */

static int run(struct send *s, struct session *session)
{
    session->where.secure = !session->where.path[0];
    transfer_show_init(&s->show, &session->output);
    int code = contact_run(&s->contact, session, &contact_handler);
    transfers_fini(&s->transfers);
    return code;
}

int send_resume(struct session *session, const struct random_id *id)
{
    struct send s = {.resumes = true, .id = id, .transfers = {.profile = {.fd = -1}}};
    return run(&s, session);
}

/* ---- the command line ---- */

static int take_people(struct send *s, struct session *session, struct bytes names)
{
    char all[PEOPLE * (ACCOUNT_NAME_BYTES + 1) + 1];
    if (names.len >= sizeof all)
        return session_fail(session, EXIT_USAGE, "too many people at once");
    snprintf(all, sizeof all, "%.*s", (int)names.len, (const char *)names.data);
    if (!accepting_is_valid(all) || strcmp(all, "all") == 0)
        return session_fail(session, EXIT_USAGE, "to whom? NAME, or NAME,NAME");
    for (char *rest = all, *name; (name = strsep(&rest, ","));)
        if (!add_person(s, name))
            return session_fail(session, EXIT_USAGE, "too many people at once, 32 at most");
    return EXIT_DONE;
}

/* "-" is standard input, which needs a name and comes alone. */
static int check_paths(struct session *s)
{
    const struct options *o = &s->options;
    bool input = false;
    for (size_t i = 2; i < o->word_count; i++) {
        bool dash = strcmp(o->words[i], "-") == 0 && i < o->literal_from;
        input = input || dash;
        if (!dash && access(o->words[i], F_OK) != 0)
            return session_fail(s, EXIT_NO, "%s: %s", o->words[i], problem_text(-errno));
    }
    if (input && o->word_count > 3)
        return session_fail(s, EXIT_USAGE, "- is standard input, and is sent alone");
    if (input && !o->title)
        return session_fail(s, EXIT_USAGE,
                            "what is read has no name: kith send NAME - --as notes.txt");
    if (!input && o->title)
        return session_fail(s, EXIT_USAGE,
                            "--as behind a path is for -: it says what standard input is "
                            "called; a profile's is before");
    if (o->title &&
        (o->title[0] == '\0' || strlen(o->title) > TRANSFER_NAME_BYTES ||
         strchr(o->title, '/') || strcmp(o->title, ".") == 0 || strcmp(o->title, "..") == 0))
        return session_fail(s, EXIT_USAGE, "a file cannot be called that");
    return EXIT_DONE;
}

int send_run(struct session *session)
{
    struct send s = {.transfers = {.profile = {.fd = -1}}};
    struct bytes names, path;
    int code = session_word(session, 1, "To whom: ", "the name is missing", &names);
    if (code == EXIT_DONE)
        code = take_people(&s, session, names);
    if (code == EXIT_DONE)
        code = session_word(session, 2, "What: ", "what to send is missing", &path);
    if (code == EXIT_DONE && session->options.word_count < 3)
        return session_fail(session, EXIT_USAGE, "what to send is missing");
    if (code == EXIT_DONE)
        code = check_paths(session);
    if (code == EXIT_DONE && session->options.title && s.count > 1)
        code = session_fail(session, EXIT_USAGE, "standard input is sent to one person");
    return code == EXIT_DONE ? run(&s, session) : code;
}

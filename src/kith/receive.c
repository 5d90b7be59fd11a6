/* kith receive: waits for files, and prints a line for each that has come. What is offered by
 * those named with --from, or else by people who are verified, is taken; at a terminal others
 * are asked about. */

#include "base/limits.h"
#include "client/accepting.h"
#include "client/amount.h"
#include "io/input.h"
#include "io/problem.h"
#include "io/terminal.h"
#include "kith/command.h"
#include "kith/contact.h"
#include "kith/transfer_show.h"
#include "meet/inbox_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { ANSWER_BYTES = 256 };

struct receive {
    struct contact contact;
    struct transfers transfers;
    struct transfer_show show;
    struct transfer_terms terms;
    char into[PATH_MAX];
    bool to_output; /* --into -: one file, and then it is over */
    struct input input;
    bool input_open;
    struct buffer typed;
    char unwelcome[ACCOUNT_NAME_BYTES + 1]; /* of whom it was said last */
    struct transfer *asked; /* about whose offer the person is asked; NULL: none */
    int code;               /* on_wake ends it with that */
};

static struct receive *receive_of(struct contact *c)
{
    return (struct receive *)c;
}

static struct receive *receive_of_transfer(struct transfer *t)
{
    return (struct receive *)((char *)t->all - offsetof(struct receive, transfers));
}

/* ---- what is taken ---- */

struct search {
    struct bytes name;
    bool found;
};

static void see_verified(void *ctx, struct bytes name)
{
    struct search *s = ctx;
    s->found = s->found || account_name_equal(name, s->name);
}

static bool is_verified(struct receive *r, struct bytes name)
{
    struct search s = {.name = name};
    struct trouble why;
    return peer_trust_verified(&r->contact.session->self, see_verified, &s, &why) ==
               TROUBLE_NONE &&
           s.found;
}

/* May he talk at all? */
static bool is_welcome(struct receive *r, struct bytes name)
{
    const char *from = r->contact.session->options.from;
    if (from)
        return accepting_allows(from, name);
    return r->input_open || is_verified(r, name);
}

/* Without a question. The device is the one that has offered. */
static bool is_taken(struct receive *r, struct transfer *t)
{
    struct bytes name = bytes_from_str(t->record.name);
    const struct talk_link *l =
        talks_find_device(&r->contact.presence.talks, name, &t->record.device);
    const char *from = r->contact.session->options.from;
    return from ? accepting_allows(from, name) : l && l->verified;
}

static bool is_too_much(const struct receive *r, const struct transfer *t)
{
    return t->record.bytes != TRANSFER_SIZE_UNKNOWN && t->record.bytes > r->terms.cap;
}

static void refuse(struct receive *r, struct transfer *t, enum transfer_reason reason,
                   const char *why)
{
    char what[TRANSFER_SHOW_BYTES];
    transfer_show_what(&t->record, what);
    transfer_show_note(&r->show, "%s offers %s: not taken, %s", t->record.name, what, why);
    transfer_end(t, reason);
}

/* ---- the question ---- */

static void ask_next(struct receive *r)
{
    char what[TRANSFER_SHOW_BYTES];
    list_foreach (at, &r->transfers.all) {
        struct transfer *t = list_entry(at, struct transfer, link);
        if (r->asked || t->state != TRANSFER_OFFERED)
            continue;
        transfer_show_clear(&r->show);
        transfer_show_what(&t->record, what);
        tcflush(STDIN_FILENO, TCIFLUSH); /* what was typed before answers something else */
        buffer_consume(&r->typed, buffer_len(&r->typed));
        fprintf(stderr, "%s offers %s. Take it? [yes/no] ", t->record.name, what);
        r->asked = t;
    }
}

static void accept_by_hand(struct receive *r, struct transfer *t)
{
    struct transfer_terms terms = r->terms;
    if (terms.cap == UINT64_MAX)
        terms.cap = transfer_cap_of_offer(t);
    transfer_accept(t, &terms);
}

static void take_answer(struct receive *r, struct bytes line)
{
    struct transfer *t = r->asked;
    line = bytes_trim(line);
    if (!t)
        return;
    bool yes = bytes_equal_nocase_str(line, "yes") || bytes_equal_nocase_str(line, "y");
    bool no = bytes_equal_nocase_str(line, "no") || bytes_equal_nocase_str(line, "n");
    r->asked = NULL;
    if (yes)
        accept_by_hand(r, t);
    else if (no)
        transfer_end(t, TRANSFER_DECLINED);
    ask_next(r);
}

/* The answer is taken off before it is acted on: that may throw away what was typed behind it.
 */
static bool take_line(struct receive *r)
{
    char line[ANSWER_BYTES];
    struct bytes typed = buffer_view(&r->typed);
    size_t end = bytes_find(typed, '\n');
    if (end == typed.len)
        return false;
    int n = snprintf(line, sizeof line, "%.*s", (int)end, (const char *)typed.data);
    buffer_consume(&r->typed, end + 1);
    take_answer(r, bytes_make(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1));
    return true;
}

static void on_read(struct input *i, struct bytes in)
{
    struct receive *r = (struct receive *)((char *)i - offsetof(struct receive, input));
    if (buffer_append_bytes(&r->typed, in) != 0)
        buffer_release(&r->typed);
    while (take_line(r))
        continue;
}

static void on_input_end(struct input *i)
{
    struct receive *r = (struct receive *)((char *)i - offsetof(struct receive, input));
    r->input_open = false;
    input_close(i);
}

static void on_input_closed(struct input *i)
{
}

static const struct input_handler input_handler = {
    .read = on_read, .end = on_input_end, .closed = on_input_closed};

static void open_input(struct receive *r)
{
    bool asks = !r->contact.session->options.from && terminal_is_there() && !r->to_output;
    if (!asks || input_open(&r->input, &r->contact.loop, &input_handler) != 0)
        return;
    r->input_open = true;
    input_set_reading(&r->input, true);
}

/* ---- transfers ---- */

static void on_offered(struct transfer *t)
{
    struct receive *r = receive_of_transfer(t);
    bool taken = is_taken(r, t);
    if (r->to_output && (t->record.tops > 1 || t->record.entries != 1))
        refuse(r, t, TRANSFER_DECLINED, "standard output takes one file");
    else if (is_too_much(r, t))
        refuse(r, t, TRANSFER_TOO_MUCH, "it is more than --accept says");
    else if (taken)
        transfer_accept(t, &r->terms);
    else if (r->input_open)
        ask_next(r);
    else
        refuse(r, t, TRANSFER_DECLINED,
               "he is not verified (kith verify), nor named by --from");
}

static void end_if_unread(struct receive *r)
{
    if (r->contact.session->output.failed != 0 && !r->contact.over)
        contact_end(&r->contact, EXIT_NO);
}

static void on_told(struct transfer *t, const struct transfer_news *news)
{
    struct receive *r = receive_of_transfer(t);
    bool is_file = news->event == TRANSFER_EVENT_FILE;
    if (!is_file || !r->to_output)
        transfer_show_news(&r->show, t, news);
    if (is_file)
        end_if_unread(r);
}

/* Not from within a call of the transfers, which end with the contact. */
static void on_wake(struct contact *c)
{
    contact_end(c, receive_of(c)->code);
}

static void end_with(struct receive *r, enum transfer_reason reason)
{
    r->code = reason == TRANSFER_REASON_NONE   ? EXIT_DONE
              : reason == TRANSFER_DISK_FAILED ? EXIT_NO /* it cannot be written */
                                               : EXIT_FAILED;
    contact_wake(&r->contact, 0);
}

static void on_over(struct transfer *t, const char *why)
{
    struct receive *r = receive_of_transfer(t);
    bool was_asked = r->asked == t;
    if (was_asked)
        r->asked = NULL;
    if (r->contact.over || (!t->record.into[0] && !was_asked)) {
        free(t->context);
        t->context = NULL;
        return;
    }
    transfer_show_over(&r->show, t, why);
    if (r->to_output && strcmp(t->record.into, "-") == 0)
        end_with(r, t->reason);
    else if (was_asked)
        ask_next(r);
}

static const struct transfers_handler transfers_handler = {
    .offered = on_offered, .told = on_told, .over = on_over};

/* ---- the hub ---- */

static void note_ready(struct receive *r, bool again)
{
    struct contact *c = &r->contact;
    transfer_show_note(&r->show, "%s for files at %s as %s, into %s",
                       again ? "waiting again" : "waiting", c->session->where_text,
                       c->presence.name, r->to_output ? "standard output" : r->into);
}

static void on_ready(struct contact *c, bool again)
{
    struct receive *r = receive_of(c);
    struct trouble why;
    if (!again && transfers_open(&r->transfers, &c->presence.talks, &c->session->self, &c->loop,
                                 &transfers_handler, &why) != TROUBLE_NONE) {
        contact_end(c, session_trouble(c->session, &why));
        return;
    }
    if (!again)
        open_input(r);
    note_ready(r, again);
}

static void on_lost(struct contact *c, const char *why)
{
    transfer_show_note(&receive_of(c)->show, "lost the hub at %s: %s; trying to get back",
                       c->session->where_text, why);
}

static void on_notice(struct contact *c, const struct notice *n)
{
    struct receive *r = receive_of(c);
    if (n->kind == NOTICE_INTRODUCED) {
        contact_begin(c, n); /* what is wrong was said; others are waited for */
    } else if (n->kind == NOTICE_INVITED && is_welcome(r, n->name)) {
        contact_accept(c, n);
    } else if (n->kind == NOTICE_INVITED) {
        bool again = account_name_equal(n->name, bytes_from_str(r->unwelcome));
        snprintf(r->unwelcome, sizeof r->unwelcome, "%.*s", (int)n->name.len,
                 (const char *)n->name.data);
        contact_decline(c, n->id);
        if (again)
            return;
        transfer_show_note(&r->show, "%.*s wants to talk: --from %.*s lets him send files",
                           (int)n->name.len, (const char *)n->name.data, (int)n->name.len,
                           (const char *)n->name.data);
    }
}

static void on_ending(struct contact *c)
{
    struct receive *r = receive_of(c);
    transfer_show_clear(&r->show);
    if (r->input_open)
        input_close(&r->input);
    r->input_open = false;
    transfers_close(&r->transfers);
}

/* ---- talks ---- */

static struct transfers *transfers_of(struct talks *t)
{
    return &receive_of(contact_of(t))->transfers;
}

/* What was begun to be sent to him from here goes on, too. */
static void on_begun(struct talks *t, const char *name)
{
    transfers_take_up(transfers_of(t), name, NULL);
    transfers_look(transfers_of(t));
}

static void on_path(struct talks *t, const char *name, const char *way)
{
    transfers_look(transfers_of(t));
}

static void on_noted(struct talks *t, struct talk_link *l, struct bytes message)
{
    transfers_noted(transfers_of(t), l, message);
}

static void on_bulk(struct talks *t, struct talk_link *l, struct bytes message)
{
    transfers_bulk(transfers_of(t), l, message);
}

static void on_room(struct talks *t, struct talk_link *l)
{
    transfers_room(transfers_of(t), l);
}

static void on_refused(struct talks *t, const char *name, const struct trouble *why)
{
    session_trouble(contact_of(t)->session, why);
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
                                                       .notice = on_notice,
                                                       .wake = on_wake,
                                                       .talks = &talks_handler,
                                                       .post = &post_handler};

/* ---- the command line ---- */

static int place_inbox(struct receive *r, struct session *s)
{
    const char *into = s->options.into;
    r->to_output = into && strcmp(into, "-") == 0;
    if (r->to_output) {
        snprintf(r->into, sizeof r->into, "-");
        return EXIT_DONE;
    }
    int e = into ? inbox_place_given(into, r->into) : inbox_place(s->self.profile, r->into);
    int fd = e == 0 ? inbox_place_open(r->into) : e;
    if (fd < 0)
        return session_fail(s, EXIT_NO, "cannot receive into %s: %s",
                            into ? into : "Downloads/kith in the home folder",
                            problem_text(fd));
    close(fd);
    return EXIT_DONE;
}

static int take_options(struct receive *r, struct session *s)
{
    const struct options *o = &s->options;
    r->terms = (struct transfer_terms){.into = r->into,
                                       .cap = UINT64_MAX,
                                       .sha256 = o->sha256,
                                       .rule = o->rename    ? INBOX_RENAME
                                               : o->replace ? INBOX_REPLACE
                                                            : INBOX_REFUSE};
    if (o->from && !accepting_is_valid(o->from))
        return session_fail(s, EXIT_USAGE, "--from takes names, as in alice,bob, or all");
    if (o->into && strcmp(o->into, "-") == 0 && s->output.json)
        return session_fail(s, EXIT_USAGE,
                            "with --into - standard output is the file's: no --json");
    if (o->accept && !amount_read(bytes_from_str(o->accept), &r->terms.cap))
        return session_fail(s, EXIT_USAGE, "--accept takes a size, as in 10G or 500M");
    return place_inbox(r, s);
}

int receive_run(struct session *s)
{
    struct receive r = {.transfers = {.profile = {.fd = -1}}};
    int code = take_options(&r, s);
    if (code != EXIT_DONE)
        return code;
    s->where.secure = !s->where.path[0];
    buffer_init(&r.typed, ANSWER_BYTES);
    transfer_show_init(&r.show, &s->output);
    code = contact_run(&r.contact, s, &contact_handler);
    transfers_fini(&r.transfers);
    buffer_fini(&r.typed);
    return code;
}

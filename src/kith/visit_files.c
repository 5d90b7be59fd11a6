#include "kith/visit_files.h"

#include "client/accepting.h"
#include "client/amount.h"
#include "io/clock.h"
#include "io/problem.h"
#include "meet/inbox_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { GO_ON_MS = 3000, ASKED_MS = 10 * 60 * 1000 };

static struct visit_files *files_of(struct transfer *t)
{
    return (struct visit_files *)((char *)t->all - offsetof(struct visit_files, transfers));
}

static void say(struct visit_files *f, enum visit_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct visit_files *f, enum visit_tone tone, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->visit->handler->say(f->visit, tone, bytes_from_str(text));
}

static void on_show(struct transfer_show *s, bool problem, struct bytes line)
{
    struct visit_files *f =
        (struct visit_files *)((char *)s - offsetof(struct visit_files, show));
    f->visit->handler->say(f->visit, problem ? VISIT_PROBLEM : VISIT_NEWS, line);
}

/* ---- transfers ---- */

static void on_listed(struct transfer *t)
{
    transfer_show_listed(&files_of(t)->show, t);
}

static void on_told(struct transfer *t, const struct transfer_news *news)
{
    transfer_show_news(&files_of(t)->show, t, news);
}

static void take(struct visit_files *f, struct transfer *t)
{
    const struct transfer_terms terms = {
        .into = f->into, .rule = INBOX_RENAME, .cap = transfer_cap_of_offer(t)};
    int fd = f->has_place ? inbox_place_open(f->into) : -ENOENT;
    if (fd < 0) {
        say(f, VISIT_PROBLEM, "There is no place for files: %s", problem_text(fd));
        transfer_end(t, TRANSFER_DISK_FAILED);
        return;
    }
    close(fd);
    transfer_accept(t, &terms);
}

static void on_offered(struct transfer *t)
{
    struct visit_files *f = files_of(t);
    const struct transfer_record *r = &t->record;
    bool front = account_name_equal(bytes_from_str(r->name), bytes_from_str(f->visit->front));
    char what[TRANSFER_SHOW_BYTES];
    transfer_show_what(r, what);
    if (front && r->bytes != TRANSFER_SIZE_UNKNOWN && r->bytes <= f->cap) {
        say(f, VISIT_NEWS, "%s sends %s", r->name, what);
        take(f, t);
    } else {
        say(f, VISIT_NEWS, "%s offers %s: /accept or /decline", r->name, what);
    }
}

static void on_over(struct transfer *t, const char *why)
{
    struct visit_files *f = files_of(t);
    if (f->transfers.closing)
        free(t->context);
    else
        transfer_show_over(&f->show, t, why);
}

static const struct transfers_handler handler = {
    .listed = on_listed, .offered = on_offered, .told = on_told, .over = on_over};

/* ---- its life ---- */

void visit_files_init(struct visit_files *f, struct visit *v, struct session *s,
                      const char *accept_rule)
{
    *f = (struct visit_files){.visit = v, .transfers = {.profile = {.fd = -1}}};
    transfer_show_init(&f->show, &s->output);
    f->show.terminal = false;
    f->show.say = on_show;
    f->cap = accepting_size(accept_rule);
    f->has_place = inbox_place(s->self.profile, f->into) == 0;
}

void visit_files_open(struct visit_files *f, struct talks *talks, struct session *s,
                      uv_loop_t *loop)
{
    struct trouble why;
    if (f->transfers.open || !talks->opened)
        return;
    if (transfers_open(&f->transfers, talks, &s->self, loop, &handler, &why) != TROUBLE_NONE)
        say(f, VISIT_PROBLEM, "No files can be sent: %s", why.words);
}

void visit_files_close(struct visit_files *f)
{
    transfers_close(&f->transfers);
}

void visit_files_fini(struct visit_files *f)
{
    transfers_fini(&f->transfers);
}

/* ---- the person ---- */

/* "~/" as a shell would have it. */
static bool expand(struct bytes path, char out[PATH_MAX])
{
    const char *home = getenv("HOME");
    bool short_form = home && (bytes_starts_with(path, "~/") || bytes_equal_str(path, "~"));
    struct bytes rest = short_form ? bytes_from(path, 1) : path;
    return snprintf(out, PATH_MAX, "%s%.*s", short_form ? home : "", (int)rest.len,
                    (const char *)rest.data) < PATH_MAX;
}

void visit_files_send(struct visit_files *f, struct bytes path)
{
    char expanded[PATH_MAX];
    const char *paths[] = {expanded};
    const struct transfer_wish wish = {
        .name = f->visit->front, .paths = paths, .path_count = 1, .input = -1};
    struct transfer *t;
    struct trouble why;
    if (!f->transfers.open)
        say(f, VISIT_PROBLEM, "No files can be sent now.");
    else if (path.len >= PATH_MAX || !expand(path, expanded))
        say(f, VISIT_PROBLEM, "That path is too long.");
    else if (access(expanded, F_OK) != 0)
        say(f, VISIT_PROBLEM, "%s: %s", expanded, problem_text(-errno));
    else if (transfers_send(&f->transfers, &wish, &t, &why) != TROUBLE_NONE)
        say(f, VISIT_PROBLEM, "Not sent: %s", why.words);
}

bool visit_files_answer(struct visit_files *f, struct bytes name, bool accepts)
{
    if (!f->transfers.open)
        return false;
    struct transfer *last = NULL; /* the one that was shown last */
    list_foreach (at, &f->transfers.all) {
        struct transfer *t = list_entry(at, struct transfer, link);
        if (t->record.incoming && t->state == TRANSFER_OFFERED &&
            (name.len == 0 || account_name_equal(name, bytes_from_str(t->record.name))))
            last = t;
    }
    if (last && accepts)
        take(f, last);
    else if (last)
        transfer_end(last, TRANSFER_DECLINED);
    return last != NULL;
}

static const char *state_words(const struct transfer *t)
{
    static const char *const words[] = {
        [TRANSFER_LISTING] = "is looked through",   [TRANSFER_READY] = "waits for a connection",
        [TRANSFER_OFFERED] = "is not answered yet", [TRANSFER_CALLING] = "is being connected",
        [TRANSFER_RUNNING] = "is under way",        [TRANSFER_OVER] = "is over"};
    return words[t->state];
}

void visit_files_tell(struct visit_files *f)
{
    char id[RANDOM_ID_TEXT_LEN + 1], what[TRANSFER_SHOW_BYTES], done[AMOUNT_BYTES];
    if (!f->transfers.open || f->transfers.count == 0) {
        say(f, VISIT_ANSWER, "No files are under way.");
        return;
    }
    list_foreach (at, &f->transfers.all) {
        struct transfer *t = list_entry(at, struct transfer, link);
        random_id_write(id, &t->record.id);
        transfer_show_what(&t->record, what);
        amount_write(done, t->bytes > t->kept ? t->bytes : t->kept);
        say(f, VISIT_ANSWER, "%.8s  %s %s  %s: %s, %s of it done", id,
            t->record.incoming ? "from" : "to", t->record.name, what, state_words(t), done);
    }
}

void visit_files_cancel(struct visit_files *f, struct bytes id)
{
    struct transfer *found = NULL;
    char text[RANDOM_ID_TEXT_LEN + 1];
    size_t count = 0;
    if (f->transfers.open) {
        list_foreach (at, &f->transfers.all) {
            struct transfer *t = list_entry(at, struct transfer, link);
            random_id_write(text, &t->record.id);
            bool fits = id.len <= RANDOM_ID_TEXT_LEN && memcmp(text, id.data, id.len) == 0;
            found = fits ? t : found;
            count += fits;
        }
    }
    if (count == 1)
        transfer_end(found, TRANSFER_CANCELLED);
    else
        say(f, VISIT_PROBLEM,
            count == 0 ? "No such transfer; /transfers tells which there are."
                       : "Several begin like that.");
}

/* ---- talks ---- */

void visit_files_begun(struct visit_files *f, const char *name)
{
    if (!f->transfers.open)
        return;
    transfers_take_up(&f->transfers, name, NULL);
    transfers_look(&f->transfers);
}

void visit_files_noted(struct visit_files *f, struct talk_link *l, struct bytes message)
{
    if (f->transfers.open)
        transfers_noted(&f->transfers, l, message);
}

/* ---- what is unfinished ---- */

static void ask(void *ctx, const struct transfer_record *r)
{
    struct visit_files *f = ctx;
    bool meant = !r->incoming && r->result == TRANSFER_OPEN && !r->stream &&
                 strcmp(r->hub, f->transfers.self->hub_print) == 0;
    if (meant && !talks_find(f->transfers.talks, bytes_from_str(r->name)))
        visit_go_on(f->visit, r->name);
}

/* Who is there and does not answer is left in peace for a while. */
void visit_files_tick(struct visit_files *f)
{
    struct instant now = clock_instant();
    if (!f->transfers.open || now.ns < f->go_on.ns)
        return;
    bool asked = f->visit->going_on.id[0];
    f->go_on = instant_after_ms(now, asked ? ASKED_MS : GO_ON_MS);
    if (!asked)
        transfer_record_each(&f->transfers.profile, ask, f);
}

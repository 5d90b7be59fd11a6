/* kith transfers: what was begun and is not over; goes on with it, or ends it. */

#include "base/limits.h"
#include "client/amount.h"
#include "io/clock.h"
#include "io/problem.h"
#include "kith/command.h"
#include "kith/local_time.h"
#include "kith/send.h"
#include "kith/transfer_show.h"
#include "meet/inbox_place.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct listing {
    struct session *session;
    struct profile profile;
    struct bytes id;              /* or how it begins; empty: all */
    struct transfer_record found; /* the last that fits */
    size_t count;
};

static bool fits(const struct listing *l, const struct transfer_record *r)
{
    char id[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(id, &r->id);
    return r->result != TRANSFER_DONE_ALL && r->reason != TRANSFER_CANCELLED &&
           l->id.len <= RANDOM_ID_TEXT_LEN && memcmp(id, l->id.data, l->id.len) == 0;
}

/* ---- the list ---- */

static const char *state_of(const struct listing *l, const struct transfer_record *r)
{
    int lock = transfer_record_lock(&l->profile, r);
    if (lock >= 0)
        close(lock);
    if (lock == -EWOULDBLOCK)
        return "under way";
    if (r->result == TRANSFER_STUCK)
        return transfer_reason_text(r->reason);
    if (r->stream)
        return "cannot go on: standard input is gone";
    return r->incoming ? "waits for him to send on" : "waits to be sent on";
}

static void print_json(struct output *o, const struct transfer_record *r, const char *id,
                       const char *state)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_str(&j, "id", id);
    json_str(&j, r->incoming ? "from" : "to", r->name);
    json_str(&j, "name", r->title);
    if (r->bytes != TRANSFER_SIZE_UNKNOWN)
        json_number(&j, "bytes", (int64_t)r->bytes);
    json_number(&j, "kept", (int64_t)r->kept);
    json_str(&j, "state", state);
    if (r->incoming)
        json_str(&j, "into", r->into);
    output_json(o, &j);
}

static void print(void *ctx, const struct transfer_record *r)
{
    struct listing *l = ctx;
    struct output *o = &l->session->output;
    char id[RANDOM_ID_TEXT_LEN + 1], what[TRANSFER_SHOW_BYTES], kept[AMOUNT_BYTES];
    char text[TRANSFER_SHOW_BYTES + 300], there[AMOUNT_BYTES + 20] = "", when[LOCAL_TIME_BYTES];
    if (!fits(l, r))
        return;
    l->count++;
    const char *state = state_of(l, r);
    random_id_write(id, &r->id);
    if (o->json) {
        print_json(o, r, id, state);
        return;
    }
    transfer_show_what(r, what);
    amount_write(kept, r->kept);
    local_time_write((struct walltime){(int64_t)r->when}, clock_walltime(), when);
    if (r->kept > 0)
        snprintf(there, sizeof there, "; %s of it there", kept);
    snprintf(text, sizeof text, "%.8s  %s %s  %s%s; %s; %s", id, r->incoming ? "from" : "to",
             r->name, what, there, when, state);
    output_line(o, "", bytes_from_str(text));
}

static int list(struct listing *l)
{
    struct output *o = &l->session->output;
    int r = transfer_record_each(&l->profile, print, l);
    if (r < 0)
        return session_fail(l->session, EXIT_NO, "%s", problem_text(r));
    if (l->count == 0 && o->terminal && !o->json && !o->quiet)
        output_line(o, "", bytes_from_str("Nothing is unfinished."));
    return EXIT_DONE;
}

/* ---- one of them ---- */

static void find(void *ctx, const struct transfer_record *r)
{
    struct listing *l = ctx;
    if (!fits(l, r))
        return;
    l->found = *r;
    l->count++;
}

static int find_one(struct listing *l)
{
    int r = transfer_record_each(&l->profile, find, l);
    if (r < 0)
        return session_fail(l->session, EXIT_NO, "%s", problem_text(r));
    if (l->count == 0)
        return session_fail(l->session, EXIT_NO,
                            "there is no such transfer; kith transfers lists "
                            "those that are not over");
    if (l->count > 1)
        return session_fail(l->session, EXIT_USAGE, "several begin like that");
    return EXIT_DONE;
}

/* He is told in the next talk with him, so that he clears up. */
static void keep_cancelled(struct listing *l, struct transfer_record *r)
{
    r->result = TRANSFER_STUCK;
    r->reason = TRANSFER_CANCELLED;
    transfer_record_write(&l->profile, r);
}

/* Who works on it notices that the record is gone, and tells the other side. */
static int cancel(struct listing *l)
{
    struct bytes id;
    int code =
        session_word(l->session, 2, "Which: ", "which one? kith transfers lists them", &id);
    if (code != EXIT_DONE)
        return code;
    l->id = id;
    code = find_one(l);
    if (code != EXIT_DONE)
        return code;
    int lock = transfer_record_lock(&l->profile, &l->found);
    if (lock >= 0 && l->found.incoming && l->found.into[0] == '/')
        inbox_place_clear(l->found.into, &l->found.id);
    transfer_record_remove(&l->profile, &l->found);
    if (lock >= 0 && !l->found.incoming && l->found.has_device)
        keep_cancelled(l, &l->found);
    if (lock >= 0)
        close(lock);
    return EXIT_DONE;
}

/* It was stuck by what was agreed on: that is changed. */
static int take_terms(struct listing *l, struct transfer_record *r)
{
    const struct options *o = &l->session->options;
    if (o->rename)
        r->rule = INBOX_RENAME;
    if (o->replace)
        r->rule = INBOX_REPLACE;
    if (r->reason == TRANSFER_TOO_MUCH)
        r->cap = UINT64_MAX;
    if (o->accept && !amount_read(bytes_from_str(o->accept), &r->cap))
        return session_fail(l->session, EXIT_USAGE, "--accept takes a size, as in 10G or 500M");
    r->result = TRANSFER_OPEN;
    r->reason = TRANSFER_REASON_NONE;
    int e = transfer_record_write(&l->profile, r);
    return e == 0 ? EXIT_DONE
                  : session_fail(l->session, EXIT_NO, "the profile cannot be written: %s",
                                 problem_text(e));
}

static int resume(struct listing *l)
{
    const struct options *o = &l->session->options;
    if (o->word_count < 3)
        return send_resume(l->session, NULL);
    l->id = bytes_from_str(o->words[2]);
    int code = find_one(l);
    if (code == EXIT_DONE && l->found.incoming)
        code = take_terms(l, &l->found);
    return code == EXIT_DONE ? send_resume(l->session, &l->found.id) : code;
}

static int run(struct listing *l)
{
    const struct options *o = &l->session->options;
    const char *word = o->word_count > 1 ? o->words[1] : "list";
    if (strcmp(word, "list") == 0)
        return list(l);
    if (strcmp(word, "cancel") == 0)
        return cancel(l);
    if (strcmp(word, "resume") == 0)
        return resume(l);
    return session_fail(l->session, EXIT_USAGE, "kith transfers [resume [ID] | cancel ID]");
}

int transfers_run(struct session *s)
{
    struct listing l = {.session = s, .id = bytes_make("", 0)};
    int r = profile_open(&l.profile, s->self.profile);
    int code = r == 0 ? run(&l)
                      : session_fail(s, EXIT_NO, "the profile cannot be used: %s",
                                     r < 0 ? problem_text(r) : "it is not private");
    profile_close(&l.profile);
    return code;
}

#include "base/limits.h"
#include "client/accepting.h"
#include "client/answer.h"
#include "client/attendance.h"
#include "client/visit_inner.h"
#include "wire/text_request.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof((struct visit *)0)->incoming / sizeof(struct visit_call) ==
                   LIMIT_INVITATIONS,
               "visit.h has as many invitations as limits.h");

/* ---- who is present ---- */

static bool is_name(const char *name, struct bytes b)
{
    return account_name_equal(bytes_from_str(name), b);
}

static void copy_name(char to[ACCOUNT_NAME_BYTES + 1], struct bytes name)
{
    snprintf(to, ACCOUNT_NAME_BYTES + 1, "%.*s", (int)name.len, (const char *)name.data);
}

static struct visit_name *find_name(struct visit *v, struct bytes name)
{
    list_foreach (at, &v->names) {
        struct visit_name *n = list_entry(at, struct visit_name, link);
        if (is_name(n->name, name))
            return n;
    }
    return NULL;
}

static void add_name(struct visit *v, struct bytes name)
{
    if (v->name_count == LIMIT_NAMES || !account_name_is_valid(name) || find_name(v, name))
        return;
    struct visit_name *n = malloc(sizeof *n);
    if (!n)
        return; /* it is only not completed */
    copy_name(n->name, name);
    list_append(&v->names, &n->link);
    v->name_count++;
}

static void remove_name(struct visit *v, struct bytes name)
{
    struct visit_name *n = find_name(v, name);
    if (!n)
        return;
    list_remove(&n->link);
    v->name_count--;
    free(n);
}

void people_fini(struct visit *v)
{
    v->name_count = 0;
    struct list *link;
    while ((link = list_pop(&v->names)))
        free(list_entry(link, struct visit_name, link));
}

/* CLIENT_LIST<alice, bob> */
static void learn_names(struct visit *v, struct bytes list)
{
    size_t open = bytes_find(list, '<');
    if (open == list.len || list.data[list.len - 1] != '>')
        return;
    struct bytes rest = bytes_first(bytes_from(list, open + 1), list.len - open - 2);
    while (rest.len > 0) {
        size_t comma = bytes_find(rest, ',');
        add_name(v, bytes_trim(bytes_first(rest, comma)));
        rest = bytes_from(rest, comma < rest.len ? comma + 1 : comma);
    }
}

/* ---- who is waited for ---- */

static void want(struct visit *v, struct bytes name)
{
    copy_name(v->wanted, name);
    v->connecting = false;
}

void people_miss(struct visit *v, struct bytes name)
{
    if (name.len == 0 || !is_name(v->wanted, name))
        return;
    if (!v->front[0])
        copy_name(v->missed, name);
    v->wanted[0] = '\0';
    v->connecting = false;
}

/* He does not want to, or cannot be asked. */
static void miss_outgoing(struct visit *v)
{
    if (!v->front[0])
        copy_name(v->missed, bytes_from_str(v->outgoing.name));
    if (!v->connecting)
        people_miss(v, bytes_from_str(v->outgoing.name));
    v->outgoing = (struct visit_call){0};
}

void people_lost(struct visit *v)
{
    people_fini(v);
    if (v->outgoing.name[0])
        miss_outgoing(v);
    if (!v->connecting)
        people_miss(v, bytes_from_str(v->wanted));
    v->incoming_count = 0;
    v->going_on = (struct visit_call){0};
}

static bool is_echo(struct bytes line)
{
    enum text_verb verb = text_request_parse(line).verb;
    return verb == TEXT_ECHO || verb == TEXT_HELP || verb == TEXT_HTTP;
}

bool people_hold(struct visit *v, struct bytes line)
{
    bool waits = v->outgoing.name[0] || v->wanted[0];
    if ((!waits && !v->missed[0]) || !is_echo(line))
        return false;
    visit_say_text(v, VISIT_PROBLEM, "Not said: ", line, "");
    if (v->outgoing.name[0])
        visit_say(v, VISIT_PROBLEM, "%s has not answered yet; /close withdraws that.",
                  v->outgoing.name);
    else if (waits)
        visit_say(v, VISIT_PROBLEM, "The talk with %s has not begun yet; /close gives it up.",
                  v->wanted);
    else
        visit_say(v, VISIT_PROBLEM,
                  "There is no talk with %s; what you type now is for the hub.", v->missed);
    return true;
}

/* ---- who is asked, and who asks ---- */

static struct visit_call *find_incoming(struct visit *v, struct bytes name)
{
    for (size_t i = 0; i < v->incoming_count; i++) {
        if (name.len == 0 || is_name(v->incoming[i].name, name))
            return &v->incoming[i];
    }
    return NULL;
}

static void drop_incoming(struct visit *v, struct visit_call *call)
{
    size_t i = (size_t)(call - v->incoming);
    memmove(call, call + 1, (--v->incoming_count - i) * sizeof *call);
}

static void drop_id(struct visit *v, struct bytes id)
{
    for (size_t i = v->incoming_count; i > 0; i--) {
        if (bytes_equal_str(id, v->incoming[i - 1].id))
            drop_incoming(v, &v->incoming[i - 1]);
    }
    if (bytes_equal_str(id, v->outgoing.id))
        v->outgoing = (struct visit_call){0};
    if (bytes_equal_str(id, v->going_on.id))
        v->going_on = (struct visit_call){0};
}

static void set_id(struct visit_call *call, struct bytes id)
{
    snprintf(call->id, sizeof call->id, "%.*s", (int)id.len, (const char *)id.data);
}

static void ask_with_candidates(struct visit *v, enum asked_kind kind, const char *word,
                                struct bytes whom, struct bytes name)
{
    struct bytes argv[2 + NOTICE_CANDIDATES] = {bytes_from_str(word), whom};
    for (size_t i = 0; i < v->candidate_count; i++)
        argv[2 + i] = v->candidates[i];
    visit_ask(v, kind, name, argv, 2 + v->candidate_count);
}

static void accept_id(struct visit *v, struct bytes id, struct bytes who)
{
    agreed_add(&v->agreed, id, who);
    ask_with_candidates(v, ASKED_ANSWER, "ACCEPT", id, who);
}

void people_talk(struct visit *v, struct bytes name)
{
    if (!v->handler->introduced) {
        visit_say(v, VISIT_PROBLEM, "This kith cannot talk with people.");
    } else if (!account_name_is_valid(name)) {
        visit_say_text(v, VISIT_PROBLEM, "Nobody can be called ", name, "");
    } else if (find_incoming(v, name)) {
        people_accept(v, name, true);
    } else if (v->outgoing.name[0]) {
        visit_say(v, VISIT_PROBLEM, "%s has not answered yet; /close withdraws that.",
                  v->outgoing.name);
    } else {
        copy_name(v->outgoing.name, name);
        want(v, name);
        ask_with_candidates(v, ASKED_MEET, "MEET", name, name);
    }
}

void people_accept(struct visit *v, struct bytes name, bool accepts)
{
    struct visit_call *call = find_incoming(v, name);
    if (!call) {
        visit_say_text(v, VISIT_PROBLEM, name.len > 0 ? "" : "Nobody", name,
                       name.len > 0 ? " does not ask to talk." : " asks to talk.");
        return;
    }
    struct bytes id = bytes_from_str(call->id), who = bytes_from_str(call->name);
    struct bytes decline[] = {bytes_from_str("DECLINE"), id};
    if (accepts) {
        want(v, who);
        accept_id(v, id, who);
    } else {
        visit_ask(v, ASKED_ANSWER, who, decline, 2);
    }
    drop_incoming(v, call);
}

bool people_answer_offer(struct visit *v, struct bytes name, bool accepts)
{
    return !find_incoming(v, name) && v->handler->answer_offer &&
           v->handler->answer_offer(v, name, accepts);
}

void visit_go_on(struct visit *v, const char *name)
{
    struct bytes whom = bytes_from_str(name);
    if (v->state != VISIT_HERE || !v->member || v->going_on.name[0] ||
        visit_talks_name(v, whom) || is_name(v->outgoing.name, whom) ||
        find_incoming(v, whom) || v->asked_count >= LIMIT_UNANSWERED)
        return;
    copy_name(v->going_on.name, whom);
    ask_with_candidates(v, ASKED_GO_ON, "MEET", whom, whom);
}

static void take_going_on(struct visit *v, const struct resp_value *reply)
{
    if (reply->kind == RESP_FAILURE) {
        v->going_on = (struct visit_call){0};
        return;
    }
    set_id(&v->going_on, reply->text);
    agreed_add(&v->agreed, reply->text, bytes_from_str(v->going_on.name));
}

static void ask_to_cancel(struct visit *v)
{
    struct bytes argv[] = {bytes_from_str("CANCEL"), bytes_from_str(v->outgoing.id)};
    visit_ask(v, ASKED_CANCEL, bytes_make(NULL, 0), argv, 2);
}

/* A talk with him begins by his own invitation; the other may have been accepted by now. */
static void settle_outgoing(struct visit *v, struct bytes name)
{
    if (!v->outgoing.id[0] || !is_name(v->outgoing.name, name))
        return;
    agreed_add(&v->agreed, bytes_from_str(v->outgoing.id), name);
    ask_to_cancel(v);
    v->outgoing = (struct visit_call){0};
}

static void withdraw(struct visit *v)
{
    visit_say(v, VISIT_NOTE, "%s is no longer asked.", v->outgoing.name);
    ask_to_cancel(v);
    if (!v->connecting && is_name(v->wanted, bytes_from_str(v->outgoing.name)))
        v->wanted[0] = '\0';
    v->outgoing = (struct visit_call){0};
}

static void give_up(struct visit *v)
{
    visit_say(v, VISIT_NOTE, "The talk with %s is given up.", v->wanted);
    if (v->connecting) {
        visit_talks_forget(v, v->wanted);
        v->handler->talk_close(v, v->wanted);
    }
    v->wanted[0] = '\0';
    v->connecting = false;
}

static void say_no_session(struct visit *v)
{
    visit_say(v, VISIT_PROBLEM, "No session");
    if (!list_is_empty(&v->talks))
        visit_say(v, VISIT_NOTE,
                  "/talk NAME puts a talk in front; /path tells which there are.");
}

void people_close(struct visit *v)
{
    bool asks = v->outgoing.id[0];
    if (asks && (!v->front[0] || is_name(v->front, bytes_from_str(v->outgoing.name))))
        withdraw(v);
    else if (v->front[0])
        visit_talks_close_front(v);
    else if (v->wanted[0] && !v->outgoing.name[0])
        give_up(v);
    else
        say_no_session(v);
}

/* ---- what the hub tells ---- */

static void refuse_invitation(struct visit *v, const struct notice *n)
{
    struct bytes argv[] = {bytes_from_str("DECLINE"), n->id, bytes_from_str("BUSY")};
    visit_ask(v, ASKED_ANSWER, n->name, argv, 3);
}

/* Whom the person talks with, or asks to, need not ask: he may do so from another device, from
 * a program, or at the same moment. */
static bool talks_with(struct visit *v, struct bytes name)
{
    return visit_talks_name(v, name) ||
           (v->outgoing.name[0] && is_name(v->outgoing.name, name));
}

static void take_invitation(struct visit *v, const struct notice *n)
{
    if (v->asked_count >= LIMIT_UNANSWERED)
        return; /* a hub that tells much and answers nothing is not answered, either */
    if (!v->handler->introduced ||
        (v->handler->has_room && !v->handler->has_room(v, n->name))) {
        refuse_invitation(v, n);
        return;
    }
    if (accepting_allows(v->accepts, n->name) || talks_with(v, n->name)) {
        accept_id(v, n->id, n->name);
        return;
    }
    if (v->incoming_count == LIMIT_INVITATIONS)
        drop_incoming(v, &v->incoming[0]);
    struct visit_call *call = &v->incoming[v->incoming_count++];
    copy_name(call->name, n->name);
    set_id(call, n->id);
    visit_say(v, VISIT_NEWS, "%s wants to talk: /accept or /decline", call->name);
}

/* Whom one has asked for, under the id that the hub gave it. */
static bool is_outgoing(const struct visit *v, const struct notice *n)
{
    return bytes_equal_str(n->id, v->outgoing.id) && is_name(v->outgoing.name, n->name);
}

/* A hub that introduces whom nobody asked for or accepted is not listened to. */
static void take_introduction(struct visit *v, const struct notice *n)
{
    bool ours = is_outgoing(v, n);
    if (!ours && !agreed_take(&v->agreed, n))
        return;
    drop_id(v, n->id);
    if (ours && !v->wanted[0] && !v->front[0] && !visit_talks_name(v, n->name))
        want(v, n->name);
    settle_outgoing(v, n->name);
    if (is_name(v->wanted, n->name))
        v->connecting = true;
    if (v->handler->introduced)
        v->handler->introduced(v, n);
    /* Where there is a talk with him this is a part of it. */
    if (is_name(v->wanted, n->name) && visit_talks_name(v, n->name)) {
        v->wanted[0] = '\0';
        v->connecting = false;
    }
}

/* Is another invitation, of his or to him, what begins the talk that is wanted? */
static bool is_on_the_way(const struct visit *v, struct bytes name)
{
    return is_name(v->wanted, name) && (v->connecting || v->outgoing.name[0]);
}

/* What he asked could not be answered. */
void people_unanswered(struct visit *v, struct bytes name)
{
    if (!is_on_the_way(v, name))
        people_miss(v, name);
}

/* What became of an invitation: this one's own, or his. */
struct refusal {
    const char *reason, *own, *his;
};

static const char *refusal_words(struct bytes reason, bool own)
{
    static const struct refusal refusals[] = {
        {"declined", "does not want to talk.", "was declined from another device of yours."},
        {"busy", "is busy.", "asks no longer."},
        {"timeout", "has not answered.", "asks no longer."},
        {"gone", "is gone.", "asks no longer."},
        {"answered", "was answered at another device of yours.",
         "was answered at another device of yours."},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (bytes_equal_str(reason, refusals[i].reason))
            return own ? refusals[i].own : refusals[i].his;
    }
    return "does not talk.";
}

static void take_refusal(struct visit *v, const struct notice *n)
{
    bool own = bytes_equal_str(n->id, v->outgoing.id);
    if (v->going_on.id[0] && bytes_equal_str(n->id, v->going_on.id)) {
        v->going_on = (struct visit_call){0};
        return;
    }
    bool met = !own && (is_on_the_way(v, n->name) || visit_talks_name(v, n->name));
    if (own)
        miss_outgoing(v);
    else if (!met)
        people_miss(v, n->name);
    drop_id(v, n->id);
    if (met && bytes_equal_str(n->reason, "gone"))
        return; /* one of two that crossed is enough */
    visit_say(v, VISIT_NEWS, "%.*s %s", (int)n->name.len, (const char *)n->name.data,
              refusal_words(n->reason, own));
}

/* Comings and goings of oneself are no news. */
static void take_presence(struct visit *v, const struct notice *n)
{
    bool here = n->kind == NOTICE_ONLINE;
    if (here)
        add_name(v, n->name);
    else
        remove_name(v, n->name);
    if (!v->member || !is_name(v->name, n->name))
        visit_say(v, VISIT_NEWS, "%.*s %s", (int)n->name.len, (const char *)n->name.data,
                  here ? "is here" : "has left");
}

/* One's own device is as good as away. Of somebody else's, who talks with it is told why that
 * is over; who still talks with him after that, that it is not. */
static void take_revocation(struct visit *v, const struct notice *n)
{
    char print[FINGERPRINT_TEXT_LEN + 1];
    bool is_own = v->member && is_name(v->name, n->name);
    fingerprint_write(print, &n->print);
    if (v->device && memcmp(&n->key, v->device, sizeof n->key) == 0) {
        greeting_revoked(v);
        return;
    }
    if (is_own)
        visit_say(v, VISIT_NEWS, "A device of yours was revoked: %s", print);
    else if (is_name(v->left, n->name) && !visit_talks_name(v, n->name))
        visit_say(v, VISIT_NEWS, "A device of %s's was revoked.", v->left); /* so that is why */
    verify_revoked(v, &n->key);
    if (v->handler->revoked)
        v->handler->revoked(v, &n->key);
    const char *talks = is_own ? NULL : visit_talks_name(v, n->name);
    if (talks)
        visit_say(v, VISIT_NEWS, "A device of %s's was revoked; the talk goes on at another.",
                  talks);
}

static void take_addition(struct visit *v, const struct notice *n)
{
    char print[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(print, &n->print);
    visit_say(v, VISIT_NEWS, "A device was added to your account: %s%s%s", n->label,
              n->label[0] ? ", " : "", print);
    visit_say(v, VISIT_NOTE,
              "If it is yours, and kith id prints that there: kith devices --sign %s", print);
    visit_say(v, VISIT_NOTE,
              "If not, somebody knows your password: kith devices --revoke %s, then kith "
              "password",
              print);
}

void people_notice(struct visit *v, const struct notice *n)
{
    switch (n->kind) {
    case NOTICE_ONLINE:
    case NOTICE_OFFLINE:
        take_presence(v, n);
        return;
    case NOTICE_INVITED:
        take_invitation(v, n);
        return;
    case NOTICE_INTRODUCED:
        take_introduction(v, n);
        return;
    case NOTICE_DECLINED:
        take_refusal(v, n);
        return;
    case NOTICE_RELAY:
        if (v->handler->relay_waits)
            v->handler->relay_waits(v, n->id);
        return;
    case NOTICE_UNBELIEVED:
        if (v->handler->unbelieved)
            v->handler->unbelieved(v, n->id);
        return;
    case NOTICE_LETTER:
        letters_came(v);
        return;
    case NOTICE_REVOKED:
        take_revocation(v, n);
        return;
    case NOTICE_ADDED:
        take_addition(v, n);
    }
}

/* ---- answers ---- */

static void say_who(struct visit *v, const struct resp_value *values, size_t count,
                    struct walltime now)
{
    struct attendance a;
    char text[ATTENDANCE_TEXT_BYTES];
    for (size_t i = 1; i < count && attendance_read(&values[i], count - i, &a);
         i += ATTENDANCE_VALUES) {
        attendance_write(text, &a, now, verify_is_verified(v, a.name));
        visit_say(v, VISIT_ANSWER, "%s", text);
    }
}

/* A letter is only for who has an account. */
static void ask_about_absent(struct visit *v, struct bytes name)
{
    const struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("OF"), name};
    if (v->has_post)
        visit_ask(v, ASKED_ABSENT, name, argv, 3);
}

static void take_absent(struct visit *v, struct bytes name, const struct resp_value *reply)
{
    if (reply->kind == RESP_FAILURE)
        visit_say_text(v, VISIT_PROBLEM, "The hub says: ", answer_words(reply->text), "");
    else
        visit_say_text(v, VISIT_NOTE, "/letter ", name, " TEXT leaves a letter.");
}

static void take_meeting(struct visit *v, struct bytes name, const struct resp_value *reply)
{
    if (reply->kind == RESP_FAILURE) {
        struct bytes why = reply->text;
        bool absent = bytes_starts_with(why, "ABSENT ");
        miss_outgoing(v);
        visit_say_text(v, VISIT_PROBLEM, "The hub says: ", answer_words(why), "");
        if (absent)
            ask_about_absent(v, name);
        return;
    }
    set_id(&v->outgoing, reply->text);
    if (visit_talks_is_connected(v, name) || (v->connecting && is_name(v->wanted, name)))
        settle_outgoing(v, name);
    else if (visit_talks_name(v, name))
        visit_say_text(v, VISIT_NOTE, "Asking ", name, " anew; what was said before is kept.");
    else
        visit_say_text(v, VISIT_NOTE, "Asking ", name, " to talk; /close withdraws that.");
}

void people_reply(struct visit *v, const struct asked *a, const struct resp_value *values,
                  size_t count, struct walltime now)
{
    switch (a->kind) {
    case ASKED_NAMES:
        if (values->kind == RESP_STATUS)
            learn_names(v, values->text);
        return;
    case ASKED_LIST:
        visit_say_text(v, VISIT_ANSWER, "", values->text, "");
        return;
    case ASKED_WHO:
        say_who(v, values, count, now);
        return;
    case ASKED_MEET:
        take_meeting(v, bytes_make(a->subject, a->len), values);
        return;
    case ASKED_GO_ON:
        take_going_on(v, values);
        return;
    case ASKED_ABSENT:
        take_absent(v, bytes_make(a->subject, a->len), values);
        return;
    default:
        return;
    }
}

#include "client/visit_inner.h"

#include <stdio.h>
#include <stdlib.h>

static struct visit_talk *find(struct visit *v, struct bytes name)
{
    list_foreach (at, &v->talks) {
        struct visit_talk *t = list_entry(at, struct visit_talk, link);
        if (account_name_equal(bytes_from_str(t->name), name))
            return t;
    }
    return NULL;
}

static struct visit_talk *find_str(struct visit *v, const char *name)
{
    return find(v, bytes_from_str(name));
}

static void forget(struct visit_talk *t)
{
    list_remove(&t->link);
    free(t);
}

void visit_talks_fini(struct visit *v)
{
    while (!list_is_empty(&v->talks))
        forget(list_entry(v->talks.next, struct visit_talk, link));
}

/* ---- the person ---- */

/* Who has left may be followed by somebody else in front, whom the line was not meant for. */
bool visit_talks_say(struct visit *v, struct bytes text)
{
    if (v->left[0]) {
        visit_say_text(v, VISIT_PROBLEM, "Not said: ", text, "");
        visit_say(v, VISIT_PROBLEM, "The talk with %s is over; what you type now is for %s.",
                  v->left, v->front[0] ? v->front : "the hub");
        return true;
    }
    if (v->front[0])
        v->handler->talk_say(v, text);
    return v->front[0];
}

bool visit_talks_switch(struct visit *v, struct bytes name)
{
    struct visit_talk *t = find(v, name);
    if (!t)
        return false;
    snprintf(v->front, sizeof v->front, "%s", t->name);
    visit_say(v, VISIT_NOTE, "What you type is for %s now.", t->name);
    visit_show_prompt(v);
    return t->way[0] != '\0';
}

void visit_talks_close_front(struct visit *v)
{
    struct visit_talk *t = find_str(v, v->front);
    v->handler->talk_close(v, v->front);
    visit_say(v, VISIT_NOTE, "The talk with %s is over. What you type now is for the hub.",
              v->front);
    v->front[0] = '\0';
    if (t)
        forget(t);
    visit_show_prompt(v);
}

void visit_talks_forget(struct visit *v, const char *name)
{
    struct visit_talk *t = find_str(v, name);
    if (t)
        forget(t);
}

const char *visit_talks_name(struct visit *v, struct bytes name)
{
    struct visit_talk *t = find(v, name);
    return t ? t->name : NULL;
}

bool visit_talks_is_connected(struct visit *v, struct bytes name)
{
    struct visit_talk *t = find(v, name);
    return t && t->way[0];
}

void visit_talks_close(struct visit *v, struct bytes name)
{
    struct visit_talk *t = find(v, name);
    if (t && strcmp(t->name, v->front) == 0) {
        visit_talks_close_front(v);
    } else if (t) {
        v->handler->talk_close(v, t->name);
        visit_say(v, VISIT_NOTE, "The talk with %s is over.", t->name);
        forget(t);
    }
}

void visit_talks_say_ways(struct visit *v)
{
    if (list_is_empty(&v->talks))
        visit_say(v, VISIT_ANSWER, "You talk with nobody.");
    list_foreach (at, &v->talks) {
        struct visit_talk *t = list_entry(at, struct visit_talk, link);
        visit_say(v, VISIT_ANSWER, "%-12s %s", t->name, t->way[0] ? t->way : "not connected");
    }
}

/* ---- what is told ---- */

void visit_talk_fails(struct visit *v, const char *name, const char *why)
{
    people_miss(v, bytes_from_str(name));
    if (find_str(v, name))
        visit_say(v, VISIT_PROBLEM,
                  "The talk with %s goes on, but not with a device that asks: %s", name, why);
    else
        visit_say(v, VISIT_PROBLEM, "No talk with %s: %s", name, why);
}

void visit_talk_begins(struct visit *v, const char *name, bool verified)
{
    struct visit_talk *t = find_str(v, name);
    const char *mark = verified ? " (verified)" : "";
    bool wanted = account_name_equal(bytes_from_str(v->wanted), bytes_from_str(name));
    if (!t && !(t = calloc(1, sizeof *t))) {
        visit_leave(v, VISIT_FAILED);
        return;
    }
    if (!list_is_linked(&t->link))
        list_append(&v->talks, &t->link);
    snprintf(t->name, sizeof t->name, "%s", name);
    verify_forget(v, name);
    if (wanted) {
        v->wanted[0] = '\0';
        v->connecting = false;
    }
    if (v->front[0] || !wanted) {
        visit_say(v, VISIT_NEWS, "%s%s is there to talk: /talk %s", name, mark, name);
        return;
    }
    snprintf(v->front, sizeof v->front, "%s", name);
    visit_say(v, VISIT_NEWS, "You talk with %s%s now; /close ends it.", name, mark);
    visit_show_prompt(v);
}

void visit_talk_joins(struct visit *v, const char *name, bool verified)
{
    bool doubtful = !verified && verify_is_verified(v, bytes_from_str(name));
    visit_say(v, VISIT_NEWS, "%s is there at another device, too%s.", name,
              verified   ? " (verified)"
              : doubtful ? ", which is not verified"
                         : "");
}

void visit_talk_way(struct visit *v, const char *name, const char *way)
{
    struct visit_talk *t = find_str(v, name);
    if (!t || strcmp(t->way, way ? way : "") == 0)
        return;
    snprintf(t->way, sizeof t->way, "%s", way ? way : "");
    if (way)
        visit_say(v, VISIT_NEWS, "Talking with %s: %s", name, way);
    else
        visit_say(v, VISIT_PROBLEM, "Lost %s. Trying to get back; what you say is kept.", name);
}

void visit_talk_heard(struct visit *v, const char *name, struct bytes text)
{
    char before[ACCOUNT_NAME_BYTES + 4];
    snprintf(before, sizeof before, "%.*s: ", ACCOUNT_NAME_BYTES, name);
    visit_say_lines(v, VISIT_ANSWER, before, text);
}

void visit_talk_ends(struct visit *v, const char *name, const char *why)
{
    struct visit_talk *t = find_str(v, name);
    if (!t) /* it had not begun; else it is another that is wanted */
        people_miss(v, bytes_from_str(name));
    if (v->front[0] && account_name_equal(bytes_from_str(v->front), bytes_from_str(name))) {
        snprintf(v->left, sizeof v->left, "%s", name);
        v->front[0] = '\0';
    }
    if (t)
        forget(t);
    if (why)
        visit_say(v, VISIT_PROBLEM, "The talk with %s is over: %s.", name, why);
    else
        visit_say(v, VISIT_NEWS, "%s has ended the talk.", name);
    visit_show_prompt(v);
}

void visit_talk_undelivered(struct visit *v, const char *name, struct bytes text, bool arrived)
{
    char before[ACCOUNT_NAME_BYTES + 40];
    snprintf(before, sizeof before,
             arrived ? "Reached %.*s, but was not shown: " : "Not delivered to %.*s: ",
             ACCOUNT_NAME_BYTES, name);
    visit_say_lines(v, VISIT_PROBLEM, before, text);
}

void visit_talk_refused(struct visit *v, const char *why)
{
    visit_say(v, VISIT_PROBLEM, "Not said to %s: %s", v->front, why);
}

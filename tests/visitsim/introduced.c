#include "talk.h"

#include "client/device_list.h"

#include <stdio.h>
#include <stdlib.h>

/* Between an introduction and a talk: whether the key is his (meet/talks.h does the same). */

/* One for which the list of his devices has to say. */
struct waiting {
    struct list link;
    uint64_t number;
    struct meeting *meeting;
    size_t other;
    struct notice_kept kept;
};

static void refuse(struct visitor *v, struct bytes name, struct meeting *m, const char *why)
{
    char text[ACCOUNT_NAME_BYTES + 1];
    snprintf(text, sizeof text, "%.*s", (int)name.len, (const char *)name.data);
    m->ended[m->from != v->device] = true;
    visit_talk_fails(&v->visit, text, why);
}

static void wait(struct visitor *v, const struct notice *n, size_t other, struct meeting *m)
{
    char name[ACCOUNT_NAME_BYTES + 1];
    struct waiting *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    snprintf(name, sizeof name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    notice_keep(&w->kept, n);
    w->meeting = m;
    w->other = other;
    w->number = visit_ask_devices(&v->visit, name);
    CHECK(v->world, w->number != 0, "somebody is introduced, and there is no hub");
    list_append(&v->waiting, &w->link);
}

static void judge(struct visitor *v, const struct notice *n, size_t other, struct meeting *m,
                  const struct device *devices, size_t count)
{
    struct notebook *b = &v->world->notebooks[v->device];
    enum post_trust trust = notebook_trust(b, n->name, &n->key, devices, count);
    if (trust == POST_BELIEVED)
        talk_begin(v, n, other, m);
    else if (trust == POST_UNSURE && !devices)
        wait(v, n, other, m);
    else
        refuse(v, n->name, m, "who is that?");
}

void introduced(struct visitor *v, const struct notice *n, size_t other, struct meeting *m)
{
    if (other == v->device)
        refuse(v, n->name, m, "the hub introduces this device to itself");
    else
        judge(v, n, other, m, NULL, 0);
}

void introduced_devices(struct visitor *v, uint64_t number, const struct resp_value *values,
                        size_t count)
{
    struct device devices[LIMIT_ACCOUNT_DEVICES];
    size_t n = 0;
    list_foreach (at, &v->waiting) {
        struct waiting *w = list_entry(at, struct waiting, link);
        if (w->number != number)
            continue;
        if (!device_list_read(values, count, devices, &n))
            n = 0;
        list_remove(&w->link);
        judge(v, &w->kept.notice, w->other, w->meeting, devices, n);
        free(w);
        return;
    }
}

void introduced_close(struct visitor *v, const char *name)
{
    list_foreach (at, &v->waiting) {
        struct waiting *w = list_entry(at, struct waiting, link);
        if (!bytes_equal_str(w->kept.notice.name, name))
            continue;
        w->meeting->ended[w->meeting->from != v->device] = true;
        list_remove(&w->link);
        free(w);
        return;
    }
    trace_fail(&v->world->trace, "what is closed is a talk that is over");
}

void introduced_forget(struct visitor *v)
{
    struct list *link;
    while ((link = list_pop(&v->waiting))) {
        struct waiting *w = list_entry(link, struct waiting, link);
        refuse(v, w->kept.notice.name, w->meeting, "the hub is gone");
        free(w);
    }
}

#include "lib/people.h"

#include "base/limits.h"
#include "client/accepting.h"
#include "io/clock.h"
#include "io/dial.h"
#include "io/problem.h"
#include "lib/calm.h"

#include <errno.h>
#include <stdlib.h>

/* Who takes texts that are there already still lets the loop run so often. */
enum { REST_MS = 1000 };

static struct people *people_of(struct presence *p)
{
    return (struct people *)((char *)p - offsetof(struct people, presence));
}

static struct people *of_talks(struct talks *t)
{
    return people_of(presence_of(t));
}

/* ---- what the hub says ---- */

static void on_ready(struct presence *presence, bool again)
{
    struct people *p = people_of(presence);
    saying_ready(&p->saying);
    postman_ready(&p->letters.postman);
    if (p->k->wants & KITH_COMINGS)
        comings_count(&p->comings);
    uv_stop(&p->loop);
}

static void on_lost(struct presence *presence, const char *why)
{
    struct people *p = people_of(presence);
    saying_lost(&p->saying);
    postman_lost(&p->letters.postman);
    comings_lost(&p->comings);
    if (p->listing == 0)
        return;
    handle_note(p->k, "lost the hub at %s: %s", p->k->where_text, why);
    p->listing = 0;
    p->listed = KITH_LOST;
    uv_stop(&p->loop);
}

static enum kith_result take_list(struct people *p, const struct resp_value *values,
                                  size_t count)
{
    if (values->kind == RESP_FAILURE)
        return handle_refused(p->k, values->text);
    int r = roll_read(&p->roll, values, count);
    if (r == 0)
        return KITH_OK;
    handle_note(p->k, r < 0 ? "out of memory for who is there"
                            : "what the hub says of who is there cannot be understood");
    return r < 0 ? KITH_NO_MEMORY : KITH_FOREIGN;
}

static void on_answer(struct presence *presence, uint64_t number,
                      const struct resp_value *values, size_t count)
{
    struct people *p = people_of(presence);
    if (number == p->listing) {
        p->listing = 0;
        p->listed = take_list(p, values, count);
    } else if (!postman_answered(&p->letters.postman, number, values, count) &&
               !comings_answered(&p->comings, number, values, count)) {
        saying_answer(&p->saying, number, values);
    }
    uv_stop(&p->loop);
}

/* By the rule, or since he is just being asked himself. */
static bool is_wanted(struct people *p, const struct notice *n)
{
    return accepting_allows(p->k->accepts, n->name) || saying_is_to(&p->saying, n->name);
}

static void on_notice(struct presence *presence, const struct notice *n)
{
    struct people *p = people_of(presence);
    if (n->kind == NOTICE_INVITED && is_wanted(p, n))
        presence_accept(presence, n);
    else if (n->kind == NOTICE_INVITED)
        presence_decline(presence, n->id);
    else if (n->kind == NOTICE_DECLINED)
        saying_declined(&p->saying, n);
    else if (n->kind == NOTICE_INTRODUCED)
        saying_introduced(&p->saying, n);
    else if (n->kind == NOTICE_LETTER)
        post_letter_came(&p->letters.post);
    else if (p->k->wants & KITH_COMINGS)
        comings_notice(&p->comings, n);
    uv_stop(&p->loop);
}

static void on_failed(struct presence *presence, const struct trouble *why)
{
    struct people *p = people_of(presence);
    p->end = handle_trouble(p->k, why);
    memcpy(p->why, p->k->problem, sizeof p->why);
    presence_close(presence);
    uv_stop(&p->loop);
}

/* ---- what others say ---- */

static void on_begun(struct talks *t, const char *name)
{
    saying_begun(&of_talks(t)->saying, name);
    uv_stop(&of_talks(t)->loop);
}

static void on_delivered(struct talks *t, struct talk_link *l)
{
    saying_delivered(&of_talks(t)->saying, l);
    uv_stop(&of_talks(t)->loop);
}

static void on_ended(struct talks *t, const char *name, const char *why)
{
    saying_ended(&of_talks(t)->saying, name, why);
    uv_stop(&of_talks(t)->loop);
}

static void on_undelivered(struct talks *t, struct talk_link *l, struct bytes text)
{
    saying_undelivered(&of_talks(t)->saying, l);
    uv_stop(&of_talks(t)->loop);
}

/* A text that cannot be kept was not shown, and none after it is: the talk ends. */
static void on_kept(struct talks *t, struct talk_link *link, struct bytes words)
{
    struct people *p = of_talks(t);
    struct message m = {
        .kind = KITH_TEXT, .id = link->pair.id, .number = link->talk.heard, .words = words};
    memcpy(m.from, link->name, sizeof m.from);
    if (messages_add(&p->messages, &m) != 0 && link->state != TALK_LINK_ENDING)
        talk_link_close(link);
    uv_stop(&p->loop);
}

static void on_refused(struct talks *t, const char *name, const struct trouble *why)
{
    saying_refused(&of_talks(t)->saying, name, why);
    uv_stop(&of_talks(t)->loop);
}

static const struct talks_handler talks_handler = {.begun = on_begun,
                                                   .kept = on_kept,
                                                   .delivered = on_delivered,
                                                   .ended = on_ended,
                                                   .undelivered = on_undelivered,
                                                   .ask_devices = presence_ask_devices,
                                                   .disbelieve = presence_disbelieve,
                                                   .refused = on_refused,
                                                   .moved = presence_moved};

static const struct presence_handler presence_handler = {.ready = on_ready,
                                                         .lost = on_lost,
                                                         .answer = on_answer,
                                                         .notice = on_notice,
                                                         .failed = on_failed,
                                                         .talks = &talks_handler};

/* ---- waiting ---- */

static void on_alarm(uv_timer_t *alarm)
{
    struct people *p = alarm->data;
    p->late = true;
    uv_stop(&p->loop);
}

/* Runs the loop, in a calm, until something is done, the time is over, or the presence is. */
static void wait(struct people *p, bool (*is_done)(struct people *p), uint64_t timeout_ms)
{
    p->late = false;
    uv_update_time(&p->loop);
    if (timeout_ms != DIAL_FOREVER)
        uv_timer_start(&p->alarm, on_alarm, timeout_ms, 0);
    while (!is_done(p) && !p->late && p->end == KITH_OK) {
        uv_run(&p->loop, UV_RUN_ONCE);
        saying_give_way(&p->saying);
    }
    uv_timer_stop(&p->alarm);
    p->worked = clock_instant();
}

static enum kith_result ended(struct people *p)
{
    memcpy(p->k->problem, p->why, sizeof p->why);
    return p->end;
}

/* ---- login ---- */

static bool is_ready(struct people *p)
{
    return p->presence.ready;
}

static enum kith_result log_in(struct people *p)
{
    struct kith *k = p->k;
    struct trouble t;
    struct calm calm;
    calm_begin(&calm, true); /* libuv's threads begin with a name that is looked up */
    enum trouble_kind kind =
        presence_open(&p->presence, &p->loop, &k->self, k->peer_port, &presence_handler, &t);
    calm_end(&calm);
    if (kind != TROUBLE_NONE)
        return handle_trouble(k, &t);
    calm_begin(&calm, false);
    wait(p, is_ready, k->timeout_ms);
    calm_end(&calm);
    if (p->presence.ready || p->end != KITH_OK)
        return p->end;
    handle_note(k, "%s gave no answer in time", k->where_text);
    return KITH_SILENT;
}

static struct people *people_new(struct kith *k)
{
    struct people *p = calloc(1, sizeof *p);
    if (!p || uv_loop_init(&p->loop) != 0) {
        free(p);
        return NULL;
    }
    p->k = k;
    uv_timer_init(&p->loop, &p->alarm);
    p->alarm.data = p;
    saying_init(&p->saying, k, &p->presence, &p->loop);
    messages_init(&p->messages);
    comings_init(&p->comings, &p->presence, &p->messages);
    return p;
}

enum kith_result people_open(struct kith *k)
{
    struct people *p = people_new(k);
    if (!p) {
        handle_note(k, "out of memory, or of descriptors, for people");
        return KITH_NO_MEMORY;
    }
    enum kith_result result =
        letters_open(&p->letters, k, &p->presence, &p->messages, &p->loop);
    if (result == KITH_OK)
        result = log_in(p);
    if (result == KITH_OK)
        k->people = p;
    else
        people_free(p);
    return result;
}

void people_free(struct people *p)
{
    struct calm calm;
    if (!p)
        return;
    calm_begin(&calm, false);
    presence_close(&p->presence);
    letters_close(&p->letters);
    saying_close(&p->saying);
    uv_close((uv_handle_t *)&p->alarm, NULL);
    while (uv_run(&p->loop, UV_RUN_DEFAULT) != 0)
        continue; /* what happens last has stopped it */
    calm_end(&calm);
    presence_fini(&p->presence);
    uv_loop_close(&p->loop);
    letters_fini(&p->letters);
    comings_fini(&p->comings);
    messages_fini(&p->messages);
    roll_fini(&p->roll);
    free(p);
}

/* ---- who is there ---- */

static bool is_listed(struct people *p)
{
    return p->listing == 0;
}

static enum kith_result list(struct people *p)
{
    struct bytes who = bytes_from_str("WHO");
    wait(p, is_ready, p->k->timeout_ms);
    if (p->end != KITH_OK)
        return ended(p);
    if (!p->presence.ready) {
        handle_note(p->k, "there is no hub at %s now", p->k->where_text);
        return KITH_LOST;
    }
    p->listing = presence_ask(&p->presence, &who, 1);
    if (p->listing == 0) {
        handle_note(p->k, "out of memory: the hub was not asked");
        return KITH_NO_MEMORY;
    }
    p->listed = KITH_SILENT;
    wait(p, is_listed, p->k->timeout_ms);
    if (p->end != KITH_OK)
        return ended(p);
    if (p->listing != 0)
        handle_note(p->k, "%s gave no answer in time", p->k->where_text);
    p->listing = 0;
    return p->listed;
}

enum kith_result people_list(struct people *p)
{
    struct calm calm;
    calm_begin(&calm, false);
    enum kith_result result = list(p);
    calm_end(&calm);
    return result;
}

/* ---- texts ---- */

static bool is_said(struct people *p)
{
    return p->saying.state == SAYING_DONE;
}

enum kith_result people_say(struct people *p, struct bytes name, struct bytes text,
                            uint64_t timeout_ms)
{
    struct calm calm;
    if (p->end != KITH_OK)
        return ended(p);
    calm_begin(&calm, false);
    saying_begin(&p->saying, name, text);
    wait(p, is_said, timeout_ms);
    enum kith_result result = saying_end(&p->saying);
    calm_end(&calm);
    return result == KITH_NOTHING && p->end != KITH_OK ? ended(p) : result;
}

/* ---- letters ---- */

static bool is_sent(struct people *p)
{
    return !p->letters.sending;
}

enum kith_result people_leave_letter(struct people *p, struct bytes name, struct bytes text,
                                     uint64_t timeout_ms)
{
    struct calm calm;
    if (p->end != KITH_OK)
        return ended(p);
    calm_begin(&calm, false);
    enum kith_result result = letters_send(&p->letters, name, text);
    if (result == KITH_OK) {
        wait(p, is_sent, timeout_ms);
        result = letters_end_sending(&p->letters);
    }
    calm_end(&calm);
    return result == KITH_NOTHING && p->end != KITH_OK ? ended(p) : result;
}

/* ---- what comes ---- */

/* Is there one for the program? A letter is, once it is claimed: it is to be taken then. */
static bool is_heard(struct people *p)
{
    const struct message *m;
    while ((m = messages_first(&p->messages))) {
        if (m->kind != KITH_LETTER || letters_claim(&p->letters, &m->id))
            return true;
        messages_take(&p->messages);
    }
    comings_catch_up(&p->comings);
    return false;
}

static bool never(struct people *p)
{
    return false;
}

/* The next one, which so is shown; NULL where there is none in that time. */
static const struct message *take(struct people *p, uint64_t timeout_ms)
{
    struct instant rested = instant_after_ms(p->worked, REST_MS);
    if (!is_heard(p))
        wait(p, is_heard, timeout_ms);
    else if (clock_instant().ns > rested.ns)
        wait(p, never, 0);
    const struct message *m = messages_take(&p->messages);
    if (m && m->kind == KITH_TEXT)
        talks_show(&p->presence.talks, &m->id, m->number);
    return m;
}

enum kith_result people_receive(struct people *p, uint64_t timeout_ms,
                                const struct message **ret)
{
    struct calm calm;
    calm_begin(&calm, false);
    const struct message *m = take(p, timeout_ms);
    calm_end(&calm);
    if (m) {
        *ret = m;
        return KITH_OK;
    }
    return p->end == KITH_OK ? KITH_NOTHING : ended(p);
}

void people_wishes(struct people *p)
{
    struct calm calm;
    calm_begin(&calm, false);
    if (p->k->wants & KITH_LETTERS)
        letters_look(&p->letters);
    if (p->k->wants & KITH_COMINGS)
        comings_count(&p->comings);
    calm_end(&calm);
}

bool people_end_talk(struct people *p, struct bytes name)
{
    bool talks = talks_find(&p->presence.talks, name) != NULL;
    struct calm calm;
    calm_begin(&calm, false);
    talks_end(&p->presence.talks, name);
    calm_end(&calm);
    return talks;
}

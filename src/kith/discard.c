#include "kith/discard.h"

#include "base/limits.h"
#include "kith/contact.h"

#include <stdio.h>

struct discard {
    struct contact contact;
    struct bytes fingerprint;
    struct random_id ids[LIMIT_LETTERS];
    size_t count;
    uint64_t listed, taken; /* the numbers of the answers */
};

/* A letter as LETTERS lists it, behind its head. */
enum { ID = 1, SENDER, FINGERPRINT, SEALED, SINCE, VALUES };

static struct discard *discard_of(struct contact *c)
{
    return (struct discard *)c;
}

/* False where that is no list of letters. */
static bool find(struct discard *d, const struct resp_value *reply)
{
    if (reply->kind != RESP_ARRAY || reply->number < 0 ||
        reply->number > (int64_t)LIMIT_LETTERS)
        return false;
    for (int64_t i = 0; i < reply->number; i++) {
        const struct resp_value *v = reply + 1 + i * VALUES;
        if (v->kind != RESP_ARRAY || v->number != VALUES - 1 || v[ID].kind != RESP_BULK ||
            v[FINGERPRINT].kind != RESP_BULK || !random_id_read(v[ID].text, &d->ids[d->count]))
            return false;
        d->count += bytes_equal(v[FINGERPRINT].text, d->fingerprint);
    }
    return true;
}

static void take(struct discard *d)
{
    char texts[LIMIT_LETTERS][RANDOM_ID_TEXT_LEN + 1];
    struct bytes argv[2 + LIMIT_LETTERS] = {bytes_from_str("LETTERS"), bytes_from_str("TAKEN")};
    for (size_t i = 0; i < d->count; i++) {
        random_id_write(texts[i], &d->ids[i]);
        argv[2 + i] = bytes_from_str(texts[i]);
    }
    d->taken = contact_request(&d->contact, argv, 2 + d->count);
}

static void take_list(struct discard *d, const struct resp_value *reply)
{
    struct session *s = d->contact.session;
    if (!find(d, reply))
        contact_end(&d->contact, session_strange(s));
    else if (d->count == 0)
        contact_end(&d->contact, session_fail(s, EXIT_NO, "no letter of that device waits"));
    else
        take(d);
}

static void print_json(struct output *o, struct bytes fingerprint, int64_t n)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "fingerprint", fingerprint);
    json_number(&j, "discarded", n);
    output_json(o, &j);
}

static void take_end(struct discard *d, const struct resp_value *reply)
{
    struct output *o = &d->contact.session->output;
    char line[64];
    if (reply->kind != RESP_INTEGER) {
        contact_end(&d->contact, session_strange(d->contact.session));
        return;
    }
    snprintf(line, sizeof line, "%lld letter%s thrown away, unread.", (long long)reply->number,
             reply->number == 1 ? "" : "s");
    if (o->json)
        print_json(o, d->fingerprint, reply->number);
    else if (!o->quiet)
        output_line(o, "", bytes_from_str(line));
    contact_end(&d->contact, o->failed != 0 ? EXIT_NO : EXIT_DONE);
}

static void on_ready(struct contact *c, bool again)
{
    const struct bytes argv[] = {bytes_from_str("LETTERS")};
    if (!again)
        discard_of(c)->listed = contact_request(c, argv, 1);
}

static void on_answer(struct contact *c, uint64_t number, const struct resp_value *reply)
{
    struct discard *d = discard_of(c);
    if (c->over)
        return;
    if (reply->kind == RESP_FAILURE)
        contact_refused(c, reply->text);
    else if (number == d->listed)
        take_list(d, reply);
    else if (number == d->taken)
        take_end(d, reply);
}

static const struct talks_handler talks_handler = {.begun = NULL};
static const struct post_handler post_handler = {.request = contact_post};

static const struct contact_handler contact_handler = {.ready = on_ready,
                                                       .lost = contact_lost,
                                                       .answer = on_answer,
                                                       .talks = &talks_handler,
                                                       .post = &post_handler};

int discard_letters(struct session *s, struct bytes fingerprint)
{
    struct fingerprint print;
    struct discard d = {.fingerprint = fingerprint};
    if (!fingerprint_read(fingerprint, &print))
        return session_fail(s, EXIT_USAGE, "that is no fingerprint; kith letters tells it");
    return contact_run(&d.contact, s, &contact_handler);
}

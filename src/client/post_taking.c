#include "client/device_list.h"
#include "client/letters_seen.h"
#include "client/post_inner.h"

#include <sodium.h>
#include <stdlib.h>

/* A letter as LETTERS lists it, behind its head. */
enum { ID = 1, SENDER, FINGERPRINT, SEALED, SINCE, VALUES };

/* What is to be done with it. */
enum fate { SHOWN, KNOWN, FORGED, LEFT, STOPPED };

/* One answer to LETTERS. */
struct round {
    struct post *post;
    struct buffer seen;  /* letters_seen.h */
    struct buffer plain; /* the letter that is looked at */
    struct random_id taken[LIMIT_LETTERS];
    size_t taken_count;
    bool changed; /* seen is */
};

static void list(struct post *p)
{
    struct bytes argv[] = {bytes_from_str("LETTERS")};
    p->again = false;
    p->listing = post_ask(p, (struct post_asked){.kind = POST_ASKED_LIST}, argv, 1) == 0;
}

/* What was answered before may be another answer now. */
void taking_begin(struct post *p)
{
    if (!p->takes)
        return;
    list_foreach (at, &p->doubted)
        list_entry(at, struct post_doubt, link)->answered = false;
    if (p->listing)
        p->again = true;
    else
        list(p);
}

void taking_forget(struct post *p)
{
    struct list *link;
    while ((link = list_pop(&p->doubted)))
        free(list_entry(link, struct post_doubt, link));
    p->doubted_count = 0;
}

/* ---- whose devices ---- */

static struct post_doubt *find_doubt(struct post *p, struct bytes name)
{
    list_foreach (at, &p->doubted) {
        struct post_doubt *d = list_entry(at, struct post_doubt, link);
        if (account_name_equal(bytes_from_str(d->name), name))
            return d;
    }
    return NULL;
}

/* NULL where there is no room for another one. */
static struct post_doubt *add_doubt(struct post *p, struct bytes name)
{
    struct post_doubt *d =
        p->doubted_count < LIMIT_LETTERS_DOUBTED ? calloc(1, sizeof *d) : NULL;
    if (!d)
        return NULL;
    memcpy(d->name, name.data, name.len);
    list_append(&p->doubted, &d->link);
    p->doubted_count++;
    return d;
}

static bool is_asked(const struct post *p, const struct post_doubt *d)
{
    list_foreach (at, &p->asked)
        if (list_entry(at, struct post_asked, link)->doubt == d)
            return true;
    return false;
}

static void ask_about(struct post *p, struct post_doubt *d)
{
    struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("OF"),
                           bytes_from_str(d->name)};
    if (!is_asked(p, d))
        post_ask(p, (struct post_asked){.kind = POST_ASKED_DOUBT, .doubt = d}, argv, 3);
}

void taking_doubt_answered(struct post *p, struct post_doubt *d,
                           const struct resp_value *values, size_t count)
{
    if (!device_list_read(values, count, d->devices, &d->count))
        d->count = 0;
    d->answered = true;
    if (p->listing)
        p->again = true;
    else
        list(p);
}

static bool is_warned_of(const struct post_doubt *d, const struct fingerprint *print)
{
    for (size_t i = 0; i < d->warned_count; i++)
        if (fingerprint_equal(&d->warned[i], print))
            return true;
    return d->warned_count == LIMIT_ACCOUNT_DEVICES; /* enough */
}

static void warn_of(struct post *p, struct post_doubt *d, struct bytes name,
                    const struct public_key *key)
{
    p->stranger = fingerprint_of(key);
    if (d && is_warned_of(d, &p->stranger))
        return;
    if (d)
        d->warned[d->warned_count++] = p->stranger;
    p->handler->warn(p, POST_NOT_BELIEVED, name);
}

static void warn_unread(struct post *p)
{
    if (!p->told_unread)
        p->handler->warn(p, POST_NOT_JUDGED, p->keep->why(p->ctx));
    p->told_unread = true;
}

/* False: it is left for now. */
static bool is_believed(struct post *p, struct bytes name, const struct public_key *key)
{
    struct post_doubt *d = find_doubt(p, name);
    bool knows = d && d->answered;
    enum post_trust t =
        p->keep->trust(p->ctx, name, key, knows ? d->devices : NULL, knows ? d->count : 0);
    if (t == POST_BELIEVED)
        return true;
    if (t == POST_UNREAD)
        warn_unread(p);
    else if (t == POST_UNSURE && !knows && (d || (d = add_doubt(p, name))))
        ask_about(p, d);
    else
        warn_of(p, d ? d : add_doubt(p, name), name, key);
    return false;
}

/* ---- a letter ---- */

static bool is_row(const struct resp_value *v)
{
    return v->kind == RESP_ARRAY && v->number == VALUES - 1 && v[ID].kind == RESP_BULK &&
           v[SENDER].kind == RESP_BULK && v[FINGERPRINT].kind == RESP_BULK &&
           v[SEALED].kind == RESP_BULK;
}

/* Does it say itself what the hub says of it? */
static bool is_as_told(const struct resp_value *v, const struct random_id *id,
                       const struct peer_letter *l)
{
    struct fingerprint said, own = fingerprint_of(&l->from.key);
    return random_id_equal(id, &l->id) && account_name_is_valid(v[SENDER].text) &&
           account_name_is_valid(bytes_from_str(l->from.name)) &&
           account_name_equal(v[SENDER].text, bytes_from_str(l->from.name)) &&
           fingerprint_read(v[FINGERPRINT].text, &said) && fingerprint_equal(&said, &own);
}

static void record_shown(struct post *p, const struct peer_letter *l)
{
    struct said said = {.when = l->written,
                        .from = bytes_from_str(l->from.name),
                        .to = p->own_name,
                        .text = l->text,
                        .letter = true};
    p->keep->record(p->ctx, said.from, &said);
}

static enum fate show(struct round *r, const struct peer_letter *l)
{
    struct post *p = r->post;
    struct bytes name = bytes_from_str(l->from.name);
    if (p->handler->accepts && !p->handler->accepts(p, name))
        return LEFT;
    if (!is_believed(p, name, &l->from.key))
        return LEFT;
    if (p->handler->keep)
        return p->handler->keep(p, l) ? LEFT : STOPPED;
    if (!p->handler->show(p, l))
        return STOPPED;
    if (p->keep->record)
        record_shown(p, l);
    r->changed |= letters_seen_add(&r->seen, &l->id) == 0;
    return SHOWN;
}

static enum fate look_at(struct round *r, const struct resp_value *v,
                         const struct random_id *id)
{
    struct post *p = r->post;
    struct peer_letter l;
    if (letters_seen_has(buffer_view(&r->seen), id))
        return KNOWN;
    int result = peer_letter_open(v[SEALED].text, p->own_name, p->seed, &r->plain, &l);
    if (result != 0 && result != PEER_LETTER_WRONG)
        return LEFT; /* memory */
    if (result == 0 && is_as_told(v, id, &l))
        return show(r, &l);
    p->handler->warn(p, POST_FORGED,
                     account_name_is_valid(v[SENDER].text) ? v[SENDER].text
                                                           : bytes_from_str("somebody"));
    return FORGED;
}

/* ---- all of them ---- */

static void tell_taken(struct post *p, const struct random_id *taken, size_t count)
{
    static const struct post_asked asked = {.kind = POST_ASKED_TAKEN};
    char texts[LIMIT_LETTERS][RANDOM_ID_TEXT_LEN + 1];
    struct bytes argv[2 + LIMIT_LETTERS] = {bytes_from_str("LETTERS"), bytes_from_str("TAKEN")};
    for (size_t i = 0; i < count; i++) {
        random_id_write(texts[i], &taken[i]);
        argv[2 + i] = bytes_from_str(texts[i]);
    }
    if (count > 0)
        post_ask(p, asked, argv, 2 + count);
}

bool post_show(struct post *p, const struct random_id *id)
{
    struct buffer seen;
    bool is_new = false;
    buffer_init(&seen, LETTERS_SEEN_BYTES);
    p->was_busy = !p->keep->recall(p->ctx, &seen);
    if (!p->was_busy) {
        is_new = !letters_seen_has(buffer_view(&seen), id);
        bool changed = is_new && letters_seen_add(&seen, id) == 0;
        if (!p->keep->remember(p->ctx, buffer_view(&seen), changed) || changed != is_new)
            p->handler->warn(p, POST_NOT_KEPT, bytes_make(NULL, 0));
        if (p->here)
            tell_taken(p, id, 1);
    }
    buffer_fini(&seen);
    return is_new;
}

/* What is no letter ends it: the hub talks nonsense. */
static void look_at_all(struct round *r, const struct resp_value *values, size_t count)
{
    enum fate fate = SHOWN;
    struct random_id id;
    for (size_t i = 1; i + VALUES <= count && r->taken_count < LIMIT_LETTERS; i += VALUES) {
        if (!is_row(&values[i]) || !random_id_read(values[i + ID].text, &id))
            return;
        fate = look_at(r, &values[i], &id);
        if (fate == STOPPED)
            return;
        if (fate != LEFT)
            r->taken[r->taken_count++] = id;
    }
}

static void take(struct post *p, const struct resp_value *values, size_t count)
{
    struct round *r = calloc(1, sizeof *r);
    if (!r)
        return; /* they come again with the next one */
    r->post = p;
    buffer_init(&r->seen, LETTERS_SEEN_BYTES);
    buffer_init(&r->plain, LIMIT_LETTER_BYTES);
    p->was_busy = !p->keep->recall(p->ctx, &r->seen);
    if (!p->was_busy) {
        look_at_all(r, values, count);
        if (!p->keep->remember(p->ctx, buffer_view(&r->seen), r->changed))
            p->handler->warn(p, POST_NOT_KEPT, bytes_make(NULL, 0));
        tell_taken(p, r->taken, r->taken_count);
    }
    if (r->plain.data)
        sodium_memzero(r->plain.data, r->plain.capacity);
    buffer_fini(&r->plain);
    buffer_fini(&r->seen);
    free(r);
}

void taking_listed(struct post *p, const struct resp_value *values, size_t count)
{
    p->listing = false;
    if (values->kind == RESP_ARRAY && values->number > 0)
        take(p, values, count);
    if (p->again)
        list(p);
}

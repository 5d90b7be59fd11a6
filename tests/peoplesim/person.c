#include "person.h"

#include "hub/member.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- coming and going ---- */

static void feed(struct person *p, size_t n)
{
    uint8_t *piece = malloc(n); /* its own memory, so that reading past it is seen */
    if (!piece)
        abort();
    memcpy(piece, buffer_view(&p->out).data, n);
    buffer_consume(&p->out, n);
    connection_feed(p->connection, bytes_make(piece, n));
    free(piece);
}

/* Appends a request; each word is a string. */
static void say(struct person *p, size_t n, ...)
{
    va_list words;
    va_start(words, n);
    buffer_printf(&p->out, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++) {
        const char *word = va_arg(words, const char *);
        buffer_printf(&p->out, "$%zu\r\n%s\r\n", strlen(word), word);
    }
    va_end(words);
}

static struct asked_item *note(struct person *p, enum asked kind, size_t what)
{
    size_t at = (p->asked_first + p->asked_count++) % PERSON_ASKED;
    struct asked_item *item = &p->asked[at];
    item->kind = kind;
    item->what = what;
    return item;
}

/* The hub knows him as its member, as it would by his device's key. */
static void appear(struct person *p)
{
    struct member m = {.has_device = true, .device = key_of(p->device)};
    snprintf(m.name, sizeof m.name, "%s", name_of(account_of(p->device)));
    account_name_fold(bytes_from_str(m.name), m.key);
    if (member_set(p->connection, &m) != 0)
        abort();
    member_appear(p->connection);
}

struct person *person_come(struct town *t, size_t worker, size_t device)
{
    struct access_peer peer = {.origin = ACCESS_REMOTE};
    struct person *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->town = t;
    p->worker = worker;
    p->device = device;
    buffer_init(&p->out, 1 << 20);
    buffer_init(&p->in, 1 << 24);
    resp_reply_init(&p->reply, 1 << 24);
    if (hub_accept(&t->workers[worker].hub, &peer, false, &p->connection) != 0)
        abort();
    p->connection->user = p;
    p->id = p->connection->id;
    SAY(t, "%s comes to worker %zu with device %zu, as connection %llu",
        name_of(account_of(device)), worker, device, (unsigned long long)p->id);
    say(p, 2, "HELLO", "3");
    note(p, ASKED_HELLO, 0);
    feed(p, buffer_len(&p->out));
    appear(p);
    person_ask_list(p);
    return p;
}

void person_gone(struct person *p)
{
    SAY(p->town, "connection %llu goes", (unsigned long long)p->id);
    connection_abort(p->connection);
    connection_free(p->connection);
    buffer_fini(&p->out);
    buffer_fini(&p->in);
    resp_reply_fini(&p->reply);
    free(p);
}

/* ---- asking ---- */

void person_ask_list(struct person *p)
{
    say(p, 1, "GET_CLIENT_LIST");
    note(p, ASKED_LIST, 0);
}

static void ask_meet(struct person *p)
{
    size_t account = pick(p->town, TOWN_ACCOUNTS);
    say(p, 2, "MEET", name_of(account));
    note(p, ASKED_MEET, account);
}

/* Mostly about one that is new; whoever it concerns. */
static void ask_about_meeting(struct person *p)
{
    static const char *const verbs[] = {"ACCEPT", "ACCEPT", "DECLINE", "CANCEL"};
    static const enum asked kinds[] = {ASKED_ACCEPT, ASKED_ACCEPT, ASKED_DECLINE, ASKED_CANCEL};
    struct town *t = p->town;
    if (t->meeting_count == 0)
        return;
    size_t back = pick(t, chance(t, 8) ? t->meeting_count : 4);
    size_t at = t->meeting_count - 1 - (back < t->meeting_count ? back : 0);
    size_t which = pick(t, 4);
    struct meeting *m = &t->meetings[at];
    say(p, 2, verbs[which], m->id);
    note(p, kinds[which], at);
    if (kinds[which] == ASKED_ACCEPT)
        m->accepting |= 1u << p->device;
}

static void new_letter(struct person *p)
{
    struct town *t = p->town;
    struct mail *l = &t->letters[t->letter_count++];
    struct random_id id;
    for (size_t i = 0; i < sizeof id.bytes; i++)
        id.bytes[i] = (uint8_t)pick(t, 256);
    random_id_write(l->id, &id);
    l->from = p->device;
    l->to = pick(t, TOWN_DEVICES);
}

/* One that he has sent before, perhaps; a program does so where it saw no answer. */
static size_t choose_letter(struct person *p)
{
    struct town *t = p->town;
    for (int tries = 0; tries < 4 && t->letter_count > 0; tries++) {
        size_t at = pick(t, t->letter_count);
        if (t->letters[at].from == p->device)
            return at;
    }
    if (t->letter_count < TOWN_LETTERS)
        new_letter(p);
    return t->letter_count - 1;
}

static void ask_letter(struct person *p)
{
    struct town *t = p->town;
    size_t at = choose_letter(p);
    const struct mail *l = &t->letters[at];
    char fingerprint[FINGERPRINT_TEXT_LEN + 1];
    struct public_key key = key_of(l->to);
    struct fingerprint f = fingerprint_of(&key);
    if (l->from != p->device)
        return;
    fingerprint_write(fingerprint, &f);
    say(p, 5, "LETTER", name_of(account_of(l->to)), fingerprint, l->id, l->id);
    note(p, ASKED_LETTER, at);
}

void person_ask_letters(struct person *p)
{
    struct town *t = p->town;
    say(p, 1, "LETTERS");
    struct asked_item *item = note(p, ASKED_LETTERS, 0);
    for (size_t i = 0; i < t->letter_count; i++) {
        const struct mail *l = &t->letters[i];
        item->sure[i] = l->to == p->device && l->kept && !l->asked;
        item->gone[i] = l->taken;
    }
    memset(item->sure + t->letter_count, 0, TOWN_LETTERS - t->letter_count);
    memset(item->gone + t->letter_count, 0, TOWN_LETTERS - t->letter_count);
}

/* Any letter: only one's own is given. */
static void ask_taken(struct person *p)
{
    struct town *t = p->town;
    if (t->letter_count == 0)
        return;
    size_t at = pick(t, t->letter_count);
    for (int tries = 0; tries < 8 && t->letters[at].to != p->device; tries++)
        at = pick(t, t->letter_count);
    t->letters[at].asked |= t->letters[at].to == p->device;
    say(p, 3, "LETTERS", "TAKEN", t->letters[at].id);
    note(p, ASKED_TAKEN, at);
}

void person_act(struct person *p)
{
    if (p->asked_count == PERSON_ASKED)
        return;
    uint64_t what = pick(p->town, 100);
    if (what < 20)
        ask_meet(p);
    else if (what < 55)
        ask_about_meeting(p);
    else if (what < 75)
        ask_letter(p);
    else if (what < 85)
        person_ask_letters(p);
    else if (what < 95)
        ask_taken(p);
    else
        person_ask_list(p);
}

bool person_deliver(struct person *p, bool all)
{
    size_t n = buffer_len(&p->out);
    if (n == 0 || !connection_wants_input(p->connection))
        return false;
    feed(p, all ? n : 1 + pick(p->town, n));
    return true;
}

/* ---- what he is told ---- */

static size_t account_named(struct town *t, struct bytes name)
{
    for (size_t i = 0; i < TOWN_ACCOUNTS; i++)
        if (bytes_equal_str(name, name_of(i)))
            return i;
    trace_fail(&t->trace, "nobody is called %.*s", (int)name.len, (const char *)name.data);
}

/* The device whose key that is, and whose fingerprint. */
static size_t device_of(struct town *t, struct bytes fingerprint, struct bytes key)
{
    char text[64];
    for (size_t i = 0; i < TOWN_DEVICES; i++) {
        struct public_key k = key_of(i);
        struct fingerprint f = fingerprint_of(&k);
        fingerprint_write(text, &f);
        if (!bytes_equal_str(fingerprint, text))
            continue;
        sodium_bin2base64(text, sizeof text, k.bytes, sizeof k.bytes,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        CHECK(t, key.len == 0 || bytes_equal_str(key, text), "another's key is told");
        return i;
    }
    trace_fail(&t->trace, "a device that is none");
}

static void told_invited(struct person *p, const struct resp_value *words)
{
    struct town *t = p->town;
    struct meeting *m = town_meeting(t, words[1].text);
    size_t from = device_of(t, words[3].text, words[4].text);
    CHECK(t, account_named(t, words[2].text) == account_of(from), "a name that is another's");
    CHECK(t, !(m->invited || m->replied) || m->from == from, "two have asked for one meeting");
    CHECK(t, !(m->invited || m->replied) || m->to == account_of(p->device),
          "an invitation reaches the wrong one");
    m->from = from;
    m->to = account_of(p->device);
    m->invited = true;
}

static void end_for_asker(struct person *p, struct meeting *m)
{
    m->ends++;
    CHECK(p->town, m->ends == 1, "an invitation ends twice");
}

static void told_introduced(struct person *p, const struct resp_value *words)
{
    struct town *t = p->town;
    struct meeting *m = town_meeting(t, words[1].text);
    size_t other = device_of(t, words[3].text, words[4].text);
    CHECK(t, account_named(t, words[2].text) == account_of(other), "a name that is another's");
    CHECK(t, !m->declined && !m->cancelled, "introduced after all");
    if (m->replied && m->asker == p->id) {
        CHECK(t, account_of(other) == m->to && (m->accepting & 1u << other),
              "introduced to somebody who has not accepted");
        m->asker_told++;
        end_for_asker(p, m);
        return;
    }
    CHECK(t, m->taker == p->id, "introduced, and has not accepted");
    CHECK(t, other == m->from && account_of(p->device) == m->to, "introduced to the wrong one");
    m->taker_told++;
    CHECK(t, m->taker_told == 1, "introduced twice");
}

static void told_declined(struct person *p, const struct resp_value *words)
{
    struct meeting *m = town_meeting(p->town, words[1].text);
    if (m->replied && m->asker == p->id)
        end_for_asker(p, m);
}

static void told_of(struct person *p, const struct resp_value *words, size_t n)
{
    struct bytes what = words[0].text;
    if (bytes_equal_str(what, "online") || bytes_equal_str(what, "offline")) {
        unsigned bit = 1u << account_named(p->town, words[1].text);
        p->sees = what.len == 6 ? p->sees | bit : p->sees & ~bit;
    } else if (bytes_equal_str(what, "invited")) {
        told_invited(p, words);
    } else if (bytes_equal_str(what, "introduced")) {
        told_introduced(p, words);
    } else if (bytes_equal_str(what, "declined")) {
        told_declined(p, words);
    } else {
        CHECK(p->town, n == 1 && bytes_equal_str(what, "letter"), "told nonsense");
    }
}

/* ---- what he is answered ---- */

static void answered_list(struct person *p, struct bytes text)
{
    char all[256];
    snprintf(all, sizeof all, "%.*s", (int)text.len, (const char *)text.data);
    p->sees = 0;
    p->sees_list = true;
    for (size_t i = 0; i < TOWN_ACCOUNTS; i++)
        if (strstr(all, name_of(i)))
            p->sees |= 1u << i;
}

static void answered_meet(struct person *p, size_t account, struct bytes id)
{
    struct town *t = p->town;
    struct meeting *m = town_meeting(t, id);
    CHECK(t, !m->replied, "two invitations of one id");
    CHECK(t, !m->invited || (m->from == p->device && m->to == account),
          "another was invited, or by another");
    m->from = p->device;
    m->to = account;
    m->asker = p->id;
    m->replied = true;
}

static void answered_meeting(struct person *p, enum asked kind, struct meeting *m)
{
    struct town *t = p->town;
    size_t own = account_of(p->device);
    CHECK(t, !m->taker && !m->declined && !m->cancelled, "answered twice");
    if (kind == ASKED_CANCEL) {
        CHECK(t, own == account_of(m->from), "another takes it back");
        m->cancelled = true;
        m->withdrawn = m->replied && m->asker == p->id;
        return;
    }
    CHECK(t, own == m->to, "another answers an invitation");
    if (kind == ASKED_ACCEPT)
        m->taker = p->id;
    else
        m->declined = true;
}

static void check_listed(struct person *p, const struct asked_item *item,
                         const struct resp_value *v, bool *ret_listed)
{
    struct town *t = p->town;
    size_t at = 0;
    while (at < t->letter_count && !bytes_equal_str(v[0].text, t->letters[at].id))
        at++;
    CHECK(t, at < t->letter_count, "a letter that nobody wrote");
    const struct mail *l = &t->letters[at];
    CHECK(t, !ret_listed[at], "a letter is there twice");
    CHECK(t, l->to == p->device, "somebody else's letter");
    CHECK(t, !item->gone[at], "a letter that was taken comes again");
    CHECK(t, bytes_equal_str(v[3].text, l->id), "a letter's text is another");
    CHECK(t,
          account_named(t, v[1].text) == account_of(l->from) &&
              device_of(t, v[2].text, (struct bytes){0}) == l->from,
          "a letter's sender is another");
    ret_listed[at] = true;
}

static void answered_letters(struct person *p, const struct asked_item *item,
                             const struct resp_value *values)
{
    struct town *t = p->town;
    bool listed[TOWN_LETTERS] = {false};
    for (int64_t i = 0; i < values[0].number; i++)
        check_listed(p, item, values + 1 + 6 * i + 1, listed);
    for (size_t i = 0; i < t->letter_count; i++)
        CHECK(t, listed[i] || !item->sure[i] || t->letters[i].asked, "a letter is lost");
}

static void answered_taken(struct person *p, struct mail *l, int64_t n)
{
    if (n == 0)
        return;
    CHECK(p->town, n == 1 && l->to == p->device, "somebody else's letter is taken");
    CHECK(p->town, !l->taken, "a letter is taken twice");
    l->taken = true;
}

static void answered(struct person *p, const struct resp_value *v)
{
    struct town *t = p->town;
    CHECK(t, p->asked_count > 0, "an answer to nothing");
    const struct asked_item *item = &p->asked[p->asked_first];
    p->asked_first = (p->asked_first + 1) % PERSON_ASKED;
    p->asked_count--;
    if (v->kind == RESP_FAILURE) {
        CHECK(t, item->kind >= ASKED_MEET && item->kind <= ASKED_CANCEL, "refused: %.*s",
              (int)v->text.len, (const char *)v->text.data);
        return;
    }
    if (item->kind == ASKED_LIST)
        answered_list(p, v->text);
    else if (item->kind == ASKED_MEET)
        answered_meet(p, item->what, v->text);
    else if (item->kind >= ASKED_ACCEPT && item->kind <= ASKED_CANCEL)
        answered_meeting(p, item->kind, &t->meetings[item->what]);
    else if (item->kind == ASKED_LETTER)
        t->letters[item->what].kept = true;
    else if (item->kind == ASKED_LETTERS)
        answered_letters(p, item, v);
    else if (item->kind == ASKED_TAKEN)
        answered_taken(p, &t->letters[item->what], v->number);
}

void person_read(struct person *p)
{
    size_t n;
    for (struct bytes out; (out = connection_output(p->connection)).len > 0;
         connection_sent(p->connection, out.len))
        if (buffer_append_bytes(&p->in, out) != 0)
            abort();
    while (buffer_len(&p->in) > 0 &&
           resp_reply_parse(&p->reply, buffer_view(&p->in), &n) == 0) {
        const struct resp_value *values = p->reply.values;
        if (values->kind == RESP_PUSH)
            told_of(p, values + 1, p->reply.count - 1);
        else
            answered(p, values);
        buffer_consume(&p->in, n);
    }
}

/* kith doctor [NAME]: what is seen of the hub and of this device; with a name, which ways there
 * are between the two devices, and why others do not come about. */

#include "base/clean.h"
#include "base/limits.h"
#include "client/device_list.h"
#include "client/diagnosis.h"
#include "io/clock.h"
#include "io/confinement.h"
#include "kith/command.h"
#include "kith/contact.h"
#include "meet/inbox_place.h"

#include <stdio.h>

struct doctor {
    struct contact contact;
    struct bytes name; /* whom to look for; empty: nobody */
    struct instant began;
    uint64_t asked_devices;          /* likewise, of the list of one's own devices */
    uint64_t asked_list;             /* the number of the answer that says who is here */
    uint64_t asked;                  /* and of that to the invitation */
    char id[RANDOM_ID_TEXT_LEN + 1]; /* of the invitation, once the hub has said */
    struct talk_link *link;          /* NULL: not introduced, or told already */
    struct diagnosis diagnosis;
};

static struct doctor *doctor_of(struct contact *c)
{
    return (struct doctor *)c;
}

static struct doctor *doctor_of_talks(struct talks *t)
{
    return doctor_of(contact_of(t));
}

/* ---- telling ---- */

static void tell(struct doctor *d, const struct finding *f)
{
    struct output *o = &d->contact.session->output;
    struct buffer line;
    buffer_init(&line, LIMIT_MIB);
    int r = o->json ? finding_write_json(f, &line) : finding_write(f, &line);
    if (r == 0)
        output_bytes(o, buffer_view(&line));
    buffer_fini(&line);
}

static struct finding finding(const char *about, const char *result)
{
    struct finding f = {.result = result, .ms = -1};
    snprintf(f.about, sizeof f.about, "%s", about);
    return f;
}

static void fail(struct doctor *d, int code, const char *why)
{
    if (!d->contact.over)
        contact_end(&d->contact,
                    session_fail(d->contact.session, code, "%.*s %s", (int)d->name.len,
                                 (const char *)d->name.data, why));
}

/* ---- this device and its hub ---- */

static void tell_hub(struct doctor *d)
{
    struct session *s = d->contact.session;
    struct finding f = finding("hub", "works");
    f.ms = (int64_t)((clock_instant().ns - d->began.ns) / 1000000);
    snprintf(f.at, sizeof f.at, "%.70s", s->where_text);
    snprintf(f.words, sizeof f.words, "logged in over TLS 1.3 in %lld ms; its key %s: %s",
             (long long)f.ms,
             s->where.fingerprint[0] ? "is the one named"
             : d->contact.met_hub    ? "was not known before"
                                     : "is the one remembered",
             s->self.hub_print);
    tell(d, &f);
}

static void tell_you(struct doctor *d, bool is_unsigned)
{
    struct finding f = finding("you", is_unsigned ? "unsigned" : "logged-in");
    char print[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(print, identity_fingerprint(d->contact.session->self.identity));
    snprintf(f.at, sizeof f.at, "%s", d->contact.presence.name);
    snprintf(f.words, sizeof f.words, "this device is one of that account%s%s",
             is_unsigned ? ", unsigned: others may refuse it. On an older device of yours: "
                           "kith devices --sign "
                         : "",
             is_unsigned ? print : "");
    tell(d, &f);
}

static void tell_device(struct doctor *d)
{
    const struct talks *t = &d->contact.presence.talks;
    struct finding f = finding("port", "listens");
    snprintf(f.at, sizeof f.at, "%u", t->arrivals.port.number);
    snprintf(f.words, sizeof f.words, "%s",
             d->contact.session->options.peer_port
                 ? "other devices come in here; --peer-port says so"
                 : "other devices come in here; another one each time, without --peer-port");
    tell(d, &f);
    for (size_t i = 0; i < t->candidate_count; i++) {
        f = finding("address", "told");
        snprintf(f.at, sizeof f.at, "%s", t->candidate_texts[i]);
        snprintf(f.words, sizeof f.words, "told to those you talk with");
        tell(d, &f);
    }
    if (t->candidate_count > 0)
        return;
    f = finding("address", "none");
    snprintf(f.words, sizeof f.words, "this machine is in no network: nobody can get here");
    tell(d, &f);
}

/* CLIENT_LIST<alice, bob> */
static void tell_list(struct doctor *d, struct bytes list)
{
    struct finding f = finding("here", "present");
    struct buffer names;
    buffer_init(&names, sizeof f.words);
    if (bytes_starts_with(list, "CLIENT_LIST<") && list.data[list.len - 1] == '>')
        list = bytes_make(list.data + 12, list.len - 13);
    clean_append(&names, list, sizeof f.words - 8);
    struct bytes clean = buffer_view(&names);
    snprintf(f.words, sizeof f.words, "%.*s", (int)clean.len, (const char *)clean.data);
    tell(d, &f);
    buffer_fini(&names);
}

/* Of the kernel's protections, which a carrier has (io/confinement.h). */
static void write_protections(unsigned in_force, char out[FINDING_WORDS_BYTES])
{
    static const struct {
        unsigned bit;
        const char *words;
    } all[] = {{CONFINEMENT_FILES, "opens files in that folder alone, and starts no programs"},
               {CONFINEMENT_TRUNCATION, "truncates none elsewhere"},
               {CONFINEMENT_CONNECTIONS, "makes no connections"},
               {CONFINEMENT_OTHERS, "reaches no other process"}};
    size_t n = (size_t)snprintf(out, FINDING_WORDS_BYTES, "come in by a process that ");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if ((in_force & all[i].bit) && n < FINDING_WORDS_BYTES)
            n += (size_t)snprintf(out + n, FINDING_WORDS_BYTES - n, "%s%s", i > 0 ? ", " : "",
                                  all[i].words);
}

static void tell_files(struct doctor *d)
{
    unsigned in_force = confinement_available();
    struct finding f = finding("files", in_force & CONFINEMENT_FILES ? "confined" : "open");
    char into[PATH_MAX];
    if (inbox_place(d->contact.session->self.profile, into) == 0)
        snprintf(f.at, sizeof f.at, "%.70s", into);
    if (in_force & CONFINEMENT_FILES)
        write_protections(in_force, f.words);
    else
        snprintf(
            f.words, sizeof f.words,
            "come in by a process of its own, which this kernel cannot keep to that folder "
            "(no Landlock)");
    tell(d, &f);
}

static void on_ready(struct contact *c, bool again)
{
    struct doctor *d = doctor_of(c);
    struct bytes devices = bytes_from_str("DEVICES"), list = bytes_from_str("GET_CLIENT_LIST");
    if (again)
        return;
    tell_hub(d);
    d->asked_devices = contact_request(c, &devices, 1);
    d->asked_list = contact_request(c, &list, 1);
}

static void on_lost(struct contact *c, const char *why)
{
    if (!doctor_of(c)->link)
        contact_lost(c, why);
}

/* ---- meeting ---- */

static void take_list(struct doctor *d, struct bytes list)
{
    struct session *s = d->contact.session;
    tell_list(d, list);
    if (d->name.len == 0) {
        contact_end(&d->contact, EXIT_DONE);
        return;
    }
    d->asked = contact_ask(&d->contact, "MEET", d->name);
    if (!s->output.quiet && !s->output.json)
        output_error_line("kith: asking to talk: ", d->name);
}

static void take_devices(struct doctor *d, const struct resp_value *reply)
{
    struct device devices[LIMIT_ACCOUNT_DEVICES];
    const struct public_key *own = identity_key(d->contact.session->self.identity);
    size_t n = 0;
    if (!device_list_read(reply, 1 + 7 * (size_t)reply->number, devices, &n)) {
        contact_end(&d->contact, session_strange(d->contact.session));
        return;
    }
    tell_you(d, device_list_is_unsigned(devices, n, own));
    tell_device(d);
    tell_files(d);
}

static void take_id(struct doctor *d, struct bytes id)
{
    snprintf(d->id, sizeof d->id, "%.*s", (int)id.len, (const char *)id.data);
    presence_agree(&d->contact.presence, id, d->name);
}

static void on_answer(struct contact *c, uint64_t number, const struct resp_value *reply)
{
    struct doctor *d = doctor_of(c);
    if (number != d->asked_devices && number != d->asked_list && number != d->asked)
        return; /* to who asks this one */
    if (reply->kind == RESP_FAILURE)
        contact_refused(c, reply->text);
    else if (number == d->asked_devices)
        take_devices(d, reply);
    else if (number == d->asked_list)
        take_list(d, reply->text);
    else
        take_id(d, reply->text);
}

/* For as long as the other side needs to have dialed what it was told. */
static uint64_t patience_ms(const struct talks *t)
{
    uint64_t ms = t->candidate_count * LIMIT_DIAL_STAGGER_MS + 2 * LIMIT_DIAL_STAGGER_MS;
    if (t->candidate_count == 0)
        return 0;
    return ms < LIMIT_DIAL_RELAY_MS ? ms : LIMIT_DIAL_RELAY_MS;
}

static void begin(struct doctor *d, const struct notice *n)
{
    int code = contact_begin(&d->contact, n);
    if (code != EXIT_DONE)
        contact_end(&d->contact, code);
}

static void on_notice(struct contact *c, const struct notice *n)
{
    struct doctor *d = doctor_of(c);
    bool is_it = n->id.len > 0 && bytes_equal_str(n->id, d->id);
    if (n->kind == NOTICE_INVITED && account_name_equal(n->name, d->name))
        contact_accept(c, n); /* he looks for the ways to here, too */
    else if (n->kind == NOTICE_INVITED)
        contact_decline(c, n->id);
    else if (n->kind == NOTICE_DECLINED && is_it && !d->link)
        fail(d, EXIT_NO, notice_refusal(n->reason));
    else if (n->kind == NOTICE_INTRODUCED)
        begin(d, n);
}

/* ---- the ways ---- */

static void conclude(struct doctor *d)
{
    struct finding f;
    diagnosis_take(&d->diagnosis, &d->link->dialing);
    d->link = NULL;
    for (size_t i = 0; diagnosis_finding(&d->diagnosis, i, &f); i++)
        tell(d, &f);
    bool is_any = diagnosis_way(&d->diagnosis) != DIAGNOSIS_NONE;
    contact_end(&d->contact, is_any ? EXIT_DONE : EXIT_NO);
}

static void on_connects(struct talks *t, struct talk_link *l, const struct notice *n)
{
    struct doctor *d = doctor_of_talks(t);
    struct candidate_rules rules = talks_rules(t, &l->offer.seen);
    if (d->link || d->contact.over)
        return; /* one is looked at; the other serves who looks from there */
    d->link = l;
    diagnosis_init(&d->diagnosis, n, &rules, t->candidate_count);
    talk_link_survey(l, patience_ms(t));
}

static void on_refused(struct talks *t, const char *name, const struct trouble *why)
{
    struct contact *c = contact_of(t);
    if (!c->over)
        contact_end(c, session_trouble(c->session, why));
}

static void on_came(struct talks *t, const char *name, const struct address *from)
{
    struct net_address at;
    address_as_v6(from, at.bytes);
    diagnosis_came(&doctor_of_talks(t)->diagnosis, &at);
}

static void on_surveyed(struct talks *t, const char *name)
{
    if (doctor_of_talks(t)->link)
        conclude(doctor_of_talks(t));
}

static bool found_a_way(struct doctor *d)
{
    diagnosis_take(&d->diagnosis, &d->link->dialing);
    return diagnosis_way(&d->diagnosis) != DIAGNOSIS_NONE;
}

/* Without any way it ends by itself, and what was found then is all there is; with one, a
 * doctor on the other side may have seen enough. */
static void on_ended(struct talks *t, const char *name, const char *why)
{
    struct doctor *d = doctor_of_talks(t);
    if (d->link && d->link->disbelieved && !d->contact.over)
        contact_end(&d->contact,
                    session_fail(d->contact.session, EXIT_NO, "no way to %s: %s", name, why));
    else if (d->link && (why || found_a_way(d)))
        conclude(d);
    else
        fail(d, EXIT_NO, "has ended the talk before all was tried");
}

static const struct talks_handler talks_handler = {.ask_devices = presence_ask_devices,
                                                   .disbelieve = presence_disbelieve,
                                                   .refused = on_refused,
                                                   .connects = on_connects,
                                                   .came = on_came,
                                                   .surveyed = on_surveyed,
                                                   .ended = on_ended,
                                                   .moved = presence_moved};

static const struct contact_handler contact_handler = {.ready = on_ready,
                                                       .lost = on_lost,
                                                       .answer = on_answer,
                                                       .notice = on_notice,
                                                       .talks = &talks_handler};

int doctor_run(struct session *s)
{
    struct doctor d = {.began = clock_instant()};
    if (s->options.word_count > 1)
        d.name = bytes_from_str(s->options.words[1]);
    if (d.name.len > 0 && !account_name_is_valid(d.name))
        return session_fail(s, EXIT_USAGE, "nobody can be called that");
    s->where.secure = !s->where.path[0];
    return contact_run(&d.contact, s, &contact_handler);
}

/* kith who: who is present on the hub, and who of them is verified. */

#include "client/attendance.h"
#include "io/clock.h"
#include "kith/account_hub.h"
#include "kith/command.h"
#include "meet/peer_trust.h"

#include <stdlib.h>

struct present {
    struct attendance attendance;
    bool verified;
};

struct roll {
    struct present *all;
    size_t count;
};

static void note_verified(void *ctx, struct bytes name)
{
    struct roll *r = ctx;
    for (size_t i = 0; i < r->count; i++)
        if (account_name_equal(r->all[i].attendance.name, name))
            r->all[i].verified = true;
}

/* From the values behind the reply's head. False: they are no such list. */
static bool read_roll(struct roll *r, const struct resp_value *values)
{
    for (size_t i = 0; i < r->count; i++, values += ATTENDANCE_VALUES)
        if (!attendance_read(values, ATTENDANCE_VALUES, &r->all[i].attendance))
            return false;
    return true;
}

static void print_json(struct session *s, const struct present *p)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "name", p->attendance.name);
    json_number(&j, "since_ms", p->attendance.since * 1000);
    json_number(&j, "devices", p->attendance.devices);
    json_bool(&j, "verified", p->verified);
    output_json(&s->output, &j);
}

static void print(struct session *s, const struct present *p)
{
    char text[ATTENDANCE_TEXT_BYTES];
    if (s->output.json) {
        print_json(s, p);
        return;
    }
    attendance_write(text, &p->attendance, clock_walltime(), p->verified);
    output_line(&s->output, "", s->output.quiet ? p->attendance.name : bytes_from_str(text));
}

static int tell(struct session *s, struct roll *r, const struct resp_value *values)
{
    struct trouble t;
    if (!read_roll(r, values))
        return session_strange(s);
    if (peer_trust_verified(&s->self, note_verified, r, &t) != TROUBLE_NONE)
        return session_trouble(s, &t);
    for (size_t i = 0; i < r->count; i++)
        print(s, &r->all[i]);
    return EXIT_DONE;
}

int who_run(struct session *s)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("WHO")};
    int code = account_login(s);
    if (code == EXIT_DONE)
        code = session_ask(s, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_ARRAY)
        return session_strange(s);
    struct roll r = {.count = (size_t)reply->number};
    r.all = calloc(r.count + 1, sizeof *r.all);
    code = r.all ? tell(s, &r, reply + 1) : session_fail(s, EXIT_NO, "out of memory");
    free(r.all);
    return code;
}

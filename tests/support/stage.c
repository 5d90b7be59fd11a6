#include "support/stage.h"

#include "unit/unit.h"

#include <stdio.h>

static struct stage *stage_of(struct visit *v)
{
    return (struct stage *)((char *)v - offsetof(struct stage, visit));
}

static void on_say(struct visit *v, enum visit_tone tone, struct bytes line)
{
    static const char tones[] = {
        [VISIT_ANSWER] = 'A', [VISIT_NEWS] = 'N', [VISIT_NOTE] = 'n', [VISIT_PROBLEM] = 'P'};
    buffer_printf(&stage_of(v)->seen, "%c %.*s\n", tones[tone], (int)line.len,
                  (const char *)line.data);
}

static void on_prompt(struct visit *v, struct bytes text, bool secret)
{
    buffer_printf(&stage_of(v)->seen, "%s %.*s\n", secret ? "??" : "?", (int)text.len,
                  (const char *)text.data);
}

static int on_request(struct visit *v, const struct bytes *argv, size_t argc, bool secret)
{
    struct buffer *seen = &stage_of(v)->seen;
    buffer_append_str(seen, secret ? "!!" : "!");
    for (size_t i = 0; i < argc; i++)
        buffer_printf(seen, " %.*s", (int)argv[i].len, (const char *)argv[i].data);
    return buffer_append_str(seen, "\n");
}

static void on_leave(struct visit *v, enum visit_end end)
{
    buffer_printf(&stage_of(v)->seen, "leave %d\n", end);
}

static void on_introduced(struct visit *v, const struct notice *n)
{
    buffer_printf(&stage_of(v)->seen, "introduced %.*s %d %zu\n", (int)n->name.len,
                  (const char *)n->name.data, n->dials, n->candidate_count);
}

static void on_talk_say(struct visit *v, struct bytes text)
{
    buffer_printf(&stage_of(v)->seen, "talk %.*s\n", (int)text.len, (const char *)text.data);
}

static void on_talk_send(struct visit *v, struct bytes path)
{
    buffer_printf(&stage_of(v)->seen, "send %.*s\n", (int)path.len, (const char *)path.data);
}

static void on_talk_close(struct visit *v, const char *name)
{
    buffer_printf(&stage_of(v)->seen, "close %s\n", name);
}

static void on_unbelieved(struct visit *v, struct bytes id)
{
    buffer_printf(&stage_of(v)->seen, "unbelieved %.*s\n", (int)id.len, (const char *)id.data);
}

static void on_relay_waits(struct visit *v, struct bytes id)
{
    buffer_printf(&stage_of(v)->seen, "relay %.*s\n", (int)id.len, (const char *)id.data);
}

static void on_revoked(struct visit *v, const struct public_key *key)
{
    buffer_printf(&stage_of(v)->seen, "revoked %d\n", key->bytes[0]);
}

static void on_verify(struct visit *v, const char *name)
{
    buffer_printf(&stage_of(v)->seen, "verify %s\n", name);
}

static int on_judged(struct visit *v, const char *name, const struct public_key *key, bool same)
{
    buffer_printf(&stage_of(v)->seen, "judged %s %d\n", name, same);
    return stage_of(v)->kept;
}

static void on_devices(struct visit *v, uint64_t number, const struct resp_value *values,
                       size_t count)
{
    buffer_printf(&stage_of(v)->seen, "devices %d %zu\n", (int)number, count);
}

const struct visit_handler stage_handler = {.say = on_say,
                                            .prompt = on_prompt,
                                            .request = on_request,
                                            .leave = on_leave,
                                            .introduced = on_introduced,
                                            .talk_say = on_talk_say,
                                            .talk_send = on_talk_send,
                                            .talk_close = on_talk_close,
                                            .talk_verify = on_verify,
                                            .judged = on_judged,
                                            .devices = on_devices,
                                            .relay_waits = on_relay_waits,
                                            .unbelieved = on_unbelieved,
                                            .revoked = on_revoked};

void stage_begin(struct stage *s, bool person)
{
    *s = (struct stage){.kept = 0};
    buffer_init(&s->seen, SIZE_MAX);
    visit_init(&s->visit, &stage_handler, "hub:1", person);
    visit_connected(&s->visit);
}

void stage_finish(struct stage *s)
{
    visit_fini(&s->visit);
    buffer_fini(&s->seen);
}

void stage_forget(struct stage *s)
{
    buffer_truncate(&s->seen, 0);
}

void stage_expect(struct stage *s, const char *want)
{
    assert_bytes(buffer_view(&s->seen), bytes_from_str(want));
    stage_forget(s);
}

void stage_type(struct stage *s, const char *line)
{
    assert_true(visit_takes_lines(&s->visit));
    visit_typed(&s->visit, bytes_from_str(line), false);
}

void stage_paste(struct stage *s, const char *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        visit_typed(&s->visit, bytes_from_str(lines[i]), i + 1 < n);
}

void stage_hear(struct stage *s, const char *text)
{
    struct resp_reply reply;
    struct buffer in;
    size_t consumed;
    resp_reply_init(&reply, 4096);
    buffer_init(&in, 4096);
    for (; *text; text++)
        buffer_append(&in, *text == '|' ? "\r\n" : text, *text == '|' ? 2 : 1);
    assert_int_equal(resp_reply_parse(&reply, buffer_view(&in), &consumed), 0);
    assert_int_equal(consumed, buffer_len(&in));
    if (reply.values->kind == RESP_PUSH)
        visit_push(&s->visit, reply.values, reply.count);
    else
        visit_reply(&s->visit, reply.values, reply.count, (struct walltime){1000 * 1000});
    resp_reply_fini(&reply);
    buffer_fini(&in);
}

void stage_hear_revoked(struct stage *s, const char *name, const struct public_key *key)
{
    char print[FINGERPRINT_TEXT_LEN + 1], text[PUBLIC_KEY_TEXT_LEN + 1], words[256];
    struct fingerprint f = fingerprint_of(key);
    fingerprint_write(print, &f);
    public_key_write(text, key);
    snprintf(words, sizeof words, ">4|$7|revoked|$%zu|%s|$43|%s|$43|%s|", strlen(name), name,
             print, text);
    stage_hear(s, words);
}

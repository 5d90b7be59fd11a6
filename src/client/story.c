#include "client/story.h"

#include "base/limits.h"
#include "wire/text_request.h"

#include <errno.h>
#include <stdlib.h>

struct reading {
    struct story *story;
    size_t line;
    size_t meetings;   /* how many have begun */
    size_t meeting;    /* the one we are in, or 0 */
    size_t asked;      /* in this meeting */
    uint32_t met;      /* clients that ask in this meeting, a bit each */
    bool wants_answer; /* the last ASK has no `expect` yet */
    bool may_answer;   /* `expect` and `again` belong to the last step */
    int failed;        /* -ENOMEM */
};

static struct story_step *add_step(struct reading *r, struct story_step step)
{
    struct story *s = r->story;
    if (s->step_count == s->step_capacity) {
        size_t capacity = s->step_capacity ? s->step_capacity * 2 : 32;
        struct story_step *steps = realloc(s->steps, capacity * sizeof *steps);
        if (!steps) {
            r->failed = -ENOMEM;
            return NULL;
        }
        s->steps = steps;
        s->step_capacity = capacity;
    }
    step.line = r->line;
    step.meeting = r->meeting;
    s->steps[s->step_count] = step;
    return &s->steps[s->step_count++];
}

static const char *add_answer(struct reading *r, struct bytes text, bool again)
{
    struct story *s = r->story;
    if (!r->may_answer)
        return "there is no request above it to answer";
    if (text.len == 0)
        return "the answer is missing";
    if (s->answer_count == s->answer_capacity) {
        size_t capacity = s->answer_capacity ? s->answer_capacity * 2 : 32;
        struct story_answer *answers = realloc(s->answers, capacity * sizeof *answers);
        if (!answers) {
            r->failed = -ENOMEM;
            return NULL;
        }
        s->answers = answers;
        s->answer_capacity = capacity;
    }
    s->answers[s->answer_count++] = (struct story_answer){.text = text, .again = again};
    s->steps[s->step_count - 1].answer_count++;
    return NULL;
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
        if (!ok)
            return false;
    }
    return name.len > 0 && name.len <= STORY_NAME_BYTES_MAX;
}

/* Index of the client, or client_count. */
static size_t find_client(const struct story *s, struct bytes name)
{
    size_t i = 0;
    while (i < s->client_count && !bytes_equal_nocase(s->clients[i].name, name))
        i++;
    return i;
}

static const char *on_client(struct reading *r, struct bytes rest)
{
    struct story *s = r->story;
    struct bytes name = bytes_next_word(&rest), answers = bytes_trim(rest);
    if (!is_name(name))
        return "a client's name is 1 to 32 letters, digits, '-' and '_'";
    if (bytes_equal_nocase(name, bytes_from_str("hub")))
        return "a client cannot be called hub: hub.log is the hub's";
    if (find_client(s, name) < s->client_count)
        return "there is a client of that name already";
    if (s->client_count == STORY_CLIENTS_MAX)
        return "there are too many clients";
    bool full = bytes_equal_str(answers, "full");
    if (!full && !bytes_equal_str(answers, "terse"))
        return "after the name comes terse or full";
    s->clients[s->client_count++] = (struct story_client){.name = name, .full = full};
    return NULL;
}

static const char *on_say(struct reading *r, struct bytes rest)
{
    add_step(r, (struct story_step){.verb = STORY_SAY, .text = rest});
    return NULL;
}

static const char *join_meeting(struct reading *r, size_t client)
{
    if (r->meeting == 0)
        return NULL;
    if (r->met & 1u << client)
        return "a client has one request in a meeting";
    r->met |= 1u << client;
    r->asked++;
    return NULL;
}

static const char *on_ask(struct reading *r, struct bytes rest)
{
    const struct story *s = r->story;
    struct bytes name = bytes_next_word(&rest), request = bytes_trim(rest);
    size_t client = find_client(s, name);
    if (client == s->client_count)
        return "there is no client of that name";
    if (request.len == 0)
        return "the request is missing";
    if (request.len > LIMIT_TEXT_LINE_BYTES)
        return "the request is too long";
    const char *problem = join_meeting(r, client);
    if (problem)
        return problem;
    struct story_step step = {
        .verb = STORY_ASK, .text = request, .client = client, .answer_first = s->answer_count};
    add_step(r, step);
    r->wants_answer = r->may_answer = true;
    return NULL;
}

static const char *on_together(struct reading *r, struct bytes rest)
{
    if (rest.len > 0)
        return "together stands alone";
    if (r->meeting != 0)
        return "a meeting inside a meeting";
    r->meeting = ++r->meetings;
    r->asked = 0;
    r->met = 0;
    return NULL;
}

static const char *on_end(struct reading *r, struct bytes rest)
{
    if (rest.len > 0)
        return "end stands alone";
    if (r->meeting == 0)
        return "there is no meeting to end";
    if (r->asked < 2)
        return "a meeting needs two requests";
    r->meeting = 0;
    return NULL;
}

static const char *on_line(struct reading *r, struct bytes line)
{
    struct bytes verb = bytes_next_word(&line), rest = bytes_trim(line);
    if (bytes_equal_str(verb, "expect")) {
        r->wants_answer = false;
        return add_answer(r, rest, false);
    }
    if (bytes_equal_str(verb, "again"))
        return add_answer(r, rest, true);
    if (r->wants_answer)
        return "the request above it has no answer to expect";
    r->may_answer = false;
    if (r->story->step_count == STORY_STEPS_MAX)
        return "the story is too long";
    if (bytes_equal_str(verb, "client"))
        return on_client(r, rest);
    if (bytes_equal_str(verb, "say"))
        return on_say(r, rest);
    if (bytes_equal_str(verb, "ask"))
        return on_ask(r, rest);
    if (bytes_equal_str(verb, "together"))
        return on_together(r, rest);
    if (bytes_equal_str(verb, "end"))
        return on_end(r, rest);
    return "a line begins with client, say, ask, expect, again, together or end";
}

static const char *on_last(struct reading *r)
{
    if (r->wants_answer)
        return "the last request has no answer to expect";
    if (r->meeting != 0)
        return "the last meeting has no end";
    for (size_t i = 0; i < r->story->step_count; i++) {
        if (r->story->steps[i].verb == STORY_ASK)
            return NULL;
    }
    return "nobody asks anything";
}

static struct bytes next_line(struct bytes *rest)
{
    size_t n = bytes_find(*rest, '\n');
    struct bytes line = bytes_first(*rest, n);
    *rest = bytes_from(*rest, n < rest->len ? n + 1 : n);
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return bytes_trim(line);
}

int story_parse(struct story *s, struct bytes text, size_t *ret_line, const char **ret_problem)
{
    *s = (struct story){0};
    struct reading r = {.story = s};
    const char *problem = text.len > STORY_BYTES_MAX ? "the story is too long" : NULL;
    while (!problem && r.failed == 0 && text.len > 0) {
        struct bytes line = next_line(&text);
        r.line++;
        if (line.len > 0 && line.data[0] != '#')
            problem = on_line(&r, line);
    }
    if (!problem && r.failed == 0)
        problem = on_last(&r);
    if (!problem && r.failed == 0)
        return 0;
    story_fini(s);
    if (r.failed < 0)
        return r.failed;
    *ret_line = r.line;
    *ret_problem = problem;
    return STORY_WRONG;
}

void story_fini(struct story *s)
{
    free(s->steps);
    free(s->answers);
    *s = (struct story){0};
}

bool story_is_right(const struct story *s, const struct story_step *step, struct bytes answer,
                    bool played_before)
{
    for (size_t i = 0; i < step->answer_count; i++) {
        const struct story_answer *a = &s->answers[step->answer_first + i];
        if (bytes_equal(a->text, answer) && (played_before || !a->again))
            return true;
    }
    return false;
}

bool story_is_stop(const struct story_step *step)
{
    return step->verb == STORY_ASK && text_request_parse(step->text).verb == TEXT_QUIT;
}

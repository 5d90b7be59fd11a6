/* A story that is taken is whole: its clients, answers and texts lie where it says, and each
 * request has an answer that is right. */

#include "client/story.h"
#include "fuzz.h"

static void check_step(const struct story *s, const struct story_step *step, struct bytes text)
{
    assert(step->text.len == 0 || (step->text.data >= text.data &&
                                   step->text.data + step->text.len <= text.data + text.len));
    if (step->verb == STORY_SAY)
        return;
    assert(step->client < s->client_count);
    assert(step->text.len > 0 && step->answer_count > 0);
    assert(step->answer_first + step->answer_count <= s->answer_count);
    const struct story_answer *answer = &s->answers[step->answer_first];
    const struct story_answer *end = answer + step->answer_count;
    while (answer < end && answer->again)
        answer++;
    assert(answer < end && story_is_right(s, step, answer->text, false));
    (void)story_is_stop(step);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story s;
    struct bytes text = bytes_make(data, size);
    size_t line = 0;
    const char *problem = NULL;
    int r = story_parse(&s, text, &line, &problem);
    assert(r == 0 || r == STORY_WRONG);
    assert(r == 0 || problem);
    if (r != 0)
        return 0;
    assert(s.client_count > 0 && s.client_count <= STORY_CLIENTS_MAX);
    for (size_t i = 0; i < s.step_count; i++)
        check_step(&s, &s.steps[i], text);
    story_fini(&s);
    return 0;
}

#include "kith/letter_line.h"

#include "client/post_words.h"
#include "io/clock.h"
#include "kith/local_time.h"

#include <stdio.h>

static void print_json(struct output *o, const struct peer_letter *l)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_str(&j, "from", l->from.name);
    json_bytes(&j, "text", l->text);
    json_number(&j, "written_ms", l->written.ms);
    json_bool(&j, "letter", true);
    output_json(o, &j);
}

bool letter_line_print(struct output *o, const struct peer_letter *l)
{
    char when[LOCAL_TIME_BYTES], before[PAIR_NAME_BYTES + LOCAL_TIME_BYTES + 16];
    local_time_write(l->written, clock_walltime(), when);
    snprintf(before, sizeof before, "%s wrote %s: ", l->from.name, when);
    if (o->json)
        print_json(o, l);
    else
        output_lines(o, before, l->text);
    return o->failed == 0;
}

int letter_line_warn(struct post *p, enum post_warning warning, struct bytes name)
{
    struct session *s = contact_of_post(p)->session;
    char words[POST_WORDS_BYTES], what[POST_WORDS_BYTES], kith[SELF_COMMAND_BYTES];
    post_words_warning(warning, name, words);
    if (warning != POST_NOT_BELIEVED)
        return session_fail(s, EXIT_NO, "%s", words);
    self_command(&s->self, kith);
    post_words_stranger(&p->stranger, kith, what);
    return session_fail(s, EXIT_CHANGED, "%s; %s", words, what);
}

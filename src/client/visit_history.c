#include "client/visit_inner.h"

#include <stdio.h>

void history_say(struct visit *v, struct bytes name)
{
    if (name.len == 0)
        name = bytes_from_str(v->front);
    if (name.len == 0)
        visit_say(v, VISIT_PROBLEM, "With whom? /history NAME");
    else if (!account_name_is_valid(name))
        visit_say_text(v, VISIT_PROBLEM, "Nobody can be called ", name, "");
    else if (!v->handler->history || !v->handler->history(v, name))
        visit_say_text(v, VISIT_ANSWER, "Nothing is kept of what was said with ", name,
                       "; kith --history keeps it from then on.");
}

void visit_said(struct visit *v, const struct said *said)
{
    char when[VISIT_WHEN_BYTES], before[ACCOUNT_NAME_BYTES + VISIT_WHEN_BYTES + 32];
    v->handler->when(v, said->when, when);
    snprintf(before, sizeof before, "%s, %.*s%s: ", when, (int)said->from.len,
             (const char *)said->from.data,
             said->undelivered ? ", not delivered"
             : said->letter    ? " wrote"
                               : "");
    visit_say_lines(v, VISIT_ANSWER, before, said->text);
}

#include "lib/handle.h"

#include "base/clean.h"
#include "base/limits.h"
#include "client/answer.h"
#include "lib/people.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct kith *handle_new(void)
{
    struct kith *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    conversation_init(&k->conversation, LIMIT_REPLY_BYTES);
    changes_init(&k->changes);
    return k;
}

void handle_free(struct kith *k)
{
    if (!k)
        return;
    people_free(k->people);
    changes_fini(&k->changes);
    conversation_fini(&k->conversation);
    dial_free(k->dial);
    self_fini(&k->self);
    free(k->accepts);
    free(k);
}

void handle_note(struct kith *k, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(k->problem, sizeof k->problem, format, args);
    va_end(args);
}

/* The words are shown, and what is said before them. */
static void note_words(struct kith *k, const char *before, struct bytes words)
{
    struct buffer clean;
    buffer_init(&clean, HANDLE_PROBLEM_BYTES);
    if (clean_append(&clean, words, TROUBLE_BYTES) != 0)
        buffer_release(&clean);
    struct bytes shown = buffer_view(&clean);
    handle_note(k, "%s%.*s", before, (int)shown.len,
                shown.data ? (const char *)shown.data : "");
    buffer_fini(&clean);
}

enum kith_result handle_refused(struct kith *k, struct bytes why)
{
    bool denied = answer_is_denial(why);
    note_words(k, denied ? "not allowed: " : "the hub did not do it: ",
               why.len > HANDLE_SHOWN_BYTES ? bytes_first(why, HANDLE_SHOWN_BYTES) : why);
    return denied ? KITH_DENIED : KITH_REFUSED;
}

enum kith_result handle_trouble(struct kith *k, const struct trouble *t)
{
    static const enum kith_result results[] = {
        [TROUBLE_NONE] = KITH_OK,
        [TROUBLE_FAILED] = KITH_FAILED,
        [TROUBLE_UNREACHABLE] = KITH_UNREACHABLE,
        [TROUBLE_FOREIGN] = KITH_FOREIGN,
        [TROUBLE_DENIED] = KITH_DENIED,
        [TROUBLE_CHANGED] = KITH_CHANGED,
    };
    note_words(k, "", bytes_from_str(t->words));
    return results[t->kind];
}

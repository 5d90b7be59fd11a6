#include "lib/handle.h"

#include "base/limits.h"

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
    changes_fini(&k->changes);
    conversation_fini(&k->conversation);
    dial_free(k->dial);
    free(k);
}

void handle_note(struct kith *k, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(k->problem, sizeof k->problem, format, args);
    va_end(args);
}

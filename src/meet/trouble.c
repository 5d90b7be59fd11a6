#include "meet/trouble.h"

#include <stdarg.h>
#include <stdio.h>

enum trouble_kind trouble_set(struct trouble *t, enum trouble_kind kind, const char *format,
                              ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(t->words, sizeof t->words, format, args);
    va_end(args);
    t->kind = kind;
    return kind;
}

enum trouble_kind trouble_no_memory(struct trouble *t)
{
    return trouble_set(t, TROUBLE_FAILED, "out of memory");
}

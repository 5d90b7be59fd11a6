#include "client/history.h"

#include <errno.h>
#include <stdlib.h>

static void forget(struct bytes *line)
{
    free((void *)(uintptr_t)line->data);
    *line = bytes_make(NULL, 0);
}

void history_init(struct history *h)
{
    *h = (struct history){0};
}

void history_fini(struct history *h)
{
    for (size_t i = 0; i < HISTORY_LINES; i++)
        forget(&h->lines[i]);
}

struct bytes history_line(const struct history *h, size_t back)
{
    assert(back < h->count);
    return h->lines[(h->first + h->count - 1 - back) % HISTORY_LINES];
}

int history_add(struct history *h, struct bytes line)
{
    if (line.len == 0 || (h->count > 0 && bytes_equal(history_line(h, 0), line)))
        return 0;
    uint8_t *copy = malloc(line.len);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, line.data, line.len);
    if (h->count == HISTORY_LINES) {
        forget(&h->lines[h->first]);
        h->first = (h->first + 1) % HISTORY_LINES;
        h->count--;
    }
    h->lines[(h->first + h->count++) % HISTORY_LINES] = bytes_make(copy, line.len);
    return 0;
}

#include "client/completion.h"

void completion_init(struct completion *c, struct bytes word)
{
    *c = (struct completion){.word = word};
    buffer_init(&c->common, SIZE_MAX);
    buffer_init(&c->list, SIZE_MAX);
}

void completion_fini(struct completion *c)
{
    buffer_fini(&c->common);
    buffer_fini(&c->list);
}

static void narrow(struct buffer *common, struct bytes candidate)
{
    struct bytes so_far = buffer_view(common);
    size_t n = 0;
    while (n < so_far.len && n < candidate.len && so_far.data[n] == candidate.data[n])
        n++;
    while (n > 0 && n < so_far.len && (so_far.data[n] & 0xc0) == 0x80)
        n--; /* no half of a character */
    buffer_truncate(common, n);
}

int completion_offer(struct completion *c, struct bytes candidate)
{
    if (candidate.len < c->word.len ||
        !bytes_equal_nocase(bytes_first(candidate, c->word.len), c->word))
        return 0;
    int r = 0;
    if (c->count > 0)
        narrow(&c->common, candidate);
    else
        r = buffer_append_bytes(&c->common, candidate);
    if (r == 0 && c->count < COMPLETION_SHOWN && c->count > 0)
        r = buffer_append_str(&c->list, "  ");
    if (r == 0 && c->count < COMPLETION_SHOWN)
        r = buffer_append_bytes(&c->list, candidate);
    c->count++;
    return r;
}

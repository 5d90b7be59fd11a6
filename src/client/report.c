#include "client/report.h"

#include "base/number.h"

static const char *const verbs[] = {
    [REPORT_READY] = "ready",
    [REPORT_BEGUN] = "begun",
    [REPORT_ANSWERED] = "answered",
    [REPORT_FAILED] = "failed",
};

static bool take_time(struct bytes *rest, struct instant *ret)
{
    struct bytes word = bytes_next_word(rest);
    return number_parse_u64(word, &ret->ns);
}

/* What follows the one blank after the last word taken, as it is. */
static struct bytes take_text(struct bytes rest)
{
    return rest.len > 0 ? bytes_from(rest, 1) : rest;
}

bool report_parse(struct bytes line, struct report *ret)
{
    struct report r = {0};
    struct bytes verb = bytes_next_word(&line);
    size_t i = 0;
    while (i <= REPORT_FAILED && !bytes_equal_str(verb, verbs[i]))
        i++;
    if (i > REPORT_FAILED)
        return false;
    r.verb = (enum report_verb)i;
    if (r.verb == REPORT_ANSWERED && !take_time(&line, &r.sent))
        return false;
    if ((r.verb == REPORT_ANSWERED || r.verb == REPORT_BEGUN) && !take_time(&line, &r.at))
        return false;
    r.text = take_text(line);
    *ret = r;
    return true;
}

int report_write(struct buffer *out, const struct report *r)
{
    size_t before = buffer_len(out);
    int result = buffer_append_str(out, verbs[r->verb]);
    if (result == 0 && r->verb == REPORT_ANSWERED)
        result = buffer_printf(out, " %llu", (unsigned long long)r->sent.ns);
    if (result == 0 && (r->verb == REPORT_ANSWERED || r->verb == REPORT_BEGUN))
        result = buffer_printf(out, " %llu", (unsigned long long)r->at.ns);
    if (result == 0 && r->text.len > 0)
        result = buffer_append_str(out, " ");
    if (result == 0)
        result = buffer_append_bytes(out, r->text);
    if (result == 0)
        result = buffer_append_str(out, "\n");
    if (result != 0)
        buffer_truncate(out, before);
    return result;
}

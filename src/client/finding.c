#include "client/finding.h"

#include "client/json.h"

int finding_write(const struct finding *f, struct buffer *out)
{
    return buffer_printf(out, "%-10s %-24s %s\n", f->about, f->at, f->words);
}

int finding_write_json(const struct finding *f, struct buffer *out)
{
    struct json j = json_begin(out);
    json_str(&j, "about", f->about);
    if (f->at[0])
        json_str(&j, "at", f->at);
    json_str(&j, "result", f->result);
    if (f->ms >= 0)
        json_number(&j, "ms", f->ms);
    json_str(&j, "text", f->words);
    return json_end(&j);
}

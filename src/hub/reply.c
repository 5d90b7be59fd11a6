#include "hub/reply.h"

#include "base/limits.h"
#include "wire/resp_write.h"
#include "wire/text_request.h"

#include <stdio.h>

enum { REPLY_ERROR_BYTES = 512 };

static void note(struct reply *r, int result)
{
    if (result != 0 && r->failed == 0)
        r->failed = result;
}

static void end_line(struct reply *r)
{
    note(r, buffer_append_bytes(r->out, line_ending_bytes(r->ending)));
}

static void line(struct reply *r, struct bytes text)
{
    note(r, buffer_append_bytes(r->out, text));
    end_line(r);
}

static void line_str(struct reply *r, const char *text)
{
    line(r, bytes_from_str(text));
}

static void line_about_key(struct reply *r, const char *words, struct bytes key,
                           const char *reason)
{
    note(r, buffer_append_str(r->out, words));
    note(r, buffer_append_bytes(r->out, key));
    if (reason) {
        note(r, buffer_append_str(r->out, ": "));
        note(r, buffer_append_str(r->out, reason));
    }
    end_line(r);
}

void reply_stored(struct reply *r, struct bytes key, bool existed)
{
    if (!reply_is_text(r))
        reply_status(r, existed ? "Updated" : "Saved");
    else if (r->dialect == REPLY_TEXT_TERSE)
        line_str(r, "1");
    else
        line_about_key(
            r, existed ? "Update Successfully for key:" : "Saved Successfully for key:", key,
            NULL);
}

void reply_value(struct reply *r, struct bytes value)
{
    if (!reply_is_text(r))
        note(r, resp_write_bulk(r->out, value));
    else if (text_value_problem(value))
        line_str(r, "ERROR");
    else
        line(r, value);
}

void reply_shared_value(struct reply *r, struct bytes value, struct blob *blob)
{
    if (!blob || !r->queue || value.len <= LIMIT_LARGE_BYTES) {
        reply_value(r, value);
        return;
    }
    bool text = reply_is_text(r);
    if (text && text_value_problem(value)) {
        line_str(r, "ERROR");
        return;
    }
    if (!text)
        note(r, resp_write_bulk_length(r->out, value.len));
    note(r, reply_queue_add(r->queue, value, blob));
    if (text)
        end_line(r);
    else
        note(r, buffer_append_str(r->out, "\r\n"));
}

void reply_missing(struct reply *r, struct bytes key)
{
    if (!reply_is_text(r))
        reply_null(r);
    else if (r->dialect == REPLY_TEXT_TERSE)
        line_str(r, "ERROR");
    else
        line_about_key(r, "Invalid Key:", key, NULL);
}

void reply_text(struct reply *r, struct bytes text)
{
    if (reply_is_text(r))
        line(r, text);
    else
        note(r, resp_write_bulk(r->out, text));
}

static void text_error(struct reply *r, const char *reason)
{
    bool terse = r->dialect == REPLY_TEXT_TERSE;
    if (r->question == REPLY_TO_STORE && terse) {
        line_str(r, "0");
    } else if (r->question == REPLY_TO_STORE) {
        line_about_key(r, "Not Saved for key:", r->key, reason);
    } else if (r->question == REPLY_TO_GET && terse) {
        line_str(r, "ERROR");
    } else {
        note(r, buffer_append_str(r->out, "ERROR: "));
        line_str(r, reason);
    }
}

void reply_error(struct reply *r, const char *code, const char *reason)
{
    if (reply_is_text(r)) {
        text_error(r, reason);
        return;
    }
    char text[REPLY_ERROR_BYTES];
    snprintf(text, sizeof text, "%s %s", code, reason);
    note(r, resp_write_error(r->out, text));
}

void reply_status(struct reply *r, const char *text)
{
    note(r, resp_write_status(r->out, text));
}

void reply_integer(struct reply *r, int64_t value)
{
    note(r, resp_write_integer(r->out, value));
}

void reply_null(struct reply *r)
{
    note(r, resp_write_null(r->out, reply_resp_version(r)));
}

void reply_push(struct reply *r, size_t count)
{
    note(r, resp_write_push(r->out, count, reply_resp_version(r)));
}

void reply_raw(struct reply *r, struct bytes replies)
{
    note(r, buffer_append_bytes(r->out, replies));
}

void reply_null_array(struct reply *r)
{
    note(r, resp_write_null_array(r->out, reply_resp_version(r)));
}

void reply_array(struct reply *r, size_t count)
{
    note(r, resp_write_array(r->out, count));
}

void reply_map(struct reply *r, size_t pairs)
{
    note(r, resp_write_map(r->out, pairs, reply_resp_version(r)));
}

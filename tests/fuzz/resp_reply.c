/* A stream of Redis replies means the same however it is cut, and a reply is one whole tree. */

#include "wire/resp_reply.h"
#include "base/buffer.h"
#include "fuzz.h"

enum { MAX_BYTES = 500 };

static bool is_aggregate(enum resp_kind kind)
{
    return kind == RESP_ARRAY || kind == RESP_MAP || kind == RESP_PUSH;
}

/* Values still owed, counted over the list, are none just at its end. */
static void check_tree(const struct resp_reply *r)
{
    uint64_t owed = 1;
    for (size_t i = 0; i < r->count; i++) {
        assert(owed > 0);
        owed--;
        if (is_aggregate(r->values[i].kind))
            owed += (uint64_t)r->values[i].number;
    }
    assert(owed == 0);
}

static void hear(struct buffer *heard, const struct resp_reply *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct resp_value *v = &r->values[i];
        if (buffer_printf(heard, "%d %zu %lld ", (int)v->kind, v->text.len,
                          (long long)v->number) != 0 ||
            buffer_append_bytes(heard, v->text) != 0)
            abort();
    }
}

static int parse(struct buffer *heard, struct resp_reply *r, struct fuzz_stream *s)
{
    struct bytes in = fuzz_stream_in(s);
    size_t consumed = 0;
    int result = resp_reply_parse(r, in, &consumed);
    if (result == 0) {
        assert(consumed > 0 && consumed <= in.len && consumed <= MAX_BYTES);
        check_tree(r);
        hear(heard, r);
        s->start += consumed;
    } else if (result == RESP_REPLY_ERROR) {
        if (buffer_append_str(heard, "!") != 0)
            abort();
    } else if (result != RESP_REPLY_MORE) {
        abort();
    }
    fuzz_free(in);
    return result;
}

static void listen(struct buffer *heard, struct fuzz_stream s)
{
    struct resp_reply r;
    int result = 0;
    resp_reply_init(&r, MAX_BYTES);
    for (bool all = false; result == 0 || (result == RESP_REPLY_MORE && !all);) {
        if (result == RESP_REPLY_MORE)
            all = !fuzz_stream_more(&s);
        result = parse(heard, &r, &s);
    }
    resp_reply_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_SIZES)
        return 0;
    struct fuzz_stream s = {.stream = bytes_make(data + FUZZ_SIZES, size - FUZZ_SIZES)};
    struct buffer whole, cut;
    buffer_init(&whole, SIZE_MAX);
    buffer_init(&cut, SIZE_MAX);
    listen(&whole, s);
    s.sizes = data;
    listen(&cut, s);
    assert(bytes_equal(buffer_view(&whole), buffer_view(&cut)));
    buffer_fini(&whole);
    buffer_fini(&cut);
    return 0;
}

/* A text stream means the same however it is cut, and requests keep what their header
 * promises. */

#include "base/buffer.h"
#include "base/clean.h"
#include "base/limits.h"
#include "fuzz.h"
#include "wire/line.h"
#include "wire/text_request.h"

enum { MAX = 64 };

static bool lies_in(struct bytes part, struct bytes whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static bool is_word(struct bytes b)
{
    struct bytes rest = b;
    return b.len > 0 && bytes_next_word(&rest).len == b.len;
}

static void check_request(struct bytes message)
{
    struct text_request r = text_request_parse(message);
    assert(lies_in(r.key, message) && lies_in(r.value, message));
    assert(!r.problem || r.verb == TEXT_STORE || r.verb == TEXT_GET);
    assert((r.verb == TEXT_HTTP) == text_is_http(message));
    if (r.verb == TEXT_ECHO)
        assert(r.value.data == message.data && r.value.len == message.len);
    if (r.verb == TEXT_NAME)
        assert(r.value.len <= LIMIT_NAME_BYTES && clean_is_clean(r.value));
    if ((r.verb == TEXT_STORE || r.verb == TEXT_GET) && !r.problem)
        assert(is_word(r.key) && r.key.len <= LIMIT_KEY_BYTES);
    if (r.verb == TEXT_STORE && !r.problem)
        assert(!text_value_problem(r.value) && bytes_trim(r.value).len == r.value.len);
}

static void hear(struct buffer *heard, struct bytes text, int result)
{
    if (buffer_printf(heard, "%d %zu ", result, text.len) != 0 ||
        buffer_append_bytes(heard, text) != 0)
        abort();
}

static void listen(struct buffer *heard, struct fuzz_stream s)
{
    struct line l = {0};
    for (bool all = false;;) {
        struct bytes in = fuzz_stream_in(&s), text = {0};
        enum line_ending ending = LINE_BARE;
        size_t consumed;
        int r = line_parse(&l, in, MAX, &consumed, &text, &ending);
        if (r == 0) {
            s.start += consumed;
            check_request(text);
            hear(heard, text, (int)ending);
            assert(consumed == text.len + line_ending_bytes(ending).len);
        } else if (r == LINE_TOO_LONG || all) {
            hear(heard, r == LINE_MORE ? in : text, 10 + r);
        }
        fuzz_free(in);
        if (r == LINE_TOO_LONG || (r == LINE_MORE && all))
            return;
        if (r == LINE_MORE)
            all = !fuzz_stream_more(&s);
    }
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

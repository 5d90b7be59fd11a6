/* Frames mean the same however the stream is cut, and none is longer than allowed. */

#include "wire/peer_frame.h"
#include "fuzz.h"

enum { MAX = 64 };

static void listen(struct buffer *heard, struct fuzz_stream s)
{
    for (bool all = false;;) {
        struct bytes in = fuzz_stream_in(&s);
        struct peer_frame f = {0};
        size_t n = 0;
        int r = peer_frame_parse(in, MAX, &n, &f);
        if (r == 0) {
            assert(n == PEER_FRAME_HEAD_BYTES + f.payload.len && f.payload.len <= MAX);
            if (peer_frame_write(heard, f.type, f.payload) != 0)
                abort();
            s.start += n;
        }
        fuzz_free(in);
        if (r == PEER_FRAME_TOO_LONG || (r == PEER_FRAME_MORE && all))
            return;
        if (r == PEER_FRAME_MORE)
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
    struct bytes heard = buffer_view(&whole);
    assert(bytes_equal(heard, buffer_view(&cut)));
    assert(heard.len == 0 || memcmp(heard.data, s.stream.data, heard.len) == 0);
    buffer_fini(&whole);
    buffer_fini(&cut);
    return 0;
}

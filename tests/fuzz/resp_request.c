/* A stream of Redis requests means the same however it is cut; an array of arguments, written
 * again, is what was read. */

#include "wire/resp_request.h"
#include "base/buffer.h"
#include "fuzz.h"
#include "wire/resp_write.h"

static void hear_args(struct buffer *heard, const struct resp_args *args, struct bytes command)
{
    size_t start = buffer_len(heard);
    if (resp_write_request(heard, args->argv, args->argc) != 0)
        abort();
    if (args->argc > 0 && command.data[0] == '*')
        assert(bytes_equal(bytes_from(buffer_view(heard), start), command));
    assert(command.data[0] == '*' ? args->line.len == 0 : args->line.len < command.len);
}

/* One call; what it says goes to heard, but for more of a stream that has not all come. */
static int parse(struct buffer *heard, struct resp_request *r, struct resp_args *args,
                 struct fuzz_stream *s, bool all)
{
    struct bytes in = fuzz_stream_in(s);
    size_t consumed = 0, need = 0;
    const char *problem = NULL;
    int result = resp_request_parse(r, args, in, &consumed, &need, &problem);
    if (result == 0) {
        assert(consumed > 0 && consumed <= in.len && !r->partial);
        hear_args(heard, args, bytes_first(in, consumed));
        s->start += consumed;
    } else if (result == RESP_MORE) {
        assert(need > in.len);
        if (all && buffer_printf(heard, "+%zu", need) != 0)
            abort();
    } else if (result != RESP_ERROR || buffer_append_str(heard, problem) != 0) {
        abort();
    }
    fuzz_free(in);
    return result;
}

static void listen(struct buffer *heard, struct fuzz_stream s)
{
    struct resp_request r;
    struct resp_args args;
    int result = 0;
    resp_request_init(&r);
    resp_args_init(&args);
    for (bool all = false; result == 0 || (result == RESP_MORE && !all);) {
        if (result == RESP_MORE)
            all = !fuzz_stream_more(&s);
        result = parse(heard, &r, &args, &s, all);
    }
    resp_request_fini(&r);
    resp_args_fini(&args);
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

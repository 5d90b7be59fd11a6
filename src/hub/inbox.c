#include "hub/inbox.h"

#include "base/limits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct inbox_argument {
    struct bytes bytes;
    struct blob *blob;
};

struct inbox *inbox_new(struct blob_garbage *garbage)
{
    struct inbox *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    buffer_init(&b->bytes, LIMIT_INPUT_BYTES);
    b->garbage = garbage;
    return b;
}

static void drop_message(struct inbox *b)
{
    for (size_t i = 0; i < b->argument_count; i++)
        blob_unref(b->arguments[i].blob);
    free(b->arguments);
    blob_unref(b->blob);
    b->arguments = NULL;
    b->argument_count = 0;
    b->blob = NULL;
    b->message = (struct bytes){0};
}

void inbox_free(struct inbox *b)
{
    if (!b)
        return;
    drop_message(b);
    buffer_fini(&b->bytes);
    free(b);
}

int inbox_append(struct inbox *b, struct bytes in)
{
    if (b->bytes.data && in.data == b->bytes.data + b->bytes.end) {
        buffer_wrote(&b->bytes, in.len);
        return 0;
    }
    return buffer_append_bytes(&b->bytes, in);
}

/* Memory for the whole of a message, and for what is read together with its end, is taken at
 * once, so that it never moves; what nobody has written to costs nothing yet. */
size_t inbox_space(struct inbox *b, size_t total, uint8_t **ret_space)
{
    size_t len = buffer_len(&b->bytes);
    if (total <= LIMIT_LARGE_BYTES || total <= len + LIMIT_READ_BYTES)
        return 0;
    size_t n = total - len;
    if (buffer_reserve_exactly(&b->bytes, n + LIMIT_READ_BYTES) != 0)
        return 0;
    *ret_space = b->bytes.data + b->bytes.end;
    return n < LIMIT_LARGE_READ_BYTES ? n : LIMIT_LARGE_READ_BYTES;
}

struct bytes inbox_view(const struct inbox *b)
{
    return b->blob ? b->message : buffer_view(&b->bytes);
}

void inbox_consume(struct inbox *b, size_t n)
{
    if (!b->blob) {
        buffer_consume(&b->bytes, n);
    } else if (n > 0) {
        assert(n == b->message.len);
        drop_message(b);
    }
}

/* ---- sharing ---- */

static bool is_large(struct bytes argument)
{
    return argument.len > LIMIT_LARGE_BYTES;
}

/* The memory of the message at the front becomes a blob; what stands behind it moves out. */
static int give_memory_away(struct inbox *b, size_t n)
{
    struct buffer behind;
    buffer_init(&behind, b->bytes.max);
    int r = buffer_append_bytes(&behind, bytes_from(buffer_view(&b->bytes), n));
    if (r == 0 && !(b->blob = blob_new(b->bytes.data, b->bytes.capacity, b->garbage)))
        r = -ENOMEM;
    if (r != 0) {
        buffer_fini(&behind);
        return r;
    }
    b->message = bytes_first(buffer_view(&b->bytes), n);
    b->bytes = behind;
    return 0;
}

/* An argument that is most of the memory shares it. One that is not has memory of its own, or
 * it would keep the rest, too, for as long as it is kept. */
static int share_argument(struct inbox *b, size_t memory, struct bytes argument)
{
    struct inbox_argument *a = &b->arguments[b->argument_count];
    bool is_most = argument.len >= memory / 2;
    a->bytes = argument;
    a->blob = is_most ? blob_ref(b->blob) : blob_copy(argument, b->garbage);
    if (!a->blob)
        return -ENOMEM;
    if (!is_most)
        a->bytes.data = a->blob->memory;
    b->argument_count++;
    return 0;
}

static int share_arguments(struct inbox *b, size_t large, size_t memory,
                           const struct bytes *argv, size_t argc)
{
    b->arguments = calloc(large, sizeof *b->arguments);
    if (!b->arguments)
        return -ENOMEM;
    int r = 0;
    for (size_t i = 0; i < argc && r == 0; i++)
        if (is_large(argv[i]))
            r = share_argument(b, memory, argv[i]);
    return r;
}

int inbox_share(struct inbox *b, size_t n, struct bytes *argv, size_t argc)
{
    size_t large = 0, memory = b->bytes.capacity;
    for (size_t i = 0; i < argc; i++)
        large += is_large(argv[i]);
    if (large == 0)
        return 0;
    if (!b->blob) {
        int r = give_memory_away(b, n);
        if (r == 0)
            r = share_arguments(b, large, memory, argv, argc);
        if (r != 0)
            return r;
    }
    assert(b->argument_count == large);
    for (size_t i = 0, k = 0; i < argc; i++)
        if (is_large(argv[i]))
            argv[i] = b->arguments[k++].bytes;
    return 0;
}

struct blob *inbox_blob(const struct inbox *b, struct bytes argument)
{
    for (size_t i = 0; b && i < b->argument_count; i++)
        if (b->arguments[i].bytes.data == argument.data)
            return b->arguments[i].blob;
    return NULL;
}

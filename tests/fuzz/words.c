/* Whatever the other side says, words are shown only to who was told the nonce that was
 * committed to; what is against the order is the end. */

#include "peer/words.h"

#include "fuzz.h"
#include "peer/talk.h"

enum { MESSAGE_BYTES = 33, OUT_BYTES = 1024 };

static void hear(struct words *w, struct bytes message, struct buffer *out)
{
    enum words_state before = w->state;
    struct bytes copy = fuzz_copy(message);
    int r = words_feed(w, copy, out);
    assert(r == 0 || r == WORDS_WRONG);
    assert(r == 0 || w->state == WORDS_FAILED || before == WORDS_SHOWN);
    assert(before != WORDS_FAILED || w->state == WORDS_FAILED);
    assert(w->state != WORDS_SHOWN || before == WORDS_REVEALED || before == WORDS_SHOWN);
    for (size_t i = 0; i < WORDS_COUNT; i++)
        assert(w->state != WORDS_SHOWN || w->shown[i]);
    fuzz_free(copy);
}

/* An honest side's messages may come among the input's: byte 0 says which. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct random_id id = {{1}};
    struct public_key one = {{1}}, two = {{2}};
    uint8_t nonce[WORDS_NONCE_BYTES] = {3}, other_nonce[WORDS_NONCE_BYTES] = {4};
    struct pair pair, reversed;
    struct words w, honest;
    struct buffer out, said;
    buffer_init(&out, OUT_BYTES);
    buffer_init(&said, OUT_BYTES);
    if (pair_init(&pair, &id, bytes_from_str("a"), &one, bytes_from_str("b"), &two) != 0 ||
        pair_init(&reversed, &id, bytes_from_str("b"), &two, bytes_from_str("a"), &one) != 0 ||
        words_init(&w, &pair, nonce, &out) != 0 ||
        words_init(&honest, &reversed, other_nonce, &said) != 0)
        abort();
    for (size_t at = 0; at < size && w.state != WORDS_FAILED;) {
        bool is_honest = data[at++] == 0;
        size_t n = size - at < MESSAGE_BYTES ? size - at : MESSAGE_BYTES;
        if (is_honest && buffer_len(&said) > 0) {
            hear(&w, buffer_view(&said), &out);
            buffer_truncate(&said, 0);
            if (honest.state == WORDS_COMMITTED && buffer_len(&out) >= MESSAGE_BYTES)
                words_feed(&honest, bytes_first(buffer_view(&out), MESSAGE_BYTES), &said);
        } else if (!is_honest) {
            hear(&w, bytes_make(data + at, n), &out);
            at += n;
        }
    }
    words_fini(&w);
    words_fini(&honest);
    buffer_fini(&out);
    buffer_fini(&said);
    return 0;
}

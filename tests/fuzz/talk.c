/* Whatever comes as talk is text, a mark of something said, of another type, or refused. */

#include "peer/talk.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct talk t = {.said = 3, .heard = 1};
    struct talk_event e;
    struct bytes copy = fuzz_copy(bytes_make(data, size));
    if (talk_hear(&t, copy, &e) == 0 && e.type == TALK_EVENT_TEXT)
        assert(e.id == 2 && e.text.len > 0 && e.text.len <= LIMIT_TALK_TEXT_BYTES &&
               utf8_is_valid(e.text));
    assert(t.delivered <= t.said && t.heard <= 2);
    fuzz_free(copy);
    return 0;
}

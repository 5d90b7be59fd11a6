/* What comes out of the cleaner is clean, whatever went in, and cleaning clean text changes
 * nothing. */

#include "base/clean.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_make(data, size);
    struct buffer once, twice;

    buffer_init(&once, size * 4 + 3);
    buffer_init(&twice, size * 4 + 3);
    if (clean_append(&once, text, size) != 0)
        abort();
    assert(clean_is_clean(buffer_view(&once)));
    assert(!clean_is_clean(text) || bytes_equal(text, buffer_view(&once)));
    if (clean_append(&twice, buffer_view(&once), buffer_len(&once)) != 0)
        abort();
    assert(bytes_equal(buffer_view(&once), buffer_view(&twice)));
    buffer_fini(&once);
    buffer_fini(&twice);
    return 0;
}

/* A line of an import is an entry or says why not; an entry is written as a line that reads the
 * same, and keeps the limits. */

#include "client/entry.h"
#include "base/limits.h"
#include "fuzz.h"

static void check_entry(const struct entry *e)
{
    struct buffer line;
    buffer_init(&line, SIZE_MAX);
    struct entry_reader *r;
    struct entry again;
    assert(e->key.len >= 1 && e->key.len <= LIMIT_KEY_BYTES);
    assert(e->value.len <= LIMIT_VALUE_BYTES && e->expires.ms >= 0);
    if (entry_reader_new(&r) != 0 || entry_write(&line, e) != 0)
        abort();
    assert(!entry_read(r, buffer_view(&line), &again));
    assert(bytes_equal(again.key, e->key) && bytes_equal(again.value, e->value));
    assert(again.expires.ms == e->expires.ms);
    entry_reader_free(r);
    buffer_fini(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes line = fuzz_copy(bytes_make(data, size));
    struct entry_reader *r;
    struct entry e;
    if (entry_reader_new(&r) != 0)
        abort();
    const char *problem = entry_read(r, line, &e);
    if (problem)
        assert(strlen(problem) > 0);
    else
        check_entry(&e);
    entry_reader_free(r);
    fuzz_free(line);
    return 0;
}

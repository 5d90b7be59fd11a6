/* Letters and boxes as others write them: what is read lies in the record, keeps the
 * limits, and is written again as it was. */

#include "people/letter.h"
#include "fuzz.h"

static void check_letter(struct bytes record)
{
    struct letter l;
    if (!letter_decode(record, &l))
        return;
    assert(l.sealed.len > 0 && l.sealed.len <= LIMIT_LETTER_BYTES);
    assert(account_name_is_valid(l.from_name));
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    if (letter_encode(&l, &out) != 0)
        abort();
    assert(bytes_equal(buffer_view(&out), record));
    buffer_fini(&out);
}

static void check_box(struct bytes record)
{
    static struct letterbox b;
    if (!letterbox_decode(record, &b))
        return;
    assert(b.count <= LETTERBOX_ENTRIES);
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    if (letterbox_encode(&b, &out) != 0)
        abort();
    assert(bytes_equal(buffer_view(&out), record));
    buffer_fini(&out);
    letterbox_tidy(&b, (struct walltime){0});
    for (size_t i = 0; i < b.count; i++)
        letterbox_take(&b, &b.entries[i].id);
    assert(letterbox_waiting(&b) <= b.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = fuzz_copy(bytes_make(data, size));
    check_letter(in);
    check_box(in);
    fuzz_free(in);
    return 0;
}

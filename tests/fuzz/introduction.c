/* An accepted introduction's record, whatever it is: what is read is within its limits, and
 * written again is the same bytes. */

#include "fuzz.h"
#include "people/introduction_record.h"

static void check(const struct introduction *i, struct walltime since, struct bytes record)
{
    uint8_t again[INTRODUCTION_RECORD_BYTES_MAX];
    assert(since.ms >= 0);
    assert(account_name_is_valid(bytes_from_str(i->from.key)));
    assert(account_name_is_valid(bytes_from_str(i->to.key)));
    assert(bytes_equal(introduction_record_encode(again, i, since), record));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct introduction i;
    struct walltime since;
    struct bytes record = fuzz_copy(bytes_make(data, size));
    if (introduction_record_decode(record, &i, &since))
        check(&i, since, record);
    fuzz_free(record);
    return 0;
}

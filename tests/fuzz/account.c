/* An account's record, whatever it is: what is read is within its limits, and written again is
 * the same bytes. */

#include "people/account.h"
#include "fuzz.h"

static void check(const struct account *a, struct bytes record)
{
    struct buffer again;
    assert(account_name_is_valid(bytes_from_str(a->name)));
    assert(password_cost_is_valid(&a->password.cost));
    assert(a->device_count <= LIMIT_ACCOUNT_DEVICES && a->token_count <= LIMIT_ACCOUNT_TOKENS);
    buffer_init(&again, ACCOUNT_RECORD_BYTES_MAX);
    if (account_encode(a, &again) != 0)
        abort();
    assert(bytes_equal(buffer_view(&again), record));
    buffer_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct account none;
    struct account a = none;
    struct bytes record = fuzz_copy(bytes_make(data, size));
    if (account_decode(record, &a))
        check(&a, record);
    fuzz_free(record);
    return 0;
}

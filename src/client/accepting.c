#include "client/accepting.h"

#include "client/amount.h"
#include "people/account_name.h"

static struct bytes next_name(struct bytes *rest)
{
    size_t comma = bytes_find(*rest, ',');
    struct bytes name = bytes_first(*rest, comma);
    *rest = bytes_from(*rest, comma < rest->len ? comma + 1 : comma);
    return name;
}

bool accepting_is_valid(const char *rule)
{
    struct bytes rest = bytes_from_str(rule);
    bool valid = rest.len > 0 && rest.data[rest.len - 1] != ',';
    while (valid && rest.len > 0)
        valid = account_name_is_valid(next_name(&rest));
    return valid;
}

uint64_t accepting_size(const char *rule)
{
    struct bytes rest = bytes_from_str(rule ? rule : "");
    uint64_t size = 0;
    while (size == 0 && rest.len > 0 && !amount_read(next_name(&rest), &size))
        continue;
    return size;
}

bool accepting_allows(const char *rule, struct bytes name)
{
    if (!rule)
        return false;
    struct bytes rest = bytes_from_str(rule);
    size_t names = 0;
    bool all = false, named = false;
    while (rest.len > 0) {
        struct bytes one = next_name(&rest);
        uint64_t size;
        names += !amount_read(one, &size);
        all = all || bytes_equal_str(one, "all");
        named = named || account_name_equal(one, name);
    }
    return named || (all && names == 1);
}

#include "client/accepting.h"

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

bool accepting_allows(const char *rule, struct bytes name)
{
    if (!rule)
        return false;
    struct bytes rest = bytes_from_str(rule);
    if (bytes_equal_str(rest, "all"))
        return true;
    while (rest.len > 0)
        if (account_name_equal(next_name(&rest), name))
            return true;
    return false;
}

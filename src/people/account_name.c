#include "people/account_name.h"

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_allowed(uint8_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool account_name_is_valid(struct bytes name)
{
    if (name.len == 0 || name.len > ACCOUNT_NAME_BYTES || name.data[0] == '.' ||
        name.data[0] == '-')
        return false; /* nor is it a folder's, or an option */
    for (size_t i = 0; i < name.len; i++)
        if (!is_allowed(name.data[i]))
            return false;
    return true;
}

void account_name_fold(struct bytes name, char out[ACCOUNT_NAME_BYTES + 1])
{
    for (size_t i = 0; i < name.len; i++)
        out[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] | 0x20
                                                                   : name.data[i]);
    out[name.len] = '\0';
}

bool account_name_equal(struct bytes a, struct bytes b)
{
    return bytes_equal_nocase(a, b);
}

#include "client/amount.h"

#include "base/number.h"

#include <stdio.h>

void amount_write(char out[AMOUNT_BYTES], uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double amount = (double)bytes / 1024;
    if (bytes < 1024) {
        snprintf(out, AMOUNT_BYTES, "%u B", (unsigned)bytes);
        return;
    }
    for (; amount >= 1023.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        amount /= 1024;
    snprintf(out, AMOUNT_BYTES, amount < 9.95 ? "%.1f %s" : "%.0f %s", amount, units[unit]);
}

void amount_write_time(char out[AMOUNT_BYTES], uint64_t seconds)
{
    unsigned long long hours = seconds / 3600;
    unsigned minutes = (unsigned)(seconds / 60 % 60), rest = (unsigned)(seconds % 60);
    if (hours > 0)
        snprintf(out, AMOUNT_BYTES, "%llu:%02u:%02u", hours, minutes, rest);
    else
        snprintf(out, AMOUNT_BYTES, "%u:%02u", minutes, rest);
}

/* How many times 1024; -1 where it is no unit. */
static int read_unit(struct bytes unit)
{
    static const char letters[] = "kmgt";
    if (unit.len == 0)
        return 0;
    for (int i = 0; letters[i]; i++) {
        const char forms[3][4] = {{letters[i]}, {letters[i], 'b'}, {letters[i], 'i', 'b'}};
        for (int form = 0; form < 3; form++)
            if (bytes_equal_nocase_str(unit, forms[form]))
                return i + 1;
    }
    return -1;
}

bool amount_read(struct bytes text, uint64_t *ret)
{
    uint64_t amount;
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    int unit = read_unit(bytes_from(text, digits));
    if (unit < 0 || !number_parse_u64(bytes_first(text, digits), &amount) || amount == 0)
        return false;
    for (; unit > 0; unit--)
        if (__builtin_mul_overflow(amount, (uint64_t)1024, &amount))
            return false;
    *ret = amount;
    return true;
}

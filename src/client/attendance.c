#include "client/attendance.h"

#include <stdio.h>

bool attendance_read(const struct resp_value *row, size_t n, struct attendance *ret)
{
    if (n < ATTENDANCE_VALUES || row[0].kind != RESP_ARRAY ||
        row[0].number != ATTENDANCE_VALUES - 1 || row[1].kind != RESP_BULK ||
        !account_name_is_valid(row[1].text) || row[2].kind != RESP_INTEGER ||
        row[3].kind != RESP_INTEGER || row[2].number < INT64_MIN / 1000 ||
        row[2].number > INT64_MAX / 1000)
        return false;
    *ret = (struct attendance){row[1].text, row[2].number, row[3].number};
    return true;
}

static void write_duration(char *out, size_t n, int64_t seconds)
{
    int64_t minutes = seconds / 60, hours = minutes / 60;
    if (seconds < 60)
        snprintf(out, n, "just now");
    else if (hours < 1)
        snprintf(out, n, "%d min", (int)minutes);
    else if (hours < 48)
        snprintf(out, n, "%d h", (int)hours);
    else
        snprintf(out, n, "%lld days", (long long)(hours / 24));
}

void attendance_write(char out[ATTENDANCE_TEXT_BYTES], const struct attendance *a,
                      struct walltime now, bool verified)
{
    char when[32], many[32] = "";
    write_duration(when, sizeof when, now.ms / 1000 - a->since);
    if (a->devices > 1)
        snprintf(many, sizeof many, ", %lld devices", (long long)a->devices);
    snprintf(out, ATTENDANCE_TEXT_BYTES, "%-12.*s %s%s%s", (int)a->name.len,
             (const char *)a->name.data, when, many, verified ? ", verified" : "");
}

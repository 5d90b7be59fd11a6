#include "base/synonym.h"

const char *synonym_find(const struct synonym *all, size_t n, struct bytes theirs)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal_str(theirs, all[i].theirs))
            return all[i].ours;
    return NULL;
}

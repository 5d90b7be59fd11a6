#ifndef KITH_KITH_SCAN_H
#define KITH_KITH_SCAN_H

/* All keys that begin with a prefix or match a pattern, some at a time. A key that is there all
 * the while comes, once or, rarely, twice. */

#include "kith/session.h"

struct scan {
    struct session *session;
    struct buffer pattern, cursor;
    bool is_over;
};

/* -ENOMEM. scan_fini follows in any case. */
int scan_init(struct scan *scan, struct session *s, const char *prefix);

/* The same for a pattern as Redis has them (base/glob.h). */
int scan_init_match(struct scan *scan, struct session *s, const char *pattern);
void scan_fini(struct scan *scan);

/* The next keys, perhaps none; is_over says whether there are more. They hold until the session
 * is asked again. An exit code. */
int scan_next(struct scan *scan, const struct resp_value **ret_keys, size_t *ret_count);

#endif

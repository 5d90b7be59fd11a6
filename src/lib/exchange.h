#ifndef KITH_LIB_EXCHANGE_H
#define KITH_LIB_EXCHANGE_H

/* What a connection of the library says and hears. Whatever arrives unasked goes to k->changes.
 * A result that is no KITH_OK is noted in k, KITH_NOTHING apart. */

#include "lib/handle.h"

/* Connects to k->where, and makes sure that there is a hub of ours: over TLS, the one that was
 * meant. */
enum kith_result exchange_open(struct kith *k);

/* Asks one thing and waits for the answer, no error, whose values hold until the next call. */
enum kith_result exchange_ask(struct kith *k, const struct bytes *argv, size_t argc,
                              const struct resp_value **ret);

/* Waits until a change is there, and takes it, at most timeout_ms; KITH_NOTHING. */
enum kith_result exchange_hear(struct kith *k, uint64_t timeout_ms, const struct change **ret);

#endif

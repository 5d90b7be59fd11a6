#ifndef KITH_KITH_ACCOUNT_HUB_H
#define KITH_KITH_ACCOUNT_HUB_H

/* What the commands about accounts share: they speak to the hub over TLS, where this device
 * shows its key, and ask it with secrets that are wiped. */

#include "kith/session.h"
#include "people/device.h"

/* What the hub is to call this device to its owner: the machine, as far as that is a name; else
 * nothing. */
void account_label(char out[DEVICE_LABEL_BYTES + 1]);

/* Connects; over TLS, unless it is a Unix socket. Names this device to the hub. */
int account_connect(struct session *s);

/* The same, and logs in by this device's key; EXIT_DENIED where it is nobody's. */
int account_login(struct session *s);

/* Prints {"key": value}, with --json, or a line of text, unless --quiet. */
int account_say(struct session *s, const char *key, struct bytes value, const char *text);

/* Prints what was asked for: as above, but --quiet does not silence it, and no words stand
 * before it. */
int account_print(struct session *s, const char *key, struct bytes value);

/* An account's name: word i, asked for where it is not there. */
int account_name(struct session *s, size_t i, struct bytes *ret);

/* --expire, as "EX" wants it; 0 where it is not given. */
int account_expiry(struct session *s, uint64_t *ret_seconds);

#endif

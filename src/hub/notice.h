#ifndef KITH_HUB_NOTICE_H
#define KITH_HUB_NOTICE_H

/* What present members are told unasked: a few words, none of which has a blank in it. To RESP
 * they come as an array out of turn, to text as a line.
 *
 *     online NAME, offline NAME
 *     invited ID NAME FINGERPRINT KEY
 *     introduced ID NAME FINGERPRINT KEY dials|answers SEEN CANDIDATE...
 *     declined ID NAME declined|busy|timeout|gone|answered
 *     unbelieved ID
 *     relay ID
 *     letter
 *     revoked NAME FINGERPRINT KEY
 *     added FINGERPRINT LABEL...
 *
 * A notice goes into the mailbox of each worker that has somebody to tell; in one mailbox they
 * keep their order. Any thread. A notice that found no memory is told as lost (hub/mailbox.h).
 */

#include "hub/config.h"
#include "hub/push.h"

struct connection;
struct hub;

/* That coming or going, to every connection that was present before it. */
void notice_to_all(struct hub_shared *s, uint64_t move, const char *words);

/* To every present connection but that one, once that is durable. */
void notice_to_others(struct hub_shared *s, uint64_t except, uint64_t lsn, const char *words);

/* To every present connection of an account but that one (0: none). */
void notice_to_account(struct hub_shared *s, const char *key, uint64_t except,
                       const char *words);

/* The same, once that is durable. */
void notice_to_account_later(struct hub_shared *s, const char *key, uint64_t except,
                             uint64_t lsn, const char *words);

/* To one connection of an account, where it is still present. */
void notice_to_connection(struct hub_shared *s, const char *key, uint64_t connection,
                          const char *words);

/* To a presence that directory_each_of is visiting at this moment, once that is durable. */
void notice_to_presence(struct hub_shared *s, const char *key, const struct presence *p,
                        uint64_t lsn, const char *words);

/* Tells those of this worker whom it concerns. */
void notice_deliver(struct hub *hub, struct push *p);

/* Tells a present connection those of n notices that are for it. */
void notice_tell(struct connection *c, struct push *const *notices, size_t n);

#endif

#ifndef KITH_MEET_TRANSFERS_INNER_H
#define KITH_MEET_TRANSFERS_INNER_H

/* What the files of transfers share: transfers.c, their life and time; transfers_notes.c, what
 * is agreed on in a talk; transfers_carry.c, their carriers; transfers_relay.c, content that
 * goes over a talk. */

#include "meet/transfers.h"

/* To the owner. */
void transfer_tell(struct transfer *t, struct transfer_news news);

void transfer_set_state(struct transfer *t, enum transfer_state state, const char *why);

/* NULL where memory is out. */
struct transfer *transfers_add(struct transfers *all, const struct transfer_record *record);
struct transfer *transfers_find(struct transfers *all, const struct random_id *id,
                                bool incoming);

/* Takes the record's lock, once. False where another process has it. */
bool transfer_hold(struct transfer *t);

/* OVER: the owner is told, and it is freed once its carrier is gone. */
void transfer_finish(struct transfer *t, enum transfer_reason reason, const char *why);

/* An attempt has failed: READY, for another one after a while. */
void transfer_wait(struct transfer *t, const char *why);

/* Something was said or taken. */
void transfer_moves(struct transfer *t);

/* The record as it is now; what cannot be written ends it. */
bool transfer_remember(struct transfer *t);

/* transfers_notes.c: */
void transfer_offer(struct transfer *t, struct talk_link *l);
void transfer_agree(struct transfer *t, struct talk_link *l); /* ACCEPT */
void transfer_tell_over(struct talk_link *l, const struct random_id *id,
                        enum transfer_reason reason);
void transfer_say_over(struct transfer *t, enum transfer_reason reason);
struct talk_link *transfer_link(const struct transfer *t); /* with a connection; or NULL */

/* transfers_carry.c: at is where to dial; fd, a connection, is taken, and dialed says whether
 * this side is the TLS client there. */
void transfer_list(struct transfer *t, const char *const *paths, size_t n);
void transfer_carry_to(struct transfer *t, const struct address *at);
void transfer_carry_on(struct transfer *t, int fd, bool dialed);
void transfer_clear(struct transfer *t);

/* transfers_relay.c: its content goes over that link. */
void transfer_carry_over(struct transfer *t, struct talk_link *l);

/* Its carrier has ended. */
void transfer_leave_sluice(struct transfer *t);

/* Ends the attempt where the link under it is lost, or may not carry it any more. */
void transfer_look_at_sluice(struct transfer *t, struct instant now);

/* Frees those that are done, or have no link any more; or all. */
void transfers_sweep_sluices(struct transfers *all, bool every);

#endif

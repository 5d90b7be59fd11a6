#ifndef KITH_MEET_TALK_LINK_INNER_H
#define KITH_MEET_TALK_LINK_INNER_H

/* What the files of a talk share: talk_link.c, its life and time; talk_link_paths.c, the
 * connections below it; talk_link_texts.c, what is said; talk_link_words.c, words to compare.
 */

#include "meet/talk_link.h"

/* Does what there is to do. What it calls may ask for more: that is done in its turn. */
void talk_link_pump(struct talk_link *t);

/* ENDING, and the owner is told; nothing where it is already. */
void talk_link_end(struct talk_link *t, const char *why);

/* Dials, or asks the relay, as t->dialing says. */
void talk_paths_dial(struct talk_link *t);

/* The connection that is this path of the session; NULL: none any more. */
struct talk_path *talk_paths_find(struct talk_link *t, unsigned path);

/* t->way is p. */
void talk_paths_describe(struct talk_link *t, const struct talk_path *p);

/* Writes what the session has for it. */
void talk_paths_write(struct talk_link *t, struct talk_path *p);

/* Events of the session. */
void talk_paths_proven(struct talk_link *t, struct talk_path *p);
void talk_paths_drop(struct talk_link *t, const struct peer_event *e);
void talk_paths_renew(struct talk_link *t, unsigned path);

/* A message on the channel of talk: TALK_LINK_OVER, TALK_LINK_FULL, -ENOMEM; and one from the
 * other side. */
int talk_texts_send(struct talk_link *t, struct bytes message);
void talk_texts_take(struct talk_link *t, struct bytes message);

/* What was said and is not delivered is told; nothing is kept. */
void talk_texts_undelivered(struct talk_link *t);

/* A message of compare's; and there are no words. */
void talk_words_take(struct talk_link *t, struct bytes message);
void talk_words_none(struct talk_link *t, enum trouble_kind kind, const char *words);

#endif

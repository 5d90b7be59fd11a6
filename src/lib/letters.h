#ifndef KITH_LIB_LETTERS_H
#define KITH_LIB_LETTERS_H

/* A handle's letters (client/post.h). Those that come wait among its messages, and stay with
 * the hub until they are claimed. Those of whom the handle does not accept are left there. */

#include "lib/handle.h"
#include "lib/messages.h"
#include "meet/postman.h"

struct letters {
    struct kith *k;
    struct messages *messages;
    struct post post;
    struct postman postman;
    uv_timer_t later; /* some could not be taken now */
    bool sending;
    enum kith_result sent;
};

/* For who will be present there. What is no KITH_OK is noted. letters_close, before the loop
 * ends, and letters_fini follow in any case. */
enum kith_result letters_open(struct letters *l, struct kith *k, struct presence *presence,
                              struct messages *messages, uv_loop_t *loop);
void letters_close(struct letters *l);
void letters_fini(struct letters *l);

/* Those that wait are wanted, or others are accepted than before. */
void letters_look(struct letters *l);

/* The letter is about to be given to the program: from now on it never comes again. False where
 * another program of this device had it meanwhile, or has them in hand. */
bool letters_claim(struct letters *l, const struct random_id *id);

/* Sends one, while `sending`. Not KITH_OK: nothing is sent. */
enum kith_result letters_send(struct letters *l, struct bytes name, struct bytes text);

/* What became of it, noted; KITH_NOTHING where that is not known. */
enum kith_result letters_end_sending(struct letters *l);

#endif

#ifndef KITH_MEET_POSTMAN_H
#define KITH_MEET_POSTMAN_H

/* Carries letters (client/post.h) between a post and the hub its owner is present on, and keeps
 * for it in the profile. The owner's post, too, is open between postman_open and postman_close.
 */

#include "base/buffer.h"
#include "meet/postbag.h"
#include "meet/presence.h"

struct postman {
    struct presence *presence;
    struct post *post;
    struct postbag bag;
    struct buffer asked; /* the numbers of the post's requests under way, uint64_t each */
};

/* Opens the post, for who is, or will be, present there. chronicle: the owner's, or NULL.
 * postman_close follows in any case; it is safe on zeroed memory. */
enum trouble_kind postman_open(struct postman *m, struct post *post,
                               const struct post_handler *handler, struct presence *presence,
                               const struct self *self, struct chronicle *chronicle,
                               struct trouble *ret);
void postman_close(struct postman *m);

/* What a post_handler's request does. -ENOMEM. */
int postman_ask(struct postman *m, const struct bytes *argv, size_t argc);

/* What a presence_handler is told: READY; lost; answered, true where that is the post's. */
void postman_ready(struct postman *m);
void postman_lost(struct postman *m);
bool postman_answered(struct postman *m, uint64_t number, const struct resp_value *values,
                      size_t count);

#endif

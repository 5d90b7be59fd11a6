#ifndef KITH_KITH_VISIT_FILES_H
#define KITH_KITH_VISIT_FILES_H

/* Files in a visit: what the person sends to who is in front, what others offer, and what is
 * unfinished, which goes on with a talk; who it is for is asked to talk where he is there. The
 * owner embeds it beside its visit and talks. */

#include "client/visit.h"
#include "kith/session.h"
#include "kith/transfer_show.h"

struct visit_files {
    struct visit *visit;
    struct transfers transfers;
    struct transfer_show show;
    uint64_t cap;   /* who is in front may send so much unasked; 0: nothing */
    bool has_place; /* where it goes is known: */
    char into[PATH_MAX];
    struct instant go_on; /* not before: who has unfinished ones is asked */
};

/* accept: the size in what --accept says, or NULL. */
void visit_files_init(struct visit_files *f, struct visit *v, struct session *s,
                      const char *accept);

/* The hub is known: from now on there are transfers. Nothing the second time. What is wrong is
 * said. */
void visit_files_open(struct visit_files *f, struct talks *talks, struct session *s,
                      uv_loop_t *loop);
void visit_files_close(struct visit_files *f);
void visit_files_fini(struct visit_files *f);

/* The visit's handler: */
void visit_files_send(struct visit_files *f, struct bytes path);
bool visit_files_answer(struct visit_files *f, struct bytes name, bool accepts);
void visit_files_tell(struct visit_files *f);
void visit_files_cancel(struct visit_files *f, struct bytes id);

/* The talks': */
void visit_files_begun(struct visit_files *f, const char *name);
void visit_files_noted(struct visit_files *f, struct talk_link *l, struct bytes message);

/* Now and then, in the visit: asks whom something unfinished is for. */
void visit_files_tick(struct visit_files *f);

#endif

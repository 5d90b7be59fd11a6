#ifndef KITH_BENCH_PARTNER_H
#define KITH_BENCH_PARTNER_H

/* One of two devices in a session (peer/peer_session.h), over real sockets: the lines it dialed
 * and took, each a path of the session once TLS has agreed. Whoever waits polls for all its
 * lines, and then calls partner_move. */

#include "line.h"

#include "peer/peer_session.h"
#include "peer/talk.h"

enum { PARTNER_LINES = 8 };

struct partner {
    struct peer_session session;
    struct talk talk;
    struct line lines[PARTNER_LINES]; /* tls NULL: none */
    enum proof_role roles[PARTNER_LINES];
    bool is_path[PARTNER_LINES];
    unsigned paths[PARTNER_LINES];
    bool is_open;

    /* A text has come, or all up to id were shown; texts, one after another, of one move. */
    void (*heard)(struct partner *p, const struct talk_event *e);
    void *ctx;
};

/* The session of the devices own and other (device.h) under that id. */
void partner_begin(struct partner *p, const struct random_id *id, uint64_t own, uint64_t other);
void partner_end(struct partner *p);

/* Configs for both ends of a line of that device. */
struct tls_config *partner_config(enum proof_role role, uint64_t own);

/* Where the next line is to be opened by line_dial or line_take; the role is what this end is.
 */
struct line *partner_add(struct partner *p, enum proof_role role);

/* Everything that can be done without waiting. */
void partner_move(struct partner *p);

/* False where it has to wait for what was said before to arrive. */
bool partner_say(struct partner *p, struct bytes text);
void partner_show(struct partner *p, uint64_t id);

#endif

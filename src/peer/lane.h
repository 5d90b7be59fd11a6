#ifndef KITH_PEER_LANE_H
#define KITH_PEER_LANE_H

/* The messages of one channel of a session, above connections: what was said is numbered from 0
 * and kept until the other side has acknowledged it; what is heard is taken in order, once.
 *
 * At most LIMIT_PEER_UNACKED_MESSAGES are kept, of LIMIT_PEER_UNACKED_BYTES together. */

#include "base/bytes.h"
#include "base/list.h"

enum { LANE_FULL = 1, LANE_WRONG = 2 };

struct lane_message {
    struct list link; /* of the lane's queue */
    uint64_t number;
    size_t len;
    uint8_t data[];
};

struct lane {
    struct list queue; /* said, not acknowledged, in order */
    struct list *at; /* the first of them not written on the connection in use; &queue: none */
    uint64_t said;   /* the number the next message gets */
    uint64_t kept;   /* messages before this one are acknowledged; kept <= said */
    size_t count, bytes; /* of the queue */
    bool is_wanted;      /* something was refused, LANE_FULL, since there was room */
    uint64_t heard;      /* the number expected next from the other side */
};

void lane_init(struct lane *l);
void lane_fini(struct lane *l);

/* Keeps a copy of the message. LANE_FULL, -ENOMEM. */
int lane_say(struct lane *l, struct bytes message);

/* The next message to write, NULL where all are; lane_wrote moves on to the one after. */
struct lane_message *lane_next(const struct lane *l);
void lane_wrote(struct lane *l);

/* Everything before `number` has arrived there. LANE_WRONG where that much was never said. */
int lane_acknowledge(struct lane *l, uint64_t number);

/* From here on what is kept is written once more, on another connection. */
void lane_rewind(struct lane *l);

/* A message of that number has come: true where it is the next one; false where it came before.
 * LANE_WRONG in *ret where one before it is missing, which no honest side lets happen. */
bool lane_hear(struct lane *l, uint64_t number, int *ret);

/* Is there, again, room for what was refused? Says so once. */
bool lane_has_room_again(struct lane *l);

#endif

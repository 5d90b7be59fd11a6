#ifndef KITH_PEER_PEER_SESSION_INNER_H
#define KITH_PEER_PEER_SESSION_INNER_H

/* What the files of a session share: peer_session.c, its life and time; peer_session_paths.c,
 * which path is used; peer_session_frames.c, frames in and out. */

#include "peer/peer_session.h"

#define PEER_BIT(n) (1u << (n))

/* The types of frames. Control frames are written before messages, lowest first. */
enum {
    FRAME_PROOF = 1,
    FRAME_NOMINATE = 2, /* generation, talk heard, bulk heard */
    FRAME_RESUME = 3,   /* the same */
    FRAME_WANT = 4,     /* generation */
    FRAME_ACK = 5,      /* talk heard, bulk heard */
    FRAME_PING = 6,
    FRAME_PONG = 7,
    FRAME_CLOSE = 8,
    FRAME_TALK = 16, /* number, message */
    FRAME_BULK = 17,
};

void peer_session_set_state(struct peer_session *s, enum peer_session_state state);
void peer_session_raise(struct peer_session *s, enum peer_event_type type);
void peer_session_end(struct peer_session *s, enum peer_close close);

void peer_path_set_state(struct peer_session *s, struct peer_path *p,
                         enum peer_path_state state);
/* Something was said and is not acknowledged. */
bool peer_session_is_waiting(const struct peer_session *s);

bool peer_path_is_proven(const struct peer_path *p);
void peer_path_drop(struct peer_session *s, struct peer_path *p, enum peer_drop why);
void peer_path_free(struct peer_session *s, struct peer_path *p);

/* The other side's proof was right. */
void peer_path_proven(struct peer_session *s, struct peer_path *p);

/* p is used from now on: what is kept is said again on it. */
void peer_path_use(struct peer_session *s, struct peer_path *p);

/* The first side's choice. */
void peer_path_choose(struct peer_session *s, struct peer_path *p);

/* One frame, of a path that is not DROPPED. */
void peer_session_take(struct peer_session *s, struct peer_path *p, uint8_t type,
                       struct bytes payload);

/* Writes what may be written to p's output now. */
int peer_session_fill(struct peer_session *s, struct peer_path *p);

#endif

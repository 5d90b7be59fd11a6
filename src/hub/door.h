#ifndef KITH_HUB_DOOR_H
#define KITH_HUB_DOOR_H

/* Doors translate: bytes of a connection into commands, in its dialect. The first bytes choose
 * which (door_sniff); door_text and door_resp run one message each. */

#include "hub/command.h"
#include "hub/connection.h"

enum door {
    DOOR_UNDECIDED, /* more bytes are needed */
    DOOR_TEXT,
    DOOR_RESP,
    DOOR_TLS,
    DOOR_NONE, /* closed: no door for this */
};

/* ended: no more bytes will come for this decision. */
enum door door_sniff(struct bytes in, bool ended);

enum {
    DOOR_DONE = 0,  /* one message was taken and its reply, if any, is written */
    DOOR_MORE = 1,  /* no whole message */
    DOOR_REST = 2,  /* a message is there, and may run later (connection->rests says why) */
    DOOR_CLOSE = 3, /* the reply, if any, is the last: drain */
    DOOR_ABORT = 4, /* close at once, with no answer */
    DOOR_PIECE = 5, /* a piece of its reply, if any, is written; it goes on in the next turn */
};

/* Takes the message at the front of in; on DOOR_DONE and DOOR_CLOSE *ret_consumed is its
 * length. reply is empty and ready to be written to. */
int door_text(struct connection *c, struct bytes in, struct reply *reply, size_t *ret_consumed);
int door_resp(struct connection *c, struct bytes in, struct reply *reply, size_t *ret_consumed);

/* For the two doors: runs a call, and says what becomes of its message. */
int door_run(struct call *call);

/* For the two doors: a message that looks like HTTP. Logged; what was owed before it still
 * leaves, nothing after it is read. Always DOOR_CLOSE. */
int door_refuse_http(struct connection *c);

#endif

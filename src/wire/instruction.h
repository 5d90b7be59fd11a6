#ifndef KITH_WIRE_INSTRUCTION_H
#define KITH_WIRE_INSTRUCTION_H

/* What a member says to a hub in text: a verb in upper case and its arguments, separated by
 * blanks, or VERB<ARGUMENTS>. The verbs are a closed list; anything else is not an instruction.
 *
 *     GET_CLIENT_LIST   WHO   GET_CLIENT_INFO name   MEET name [address ...]
 *     ACCEPT id [address ...]   DECLINE id [BUSY]   CANCEL id   DISCONNECT_CLIENT */

#include "base/bytes.h"

enum { INSTRUCTION_WORDS_MAX = 18 };

struct instruction {
    struct bytes words[INSTRUCTION_WORDS_MAX]; /* the verb first; they point into the message */
    size_t count;
};

/* False where it is none, or has too many words. */
bool instruction_parse(struct bytes message, struct instruction *ret);

#endif

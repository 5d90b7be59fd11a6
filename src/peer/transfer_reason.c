#include "peer/transfer_reason.h"

#include <stddef.h>

static const struct {
    const char *text;
    enum { STUCK, PASSES, FINAL } then;
} reasons[TRANSFER_REASONS] = {
    [TRANSFER_REASON_NONE] = {"for no reason", FINAL},
    [TRANSFER_DECLINED] = {"declined", FINAL},
    [TRANSFER_CANCELLED] = {"cancelled", FINAL},
    [TRANSFER_PAUSED] = {"paused", STUCK},
    [TRANSFER_NAME_TAKEN] = {"there is something of that name", STUCK},
    [TRANSFER_NAME_REFUSED] = {"a name that no file can have there", STUCK},
    [TRANSFER_NO_ROOM] = {"no room on the disk", PASSES},
    [TRANSFER_TOO_MUCH] = {"more than was accepted", STUCK},
    [TRANSFER_DISK_FAILED] = {"the disk failed", STUCK},
    [TRANSFER_SOURCE_FAILED] = {"what is sent cannot be read", STUCK},
    [TRANSFER_SOURCE_CHANGED] = {"what is sent has changed", STUCK},
    [TRANSFER_SOURCE_GONE] = {"what is sent is there no more", STUCK},
    [TRANSFER_BROKEN] = {"the other side breaks the protocol", FINAL},
    [TRANSFER_DIFFERS] = {"what arrived is not what was sent", FINAL},
    [TRANSFER_UNKNOWN] = {"nothing is known of it there", FINAL},
    [TRANSFER_BUSY] = {"another kith of that device carries it", PASSES},
    [TRANSFER_RELAYED] = {"there is only the relay, which carries no files", PASSES},
    [TRANSFER_NOT_HERE] = {"that kith takes no files", FINAL},
};

static bool is_known(enum transfer_reason reason)
{
    return (unsigned)reason < TRANSFER_REASONS;
}

const char *transfer_reason_text(enum transfer_reason reason)
{
    return is_known(reason) ? reasons[reason].text : "for a reason of a later version";
}

bool transfer_reason_passes(enum transfer_reason reason)
{
    return is_known(reason) && reasons[reason].then == PASSES;
}

bool transfer_reason_is_final(enum transfer_reason reason)
{
    return is_known(reason) && reasons[reason].then == FINAL;
}

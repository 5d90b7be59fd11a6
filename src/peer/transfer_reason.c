#include "peer/transfer_reason.h"

#include <stddef.h>

static const struct {
    const char *text;
    bool passes;
} reasons[TRANSFER_REASONS] = {
    [TRANSFER_REASON_NONE] = {"for no reason", false},
    [TRANSFER_DECLINED] = {"declined", false},
    [TRANSFER_CANCELLED] = {"cancelled", false},
    [TRANSFER_PAUSED] = {"paused", true},
    [TRANSFER_NAME_TAKEN] = {"there is something of that name", false},
    [TRANSFER_NAME_REFUSED] = {"a name that no file can have there", false},
    [TRANSFER_NO_ROOM] = {"no room on the disk", true},
    [TRANSFER_TOO_MUCH] = {"more than was accepted", false},
    [TRANSFER_DISK_FAILED] = {"the disk failed", true},
    [TRANSFER_SOURCE_FAILED] = {"what is sent cannot be read", true},
    [TRANSFER_SOURCE_CHANGED] = {"what is sent has changed", false},
    [TRANSFER_SOURCE_GONE] = {"what is sent is there no more", false},
    [TRANSFER_BROKEN] = {"the other side breaks the protocol", false},
    [TRANSFER_DIFFERS] = {"what arrived is not what was sent", false},
    [TRANSFER_UNKNOWN] = {"nothing is known of it there", false},
    [TRANSFER_BUSY] = {"another kith of that device carries it", true},
    [TRANSFER_RELAYED] = {"there is only the relay, which carries no files", true},
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
    return is_known(reason) && reasons[reason].passes;
}

#ifndef KITH_CLIENT_NOTICE_H
#define KITH_CLIENT_NOTICE_H

/* What a hub tells its members unasked, as RESP3 pushes:
 *
 *     online NAME     offline NAME     letter
 *     invited ID NAME FINGERPRINT KEY
 *     introduced ID NAME FINGERPRINT KEY SIDE SEEN CANDIDATE...
 *     declined ID NAME REASON
 *     relay ID         unbelieved ID
 *     revoked NAME FINGERPRINT KEY
 *     added FINGERPRINT LABEL...
 *
 * Names are accounts' names, ids are a random_id's text, a key is in base64url, and the
 * fingerprint is its own; SIDE is dials or answers. Anything else is no notice. Which key
 * somebody ought to have is for others to judge. */

#include "base/bytes.h"
#include "base/fingerprint.h"
#include "base/random_id.h"
#include "people/account_name.h"
#include "people/device.h"
#include "wire/resp_reply.h"

enum { NOTICE_CANDIDATES = 16, NOTICE_ADDRESS_BYTES = 64 };

enum notice_kind {
    NOTICE_ONLINE,
    NOTICE_OFFLINE,
    NOTICE_INVITED,
    NOTICE_INTRODUCED,
    NOTICE_DECLINED,
    NOTICE_RELAY,      /* the other of that introduction waits at the relay */
    NOTICE_UNBELIEVED, /* likewise: does not believe that this device is its owner's */
    NOTICE_LETTER,
    NOTICE_REVOKED, /* that device is no longer one of his */
    NOTICE_ADDED,   /* a device is one's own account's from now on */
};

struct notice {
    enum notice_kind kind;
    struct bytes name;                  /* of those with a NAME */
    struct bytes id;                    /* of those with an ID */
    struct bytes reason;                /* of DECLINED */
    struct public_key key;              /* of INVITED, INTRODUCED, REVOKED */
    struct fingerprint print;           /* likewise, and of ADDED */
    char label[DEVICE_LABEL_BYTES + 1]; /* of ADDED: what the device is called; may be empty */
    bool dials;                         /* of INTRODUCED: the hint */
    struct bytes seen; /* of INTRODUCED: where the hub sees the other, or nothing */
    struct bytes candidates[NOTICE_CANDIDATES];
    size_t candidate_count;
};

/* A notice with its texts, but a reason; it stays where it is. */
enum {
    NOTICE_KEPT_BYTES =
        ACCOUNT_NAME_BYTES + RANDOM_ID_TEXT_LEN + (NOTICE_CANDIDATES + 1) * NOTICE_ADDRESS_BYTES
};
struct notice_kept {
    struct notice notice; /* its texts point into: */
    char texts[NOTICE_KEPT_BYTES];
};
void notice_keep(struct notice_kept *k, const struct notice *n);

/* Why somebody does not talk, to be read after his name: what a DECLINED's reason means. */
const char *notice_refusal(struct bytes reason);

/* values are a push's, itself first. Texts of the notice point into it. False where it is none.
 */
bool notice_parse(const struct resp_value *values, size_t count, struct notice *ret);

#endif

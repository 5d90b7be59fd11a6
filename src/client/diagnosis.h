#ifndef KITH_CLIENT_DIAGNOSIS_H
#define KITH_CLIENT_DIAGNOSIS_H

/* Which ways there are from this device to somebody's and back, as `kith doctor` tells it: each
 * address the other has named, why it was not dialed or what became of it; what has come in
 * from there; the relay; and what follows from all of it.
 *
 * The other side's own attempts that failed are not known here: nobody tells those. */

#include "client/finding.h"
#include "client/notice.h"
#include "peer/dialing.h"
#include "people/account_name.h"

enum diagnosis_way {
    DIAGNOSIS_DIRECT,
    DIAGNOSIS_RELAYED, /* nothing direct */
    DIAGNOSIS_NONE
};

/* An address the other has named. */
struct diagnosis_path {
    char text[NOTICE_ADDRESS_BYTES + 1]; /* as it was named */
    struct endpoint at;                  /* where the verdict is GOOD */
    enum candidate_verdict verdict;
    bool is_near; /* in a subnet of one's own; else it is where the hub sees the other */
    enum dialing_outcome outcome;
    int64_t ms; /* that it took; below 0: it was not to its end */
};

enum { DIAGNOSIS_CAME = 8 };

struct diagnosis {
    char name[ACCOUNT_NAME_BYTES + 1]; /* the other's */
    size_t offered;                    /* own addresses the other was told */
    struct diagnosis_path paths[NOTICE_CANDIDATES];
    size_t path_count;
    struct net_address came[DIAGNOSIS_CAME]; /* from where the other has connected, once each */
    size_t came_count;
    enum dialing_outcome relay;
    int64_t relay_ms;
};

/* Of an introduction: its addresses are judged by the rules. */
void diagnosis_init(struct diagnosis *d, const struct notice *n,
                    const struct candidate_rules *rules, size_t offered);

/* The other side has connected from there, and was proven to be it. */
void diagnosis_came(struct diagnosis *d, const struct net_address *from);

/* What was tried has come to its end. */
void diagnosis_take(struct diagnosis *d, const struct dialing *tried);

enum diagnosis_way diagnosis_way(const struct diagnosis *d);

/* The finding of that index from 0, the last of which is the conclusion; false: there is none.
 */
bool diagnosis_finding(const struct diagnosis *d, size_t index, struct finding *ret);

#endif

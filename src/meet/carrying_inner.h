#ifndef KITH_MEET_CARRYING_INNER_H
#define KITH_MEET_CARRYING_INNER_H

/* What the files of carrying share: carrying.c, its order, and what it lists; carrying_send.c,
 * carrying_receive.c; carrying_stream.c, frames on the connection, and what it waits for. */

#include "base/limits.h"
#include "base/time.h"
#include "io/outbox_files.h"
#include "io/secret_stream.h"
#include "meet/carrier.h"
#include "meet/carrying.h"
#include "peer/inbox.h"
#include "peer/transfer_note.h"
#include "wire/peer_frame.h"

struct carrying {
    enum carrying_order what; /* 0: the order was none */
    struct random_id id;
    uint8_t secret[TRANSFER_SECRET_BYTES];
    bool sha256;
    char into[PATH_MAX];
    enum inbox_rule rule;
    uint64_t cap, entries, bytes;
    char **paths;
    size_t path_count, path_room;
    struct outbox_files_keys keys;
    char as[TRANSFER_NAME_BYTES + 1];
    int list, spool, input, connection; /* descriptors; -1: none */
    bool dialed;                        /* the connection was, from here, or counts so */
    struct net_address to;
    uint16_t port;
    struct preamble preamble;

    struct buffer news;  /* a piece that is being made */
    struct buffer batch; /* pieces that are not told yet */
    int failed;

    struct secret_stream stream;
    struct buffer in;    /* not yet whole frames */
    struct instant told; /* how far it is */
    uint64_t waited_ns;  /* for the connection, since then */
    uint64_t used_ns;    /* of the processor, until then */
    uint64_t refused_us; /* that the other side's window was full, until then */
};

/* News: begun, filled, told. */
struct buffer *carrying_begin(struct carrying *c, enum carrier_news what);
void carrying_number(struct carrying *c, uint64_t number);
void carrying_bytes(struct carrying *c, struct bytes data);
void carrying_tell(struct carrying *c);       /* at once */
void carrying_tell_later(struct carrying *c); /* with what is told next, or soon */
void carrying_end(struct carrying *c, enum carrier_end how, enum transfer_reason reason,
                  const char *words);

/* The connection, no byte of it read yet. -errno. */
int carrying_connect(struct carrying *c);

/* carrying_stream.c. Both ends have agreed; it was told. A secret_stream's conditions. */
int carrying_agree(struct carrying *c);

/* Reads what is there, waiting for it. CARRYING_ENDED: the other side says no more. */
enum { CARRYING_ENDED = 3 };
int carrying_read(struct carrying *c, size_t most);

/* Waits until there is something to read, until then at most. */
bool carrying_await(struct carrying *c, struct instant until);

/* The next whole frame of what was read, at most max bytes of payload; it holds until the next
 * carrying_read. False: none; *ret_broken where there never will be. */
bool carrying_frame(struct carrying *c, size_t max, struct peer_frame *ret, bool *ret_broken);

int carrying_write(struct carrying *c, struct buffer *out);

/* Says that nothing more comes from here, and reads until the other side says so, too, for a
 * while. */
void carrying_part(struct carrying *c);

/* Is it time to tell how far it is? */
bool carrying_is_due(struct carrying *c);
void carrying_tell_progress(struct carrying *c, uint64_t entries, uint64_t bytes, uint64_t kept,
                            struct bytes path);

/* The connection failed: CUT, in words. */
void carrying_cut(struct carrying *c, int error);

/* What they do. */
void carrying_send(struct carrying *c);
void carrying_receive(struct carrying *c);

#endif

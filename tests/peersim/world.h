#ifndef KITH_TESTS_PEERSIM_WORLD_H
#define KITH_TESTS_PEERSIM_WORLD_H

/* Two devices, and what may happen between them, a seed at a time: connections that are late,
 * cut in silence or closed, networks that part, addresses that change, a relay that comes and
 * goes, and somebody who sits at the other end of a connection and is not who he should be.
 * Then all heals. At every step it is checked that each message arrives in order and once, that
 * nothing is believed before the proof and nothing of a wrong key, and that memory is bounded;
 * at the end, that all that was said has arrived, and that both sides agree it is over. */

#include "../sim/trace.h"
#include "peer/dialing.h"
#include "peer/peer_session.h"

enum { LINKS = 64, CANDIDATES = 4, PIPE_BYTES = 256 * 1024 };

/* What happens to who dials a candidate. */
enum reach { REACH_WORKS, REACH_REFUSED, REACH_SILENT, REACH_WRONG_KEY, REACH_NO_PROOF };

struct chunk {
    struct list link;
    struct instant at; /* when it arrives */
    size_t len;
    uint8_t data[];
};

/* One direction of a connection, to[side]. */
struct pipe {
    struct list chunks;
    size_t bytes;
    struct instant last;
    struct buffer in; /* arrived, not consumed */
    bool is_closed;   /* by who writes; told at closes_at, behind the chunks */
    struct instant closes_at;
};

/* A connection. Of an impostor's, only one end is a device. */
struct link {
    bool is_there;
    enum peer_path_kind kind;
    enum reach reach;
    unsigned dialer;
    int candidate; /* -1: the relay, or an impostor's */
    struct instant opens_at;
    bool is_open, is_cut;
    uint8_t exporter[2][PROOF_EXPORTER_BYTES];
    bool is_attached[2];
    unsigned path[2];
    struct pipe to[2];
};

struct side {
    struct pair pair;
    struct peer_session session;
    struct dialing dialing;
    enum reach reach[CANDIDATES];
    bool wants_relay;
    struct instant wants_until;
    struct instant called_at; /* the hub says then that the other waits; INSTANT_NEVER */
    bool is_over;
    uint64_t said[PEER_CHANNELS], heard[PEER_CHANNELS];
};

struct world {
    struct trace trace;
    uint64_t chance;
    struct instant now, next_action;
    bool parted, relay_is_up, healed;
    uint64_t delay_ms; /* at most */
    struct side sides[2];
    struct link links[LINKS];
    struct buffer heard_proofs; /* of true connections, for the impostor */
    uint64_t switches, messages;
};

static inline uint64_t draw(struct world *w, uint64_t of)
{
    uint64_t z = w->chance += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % of;
}

static inline struct instant later(struct world *w, uint64_t ms_max)
{
    return instant_after_ms(w->now, draw(w, ms_max + 1));
}

/* Plays a seed to its end; returns how many messages arrived. */
uint64_t world_play(uint64_t seed, bool verbose, uint64_t *ret_switches);

/* The two talk directly; then nothing gets through any more but over the relay, and only one of
 * them notices: a connection of his breaks. How many ms until what he says then is heard. */
uint64_t world_measure_return(uint64_t seed, bool verbose);

/* ---- links.c ---- */

struct link *link_open(struct world *w, enum peer_path_kind kind, unsigned dialer,
                       int candidate, enum reach reach);
void link_free(struct link *l);

/* A side closes its end. */
void link_close(struct world *w, struct link *l, unsigned side);

/* What was open is no longer heard of, in either direction. */
void link_cut(struct world *w, struct link *l);

struct instant link_next(const struct link *l);

/* Lets happen what is due. */
void link_run(struct world *w, struct link *l);

/* Takes what the session has for it. */
void link_pump(struct world *w, struct link *l, unsigned side);

/* ---- world.c ---- */

void side_take_events(struct world *w, unsigned side);

#endif

#ifndef KITH_BENCH_RESPONDER_H
#define KITH_BENCH_RESPONDER_H

/* A server on a libuv loop that answers "+OK" to every command and does nothing else: what any
 * server on such a loop costs at the least.
 *
 * It does not parse. A command of the Redis protocol begins with '*', and where keys and values
 * have none in them, as those of redis-benchmark and of `fill`, there are as many commands as
 * stars. A message that begins with "*3" is taken for writes, any other for reads.
 *
 * What a write waits for is the `keep` of whoever made the responder: it is called with the
 * bytes that came and says up to which position they must be kept before they are answered.
 * Replies of a connection leave in order. Failures of the system end the program: it only
 * serves a benchmark. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

enum { RESPONDER_READ_BYTES = 65536 };

struct responder_connection {
    uv_tcp_t tcp;
    struct responder *responder;
    size_t owed;       /* replies not yet sent */
    uint64_t position; /* what they wait for */
    bool waits;
    TAILQ_ENTRY(responder_connection) waiting;
};

struct responder {
    uv_loop_t loop;
    uv_tcp_t listener;
    uint64_t (*keep)(void *context, const char *data, size_t len); /* NULL: nothing waits */
    void *context;
    TAILQ_HEAD(, responder_connection) waiting; /* by position */
    char input[RESPONDER_READ_BYTES];
    char replies[RESPONDER_READ_BYTES * 5]; /* "+OK\r\n" again and again */
};

void responder_init(struct responder *r);

/* A socket bound to 127.0.0.1:port, for one responder or several. */
int responder_bind(uint16_t port);

/* Takes connections from a copy of that socket. */
void responder_listen(struct responder *r, int socket);

/* Serves for good. */
void responder_run(struct responder *r);

/* Answers what waited for a position up to this one. */
void responder_kept(struct responder *r, uint64_t position);

/* The number in a program's argument, from 1 to max; ends the program where it is none. */
uint16_t responder_number(const char *argument, uint16_t max);

/* Ends the program with a message if the result of a call is negative. */
void responder_check(int result, const char *what);

#endif

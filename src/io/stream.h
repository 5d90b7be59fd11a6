#ifndef KITH_IO_STREAM_H
#define KITH_IO_STREAM_H

/* An accepted connection, TCP or Unix, on a libuv loop: reads into its owner's shared buffer,
 * writes at once what the socket takes, and copies only what it does not.
 *
 * The owner embeds the stream, and frees it no earlier than in handler.closed. */

#include "base/bytes.h"
#include "io/listener.h"

#include <uv.h>

struct stream;

struct stream_handler {
    /* Where the next input may be put; used until `read` returns. Of no length: nothing is read
     * before the loop comes round again. */
    uv_buf_t (*space)(struct stream *s);
    void (*read)(struct stream *s, struct bytes in);
    void (*end)(struct stream *s);  /* the other end sends no more */
    void (*fail)(struct stream *s); /* reset, or another error: only closing is left */
    void (*written)(struct stream *s, size_t n); /* of what stream_write kept */
    void (*closed)(struct stream *s);
};

struct stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    const struct stream_handler *handler;
    bool reading;
    bool closing;
    bool writing; /* bytes are kept that have not left */
};

/* Takes a connection that waits at an acceptor. 0, or -errno: handler.closed follows where
 * *ret_open, since the handle must be closed by the loop. */
int stream_accept(struct stream *s, struct acceptor *from, bool is_unix,
                  const struct stream_handler *handler, bool *ret_open);

/* Starts or stops reading. 0 or -errno. */
int stream_set_reading(struct stream *s, bool reading);

/* Writes. *ret_taken bytes are gone to the socket; where that is not all of them, some more
 * were copied, and handler.written reports them when the socket has taken those too: until then
 * the stream is writing, and nothing else may be written. 0 or -errno. */
int stream_write(struct stream *s, struct bytes out, size_t *ret_taken);

/* Closes. gently: what was written is let arrive before the rest of the input, unread, would
 * reset the connection; at most STREAM_LINGER_MS. */
enum { STREAM_LINGER_MS = 1000 };
void stream_close(struct stream *s, bool gently);

int stream_fd(const struct stream *s);

#endif

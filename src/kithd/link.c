#include "kithd/link.h"

#include "base/limits.h"
#include "io/address.h"
#include "io/keepalive.h"
#include "io/peer_uid.h"

#include <errno.h>
#include <stdlib.h>

struct link {
    struct stream stream; /* first: a stream is its link */
    struct link_owner *owner;
    struct connection *connection; /* NULL once the hub has forgotten it */
    bool waits;                    /* input of it is among the owner's */
};

static struct link *link_of(struct stream *s)
{
    return (struct link *)s;
}

static void forget(struct link *l, bool gently)
{
    connection_free(l->connection);
    l->connection = NULL;
    stream_close(&l->stream, gently);
}

/* ---- what the socket says ---- */

void link_feed_waiting(struct link_owner *owner)
{
    for (size_t i = 0; i < owner->waiting_count; i++)
        ((struct link *)owner->waiting[i].connection->user)->waits = false;
    hub_feed(owner->hub, owner->waiting, owner->waiting_count);
    owner->waiting_count = owner->waiting_bytes = 0;
}

static uv_buf_t on_space(struct stream *s)
{
    struct link *l = link_of(s);
    struct link_owner *owner = l->owner;
    owner->turn(owner);
    if (l->waits)
        return uv_buf_init(NULL, 0);
    uint8_t *space = owner->read_space + owner->waiting_bytes;
    size_t n = connection_space(l->connection, &space, LIMIT_READ_BYTES - owner->waiting_bytes);
    return uv_buf_init((char *)space, (unsigned)n);
}

/* Room for all that wait, and for a large input beside them. */
enum { SMALL_BYTES = LIMIT_READ_BYTES / 4 / LINK_INPUTS };

static void on_read(struct stream *s, struct bytes in)
{
    struct link *l = link_of(s);
    struct link_owner *owner = l->owner;
    if (in.len > SMALL_BYTES || in.data != owner->read_space + owner->waiting_bytes) {
        connection_feed(l->connection, in);
        return;
    }
    l->waits = true;
    owner->waiting_bytes += in.len;
    owner->waiting[owner->waiting_count++] = (struct hub_input){l->connection, in};
    if (owner->waiting_count == LINK_INPUTS)
        link_feed_waiting(owner);
}

static void on_end(struct stream *s)
{
    struct link *l = link_of(s);
    l->owner->turn(l->owner);
    link_feed_waiting(l->owner);
    stream_set_reading(s, false);
    connection_feed_end(l->connection);
}

static void on_fail(struct stream *s)
{
    link_feed_waiting(link_of(s)->owner);
    connection_abort(link_of(s)->connection);
}

static void on_written(struct stream *s, size_t n)
{
    struct link *l = link_of(s);
    l->owner->turn(l->owner);
    connection_sent(l->connection, n);
    hub_set_ready(l->connection);
}

static void on_closed(struct stream *s)
{
    struct link *l = link_of(s);
    struct link_owner *owner = l->owner;
    free(l);
    owner->gone(owner);
}

static const struct stream_handler handler = {
    .space = on_space,
    .read = on_read,
    .end = on_end,
    .fail = on_fail,
    .written = on_written,
    .closed = on_closed,
};

/* ---- what the hub says ---- */

static void write_output(struct link *l)
{
    struct connection *c = l->connection;
    while (!l->stream.writing && c->state != CONNECTION_CLOSED) {
        struct bytes out = connection_output(c);
        if (out.len == 0)
            return;
        size_t taken;
        if (stream_write(&l->stream, out, &taken) < 0) {
            connection_abort(c);
            return;
        }
        connection_sent(c, taken);
    }
}

void link_flush(struct connection *c)
{
    struct link *l = c->user;
    write_output(l);
    if (c->state == CONNECTION_CLOSED)
        forget(l, !c->aborted && !c->input_over);
    else if (stream_set_reading(&l->stream, connection_wants_input(c)) < 0)
        connection_abort(c);
}

void link_identify(struct connection *c)
{
    struct link *l = c->user;
    uint32_t uid = 0;
    int fd = stream_fd(&l->stream);
    bool known =
        c->peer.origin == ACCESS_UNIX ? peer_uid_unix(fd, &uid) : peer_uid_loopback(fd, &uid);
    connection_identified(c, known, uid);
}

/* ---- accepting ---- */

/* Nothing is kept of what nearly all connections of this machine come from. */
static bool is_usual_loopback(const struct net_address *a)
{
    static const struct net_address v4 = {{[10] = 0xff, 0xff, 127, 0, 0, 1}}, v6 = {{[15] = 1}};
    return net_address_equal(a, &v4) || net_address_equal(a, &v6);
}

/* False where the other end is gone already: it cannot be said who it was. */
static bool find_origin(const struct link *l, bool is_unix, struct access_peer *ret,
                        struct net_address *ret_address)
{
    struct address peer;
    if (is_unix) {
        ret->origin = ACCESS_UNIX;
        return true;
    }
    if (address_of_peer(stream_fd(&l->stream), &peer) < 0)
        return false;
    ret->origin = address_is_loopback(&peer) ? ACCESS_LOOPBACK : ACCESS_REMOTE;
    address_as_v6(&peer, ret_address->bytes);
    if (!is_usual_loopback(ret_address))
        ret->address = ret_address;
    if (ret->origin == ACCESS_REMOTE)
        keepalive_begin(stream_fd(&l->stream));
    return true;
}

int link_accept(struct link_owner *owner, struct acceptor *from,
                const struct listener *listener, bool replies_full, bool *ret_counts)
{
    struct link *l = calloc(1, sizeof *l);
    *ret_counts = false;
    if (!l)
        return -ENOMEM;
    l->owner = owner;
    int r = stream_accept(&l->stream, from, listener->is_unix, &handler, ret_counts);
    if (r < 0) {
        if (!*ret_counts)
            free(l);
        return r;
    }
    if (stream_fd(&l->stream) >= owner->descriptors_max) {
        stream_close(&l->stream, false);
        return -EMFILE;
    }
    owner->turn(owner);
    struct access_peer peer = {0};
    struct net_address address;
    if (!find_origin(l, listener->is_unix, &peer, &address)) {
        stream_close(&l->stream, false);
        return 0;
    }
    r = hub_accept(owner->hub, &peer, replies_full, &l->connection);
    if (r < 0) {
        stream_close(&l->stream, false);
        return r;
    }
    l->connection->user = l;
    hub_set_ready(l->connection);
    return 0;
}

#include "meet/arrivals.h"

#include "base/limits.h"
#include "io/clock.h"

#include <fcntl.h>
#include <unistd.h>

static struct talk_path *path_of(struct peer_line *l)
{
    return (struct talk_path *)((char *)l - offsetof(struct talk_path, line));
}

static bool is_expected(const struct arrivals *a, const struct public_key *key)
{
    list_foreach (at, a->links) {
        if (talk_link_expects(list_entry(at, struct talk_link, link), key))
            return true;
    }
    return false;
}

/* NULL: nobody's, or, where *ret_more, not to be told yet. */
static struct talk_link *find(const struct arrivals *a, struct talk_path *p, bool *ret_more)
{
    uint8_t exporter[PROOF_EXPORTER_BYTES];
    const struct public_key *key = peer_line_key(&p->line);
    *ret_more = false;
    if (!key || peer_line_export(&p->line, exporter) != 0)
        return NULL;
    list_foreach (at, a->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        enum peer_claim claim = talk_link_claim(l, key, exporter, buffer_view(&p->in));
        if (claim == PEER_CLAIM_OURS)
            return l;
        *ret_more = *ret_more || claim == PEER_CLAIM_MORE;
    }
    return NULL;
}

static void on_open(struct peer_line *line)
{
    struct talk_path *p = path_of(line);
    const struct public_key *key = peer_line_key(line);
    p->since = clock_instant();
    if (!key || !is_expected(p->owner, key))
        peer_line_close(line);
}

static void on_read(struct peer_line *line, struct bytes in)
{
    struct talk_path *p = path_of(line);
    struct arrivals *a = p->owner;
    bool more = false;
    struct talk_link *l = NULL;
    if (!line->open)
        return; /* it is being closed: what it says is nobody's */
    if (buffer_append_bytes(&p->in, in) == 0)
        l = find(a, p, &more);
    if (l) {
        a->count--;
        talk_link_take(l, p);
    } else if (!more) {
        peer_line_close(line);
    }
}

static void on_room(struct peer_line *line)
{
}

static void on_closed(struct peer_line *line)
{
    struct talk_path *p = path_of(line);
    struct arrivals *a = p->owner;
    list_remove(&p->link);
    talk_path_free(p);
    a->count--;
}

static const struct peer_line_handler line_handler = {
    .open = on_open, .read = on_read, .room = on_room, .closed = on_closed};

/* ---- who has not said yet what he wants ---- */

static struct arrivals *forget(struct newcomer *n)
{
    struct arrivals *a = n->owner;
    list_remove(&n->link);
    a->count--;
    return a;
}

static void on_gone(struct newcomer *n)
{
    forget(n);
}

static void on_tls(struct newcomer *n, int fd)
{
    struct arrivals *a = forget(n);
    struct talk_path *p = talk_path_new(TALK_PATH_TAKEN);
    if (!p) {
        close(fd);
        return;
    }
    p->owner = a;
    p->since = INSTANT_NEVER;
    if (peer_line_take(&p->line, a->ground->loop, fd, a->ground->answers, &line_handler) != 0) {
        talk_path_free(p);
        return;
    }
    list_append(&a->paths, &p->link);
    a->count++;
}

/* Looks at all, so that the time tells nothing. NULL: nobody expects it. */
static struct arrivals_expected *find_expected(const struct arrivals *a,
                                               const struct preamble *p)
{
    struct arrivals_expected *found = NULL;
    list_foreach (at, &a->expected) {
        struct arrivals_expected *e = list_entry(at, struct arrivals_expected, link);
        if (preamble_equal(&e->preamble, p))
            found = e;
    }
    return found;
}

static void on_data(struct newcomer *n, const struct preamble *p, int fd)
{
    struct arrivals_expected *e = find_expected(forget(n), p);
    int flags = fcntl(fd, F_GETFL);
    if (!e || flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) {
        close(fd);
        return;
    }
    list_remove(&e->link);
    e->came(e->context, fd);
}

static const struct newcomer_handler newcomer_handler = {
    .tls = on_tls, .data = on_data, .gone = on_gone};

static void on_arrived(struct peer_port *port)
{
    struct arrivals *a = (struct arrivals *)((char *)port - offsetof(struct arrivals, port));
    struct newcomer *n;
    int fd;
    if (a->count >= LIMIT_PEER_HANDSHAKES) {
        peer_port_refuse(port);
        return;
    }
    if (peer_port_accept(port, &fd) != 0 ||
        newcomer_new(&n, a->ground->loop, fd, &newcomer_handler, a) != 0)
        return;
    list_append(&a->newcomers, &n->link);
    a->count++;
}

void arrivals_expect(struct arrivals *a, struct arrivals_expected *e, const struct preamble *p,
                     void (*came)(void *context, int fd), void *context)
{
    *e = (struct arrivals_expected){.preamble = *p, .came = came, .context = context};
    list_append(&a->expected, &e->link);
}

void arrivals_unexpect(struct arrivals_expected *e)
{
    list_remove(&e->link);
}

/* ---- all of it ---- */

int arrivals_open(struct arrivals *a, uint16_t port, const struct talk_ground *ground,
                  struct list *links)
{
    *a = (struct arrivals){.ground = ground, .links = links};
    list_init(&a->newcomers);
    list_init(&a->paths);
    list_init(&a->expected);
    return peer_port_open(&a->port, ground->loop, port, on_arrived);
}

/* Those who have waited so long. */
static void close_newcomers(struct arrivals *a, uint64_t waited_ms, struct instant now)
{
    while (!list_is_empty(&a->newcomers)) {
        struct newcomer *n = list_entry(a->newcomers.next, struct newcomer, link);
        if (instant_after_ms(n->since, waited_ms).ns > now.ns)
            return;
        forget(n);
        newcomer_close(n);
    }
}

void arrivals_tick(struct arrivals *a, struct instant now)
{
    close_newcomers(a, LIMIT_CONNECT_MS, now);
    list_foreach (at, &a->paths) {
        struct talk_path *p = list_entry(at, struct talk_path, link);
        if (p->since.ns != INSTANT_NEVER.ns &&
            instant_after_ms(p->since, LIMIT_PEER_PROOF_MS).ns <= now.ns)
            peer_line_close(&p->line);
    }
}

void arrivals_close(struct arrivals *a)
{
    peer_port_close(&a->port);
    while (!list_is_empty(&a->expected))
        list_pop(&a->expected);
    close_newcomers(a, 0, INSTANT_NEVER);
    list_foreach (at, &a->paths)
        peer_line_close(&list_entry(at, struct talk_path, link)->line);
}

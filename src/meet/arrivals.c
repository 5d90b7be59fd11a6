#include "meet/arrivals.h"

#include "base/limits.h"
#include "io/clock.h"

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

static void on_arrived(struct peer_port *port)
{
    struct arrivals *a = (struct arrivals *)((char *)port - offsetof(struct arrivals, port));
    struct talk_path *p =
        a->count < LIMIT_PEER_HANDSHAKES ? talk_path_new(TALK_PATH_TAKEN) : NULL;
    if (!p) {
        peer_port_refuse(port);
        return;
    }
    p->owner = a;
    p->since = INSTANT_NEVER;
    if (peer_line_accept(&p->line, (uv_stream_t *)&port->tcp, a->ground->answers,
                         &line_handler) != 0) {
        talk_path_free(p);
        return;
    }
    list_append(&a->paths, &p->link);
    a->count++;
}

int arrivals_open(struct arrivals *a, uint16_t port, const struct talk_ground *ground,
                  struct list *links)
{
    *a = (struct arrivals){.ground = ground, .links = links};
    list_init(&a->paths);
    return peer_port_open(&a->port, ground->loop, port, on_arrived);
}

void arrivals_tick(struct arrivals *a, struct instant now)
{
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
    list_foreach (at, &a->paths)
        peer_line_close(&list_entry(at, struct talk_path, link)->line);
}

#include "hub/command.h"
#include "hub/hub.h"
#include "hub/introducer.h"
#include "hub/member.h"
#include "hub/relay.h"
#include "hub/subscriber.h"
#include "hub/transaction.h"

/* Becoming one end of a pipe. */

/* Everything it says will be for somebody else, so nothing may be told it meanwhile. */
static bool is_its_own(const struct connection *c)
{
    const struct subscriber *s = connection_subscriber(c);
    return !c->extra->attendant && !(s && s->first) && !connection_transaction(c);
}

/* Soon after they were introduced; later only while both are still present. */
static bool is_time(struct hub *hub, const struct introduction *i, bool fresh)
{
    struct directory *d = &hub->shared->directory;
    return fresh ||
           (directory_find(d, i->from.key, NULL) && directory_find(d, i->to.key, NULL));
}

static int enter(struct call *call, const struct introduction *i, int side)
{
    switch (relay_enter(call->connection, &i->id, (size_t)side)) {
    case 0:
        if (relay_waits(call->connection))
            introducer_tell_waits(call->hub->shared, i, side);
        return COMMAND_DONE;
    case RELAY_TOO_MANY:
        return command_error(call, "BUSY", "too many relays at once");
    case RELAY_QUOTA:
        return command_error(call, "QUOTA", "this hour's quota of the relay is used up");
    default:
        return command_error(call, "OOM", "out of memory");
    }
}

static int run_relay(struct call *call)
{
    struct connection *c = call->connection;
    const struct member *m = connection_member(c);
    struct random_id id;
    struct introduction i;
    bool fresh = false;
    if (call->hub->shared->config.relay == HUB_RELAY_OFF)
        return command_error(call, "NOPERM", "this hub does not relay");
    if (!m || !m->has_device || reply_is_text(call->reply))
        return command_error(call, "NODEVICE",
                             "the relay is for devices: connect by TLS with a member's "
                             "certificate, and speak RESP");
    if (!is_its_own(c))
        return command_error(call, "ERR", "a relay needs a connection of its own");
    int side = random_id_read(call->argv[1], &id)
                   ? introducer_find(call->hub, &id, m, &i, &fresh)
                   : -1;
    if (side < 0 || !is_time(call->hub, &i, fresh))
        return command_error_about(call, "you were not introduced under", call->argv[1]);
    return enter(call, &i, side);
}

static const struct command commands[] = {
    {"RELAY", 2, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_relay, NULL,
     "Becomes a pipe to who was introduced: id; +RELAY, or +RELAY ALL where files may go "
     "there, once both are there"},
};

const struct command_part commands_relay = {commands, sizeof commands / sizeof *commands};

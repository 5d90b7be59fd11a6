#include "hub/command.h"
#include "hub/hub.h"
#include "hub/introduced.h"
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

static bool is_side(const struct introduction_side *side, const struct member *m)
{
    return strcmp(side->key, m->key) == 0 &&
           memcmp(side->device.bytes, m->device.bytes, PUBLIC_KEY_BYTES) == 0;
}

/* Which side of it the member's device is; -1: none. */
static int find_side(const struct introduction *i, const struct member *m)
{
    if (is_side(&i->from, m))
        return 0;
    return is_side(&i->to, m) ? 1 : -1;
}

/* What this process knows of is in memory; what one before it knew, in the store. */
static bool find(struct hub *hub, const struct random_id *id, struct introduction *ret,
                 bool *ret_fresh)
{
    struct walltime since;
    if (introductions_find(&hub->shared->introductions, id, hub->now, ret) == 0) {
        *ret_fresh = instant_after_ms(ret->since, LIMIT_RELAY_FRESH_MS).ns > hub->now.ns;
        return true;
    }
    if (!introduced_find(hub->shared->store, hub->wall, id, ret, &since))
        return false;
    *ret_fresh = hub->wall.ms - since.ms < (int64_t)LIMIT_RELAY_FRESH_MS; /* neither is < 0 */
    return true;
}

/* Soon after they were introduced; later only while both are still present. */
static bool is_time(struct hub *hub, const struct introduction *i, bool fresh)
{
    struct directory *d = &hub->shared->directory;
    return fresh ||
           (directory_find(d, i->from.key, NULL) && directory_find(d, i->to.key, NULL));
}

static int enter(struct call *call, const struct introduction *i, size_t side)
{
    switch (relay_enter(call->connection, &i->id, side)) {
    case 0:
        if (relay_waits(call->connection))
            introducer_tell_waits(call->hub->shared, &i->id, side ? &i->from : &i->to);
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
    int side = random_id_read(call->argv[1], &id) && find(call->hub, &id, &i, &fresh)
                   ? find_side(&i, m)
                   : -1;
    if (side < 0 || !is_time(call->hub, &i, fresh))
        return command_error_about(call, "you were not introduced under", call->argv[1]);
    return enter(call, &i, (size_t)side);
}

static const struct command commands[] = {
    {"RELAY", 2, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_relay, NULL,
     "Becomes a pipe to who was introduced: id; +RELAY once both are there"},
};

const struct command_part commands_relay = {commands, sizeof commands / sizeof *commands};

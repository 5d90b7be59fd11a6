#include "peer/lane.h"

#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>

static struct lane_message *message_of(struct list *link)
{
    return list_entry(link, struct lane_message, link);
}

void lane_init(struct lane *l)
{
    *l = (struct lane){0};
    list_init(&l->queue);
    l->at = &l->queue;
}

void lane_fini(struct lane *l)
{
    if (!l->queue.next)
        return;
    for (struct list *link; (link = list_pop(&l->queue));)
        free(message_of(link));
    lane_init(l);
}

static bool is_full(const struct lane *l, size_t more)
{
    return l->count == LIMIT_PEER_UNACKED_MESSAGES ||
           more > LIMIT_PEER_UNACKED_BYTES - l->bytes;
}

int lane_say(struct lane *l, struct bytes message)
{
    if (is_full(l, message.len)) {
        l->is_wanted = true;
        return LANE_FULL;
    }
    struct lane_message *m = malloc(sizeof *m + message.len);
    if (!m)
        return -ENOMEM;
    *m = (struct lane_message){.number = l->said++, .len = message.len};
    if (message.len > 0)
        memcpy(m->data, message.data, message.len);
    list_append(&l->queue, &m->link);
    l->count++;
    l->bytes += m->len;
    if (l->at == &l->queue)
        l->at = &m->link;
    return 0;
}

struct lane_message *lane_next(const struct lane *l)
{
    return l->at == &l->queue ? NULL : message_of(l->at);
}

void lane_wrote(struct lane *l)
{
    l->at = l->at->next;
}

static void forget_first(struct lane *l)
{
    if (l->at == l->queue.next)
        l->at = l->at->next;
    struct lane_message *m = message_of(list_pop(&l->queue));
    l->count--;
    l->bytes -= m->len;
    free(m);
}

int lane_acknowledge(struct lane *l, uint64_t number)
{
    if (number > l->said)
        return LANE_WRONG;
    for (; l->kept < number; l->kept++)
        forget_first(l);
    return 0;
}

void lane_rewind(struct lane *l)
{
    l->at = l->queue.next;
}

bool lane_hear(struct lane *l, uint64_t number, int *ret)
{
    *ret = number > l->heard ? LANE_WRONG : 0;
    if (number != l->heard)
        return false;
    l->heard++;
    return true;
}

bool lane_has_room_again(struct lane *l)
{
    if (!l->is_wanted || l->count > LIMIT_PEER_UNACKED_MESSAGES / 2 ||
        l->bytes > LIMIT_PEER_UNACKED_BYTES / 2)
        return false;
    l->is_wanted = false;
    return true;
}

#include "base/number.h"
#include "peer/peer_session_inner.h"
#include "wire/peer_frame.h"

/* ---- in ---- */

static void broken(struct peer_session *s, struct peer_path *p)
{
    peer_path_drop(s, p, PEER_DROP_BROKEN);
}

enum peer_claim peer_session_claim(const struct peer_session *s, enum proof_role role,
                                   const struct public_key *key,
                                   const uint8_t exporter[PROOF_EXPORTER_BYTES],
                                   struct bytes in)
{
    struct peer_frame frame;
    size_t n;
    if (memcmp(key->bytes, s->pair.other.key.bytes, PUBLIC_KEY_BYTES) != 0)
        return PEER_CLAIM_NONE;
    int r = peer_frame_parse(in, LIMIT_PEER_PROOF_BYTES, &n, &frame);
    if (r == PEER_FRAME_MORE)
        return PEER_CLAIM_MORE;
    bool right = r == 0 && frame.type == FRAME_PROOF &&
                 proof_check(&s->pair, role, exporter, frame.payload);
    return right ? PEER_CLAIM_OURS : PEER_CLAIM_NONE;
}

static void take_proof(struct peer_session *s, struct peer_path *p, uint8_t type,
                       struct bytes payload)
{
    if (type == FRAME_PROOF && proof_check(&s->pair, p->role, p->exporter, payload))
        peer_path_proven(s, p);
    else
        peer_path_drop(s, p, PEER_DROP_UNPROVEN);
}

/* What the other side says to have. False where that is not so. */
static bool acknowledge(struct peer_session *s, const uint8_t *heard)
{
    for (size_t c = 0; c < PEER_CHANNELS; c++) {
        struct lane *l = &s->lanes[c];
        if (lane_acknowledge(l, number_get_be64(heard + 8 * c)) != 0)
            return false;
        if (lane_has_room_again(l)) {
            s->room |= PEER_BIT(c);
            peer_session_raise(s, PEER_EVENT_ROOM);
        }
    }
    s->waits = peer_session_is_waiting(s) ? s->now : INSTANT_NEVER;
    return true;
}

static void take_nominate(struct peer_session *s, struct peer_path *p, struct bytes payload)
{
    if (s->is_first || payload.len != 24) {
        broken(s, p);
        return;
    }
    uint64_t generation = number_get_be64(payload.data);
    if (generation <= s->generation)
        return; /* overtaken by a later one on another path */
    if (!acknowledge(s, payload.data + 8)) {
        broken(s, p);
        return;
    }
    s->generation = generation;
    peer_path_use(s, p);
}

static void take_resume(struct peer_session *s, struct peer_path *p, struct bytes payload)
{
    uint64_t generation = payload.len == 24 ? number_get_be64(payload.data) : UINT64_MAX;
    if (!s->is_first || generation > s->generation) {
        broken(s, p);
        return;
    }
    if (generation < s->generation || p->state != PEER_PATH_CHOSEN)
        return; /* another was chosen meanwhile */
    if (!acknowledge(s, payload.data + 8))
        broken(s, p);
    else
        peer_path_use(s, p);
}

/* The other side has lost the path that was nominated last, and proposes this one. */
static void take_want(struct peer_session *s, struct peer_path *p, struct bytes payload)
{
    if (!s->is_first || payload.len != 8)
        broken(s, p);
    else if (number_get_be64(payload.data) == s->generation)
        peer_path_choose(s, p);
}

static void take_ack(struct peer_session *s, struct peer_path *p, struct bytes payload)
{
    if (payload.len != 16 || !acknowledge(s, payload.data))
        broken(s, p);
}

static void take_close(struct peer_session *s, struct peer_path *p, struct bytes payload)
{
    if (payload.len != 0 || !p->may_carry) {
        broken(s, p);
        return;
    }
    bool agreed = s->state == PEER_SESSION_CLOSING;
    if (!s->close_is_written || p != s->used)
        p->due |= PEER_BIT(FRAME_CLOSE);
    peer_session_end(s, agreed ? PEER_CLOSE_AGREED : PEER_CLOSE_BY_OTHER);
}

static void take_message(struct peer_session *s, struct peer_path *p, enum peer_channel channel,
                         struct bytes payload)
{
    int wrong;
    if (!p->may_carry || payload.len < 8 || payload.len - 8 > LIMIT_PEER_MESSAGE_BYTES) {
        broken(s, p);
        return;
    }
    s->ack_is_due = true;
    if (lane_hear(&s->lanes[channel], number_get_be64(payload.data), &wrong)) {
        s->heard = (struct peer_event){.type = PEER_EVENT_MESSAGE,
                                       .channel = channel,
                                       .message = bytes_from(payload, 8),
                                       .path = (unsigned)(p - s->paths)};
        peer_session_raise(s, PEER_EVENT_MESSAGE);
    } else if (wrong != 0) {
        broken(s, p);
    }
}

void peer_session_take(struct peer_session *s, struct peer_path *p, uint8_t type,
                       struct bytes payload)
{
    if (p->state == PEER_PATH_PROVING) {
        take_proof(s, p, type, payload);
        return;
    }
    switch (type) {
    case FRAME_PROOF:
        broken(s, p);
        break;
    case FRAME_NOMINATE:
        take_nominate(s, p, payload);
        break;
    case FRAME_RESUME:
        take_resume(s, p, payload);
        break;
    case FRAME_WANT:
        take_want(s, p, payload);
        break;
    case FRAME_ACK:
        take_ack(s, p, payload);
        break;
    case FRAME_PING:
        p->due |= PEER_BIT(FRAME_PONG);
        break;
    case FRAME_CLOSE:
        take_close(s, p, payload);
        break;
    case FRAME_TALK:
        take_message(s, p, PEER_TALK, payload);
        break;
    case FRAME_BULK:
        take_message(s, p, PEER_BULK, payload);
        break;
    default:
        break; /* a PONG, or what a later version says besides */
    }
}

/* ---- out ---- */

static uint8_t *put_heard(const struct peer_session *s, uint8_t *at)
{
    for (size_t c = 0; c < PEER_CHANNELS; c++, at += 8)
        number_put_be64(at, s->lanes[c].heard);
    return at;
}

static int write_control(const struct peer_session *s, struct peer_path *p, uint8_t type)
{
    uint8_t payload[PROOF_BYTES], *end = payload;
    if (type == FRAME_PROOF) {
        struct proof proof = proof_make(&s->pair, p->role, p->exporter);
        memcpy(payload, proof.bytes, PROOF_BYTES);
        end += PROOF_BYTES;
    }
    if (type == FRAME_NOMINATE || type == FRAME_RESUME || type == FRAME_WANT) {
        number_put_be64(payload, s->generation);
        end += 8;
    }
    if (type == FRAME_NOMINATE || type == FRAME_RESUME || type == FRAME_ACK)
        end = put_heard(s, end);
    return peer_frame_write(&p->out, type, bytes_make(payload, (size_t)(end - payload)));
}

static int write_due(const struct peer_session *s, struct peer_path *p)
{
    for (unsigned type = FRAME_PROOF; type <= FRAME_CLOSE; type++) {
        if (!(p->due & PEER_BIT(type)) ||
            (p->state == PEER_PATH_PROVING && type != FRAME_PROOF))
            continue;
        int r = write_control(s, p, (uint8_t)type);
        if (r != 0)
            return r;
        p->due &= ~PEER_BIT(type);
    }
    return 0;
}

static int write_lane(struct peer_session *s, struct peer_path *p, enum peer_channel channel,
                      size_t ahead)
{
    struct lane *l = &s->lanes[channel];
    uint8_t type = channel == PEER_TALK ? FRAME_TALK : FRAME_BULK, number[8];
    for (struct lane_message *m; buffer_len(&p->out) < ahead && (m = lane_next(l));) {
        number_put_be64(number, m->number);
        int r = peer_frame_write_two(&p->out, type, bytes_make(number, 8),
                                     bytes_make(m->data, m->len));
        if (r != 0)
            return r;
        lane_wrote(l);
    }
    return 0;
}

static bool is_all_written(const struct peer_session *s)
{
    return !lane_next(&s->lanes[PEER_TALK]) && !lane_next(&s->lanes[PEER_BULK]);
}

int peer_session_fill(struct peer_session *s, struct peer_path *p)
{
    bool carries = p == s->used && s->state != PEER_SESSION_CLOSED;
    if (buffer_len(&p->out) >= LIMIT_PEER_TALK_AHEAD_BYTES)
        return 0; /* who does not read is not answered, either */
    if (carries && s->ack_is_due) {
        p->due |= PEER_BIT(FRAME_ACK);
        s->ack_is_due = false;
    }
    int r = write_due(s, p);
    if (r == 0 && carries)
        r = write_lane(s, p, PEER_TALK, LIMIT_PEER_TALK_AHEAD_BYTES);
    if (r == 0 && carries)
        r = write_lane(s, p, PEER_BULK, LIMIT_PEER_BULK_AHEAD_BYTES);
    if (r != 0 || !carries || s->state != PEER_SESSION_CLOSING || s->close_is_written ||
        !is_all_written(s))
        return r;
    s->close_is_written = true;
    return write_control(s, p, FRAME_CLOSE);
}

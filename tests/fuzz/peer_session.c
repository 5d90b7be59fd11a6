/* Another device says anything: before the proof nothing is believed; after it (the first input
 * byte is odd) a session takes or drops, and holds no more than it may. */

#include "peer/peer_session.h"
#include "fuzz.h"

static struct pair make_pair(bool turned)
{
    struct pair p;
    struct random_id id = {.bytes = {1}};
    struct public_key low = {.bytes = {1}}, high = {.bytes = {2}};
    int r =
        turned ? pair_init(&p, &id, bytes_from_str("bob"), &high, bytes_from_str("anna"), &low)
               : pair_init(&p, &id, bytes_from_str("anna"), &low, bytes_from_str("bob"), &high);
    if (r != 0)
        abort();
    return p;
}

static size_t take_events(struct peer_session *s)
{
    size_t messages = 0;
    for (struct peer_event e; peer_session_next_event(s, &e);)
        messages += e.type == PEER_EVENT_MESSAGE;
    return messages;
}

static size_t feed(struct peer_session *s, unsigned path, struct bytes in)
{
    size_t messages = 0, n = 1;
    while (n > 0) {
        struct bytes copy = fuzz_copy(in), out;
        peer_session_feed(s, path, copy, (struct instant){2}, &n);
        messages += take_events(s);
        fuzz_free(copy);
        in = bytes_from(in, n);
        if (peer_session_output(s, path, &out) != 0)
            abort();
        assert(out.len < LIMIT_MIB);
    }
    return messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct peer_session s;
    bool proven = data[0] & 1, turned = data[0] & 2;
    struct pair pair = make_pair(turned), other = make_pair(!turned);
    uint8_t exporter[PROOF_EXPORTER_BYTES] = {1};
    unsigned path;
    peer_session_init(&s, &pair, (struct instant){1});
    if (peer_session_say(&s, PEER_TALK, bytes_from_str("hello")) != 0 ||
        peer_session_attach(&s, PEER_PATH_DIRECT, PROOF_DIALS, &pair.other.key, exporter,
                            (struct instant){1}, &path) != 0)
        abort();
    if (proven) {
        struct proof proof = proof_make(&other, PROOF_ANSWERS, exporter);
        uint8_t frame[5 + PROOF_BYTES] = {0, 0, 0, PROOF_BYTES, 1};
        memcpy(frame + 5, proof.bytes, PROOF_BYTES);
        feed(&s, path, bytes_make(frame, sizeof frame));
        assert(s.paths[path].state != PEER_PATH_DROPPED);
    }
    size_t messages = feed(&s, path, bytes_make(data + 1, size - 1));
    assert(proven || messages == 0);
    assert(proven || s.state == PEER_SESSION_WAITING);
    peer_session_detach(&s, path, (struct instant){3});
    peer_session_fini(&s);
    return 0;
}

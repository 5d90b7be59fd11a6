/* The file of known people is whole or damaged in a line it has. What is whole can be changed,
 * and then says what it said of everybody else. */

#include "client/known_peers.h"
#include "fuzz.h"

#define HUB "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct known_name bob = {{(const uint8_t *)"bob", 3}, {(const uint8_t *)HUB, 43}},
                               carol = {{(const uint8_t *)"carol", 5},
                                        {(const uint8_t *)HUB, 43}};

static struct known_peer find(struct bytes text, const struct known_name *who)
{
    struct known_peer p;
    size_t line;
    if (known_peers_find(text, who, &p, &line) != 0)
        abort();
    assert(p.count <= LIMIT_KNOWN_DEVICES);
    return p;
}

static void check_change(struct bytes text, const struct known_peer *others)
{
    struct known_device d = {.how = KNOWN_WORDS, .since = {5000}, .has_key = true};
    struct buffer without, with;
    d.print = fingerprint_of(&d.key);
    buffer_init(&without, SIZE_MAX);
    buffer_init(&with, SIZE_MAX);
    if (known_peers_forget(text, &bob, &without) != 0 ||
        known_peers_set(buffer_view(&without), &bob, &d, &with) != 0)
        abort();
    assert(find(buffer_view(&without), &bob).count == 0);
    struct known_peer p = find(buffer_view(&with), &bob),
                      same = find(buffer_view(&with), &carol);
    assert(p.count == 1 && p.devices[0].how == KNOWN_WORDS && p.devices[0].since.ms == 5000);
    assert(same.count == others->count);
    for (size_t i = 0; i < same.count; i++)
        assert(known_peer_device(&same, &others->devices[i].print)->how ==
               others->devices[i].how);
    buffer_fini(&without);
    buffer_fini(&with);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_copy(bytes_make(data, size));
    struct known_peer p, others;
    size_t line = 0, lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    int r = known_peers_find(text, &bob, &p, &line);
    assert(r == 0 ? line == 0 : r == KNOWN_PEERS_DAMAGED && line >= 1 && line <= lines);
    if (r == 0 && known_peers_find(text, &carol, &others, &line) == 0)
        check_change(text, &others);
    fuzz_free(text);
    return 0;
}

/* A hub that answers anything to who sends and takes letters: what is shown is genuine in form,
 * from a device that is believed, and shown once; what is asked stays within bounds.
 *
 * In the input, '>' sends a letter, '~' says that one has come, '#' is the hub lost and back;
 * all else is what it answers. */

#include "client/post.h"
#include "base/utf8.h"
#include "client/letters_seen.h"
#include "fuzz.h"
#include "people/account_name.h"

struct world {
    struct post post;
    struct buffer seen;
    struct random_id shown[64];
    size_t shown_count;
    bool held;
};

static struct world *world_of(struct post *p)
{
    return (struct world *)((char *)p - offsetof(struct world, post));
}

static int on_request(struct post *p, const struct bytes *argv, size_t argc)
{
    assert(p->here && argc > 0 && argc <= 2 + LIMIT_LETTERS);
    return 0;
}

static bool on_show(struct post *p, const struct peer_letter *l)
{
    struct world *w = world_of(p);
    assert(w->held && utf8_is_valid(l->text) && l->text.len > 0);
    assert(account_name_is_valid(bytes_from_str(l->from.name)));
    for (size_t i = 0; i < w->shown_count; i++)
        assert(!random_id_equal(&w->shown[i], &l->id));
    if (w->shown_count == sizeof w->shown / sizeof *w->shown)
        return false;
    w->shown[w->shown_count++] = l->id;
    return true;
}

static void on_warn(struct post *p, enum post_warning warning, struct bytes name)
{
    assert(account_name_is_valid(name));
}

static void on_sent(struct post *p, const struct post_outcome *o)
{
    assert((o->result == POST_KEPT) == (o->kept > 0));
    assert(o->kept + o->full + o->strangers <= LIMIT_ACCOUNT_DEVICES);
}

static const struct post_handler handler = {
    .request = on_request, .show = on_show, .warn = on_warn, .sent = on_sent};

/* By the first bit of the key, and what the list of devices says. */
static enum post_trust trust(void *ctx, struct bytes name, const struct public_key *key,
                             const struct device *devices, size_t n)
{
    assert(n <= LIMIT_ACCOUNT_DEVICES && account_name_is_valid(name));
    if (key->bytes[0] & 1)
        return POST_BELIEVED;
    for (size_t i = 0; i < n; i++) {
        struct fingerprint known = fingerprint_of(&devices[i].key);
        if (device_is_believed(name, devices, n, &known, key))
            return POST_BELIEVED;
    }
    return devices ? POST_STRANGE : POST_UNSURE;
}

static bool recall(void *ctx, struct buffer *seen)
{
    struct world *w = ctx;
    assert(!w->held);
    w->held = true;
    return buffer_append_bytes(seen, buffer_view(&w->seen)) == 0;
}

static bool remember(void *ctx, struct bytes seen, bool changed)
{
    struct world *w = ctx;
    assert(w->held);
    w->held = false;
    buffer_truncate(&w->seen, 0);
    return buffer_append_bytes(&w->seen, seen) == 0;
}

static void record(void *ctx, struct bytes other, const struct said *said)
{
    assert(account_name_is_valid(other) && said->letter);
}

static const struct post_keep keep = {trust, NULL, recall, remember, record};

static size_t step(struct post *p, struct resp_reply *reply, struct bytes in)
{
    static const struct bytes anna = {(const uint8_t *)"anna", 4},
                              bob = {(const uint8_t *)"bob", 3};
    size_t consumed = 0;
    switch (in.data[0]) {
    case '>':
        post_send(p, bob, anna);
        return 1;
    case '~':
        post_letter_came(p);
        return 1;
    case '#':
        post_lost(p);
        post_here(p, anna);
        return 1;
    default:
        if (resp_reply_parse(reply, in, &consumed) != 0)
            return in.len;
        post_reply(p, reply->values, reply->count, (struct walltime){77});
        return consumed;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.held = false};
    struct resp_reply reply;
    const uint8_t seed[32] = {1, 1, 1, 1}, entropy[32] = {9};
    struct bytes in = fuzz_copy(bytes_make(data, size)), rest = in;
    buffer_init(&w.seen, LETTERS_SEEN_BYTES);
    post_init(&w.post, &handler, &keep, &w, seed, entropy);
    w.post.takes = true;
    post_here(&w.post, bytes_make("anna", 4));
    resp_reply_init(&reply, 1 << 20);
    while (rest.len > 0)
        rest = bytes_from(rest, step(&w.post, &reply, rest));
    post_give_up(&w.post);
    resp_reply_fini(&reply);
    post_fini(&w.post);
    buffer_fini(&w.seen);
    fuzz_free(in);
    return 0;
}

/* A hub that says anything, and a person who types it, too: what is shown is clean, and nothing
 * is asked or shown after the visit is over. */

#include "client/visit.h"
#include "base/clean.h"
#include "fuzz.h"

struct world {
    struct visit visit;
    bool over;
};

static struct world *world_of(struct visit *v)
{
    return (struct world *)((char *)v - offsetof(struct world, visit));
}

static void on_say(struct visit *v, enum visit_tone tone, struct bytes line)
{
    assert(clean_is_clean(line) && !world_of(v)->over);
}

static void on_prompt(struct visit *v, struct bytes text, bool secret)
{
    assert(clean_is_clean(text));
}

static int on_request(struct visit *v, const struct bytes *argv, size_t argc, bool secret)
{
    assert(argc > 0 && !world_of(v)->over);
    return 0;
}

static void on_leave(struct visit *v, enum visit_end end)
{
    assert(!world_of(v)->over);
    world_of(v)->over = true;
}

static const char *const words[] = {"acid", "zebra"};

static void on_introduced(struct visit *v, const struct notice *n)
{
    char name[ACCOUNT_NAME_BYTES + 1];
    account_name_fold(n->name, name);
    visit_talk_begins(v, name, n->dials);
    visit_words(v, name, words, 2, &n->key);
    if (n->dials)
        visit_ask_devices(v, name);
    if (n->candidate_count == 0)
        visit_talk_ends(v, name, NULL);
}

static void on_text(struct visit *v, struct bytes text)
{
}

static void on_close(struct visit *v, const char *name)
{
}

static void on_verify(struct visit *v, const char *name)
{
    struct public_key key = {{1}};
    visit_words(v, name, words, 2, &key);
}

static void on_devices(struct visit *v, uint64_t number, const struct resp_value *values,
                       size_t count)
{
    assert(number > 0 && count > 0);
}

static int on_judged(struct visit *v, const char *name, const struct public_key *key, bool same)
{
    assert(name[0] && key);
    return name[0] % 2;
}

static void on_when(struct visit *v, struct walltime t, char out[VISIT_WHEN_BYTES])
{
    memcpy(out, "then", 5);
}

static bool on_history(struct visit *v, struct bytes name)
{
    struct said said = {.from = name, .to = name, .text = bytes_from_str("\033[1m")};
    visit_said(v, &said);
    return true;
}

/* Letters: whose key is even is believed, and all that was shown is forgotten. */
static enum post_trust trust(void *ctx, struct bytes name, const struct public_key *key,
                             const struct device *devices, size_t n)
{
    return key->bytes[0] & 1 ? devices ? POST_STRANGE : POST_UNSURE : POST_BELIEVED;
}

static bool recall(void *ctx, struct buffer *seen)
{
    return true;
}

static bool remember(void *ctx, struct bytes seen, bool changed)
{
    return !changed;
}

static const struct post_keep keep = {trust, NULL, recall, remember, NULL};

static const struct visit_handler handler = {.say = on_say,
                                             .prompt = on_prompt,
                                             .request = on_request,
                                             .leave = on_leave,
                                             .introduced = on_introduced,
                                             .talk_say = on_text,
                                             .talk_send = on_text,
                                             .talk_close = on_close,
                                             .talk_verify = on_verify,
                                             .judged = on_judged,
                                             .devices = on_devices,
                                             .history = on_history,
                                             .when = on_when};

static void hear(struct visit *v, const struct resp_reply *reply)
{
    if (reply->values->kind == RESP_PUSH)
        visit_push(v, reply->values, reply->count);
    else
        visit_reply(v, reply->values, reply->count, (struct walltime){0});
}

/* A line that begins with '>' was typed; all else is what the hub says. */
static size_t step(struct visit *v, struct resp_reply *reply, struct bytes in)
{
    size_t consumed = 0;
    if (in.data[0] == '>' && in.len > 1 && in.data[1] == ' ') {
        size_t n = bytes_find(in, '\n');
        if (visit_takes_lines(v))
            visit_typed(v, bytes_from(bytes_first(in, n), 2), n % 2);
        return n < in.len ? n + 1 : n;
    }
    if (resp_reply_parse(reply, in, &consumed) != 0)
        return in.len;
    hear(v, reply);
    return consumed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {0};
    struct resp_reply reply;
    struct bytes in = fuzz_copy(bytes_make(data, size)), rest = in;
    visit_init(&w.visit, &handler, "hub", size % 2 == 0);
    const uint8_t seed[32] = {1, 1, 1, 1}, entropy[32] = {9};
    if (size % 3 != 0)
        visit_set_post(&w.visit, &keep, NULL, seed, entropy);
    visit_connected(&w.visit);
    resp_reply_init(&reply, 1 << 20);
    while (rest.len > 0 && !w.over)
        rest = bytes_from(rest, step(&w.visit, &reply, rest));
    resp_reply_fini(&reply);
    visit_fini(&w.visit);
    fuzz_free(in);
    return 0;
}

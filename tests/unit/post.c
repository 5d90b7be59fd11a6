/* Letters against a hub that may lie: what is asked of it (!), what is shown, warned of and
 * told (by the handler), as a transcript. Devices are known by a number, which is their seed.
 */

#include "client/post.h"
#include "client/letters_seen.h"
#include "wire/resp_write.h"

#include "unit.h"

#include <sodium.h>
#include <stdio.h>

enum { ME = 1, BOB = 2, BOB_TWO = 3, EVE = 4, REQUESTS = 64 };

struct request {
    struct buffer words; /* each ends in a NUL, but for a sealed letter */
    struct bytes sealed; /* a copy */
    struct random_id id;
    struct fingerprint to;
};

struct stage {
    struct post post;
    struct buffer said;
    struct buffer seen; /* the profile's file */
    struct request requests[REQUESTS];
    size_t count, answered;
    struct walltime now;
    bool known[8]; /* devices that are believed */
    bool sure;     /* without a list of devices */
    bool records;  /* what was kept is in the transcript */
    bool busy, refuses_show, refuses_keep, declines;
    bool held; /* between recall and remember */
};

static struct stage *stage_of(struct post *p)
{
    return (struct stage *)((char *)p - offsetof(struct stage, post));
}

static void seed_of(uint8_t number, uint8_t seed[32])
{
    memset(seed, number, 32);
}

static struct public_key key_of(uint8_t number)
{
    struct public_key key;
    uint8_t seed[32], secret[crypto_sign_SECRETKEYBYTES];
    seed_of(number, seed);
    crypto_sign_seed_keypair(key.bytes, secret, seed);
    return key;
}

static uint8_t number_of(const struct fingerprint *print)
{
    for (uint8_t i = 1; i < 8; i++) {
        struct public_key key = key_of(i);
        struct fingerprint f = fingerprint_of(&key);
        if (fingerprint_equal(&f, print))
            return i;
    }
    fail_msg("an unknown device");
    return 0;
}

/* ---- what the post wants ---- */

static int on_request(struct post *p, const struct bytes *argv, size_t argc)
{
    struct stage *s = stage_of(p);
    assert_true(s->count < REQUESTS);
    struct request *r = &s->requests[s->count++];
    if (bytes_equal_str(argv[0], "LETTER")) {
        assert_int_equal(argc, 5);
        assert_true(fingerprint_read(argv[2], &r->to));
        assert_true(random_id_read(argv[3], &r->id));
        r->sealed = unit_copy(argv[4]);
        return buffer_printf(&s->said, "! LETTER %.*s %u\n", (int)argv[1].len,
                             (const char *)argv[1].data, number_of(&r->to));
    }
    buffer_append_str(&s->said, "!");
    for (size_t i = 0; i < argc; i++) {
        struct random_id id;
        if (random_id_read(argv[i], &id))
            buffer_printf(&s->said, " %u", id.bytes[0]);
        else
            buffer_printf(&s->said, " %.*s", (int)argv[i].len, (const char *)argv[i].data);
    }
    return buffer_append_str(&s->said, "\n");
}

static bool on_accepts(struct post *p, struct bytes name)
{
    return !stage_of(p)->declines;
}

static bool on_show(struct post *p, const struct peer_letter *l)
{
    struct stage *s = stage_of(p);
    assert_true(s->held);
    if (s->refuses_show)
        return false;
    return buffer_printf(&s->said, "%s %d: %.*s\n", l->from.name, (int)l->written.ms,
                         (int)l->text.len, (const char *)l->text.data) == 0;
}

static bool on_keep(struct post *p, const struct peer_letter *l)
{
    struct stage *s = stage_of(p);
    if (s->refuses_show)
        return false;
    return buffer_printf(&s->said, "later: %.*s\n", (int)l->text.len,
                         (const char *)l->text.data) == 0;
}

static void on_warn(struct post *p, enum post_warning warning, struct bytes name)
{
    static const char *const words[] = {"forged", "not believed", "not kept"};
    buffer_printf(&stage_of(p)->said, "%s %.*s", words[warning], (int)name.len,
                  name.len > 0 ? (const char *)name.data : "");
    if (warning == POST_NOT_BELIEVED)
        buffer_printf(&stage_of(p)->said, " %u", number_of(&p->stranger));
    buffer_append_str(&stage_of(p)->said, "\n");
}

static void on_sent(struct post *p, const struct post_outcome *o)
{
    static const char *const words[] = {"kept",     "no device", "no other",  "no trust",
                                        "box full", "refused",   "undecided", "not sealed"};
    buffer_printf(&stage_of(p)->said, "%s: %s %zu %zu %zu %.*s\n", words[o->result],
                  (const char *)o->name.data, o->kept, o->full, o->strangers, (int)o->why.len,
                  (const char *)o->why.data);
}

static const struct post_handler handler = {.request = on_request,
                                            .accepts = on_accepts,
                                            .show = on_show,
                                            .warn = on_warn,
                                            .sent = on_sent};

static enum post_trust trust(void *ctx, struct bytes name, const struct public_key *key,
                             const struct device *devices, size_t n)
{
    struct stage *s = ctx;
    struct fingerprint print = fingerprint_of(key);
    if (s->known[number_of(&print)])
        return POST_BELIEVED;
    for (size_t i = 0; i < n; i++) {
        struct fingerprint known = fingerprint_of(&devices[i].key);
        if (s->known[number_of(&known)] && device_is_believed(name, devices, n, &known, key))
            return POST_BELIEVED;
    }
    return devices || s->sure ? POST_STRANGE : POST_UNSURE;
}

static bool recall(void *ctx, struct buffer *seen)
{
    struct stage *s = ctx;
    assert_false(s->held);
    s->held = !s->busy;
    return !s->busy && buffer_append_bytes(seen, buffer_view(&s->seen)) == 0;
}

static bool remember(void *ctx, struct bytes seen, bool changed)
{
    struct stage *s = ctx;
    assert_true(s->held);
    s->held = false;
    if (changed && !s->refuses_keep) {
        buffer_truncate(&s->seen, 0);
        buffer_append_bytes(&s->seen, seen);
    }
    return !s->refuses_keep;
}

static void record(void *ctx, struct bytes other, const struct said *said)
{
    struct stage *s = ctx;
    assert_true(said->letter && !said->undelivered);
    if (s->records)
        buffer_printf(&s->said, "%.*s: from %.*s to %.*s at %d\n", (int)other.len,
                      (const char *)other.data, (int)said->from.len,
                      (const char *)said->from.data, (int)said->to.len,
                      (const char *)said->to.data, (int)said->when.ms);
}

static const struct post_keep keep = {trust, NULL, recall, remember, record};

/* ---- the steps ---- */

static void begin(struct stage *s)
{
    uint8_t seed[32], entropy[32] = {9};
    *s = (struct stage){.now = {77}, .known = {[BOB] = true, [BOB_TWO] = true}};
    seed_of(ME, seed);
    buffer_init(&s->said, SIZE_MAX);
    buffer_init(&s->seen, SIZE_MAX);
    post_init(&s->post, &handler, &keep, s, seed, entropy);
}

static void finish(struct stage *s)
{
    post_fini(&s->post);
    assert_false(s->held);
    for (size_t i = 0; i < s->count; i++)
        if (s->requests[i].sealed.data)
            unit_free(s->requests[i].sealed);
    buffer_fini(&s->said);
    buffer_fini(&s->seen);
}

static void expect(struct stage *s, const char *want)
{
    assert_bytes(buffer_view(&s->said), bytes_from_str(want));
    buffer_truncate(&s->said, 0);
}

/* The hub answers the oldest question. */
static void hear(struct stage *s, struct buffer *in)
{
    struct resp_reply reply;
    size_t consumed;
    resp_reply_init(&reply, LIMIT_MIB);
    assert_int_equal(resp_reply_parse(&reply, buffer_view(in), &consumed), 0);
    post_reply(&s->post, reply.values, reply.count, s->now);
    resp_reply_fini(&reply);
    buffer_fini(in);
}

static void hear_text(struct stage *s, const char *text)
{
    struct buffer in;
    buffer_init(&in, LIMIT_KIB);
    buffer_append_str(&in, text);
    buffer_append_str(&in, "\r\n");
    hear(s, &in);
}

static void hear_devices(struct stage *s, const uint8_t *numbers, bool vouched)
{
    struct buffer in;
    size_t n = strlen((const char *)numbers);
    buffer_init(&in, LIMIT_MIB);
    resp_write_array(&in, n);
    for (size_t i = 0; i < n; i++) {
        struct public_key key = key_of(numbers[i]), first = key_of(numbers[0]);
        struct fingerprint f = fingerprint_of(&key), signer = fingerprint_of(&first);
        char print[FINGERPRINT_TEXT_LEN + 1];
        uint8_t seed[32];
        seed_of(numbers[0], seed);
        struct signature signature = device_sign(BYTES("bob"), seed, &key);
        fingerprint_write(print, &f);
        resp_write_array(&in, 6);
        resp_write_bulk(&in, bytes_from_str(print));
        resp_write_bulk(&in, bytes_make(key.bytes, sizeof key.bytes));
        resp_write_bulk(&in, BYTES("label"));
        resp_write_integer(&in, 5);
        fingerprint_write(print, &signer);
        if (vouched && i > 0) {
            resp_write_bulk(&in, bytes_from_str(print));
            resp_write_bulk(&in, bytes_make(signature.bytes, sizeof signature.bytes));
        } else {
            resp_write_null(&in, 3);
            resp_write_null(&in, 3);
        }
    }
    hear(s, &in);
}

#define DEVICES(...) ((const uint8_t[]){__VA_ARGS__, 0})

static void send_one(struct stage *s)
{
    assert_int_equal(post_send(&s->post, BYTES("bob"), BYTES("see you")), 0);
}

/* ---- sending ---- */

static void check_copy(const struct request *r, uint8_t device)
{
    struct buffer plain;
    struct peer_letter l;
    struct public_key me = key_of(ME);
    uint8_t seed[32];
    seed_of(device, seed);
    buffer_init(&plain, LIMIT_MIB);
    assert_int_equal(peer_letter_open(r->sealed, BYTES("Bob"), seed, &plain, &l), 0);
    assert_bytes(l.text, BYTES("see you"));
    assert_string_equal(l.from.name, "anna");
    assert_memory_equal(&l.from.key, &me, sizeof me);
    assert_true(random_id_equal(&l.id, &r->id));
    assert_int_equal(l.written.ms, 77);
    buffer_fini(&plain);
}

static void test_a_copy_for_each_device(void **state)
{
    struct stage s;
    begin(&s);
    send_one(&s);
    expect(&s, "");
    post_here(&s.post, BYTES("Anna"));
    expect(&s, "! DEVICES OF bob\n");
    hear_devices(&s, DEVICES(BOB, BOB_TWO, EVE), false);
    expect(&s, "! LETTER bob 2\n! LETTER bob 3\n");
    check_copy(&s.requests[1], BOB);
    check_copy(&s.requests[2], BOB_TWO);
    assert_true(random_id_equal(&s.requests[1].id, &s.requests[2].id));
    hear_text(&s, "+OK");
    expect(&s, "");
    hear_text(&s, "+OK");
    expect(&s, "kept: bob 2 0 1 \n");
    finish(&s);
}

static void test_a_letter_keeps_its_id_when_the_hub_was_lost(void **state)
{
    struct stage s;
    begin(&s);
    post_here(&s.post, BYTES("anna"));
    send_one(&s);
    hear_devices(&s, DEVICES(BOB), false);
    expect(&s, "! DEVICES OF bob\n! LETTER bob 2\n");
    post_lost(&s.post);
    s.now.ms = 99; /* it was written before */
    post_here(&s.post, BYTES("anna"));
    hear_devices(&s, DEVICES(BOB), false);
    expect(&s, "! DEVICES OF bob\n! LETTER bob 2\n");
    assert_true(random_id_equal(&s.requests[1].id, &s.requests[3].id));
    check_copy(&s.requests[3], BOB);
    hear_text(&s, "+OK");
    expect(&s, "kept: bob 1 0 0 \n");
    send_one(&s);
    hear_devices(&s, DEVICES(BOB), false);
    assert_false(random_id_equal(&s.requests[1].id, &s.requests[5].id));
    finish(&s);
}

static void test_what_is_not_sent(void **state)
{
    struct stage s;
    begin(&s);
    post_here(&s.post, BYTES("anna"));
    send_one(&s);
    hear_devices(&s, DEVICES(EVE), false);
    expect(&s, "! DEVICES OF bob\nno trust: bob 0 0 1 \n");
    send_one(&s);
    hear_text(&s, "*0");
    expect(&s, "! DEVICES OF bob\nno device: bob 0 0 0 \n");
    send_one(&s);
    hear_devices(&s, DEVICES(ME), false);
    expect(&s, "! DEVICES OF bob\nno device: bob 0 0 0 \n");
    assert_int_equal(post_send(&s.post, BYTES("Anna"), BYTES("remember")), 0);
    hear_devices(&s, DEVICES(ME), false);
    expect(&s, "! DEVICES OF Anna\nno other: Anna 0 0 0 \n");
    send_one(&s);
    hear_text(&s, "-ERR there is no such account");
    expect(&s, "! DEVICES OF bob\nrefused: bob 0 0 0 ERR there is no such account\n");
    send_one(&s);
    hear_text(&s, "+OK");
    expect(&s, "! DEVICES OF bob\nrefused: bob 0 0 0 \n");
    send_one(&s);
    post_give_up(&s.post);
    expect(&s, "! DEVICES OF bob\nundecided: bob 0 0 0 \n");
    send_one(&s);
    hear_devices(&s, DEVICES(BOB, BOB_TWO), false);
    hear_text(&s, "+OK");
    post_give_up(&s.post);
    expect(&s, "! DEVICES OF bob\n! LETTER bob 2\n! LETTER bob 3\nkept: bob 1 0 0 \n");
    finish(&s);
}

static void test_full_boxes(void **state)
{
    struct stage s;
    begin(&s);
    post_here(&s.post, BYTES("anna"));
    for (int full = 1; full <= 3; full++) {
        send_one(&s);
        hear_devices(&s, DEVICES(BOB, BOB_TWO), false);
        hear_text(&s, full == 3 ? "-ERR there is no such device" : "-QUOTA there is no room");
        hear_text(&s, full == 1 ? "+OK" : "-QUOTA there is no room");
        expect(&s, full == 1   ? "! DEVICES OF bob\n! LETTER bob 2\n! LETTER bob 3\n"
                                 "kept: bob 1 1 0 \n"
                   : full == 2 ? "! DEVICES OF bob\n! LETTER bob 2\n! LETTER bob 3\n"
                                 "box full: bob 0 2 0 \n"
                               : "! DEVICES OF bob\n! LETTER bob 2\n! LETTER bob 3\n"
                                 "box full: bob 0 1 0 ERR there is no such device\n");
    }
    finish(&s);
}

static void test_what_is_no_letter(void **state)
{
    struct stage s;
    struct buffer text;
    uint8_t *space;
    begin(&s);
    buffer_init(&text, LIMIT_MIB);
    assert_int_equal(buffer_reserve(&text, PEER_LETTER_TEXT_BYTES + 1, &space), 0);
    memset(space, 'x', PEER_LETTER_TEXT_BYTES + 1);
    buffer_wrote(&text, PEER_LETTER_TEXT_BYTES + 1);
    assert_int_equal(post_send(&s.post, BYTES("bob"), buffer_view(&text)), POST_TOO_LONG);
    assert_int_equal(post_send(&s.post, BYTES("bob"), BYTES("")), POST_NO_TEXT);
    assert_int_equal(post_send(&s.post, BYTES("bob"), BYTES("\xff")), POST_NO_TEXT);
    assert_int_equal(post_send(&s.post, BYTES("b b"), BYTES("x")), POST_NO_NAME);
    for (size_t i = 0; i < LIMIT_LETTERS_SENDING; i++)
        send_one(&s);
    assert_int_equal(post_send(&s.post, BYTES("bob"), BYTES("x")), POST_TOO_MANY);
    buffer_fini(&text);
    finish(&s);
}

/* ---- taking ---- */

/* A letter as the hub lists it; what is not as it should be is said by the test. */
struct listed {
    uint8_t id, by, to, inner_id; /* by: whose key; inner_id: 0 for id */
    const char *name;             /* within; NULL: bob */
    const char *told_name;        /* by the hub; NULL: Bob */
    uint8_t told_by;              /* likewise; 0: the same */
    int damage;                   /* a byte of it; 0: none */
    bool rewritten;               /* another text, under the same signature, sealed anew */
};

/* By who has been sent a letter himself, or has taken one from a device. */
static void rewrite(struct buffer *sealed, uint8_t to)
{
    uint8_t seed[32], secret[crypto_sign_SECRETKEYBYTES], box_secret[32], box_key[32];
    struct public_key key = key_of(to);
    seed_of(to, seed);
    crypto_sign_seed_keypair(key.bytes, secret, seed);
    assert_int_equal(crypto_sign_ed25519_sk_to_curve25519(box_secret, secret), 0);
    assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(box_key, key.bytes), 0);
    size_t len = buffer_len(sealed) - crypto_box_SEALBYTES;
    uint8_t *plain = malloc(len), *at = sealed->data + sealed->start;
    assert_int_equal(
        crypto_box_seal_open(plain, at, len + crypto_box_SEALBYTES, box_key, box_secret), 0);
    plain[len - 1] ^= 1;
    assert_int_equal(crypto_box_seal(at, plain, len, box_key), 0);
    free(plain);
}

static void seal(const struct listed *l, struct buffer *out)
{
    struct pair pair;
    struct random_id id = {.bytes = {l->inner_id ? l->inner_id : l->id}};
    struct public_key from = key_of(l->by), to = key_of(l->to ? l->to : ME);
    uint8_t seed[32], entropy[32] = {l->id};
    char text[16];
    seed_of(l->by, seed);
    snprintf(text, sizeof text, "text %u", l->id);
    assert_int_equal(pair_init(&pair, &id, bytes_from_str(l->name ? l->name : "bob"), &from,
                               BYTES("anna"), &to),
                     0);
    assert_int_equal(
        peer_letter_seal(&pair, (struct walltime){5}, bytes_from_str(text), seed, entropy, out),
        0);
    if (l->damage)
        out->data[out->start + (size_t)l->damage] ^= 1;
    if (l->rewritten)
        rewrite(out, ME);
}

static void write_listed(const struct listed *l, struct buffer *in)
{
    char id[RANDOM_ID_TEXT_LEN + 1], print[FINGERPRINT_TEXT_LEN + 1];
    struct random_id outer = {.bytes = {l->id}};
    struct public_key key = key_of(l->told_by ? l->told_by : l->by);
    struct fingerprint f = fingerprint_of(&key);
    struct buffer sealed;
    buffer_init(&sealed, LIMIT_MIB);
    seal(l, &sealed);
    random_id_write(id, &outer);
    fingerprint_write(print, &f);
    resp_write_array(in, 5);
    resp_write_bulk(in, bytes_from_str(id));
    resp_write_bulk(in, bytes_from_str(l->told_name ? l->told_name : "Bob"));
    resp_write_bulk(in, bytes_from_str(print));
    resp_write_bulk(in, buffer_view(&sealed));
    resp_write_integer(in, 5);
    buffer_fini(&sealed);
}

static void hear_letters(struct stage *s, const struct listed *listed, size_t n)
{
    struct buffer in;
    buffer_init(&in, LIMIT_MIB);
    resp_write_array(&in, n);
    for (size_t i = 0; i < n; i++)
        write_listed(&listed[i], &in);
    hear(s, &in);
}

static void begin_taking(struct stage *s)
{
    begin(s);
    s->post.takes = true;
    post_here(&s->post, BYTES("anna"));
    expect(s, "! LETTERS\n");
}

static void test_each_once(void **state)
{
    struct stage s;
    const struct listed two[] = {{.id = 1, .by = BOB}, {.id = 2, .by = BOB_TWO}};
    begin_taking(&s);
    hear_letters(&s, two, 2);
    expect(&s, "bob 5: text 1\nbob 5: text 2\n! LETTERS TAKEN 1 2\n");
    hear_text(&s, ":2");
    /* The hub has forgotten that they were taken, or never heard of it. */
    post_lost(&s.post);
    post_here(&s.post, BYTES("anna"));
    hear_letters(&s, two, 2);
    expect(&s, "! LETTERS\n! LETTERS TAKEN 1 2\n");
    hear_text(&s, ":2");
    post_letter_came(&s.post);
    hear_letters(&s, (const struct listed[]){{.id = 3, .by = BOB}, {.id = 3, .by = BOB}}, 2);
    expect(&s, "! LETTERS\nbob 5: text 3\n! LETTERS TAKEN 3 3\n");
    finish(&s);
}

static void test_what_is_not_genuine(void **state)
{
    static const struct listed forged[] = {
        {.id = 1, .by = BOB, .damage = 200},     /* the seal is broken */
        {.id = 2, .by = BOB, .to = EVE},         /* for another device */
        {.id = 3, .by = BOB, .inner_id = 9},     /* again, as another one */
        {.id = 4, .by = BOB, .told_by = EVE},    /* the hub says another device */
        {.id = 5, .by = EVE, .name = "eve"},     /* ... another sender */
        {.id = 6, .by = EVE, .name = "b b"},     /* ... and this one is nobody */
        {.id = 7, .by = BOB, .rewritten = true}, /* the signature is another text's */
    };
    for (size_t i = 0; i < COUNT_OF(forged); i++) {
        struct stage s;
        struct listed l = forged[i];
        l.told_name = "bob";
        begin_taking(&s);
        s.known[EVE] = true; /* whatever its key is believed to be */
        hear_letters(&s, &l, 1);
        char want[64];
        snprintf(want, sizeof want, "forged bob\n! LETTERS TAKEN %zu\n", i + 1);
        expect(&s, want);
        assert_int_equal(buffer_len(&s.seen), 0);
        finish(&s);
    }
}

static void test_who_signs_with_another_key(void **state)
{
    struct stage s;
    const struct listed eve[] = {{.id = 1, .by = EVE}};
    begin_taking(&s);
    hear_letters(&s, eve, 1);
    expect(&s, "! DEVICES OF bob\n");
    hear_devices(&s, DEVICES(BOB, EVE), false);
    expect(&s, "! LETTERS\n");
    hear_letters(&s, eve, 1);
    expect(&s, "not believed bob 4\n");
    /* It is left, and warned of once; when bob's device has signed it, it is shown. */
    post_letter_came(&s.post);
    hear_letters(&s, eve, 1);
    expect(&s, "! LETTERS\n! DEVICES OF bob\n");
    hear_devices(&s, DEVICES(BOB, EVE), false);
    hear_letters(&s, eve, 1);
    expect(&s, "! LETTERS\n");
    post_letter_came(&s.post);
    hear_letters(&s, eve, 1);
    hear_devices(&s, DEVICES(BOB, EVE), true);
    hear_letters(&s, eve, 1);
    expect(&s, "! LETTERS\n! DEVICES OF bob\n! LETTERS\nbob 5: text 1\n! LETTERS TAKEN 1\n");
    finish(&s);
}

static void test_who_is_surely_another(void **state)
{
    struct stage s;
    const struct listed some[] = {{.id = 1, .by = EVE},
                                  {.id = 2, .by = BOB},
                                  {.id = 3, .by = EVE},
                                  {.id = 4, .by = EVE + 1}};
    begin_taking(&s);
    s.sure = true;
    hear_letters(&s, some, 4);
    expect(&s, "not believed bob 4\nbob 5: text 2\nnot believed bob 5\n! LETTERS TAKEN 2\n");
    hear_text(&s, ":1");
    post_letter_came(&s.post);
    hear_letters(&s, some, 4);
    expect(&s, "! LETTERS\n! LETTERS TAKEN 2\n");
    finish(&s);
}

static void test_what_is_left(void **state)
{
    struct stage s;
    const struct listed one[] = {{.id = 1, .by = BOB}};
    begin_taking(&s);
    s.declines = true;
    hear_letters(&s, one, 1);
    expect(&s, "");
    s.declines = false;
    s.busy = true;
    post_letter_came(&s.post);
    hear_letters(&s, one, 1);
    expect(&s, "! LETTERS\n");
    assert_true(s.post.was_busy);
    s.busy = false;
    s.refuses_show = true;
    post_letter_came(&s.post);
    hear_letters(&s, one, 1);
    expect(&s, "! LETTERS\n");
    assert_int_equal(buffer_len(&s.seen), 0);
    s.refuses_show = false;
    s.refuses_keep = true;
    post_letter_came(&s.post);
    hear_letters(&s, one, 1);
    expect(&s, "! LETTERS\nbob 5: text 1\nnot kept \n! LETTERS TAKEN 1\n");
    finish(&s);
}

static void test_one_comes_while_the_list_is_asked_for(void **state)
{
    struct stage s;
    begin_taking(&s);
    post_letter_came(&s.post);
    post_letter_came(&s.post);
    expect(&s, "");
    hear_text(&s, "*0");
    expect(&s, "! LETTERS\n");
    hear_text(&s, "*0");
    expect(&s, "");
    finish(&s);
}

static void test_what_is_kept(void **state)
{
    struct stage s;
    const struct listed two[] = {{.id = 1, .by = BOB}, {.id = 2, .by = BOB, .damage = 200}};
    begin_taking(&s);
    s.records = true;
    hear_letters(&s, two, 2);
    expect(&s, "bob 5: text 1\nbob: from bob to anna at 5\nforged Bob\n! LETTERS TAKEN 1 2\n");
    hear_text(&s, ":2");
    hear_letters(&s, two, 0);
    s.refuses_show = true;
    post_letter_came(&s.post);
    hear_letters(&s, (const struct listed[]){{.id = 3, .by = BOB}}, 1);
    expect(&s, "! LETTERS\n");
    send_one(&s);
    hear_devices(&s, DEVICES(BOB), false);
    expect(&s, "! DEVICES OF bob\n! LETTER bob 2\n");
    hear_text(&s, "+OK");
    expect(&s, "bob: from anna to bob at 77\nkept: bob 1 0 0 \n");
    finish(&s);
}

static void test_what_is_shown_later(void **state)
{
    const struct post_handler keeping = {
        .request = on_request, .keep = on_keep, .warn = on_warn, .sent = on_sent};
    const struct listed three[] = {
        {.id = 1, .by = BOB}, {.id = 2, .by = BOB}, {.id = 3, .by = BOB, .damage = 200}};
    const struct random_id one = {.bytes = {1}}, two = {.bytes = {2}};
    struct stage s;
    begin_taking(&s);
    s.post.handler = &keeping;
    hear_letters(&s, three, 3);
    expect(&s, "later: text 1\nlater: text 2\nforged Bob\n! LETTERS TAKEN 3\n");
    assert_int_equal(buffer_len(&s.seen), 0);
    assert_true(post_show(&s.post, &one));
    assert_false(post_show(&s.post, &one));
    expect(&s, "! LETTERS TAKEN 1\n! LETTERS TAKEN 1\n");
    assert_true(letters_seen_has(buffer_view(&s.seen), &one));
    s.busy = true;
    assert_false(post_show(&s.post, &two));
    assert_true(s.post.was_busy);
    s.busy = false;
    s.refuses_keep = true;
    assert_true(post_show(&s.post, &two));
    expect(&s, "not kept \n! LETTERS TAKEN 2\n");
    s.refuses_keep = false;
    post_lost(&s.post);
    assert_true(post_show(&s.post, &two));
    expect(&s, "");
    post_here(&s.post, BYTES("anna"));
    s.refuses_show = true;
    hear_letters(&s, (const struct listed[]){{.id = 2, .by = BOB}, {.id = 4, .by = BOB}}, 2);
    expect(&s, "! LETTERS\n! LETTERS TAKEN 2\n");
    finish(&s);
}

static void test_nonsense(void **state)
{
    static const char *const lists[] = {
        "-NODEVICE this needs a device",
        "+OK",
        ":1",
        "*1\r\n:1",
        "*1\r\n*5\r\n$1\r\nx\r\n$3\r\nbob\r\n$1\r\nx\r\n$1\r\nx\r\n:1",
        "*1\r\n*5\r\n$22\r\nAAAAAAAAAAAAAAAAAAAAAA\r\n$3\r\nbob\r\n$1\r\nx\r\n:1\r\n:1",
        "*1\r\n*4\r\n$22\r\nAAAAAAAAAAAAAAAAAAAAAA\r\n$3\r\nbob\r\n$1\r\nx\r\n$1\r\nx",
    };
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct stage s;
        begin_taking(&s);
        hear_text(&s, lists[i]);
        expect(&s, "");
        post_reply(&s.post, NULL, 0, (struct walltime){0}); /* nothing was asked */
        finish(&s);
    }
    struct stage s;
    begin_taking(&s);
    hear_text(&s,
              "*1\r\n*5\r\n$22\r\nAAAAAAAAAAAAAAAAAAAAAA\r\n$3\r\na\033b\r\n$1\r\nx\r\n$1\r\nx"
              "\r\n:1");
    expect(&s, "forged somebody\n! LETTERS TAKEN 0\n");
    finish(&s);
}

/* ---- what was seen ---- */

static struct random_id id_of(size_t i)
{
    struct random_id id = {.bytes = {(uint8_t)i, (uint8_t)(i >> 8), 1}};
    return id;
}

static void test_the_oldest_is_forgotten(void **state)
{
    struct buffer text;
    buffer_init(&text, LETTERS_SEEN_BYTES);
    for (size_t i = 0; i <= LIMIT_LETTERS_SEEN; i++) {
        struct random_id id = id_of(i), before = id_of(i - 1);
        assert_false(letters_seen_has(buffer_view(&text), &id));
        assert_int_equal(letters_seen_add(&text, &id), 0);
        assert_true(i == 0 || letters_seen_has(buffer_view(&text), &before));
    }
    struct random_id first = id_of(0), second = id_of(1);
    assert_false(letters_seen_has(buffer_view(&text), &first));
    assert_true(letters_seen_has(buffer_view(&text), &second));
    buffer_fini(&text);
}

static void test_a_file_that_is_damaged(void **state)
{
    struct buffer text;
    struct random_id id = id_of(7);
    buffer_init(&text, LETTERS_SEEN_BYTES);
    while (buffer_append_str(&text, "what is this") == 0)
        ;
    assert_false(letters_seen_has(buffer_view(&text), &id));
    assert_int_equal(letters_seen_add(&text, &id), 0);
    assert_true(letters_seen_has(buffer_view(&text), &id));
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_for_each_device),
        cmocka_unit_test(test_a_letter_keeps_its_id_when_the_hub_was_lost),
        cmocka_unit_test(test_what_is_not_sent),
        cmocka_unit_test(test_full_boxes),
        cmocka_unit_test(test_what_is_no_letter),
        cmocka_unit_test(test_each_once),
        cmocka_unit_test(test_what_is_not_genuine),
        cmocka_unit_test(test_who_signs_with_another_key),
        cmocka_unit_test(test_who_is_surely_another),
        cmocka_unit_test(test_what_is_left),
        cmocka_unit_test(test_one_comes_while_the_list_is_asked_for),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_what_is_shown_later),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_the_oldest_is_forgotten),
        cmocka_unit_test(test_a_file_that_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

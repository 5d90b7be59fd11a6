#include "mail.h"

#include "world.h"

#include "base/number.h"
#include "peer/peer_letter.h"

#include <stdio.h>

/* How a letter is shown: "bob wrote then: letter 7" (client/visit_letters.c). */
#define WROTE " wrote then: "

/* What is said of one that may or may not be with the hub (client/post_words.c). */
#define GIVEN_UP "has not said that it keeps the letter"

bool mail_write(struct world *w, size_t from, size_t account, char text[MAIL_TEXT_BYTES])
{
    if (w->mail_count == MAIL_MAX)
        return false;
    struct mail *m = &w->mail[w->mail_count];
    *m = (struct mail){.from = from, .to = account};
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (i != from && account_of(i) == account && w->is_known[i] &&
            notebook_must_believe(&w->notebooks[from], account, i))
            m->must |= 1u << i;
    snprintf(text, MAIL_TEXT_BYTES, "letter %zu", w->mail_count++);
    return true;
}

static struct mail *find(struct world *w, struct bytes text)
{
    struct bytes rest = text;
    uint64_t n;
    bool is_one = bytes_equal_str(bytes_next_word(&rest), "letter") &&
                  number_parse_u64(bytes_trim(rest), &n) && n < w->mail_count;
    CHECK(w, is_one, "nobody wrote \"%.*s\"", (int)text.len, (const char *)text.data);
    return &w->mail[n];
}

/* ---- it is sent ---- */

/* Only who has the key can tell which it is: the judge has all of them. */
static struct mail *open_sealed(struct world *w, size_t device, const struct bytes *argv,
                                size_t to)
{
    uint8_t seed[IDENTITY_SEED_BYTES];
    struct buffer plain;
    struct peer_letter l;
    buffer_init(&plain, LIMIT_LETTER_BYTES);
    world_write_seed(to, seed);
    CHECK(w, peer_letter_open(argv[4], argv[1], seed, &plain, &l) == 0,
          "a letter leaves that nobody can open");
    CHECK(w, world_key(w, &l.from.key) == device, "a letter leaves under another's key");
    struct mail *m = find(w, l.text);
    buffer_fini(&plain);
    return m;
}

static struct mail *find_id(struct world *w, struct bytes id)
{
    for (size_t i = 0; i < w->mail_count; i++)
        if (bytes_equal_str(id, w->mail[i].id))
            return &w->mail[i];
    return NULL;
}

struct mail_copy mail_asked(struct world *w, size_t device, const struct bytes *argv)
{
    size_t to = world_device(w, argv[2]), account = world_account(w, argv[1]);
    struct mail *m = find_id(w, argv[3]);
    if (!m) {
        m = open_sealed(w, device, argv, to);
        CHECK(w, m->id[0] == '\0', "a letter leaves under two ids");
        memcpy(m->id, argv[3].data, RANDOM_ID_TEXT_LEN);
    }
    CHECK(w, m->from == device && m->to == account, "a letter leaves to somebody else");
    CHECK(w, notebook_believes(&w->notebooks[device], account, to),
          "a letter is for a key that is not believed");
    return (struct mail_copy){(size_t)(m - w->mail), to};
}

void mail_kept(struct world *w, struct mail_copy copy)
{
    w->mail[copy.letter].kept |= 1u << copy.device;
}

void mail_told(struct world *w, size_t device, struct bytes text)
{
    if (bytes_equal_str(text, MAIL_FORGED))
        return;
    struct mail *m = find(w, text);
    unsigned must = 0;
    if (m->from != device)
        return; /* it is the other device's: told because it is shown here */
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (m->must & 1u << i && notebook_must_believe(&w->notebooks[device], m->to, i))
            must |= 1u << i;
    CHECK(w, m->kept != 0, "what the hub has not got is said to be there");
    CHECK(w, w->lies || (must & ~m->kept) == 0, "a device gets no copy");
}

void mail_unsure(struct world *w, size_t device, size_t account)
{
    for (size_t i = 0; i < w->mail_count; i++)
        if (w->mail[i].from == device && w->mail[i].to == account)
            w->mail[i].must = 0;
}

/* ---- it is shown ---- */

/* One that nobody here wrote: its text tells. */
static void judge_forged(struct world *w, size_t device, size_t account)
{
    CHECK(w, notebook_believes(&w->notebooks[device], account, KEY_OF_NOBODY),
          "device %zu shows a forged letter of %s's", device, world_name(account));
}

void mail_shown(struct world *w, size_t device, struct bytes line)
{
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)line.len, (const char *)line.data);
    char *wrote = strstr(text, WROTE);
    CHECK(w, !strstr(text, GIVEN_UP), "device %zu gives a letter up", device);
    if (!wrote)
        return;
    size_t account = world_account(w, bytes_make(text, (size_t)(wrote - text)));
    struct bytes words = bytes_from_str(wrote + sizeof WROTE - 1);
    if (bytes_equal_str(words, MAIL_FORGED)) {
        judge_forged(w, device, account);
        return;
    }
    struct mail *m = find(w, words);
    CHECK(w, account_of(m->from) == account, "a letter is shown as another's");
    CHECK(w, m->to == account_of(device) && m->from != device,
          "device %zu shows a letter that is not for it", device);
    CHECK(w, !(m->shown & 1u << device), "device %zu shows a letter twice", device);
    CHECK(w, notebook_believes(&w->notebooks[device], account, m->from),
          "device %zu shows a letter of a device that it does not believe", device);
    m->shown |= 1u << device;
    w->letters++;
}

static void check_copy(struct world *w, const struct mail *m, size_t device)
{
    const struct notebook *b = &w->notebooks[device];
    size_t account = account_of(m->from);
    bool shows =
        notebook_knows_nobody(b, account) || notebook_must_believe(b, account, m->from);
    CHECK(w, !shows, "letter %zu is not shown on device %zu", (size_t)(m - w->mail), device);
}

/* Of a hub that lies nothing need come. */
void mail_check_arrived(struct world *w)
{
    for (size_t i = 0; !w->lies && i < w->mail_count; i++)
        for (size_t device = 0; device < WORLD_DEVICES; device++)
            if (w->mail[i].kept & ~w->mail[i].shown & 1u << device)
                check_copy(w, &w->mail[i], device);
}

#include "client/notice.h"

#include "base/clean.h"

static bool is_texts(const struct resp_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind != RESP_BULK && values[i].kind != RESP_STATUS)
            return false;
    }
    return true;
}

/* ID NAME */
static bool read_person(const struct resp_value *words, size_t count, struct notice *n)
{
    struct random_id id;
    if (count < 2 || !random_id_read(words[0].text, &id) ||
        !account_name_is_valid(words[1].text))
        return false;
    n->id = words[0].text;
    n->name = words[1].text;
    return true;
}

/* FINGERPRINT KEY */
static bool read_key(const struct resp_value *words, struct notice *n)
{
    if (!fingerprint_read(words[0].text, &n->print) || !public_key_read(words[1].text, &n->key))
        return false;
    struct fingerprint print = fingerprint_of(&n->key);
    return fingerprint_equal(&print, &n->print);
}

/* ID NAME FINGERPRINT KEY */
static bool read_device(const struct resp_value *words, size_t count, struct notice *n)
{
    return count >= 4 && read_person(words, count, n) && read_key(words + 2, n);
}

/* NAME FINGERPRINT KEY */
static bool read_revoked(const struct resp_value *words, size_t count, struct notice *n)
{
    n->name = count == 3 ? words[0].text : bytes_make(NULL, 0);
    return account_name_is_valid(n->name) && read_key(words + 1, n);
}

/* FINGERPRINT LABEL..., which came as words. */
static bool read_added(const struct resp_value *words, size_t count, struct notice *n)
{
    size_t at = 0;
    for (size_t i = 1; i < count; i++) {
        struct bytes word = words[i].text;
        if (word.len + (at > 0) > DEVICE_LABEL_BYTES - at)
            return false;
        if (at > 0)
            n->label[at++] = ' ';
        if (word.len > 0)
            memcpy(n->label + at, word.data, word.len);
        at += word.len;
    }
    return count > 0 && fingerprint_read(words[0].text, &n->print) &&
           device_label_is_valid(bytes_make(n->label, at));
}

static bool is_address(struct bytes b)
{
    return b.len <= NOTICE_ADDRESS_BYTES && clean_is_clean(b) && bytes_find(b, ' ') == b.len;
}

/* SIDE SEEN CANDIDATE... */
static bool read_paths(const struct resp_value *words, size_t count, struct notice *n)
{
    if (count < 2 || count - 2 > NOTICE_CANDIDATES)
        return false;
    n->dials = bytes_equal_str(words[0].text, "dials");
    n->seen = words[1].text;
    n->candidate_count = count - 2;
    for (size_t i = 0; i < n->candidate_count; i++)
        n->candidates[i] = words[2 + i].text;
    for (size_t i = 1; i < count; i++) {
        if (!is_address(words[i].text))
            return false;
    }
    return n->dials || bytes_equal_str(words[0].text, "answers");
}

static bool read_presence(const struct resp_value *words, size_t count, struct notice *n)
{
    n->name = count == 1 ? words[0].text : bytes_make(NULL, 0);
    return account_name_is_valid(n->name);
}

static bool read_kind(struct bytes word, enum notice_kind *ret)
{
    static const char *const words[] = {
        [NOTICE_ONLINE] = "online",         [NOTICE_OFFLINE] = "offline",
        [NOTICE_INVITED] = "invited",       [NOTICE_INTRODUCED] = "introduced",
        [NOTICE_DECLINED] = "declined",     [NOTICE_RELAY] = "relay",
        [NOTICE_UNBELIEVED] = "unbelieved", [NOTICE_LETTER] = "letter",
        [NOTICE_REVOKED] = "revoked",       [NOTICE_ADDED] = "added",
    };
    for (enum notice_kind kind = NOTICE_ONLINE; kind <= NOTICE_ADDED; kind++) {
        if (bytes_equal_str(word, words[kind])) {
            *ret = kind;
            return true;
        }
    }
    return false;
}

static bool read_rest(const struct resp_value *words, size_t count, struct notice *n)
{
    struct random_id id;
    switch (n->kind) {
    case NOTICE_ONLINE:
    case NOTICE_OFFLINE:
        return read_presence(words, count, n);
    case NOTICE_INVITED:
        return count == 4 && read_device(words, count, n);
    case NOTICE_INTRODUCED:
        return read_device(words, count, n) && read_paths(words + 4, count - 4, n);
    case NOTICE_DECLINED:
        n->reason = count == 3 ? words[2].text : bytes_make(NULL, 0);
        return count == 3 && read_person(words, count, n);
    case NOTICE_RELAY:
    case NOTICE_UNBELIEVED:
        n->id = count == 1 ? words[0].text : bytes_make(NULL, 0);
        return random_id_read(n->id, &id);
    case NOTICE_LETTER:
        return count == 0;
    case NOTICE_REVOKED:
        return read_revoked(words, count, n);
    case NOTICE_ADDED:
        return read_added(words, count, n);
    }
    return false;
}

bool notice_parse(const struct resp_value *values, size_t count, struct notice *ret)
{
    struct notice n = {0};
    if (count < 2 || values[0].kind != RESP_PUSH || values[0].number < 1 ||
        (size_t)values[0].number != count - 1 || !is_texts(values + 1, count - 1) ||
        !read_kind(values[1].text, &n.kind) || !read_rest(values + 2, count - 2, &n))
        return false;
    *ret = n;
    return true;
}

static struct bytes keep(struct notice_kept *k, size_t *at, struct bytes text)
{
    assert(text.len <= sizeof k->texts - *at);
    char *to = k->texts + *at;
    if (text.len > 0)
        memcpy(to, text.data, text.len);
    *at += text.len;
    return bytes_make(to, text.len);
}

void notice_keep(struct notice_kept *k, const struct notice *n)
{
    size_t at = 0;
    k->notice = *n;
    k->notice.reason = bytes_make(NULL, 0);
    k->notice.name = keep(k, &at, n->name);
    k->notice.id = keep(k, &at, n->id);
    k->notice.seen = keep(k, &at, n->seen);
    for (size_t i = 0; i < n->candidate_count; i++)
        k->notice.candidates[i] = keep(k, &at, n->candidates[i]);
}

const char *notice_refusal(struct bytes reason)
{
    static const char *const refusals[][2] = {{"declined", "does not want to talk"},
                                              {"busy", "is busy"},
                                              {"timeout", "has not answered"},
                                              {"gone", "is gone"}};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (bytes_equal_str(reason, refusals[i][0]))
            return refusals[i][1];
    return "does not talk";
}

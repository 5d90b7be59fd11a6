#include "client/answer.h"

enum answer_stored answer_stored(const struct resp_value *reply)
{
    if (reply->kind == RESP_NULL)
        return ANSWER_NOT_STORED;
    if (reply->kind == RESP_STATUS && bytes_equal_str(reply->text, "Saved"))
        return ANSWER_SAVED;
    if (reply->kind == RESP_STATUS && bytes_equal_str(reply->text, "Updated"))
        return ANSWER_UPDATED;
    return ANSWER_STRANGE;
}

bool answer_is_denial(struct bytes error)
{
    struct bytes word = bytes_next_word(&error);
    static const char *const denials[] = {"NOPERM", "NOAUTH", "NOLOGIN", "NOINVITE",
                                          "WRONGPASS"};
    for (size_t i = 0; i < sizeof denials / sizeof *denials; i++)
        if (bytes_equal_str(word, denials[i]))
            return true;
    return false;
}

struct bytes answer_words(struct bytes error)
{
    static const char *const codes[] = {"ERR ", "ABSENT ", "BUSY "};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (bytes_starts_with(error, codes[i]))
            return bytes_trim(bytes_from(error, strlen(codes[i])));
    return bytes_trim(error);
}

const char *answer_change_word(enum answer_change_kind kind)
{
    static const char *const words[] = {
        [ANSWER_SET] = "set",
        [ANSWER_DELETED] = "del",
        [ANSWER_EXPIRED] = "expired",
        [ANSWER_FLUSHED] = "flush",
    };
    return words[kind];
}

static bool read_kind(struct bytes word, enum answer_change_kind *ret)
{
    for (enum answer_change_kind kind = ANSWER_SET; kind <= ANSWER_FLUSHED; kind++) {
        if (bytes_equal_str(word, answer_change_word(kind))) {
            *ret = kind;
            return true;
        }
    }
    return false;
}

bool answer_change(const struct resp_value *reply, struct answer_change *ret)
{
    struct answer_change change = {0};
    if (reply->kind != RESP_PUSH || reply->number != 5)
        return false;
    for (size_t i = 1; i <= 5; i++) {
        if (reply[i].kind != RESP_BULK && reply[i].kind != RESP_NULL)
            return false;
    }
    if (!bytes_equal_str(reply[1].text, "change") || !read_kind(reply[3].text, &change.kind))
        return false;
    bool flushed = change.kind == ANSWER_FLUSHED, set = change.kind == ANSWER_SET;
    if ((reply[4].kind == RESP_NULL) != flushed || (reply[5].kind == RESP_BULK) != set)
        return false;
    change.key = reply[4].text;
    change.value = reply[5].text;
    *ret = change;
    return true;
}

#include "wire/instruction.h"

static const char *const verbs[] = {
    "ACCEPT",          "CANCEL",          "DECLINE", "DISCONNECT_CLIENT",
    "GET_CLIENT_INFO", "GET_CLIENT_LIST", "MEET",    "WHO",
};

static bool is_verb(struct bytes word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (bytes_equal_str(word, verbs[i]))
            return true;
    return false;
}

/* VERB<ARGUMENTS>: takes the brackets off; other shapes are left alone. */
static void split(struct bytes message, struct bytes *ret_verb, struct bytes *ret_rest)
{
    size_t open = bytes_find(message, '<');
    *ret_rest = message;
    if (open + 1 < message.len && message.data[message.len - 1] == '>' &&
        is_verb(bytes_first(message, open))) {
        *ret_verb = bytes_first(message, open);
        *ret_rest = bytes_first(bytes_from(message, open + 1), message.len - open - 2);
        return;
    }
    *ret_verb = bytes_next_word(ret_rest);
}

bool instruction_parse(struct bytes message, struct instruction *ret)
{
    struct bytes verb, rest;
    split(message, &verb, &rest);
    if (!is_verb(verb))
        return false;
    *ret = (struct instruction){.words = {verb}, .count = 1};
    for (struct bytes word = bytes_next_word(&rest); word.len > 0;
         word = bytes_next_word(&rest)) {
        if (ret->count == INSTRUCTION_WORDS_MAX)
            return false;
        ret->words[ret->count++] = word;
    }
    return true;
}

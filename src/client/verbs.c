#include "client/verbs.h"

enum arity { NONE, MAYBE, ONE, REST };

static const struct known {
    const char *word;
    enum verb_kind kind;
    enum arity arity;
    enum verb_takes takes;
    const char *missing; /* what to say where the argument is */
} known[] = {
    {"#HELP", VERB_HELP, NONE, VERB_TAKES_NOTHING, NULL},
    {"GET_CLIENT_LIST", VERB_LIST, NONE, VERB_TAKES_NOTHING, NULL},
    {"GET_CLIENT_INFO", VERB_TALK, ONE, VERB_TAKES_NAME, "Whom? GET_CLIENT_INFO NAME"},
    {"SEND_FILE", VERB_SEND, REST, VERB_TAKES_PATH, NULL},
    {"CLOSE_SESSION", VERB_CLOSE, NONE, VERB_TAKES_NOTHING, NULL},
    {"VERIFY", VERB_VERIFY, ONE, VERB_TAKES_NAME, "Whom? VERIFY NAME"},
    {"DISCONNECT_CLIENT", VERB_LEAVE, NONE, VERB_TAKES_NOTHING, NULL},
    {"QUIT", VERB_STOP, NONE, VERB_TAKES_NOTHING, NULL},
    {"LETTER", VERB_LETTER, REST, VERB_TAKES_NAME, "To whom, and what? LETTER NAME TEXT"},
    {"/help", VERB_HELP, NONE, VERB_TAKES_NOTHING, NULL},
    {"/who", VERB_WHO, NONE, VERB_TAKES_NOTHING, NULL},
    {"/talk", VERB_TALK, ONE, VERB_TAKES_NAME, "Whom? /talk NAME"},
    {"/accept", VERB_ACCEPT, MAYBE, VERB_TAKES_NAME, NULL},
    {"/decline", VERB_DECLINE, MAYBE, VERB_TAKES_NAME, NULL},
    {"/verify", VERB_VERIFY, MAYBE, VERB_TAKES_NAME, NULL},
    {"/history", VERB_HISTORY, MAYBE, VERB_TAKES_NAME, NULL},
    {"/letter", VERB_LETTER, REST, VERB_TAKES_NAME, "To whom, and what? /letter NAME TEXT"},
    {"/path", VERB_PATH, NONE, VERB_TAKES_NOTHING, NULL},
    {"/transfers", VERB_TRANSFERS, NONE, VERB_TAKES_NOTHING, NULL},
    {"/cancel", VERB_CANCEL, ONE, VERB_TAKES_NOTHING, "Which? /cancel ID, as /transfers tells"},
    {"/send", VERB_SEND, REST, VERB_TAKES_PATH, NULL},
    {"/close", VERB_CLOSE, NONE, VERB_TAKES_NOTHING, NULL},
    {"/quit", VERB_LEAVE, NONE, VERB_TAKES_NOTHING, NULL},
};

const char *verb_word(size_t i, enum verb_takes *ret_takes)
{
    if (i >= sizeof known / sizeof *known)
        return NULL;
    *ret_takes = known[i].takes;
    return known[i].word;
}

static bool is_word(const struct known *k, struct bytes word)
{
    return k->word[0] == '/' ? bytes_equal_nocase_str(word, k->word)
                             : bytes_equal_str(word, k->word);
}

static const struct known *find(struct bytes word)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (is_word(&known[i], word))
            return &known[i];
    }
    return NULL;
}

/* `VERB<arg>` or `VERB arg`: the argument, without blanks at its ends. */
static struct bytes split(struct bytes line, struct bytes *ret_word)
{
    struct bytes rest = line;
    struct bytes word = bytes_next_word(&rest);
    size_t bracket = bytes_find(word, '<');
    size_t all = bytes_trim(line).len;
    line = bytes_trim(line);
    if (bracket < word.len && line.data[all - 1] == '>') {
        *ret_word = bytes_first(word, bracket);
        return bytes_trim(bytes_first(bytes_from(line, bracket + 1), all - bracket - 2));
    }
    *ret_word = word;
    return bytes_trim(rest);
}

static bool is_one_word(struct bytes b)
{
    return bytes_next_word(&b).len > 0 && bytes_trim(b).len == 0;
}

static struct verb say(struct bytes line)
{
    return (struct verb){.kind = VERB_SAY, .argument = line};
}

static struct verb wrong(const char *problem)
{
    return (struct verb){.kind = VERB_WRONG, .problem = problem};
}

/* Words behind a long verb that takes none make it an ordinary line. */
static struct verb parse_known(const struct known *k, struct bytes argument, struct bytes line)
{
    bool none = argument.len == 0;
    if (k->missing && none)
        return wrong(k->missing);
    bool many = k->arity == NONE ? !none : k->arity != REST && !none && !is_one_word(argument);
    if (many && k->word[0] != '/')
        return say(line);
    if (many)
        return wrong("That is too much for this verb; /help shows them");
    return (struct verb){.kind = k->kind, .argument = argument};
}

struct verb verb_parse(struct bytes line)
{
    struct bytes word;
    if (bytes_trim(line).len == 0)
        return (struct verb){.kind = VERB_NONE};
    if (bytes_starts_with(line, "//"))
        return say(bytes_from(line, 1));
    struct bytes argument = split(line, &word);
    const struct known *k = find(word);
    if (k)
        return parse_known(k, argument, line);
    if (word.data[0] == '/')
        return (struct verb){.kind = VERB_UNKNOWN, .argument = word};
    return say(line);
}

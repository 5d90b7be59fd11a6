#include "kith/options.h"

#include "base/synonym.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct known {
    const char *name;
    const char **text; /* where its value goes, or NULL */
    bool *flag;        /* what it sets, or NULL */
};

static int wrong(char *problem, const char *name, size_t len, const char *what)
{
    snprintf(problem, OPTIONS_PROBLEM_BYTES, "%.*s %s", (int)(len < 64 ? len : 64), name, what);
    return -EINVAL;
}

const char *options_better(const char *name, size_t len)
{
    static const struct synonym known[] = {
        {"--port", "--hub HOST:PORT"},
        {"-p", "--hub HOST:PORT"},
        {"--host", "--hub HOST:PORT"},
        {"--server", "--hub HOST:PORT"},
        {"--address", "--hub HOST:PORT"},
        {"--socket", "--hub ./SOCKET"},
        {"-s", "--hub ./SOCKET"},
        {"--ttl", "--expire TIME"},
        {"--pattern", "--match PATTERN"},
        {"-j", "--json"},
        {"-q", "--quiet"},
        {"-v", "--version"},
        {"-V", "--version"},
    };
    return synonym_find(known, sizeof known / sizeof *known, bytes_make(name, len));
}

static int unknown(char *problem, const char *name, size_t len)
{
    const char *better = options_better(name, len);
    char what[96] = "is not an option; kith --help and kith help COMMAND list them, and after "
                    "-- all are words";
    if (better)
        snprintf(what, sizeof what, "is not an option, but %s is; kith --help says more",
                 better);
    return wrong(problem, name, len, what);
}

static const struct known *find(const struct known *known, const char *name, size_t len)
{
    while (known->name && (strlen(known->name) != len || memcmp(known->name, name, len) != 0))
        known++;
    return known->name ? known : NULL;
}

/* Takes the option at argv[*at] and its value, and moves *at to the last word used. */
static int take(const struct known *all, int argc, char **argv, int *at, char *problem)
{
    const char *name = argv[*at], *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct known *k = find(all, name, len);
    if (!k)
        return unknown(problem, name, len);
    if (k->flag) {
        *k->flag = true;
        return equals ? wrong(problem, name, len, "takes no value") : 0;
    }
    if (*k->text)
        return wrong(problem, name, len, "is given twice");
    if (!equals && *at + 1 == argc)
        return wrong(problem, name, len, "needs a value");
    *k->text = equals ? equals + 1 : argv[++*at];
    return 0;
}

/* Standard input, which is to be sent, is called what --as behind it says: kith send NAME -
 * --as notes.txt. Behind other paths it says nothing that can be; elsewhere it is a profile. */
static bool names_input(const struct options *o, const char *word)
{
    return o->word_count > 2 && strcmp(o->words[0], "send") == 0 &&
           (strcmp(word, "--as") == 0 || strncmp(word, "--as=", 5) == 0);
}

int options_parse(struct options *o, int argc, char **argv, char problem[OPTIONS_PROBLEM_BYTES])
{
    *o = (struct options){.words = argv + 1};
    const struct known all[] = {
        {.name = "--hub", .text = &o->hub},
        {.name = "--as", .text = &o->as},
        {.name = "--log", .text = &o->log},
        {.name = "--key", .text = &o->key},
        {.name = "--value", .text = &o->value},
        {.name = "--expire", .text = &o->expire},
        {.name = "--if-equal", .text = &o->if_equal},
        {.name = "--if-absent", .flag = &o->if_absent},
        {.name = "--match", .text = &o->match},
        {.name = "--logs", .text = &o->logs},
        {.name = "--story", .text = &o->story},
        {.name = "--print-story", .flag = &o->print_story},
        {.name = "--password-file", .text = &o->password_file},
        {.name = "--password-fd", .text = &o->password_fd},
        {.name = "--token-file", .text = &o->token_file},
        {.name = "--invite", .flag = &o->invited},
        {.name = "--setup", .flag = &o->setup},
        {.name = "--new", .flag = &o->create},
        {.name = "--revoke", .text = &o->revoke},
        {.name = "--sign", .text = &o->sign},
        {.name = "--reset", .text = &o->reset},
        {.name = "--remove", .text = &o->remove},
        {.name = "--admin", .text = &o->admin},
        {.name = "--peer-port", .text = &o->peer_port},
        {.name = "--accept", .text = &o->accept},
        {.name = "--from", .text = &o->from},
        {.name = "--into", .text = &o->into},
        {.name = "--rename", .flag = &o->rename},
        {.name = "--replace", .flag = &o->replace},
        {.name = "--sha256", .flag = &o->sha256},
        {.name = "--history", .flag = &o->history},
        {.name = "--now", .flag = &o->now},
        {.name = "--discard", .text = &o->discard},
        {.name = "--json", .flag = &o->json},
        {.name = "--quiet", .flag = &o->quiet},
        {.name = "--raw", .flag = &o->raw},
        {.name = "--help", .flag = &o->help},
        {.name = "--version", .flag = &o->version},
        {0},
    };
    const struct known of_input[] = {{.name = "--as", .text = &o->title}, {0}};
    int at = 1;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        if (strncmp(argv[at], "--", 2) != 0) {
            o->words[o->word_count++] = argv[at];
            continue;
        }
        int r = take(names_input(o, argv[at]) ? of_input : all, argc, argv, &at, problem);
        if (r < 0)
            return r;
    }
    o->literal_from = o->word_count;
    for (at++; at < argc; at++)
        o->words[o->word_count++] = argv[at];
    return 0;
}

int options_join(const struct options *o, size_t from, struct buffer *out)
{
    int r = 0;
    for (size_t i = from; r == 0 && i < o->word_count; i++) {
        if (i > from)
            r = buffer_append_str(out, " ");
        if (r == 0)
            r = buffer_append_str(out, o->words[i]);
    }
    return r;
}

#include "kith/command.h"
#include "kith/help.h"

#include "io/problem.h"
#include "io/standard_streams.h"
#include "io/terminal.h"
#include "meet/carrier.h"
#include "meet/carrying.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What the same is called elsewhere. */
static const char *const synonyms[][2] = {
    {"set", "store"},
    {"put", "store"},
    {"fetch", "get"},
    {"delete", "del"},
    {"rm", "del"},
    {"remove", "del"},
    {"keys", "ls"},
    {"list", "ls"},
    {"ping", "echo"},
    {"stop", "quit"},
    {"shutdown", "quit"},
    {"version", "--version"},
    {"raw", "--raw"},
    {"follow", "watch"},
    {"dump", "export"},
    {"restore", "import"},
    {"letter", "letters prints those you have, kith say NAME TEXT leaves one"},
};

static const char *suggestion(const char *word)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (strcasecmp(word, synonyms[i][0]) == 0)
            return synonyms[i][1];
    }
    return NULL;
}

static bool is_command(const struct options *o, const char *name)
{
    return o->word_count > 0 && !o->raw && strcmp(o->words[0], name) == 0;
}

/* Those of the commands about accounts. */
static int check_account_options(struct session *s)
{
    const struct options *o = &s->options;
    const char *wrong = NULL;
    bool asks = is_command(o, "register") || is_command(o, "login") ||
                is_command(o, "password") || is_command(o, "account");
    if ((o->password_file || o->password_fd) && !asks)
        wrong =
            "--password-file and --password-fd go with register, login, password and account";
    else if ((o->token_file || o->invited || o->setup) && !is_command(o, "register"))
        wrong = "--invite, --setup and --token-file go with register";
    else if (o->invited && o->setup)
        wrong = "--invite and --setup exclude each other";
    else if (o->create && !is_command(o, "invite") && !is_command(o, "token"))
        wrong = "--new goes with invite and token";
    else if (o->revoke && !is_command(o, "devices") && !is_command(o, "token"))
        wrong = "--revoke goes with devices and token";
    else if (o->sign && !is_command(o, "devices"))
        wrong = "--sign goes with devices";
    else if ((o->reset || o->remove || o->admin) && !is_command(o, "account"))
        wrong = "--reset, --remove and --admin go with account";
    return wrong ? session_fail(s, EXIT_USAGE, "%s", wrong) : EXIT_DONE;
}

static bool looks_like_host(const char *word)
{
    return word[0] != '-' && (strpbrk(word, ".:/") || strcmp(word, "localhost") == 0);
}

static bool looks_like_port(const char *word)
{
    return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0';
}

/* HOST PORT, or HOST alone where it can be nothing else: a name without a dot may be a command
 * that is written wrong. Nothing at all is a visit where somebody is there. */
static bool is_visit(const struct options *o)
{
    if (o->key || o->value)
        return false;
    if (o->word_count == 0)
        return terminal_is_there();
    if (command_find(o->words[0]) || o->hub)
        return false;
    return o->word_count == 1 ? looks_like_host(o->words[0])
                              : o->word_count == 2 && looks_like_port(o->words[1]);
}

/* HOST, or HOST PORT, beside --hub. */
static bool names_two_hubs(const struct options *o)
{
    return o->hub && !o->raw && o->word_count > 0 && looks_like_host(o->words[0]) &&
           (o->word_count == 1 || (o->word_count == 2 && looks_like_port(o->words[1])));
}

static int check_people_options(struct session *s)
{
    const struct options *o = &s->options;
    bool listens = is_command(o, "listen") || is_visit(o);
    bool receives = is_command(o, "receive"), sends = is_command(o, "send");
    bool resumes = is_command(o, "transfers") && o->word_count > 2;
    if (o->accept && !listens && !receives && !resumes)
        return session_fail(
            s, EXIT_USAGE,
            "--accept goes with listen, receive, transfers resume ID and a visit");
    if (o->peer_port && !listens && !receives && !sends && !is_command(o, "say") &&
        !is_command(o, "verify") && !is_command(o, "doctor") && !is_command(o, "transfers"))
        return session_fail(s, EXIT_USAGE,
                            "--peer-port goes with say, listen, send, receive, transfers, "
                            "verify, doctor and a visit");
    if ((o->from || o->into) && !receives)
        return session_fail(s, EXIT_USAGE, "--from and --into go with receive");
    if ((o->rename || o->replace) && !receives && !resumes)
        return session_fail(s, EXIT_USAGE,
                            "--rename and --replace go with receive and transfers resume ID");
    if (o->rename && o->replace)
        return session_fail(s, EXIT_USAGE, "--rename and --replace exclude each other");
    if (o->sha256 && !receives && !sends)
        return session_fail(s, EXIT_USAGE, "--sha256 goes with send and receive");
    if (o->history && !listens && !is_command(o, "say") && !is_command(o, "letters"))
        return session_fail(s, EXIT_USAGE,
                            "--history goes with say, listen, letters and a visit");
    if (o->now && !is_command(o, "say") && !sends)
        return session_fail(s, EXIT_USAGE, "--now goes with say and send");
    if (o->discard && !is_command(o, "letters"))
        return session_fail(s, EXIT_USAGE, "--discard goes with letters");
    if (o->discard && o->history)
        return session_fail(s, EXIT_USAGE, "--discard and --history exclude each other");
    return EXIT_DONE;
}

static int check_options(struct session *s)
{
    const struct options *o = &s->options;
    bool demo = o->word_count > 0 && !o->raw && strcmp(o->words[0], "demo") == 0;
    if (!demo && (o->logs || o->story || o->print_story))
        return session_fail(s, EXIT_USAGE, "--logs, --story and --print-story go with demo");
    bool stores =
        !o->raw && (o->word_count > 0 ? strcmp(o->words[0], "store") == 0 : !!o->value);
    bool grants = is_command(o, "invite") || is_command(o, "token");
    if (!stores && ((o->expire && !grants) || o->if_absent || o->if_equal))
        return session_fail(s, EXIT_USAGE,
                            "--expire, --if-absent and --if-equal go with store");
    if (o->if_absent && o->if_equal)
        return session_fail(s, EXIT_USAGE, "--if-absent and --if-equal exclude each other");
    if (o->match && (o->raw || o->word_count == 0 || strcmp(o->words[0], "ls") != 0))
        return session_fail(s, EXIT_USAGE, "--match goes with ls");
    if (demo && o->log)
        return session_fail(s, EXIT_USAGE, "demo takes --logs DIR, not --log");
    int code = check_account_options(s);
    return code == EXIT_DONE ? check_people_options(s) : code;
}

/* What is wrong with a word that should be a command and is none. */
static void describe_no_command(const char *word, char problem[OPTIONS_PROBLEM_BYTES])
{
    const char *option = options_better(word, strlen(word)), *command = suggestion(word);
    if (option)
        snprintf(problem, OPTIONS_PROBLEM_BYTES,
                 "%.64s is not an option, but %s is; kith --help says more", word, option);
    else if (word[0] == '-')
        snprintf(problem, OPTIONS_PROBLEM_BYTES,
                 "%.64s is not an option; kith --help lists them", word);
    else
        snprintf(problem, OPTIONS_PROBLEM_BYTES,
                 "there is no command %.64s%s%s; kith --help lists them", word,
                 command ? ", but kith " : "", command ? command : "");
}

static int no_command(struct session *s, const char *word)
{
    char problem[OPTIONS_PROBLEM_BYTES];
    describe_no_command(word, problem);
    return session_fail(s, EXIT_USAGE, "%s", problem);
}

/* One of them may be meant for an option. */
static int too_many_words(struct session *s)
{
    const struct options *o = &s->options;
    for (size_t i = 1; i < o->literal_from; i++) {
        if (options_better(o->words[i], strlen(o->words[i])))
            return no_command(s, o->words[i]);
    }
    return session_fail(s, EXIT_USAGE, "%.64s: too many words; kith help %s says more",
                        o->words[0], o->words[0]);
}

static int run(struct session *s)
{
    const struct options *o = &s->options;
    int code = check_options(s);
    if (code == EXIT_DONE)
        code = session_open_log(s);
    if (code != EXIT_DONE)
        return code;
    if (o->raw)
        return raw_run(s);
    if (o->word_count == 0 && (o->key || o->value))
        return keyed_run(s);
    if (is_visit(o))
        return interactive_run(s);
    if (o->word_count == 0)
        return session_fail(s, EXIT_USAGE, "the command is missing; kith --help lists them");
    if (o->key || o->value)
        return session_fail(s, EXIT_USAGE, "--key and --value go without a command");
    const struct command *command = command_find(o->words[0]);
    if (!command && names_two_hubs(o))
        return session_fail(s, EXIT_USAGE, "give --hub or HOST, not both");
    if (!command)
        return no_command(s, o->words[0]);
    if (o->word_count > command->words_max)
        return too_many_words(s);
    return command->run(s);
}

static bool asks_for_help(const struct options *o)
{
    if (o->help)
        return true;
    return o->word_count > 0 && !o->raw &&
           (strcmp(o->words[0], "help") == 0 || strcmp(o->words[0], "-h") == 0);
}

/* kith help [COMMAND], kith [COMMAND] --help, kith --raw --help */
static int help(struct output *out, const struct options *o)
{
    if (o->raw && help_print_command(out, "raw"))
        return EXIT_DONE;
    size_t at = o->word_count > 0 && strcmp(o->words[0], "help") == 0 ? 1 : 0;
    if (at >= o->word_count || o->words[at][0] == '-') {
        help_print(out);
        return EXIT_DONE;
    }
    if (help_print_command(out, o->words[at]))
        return EXIT_DONE;
    char problem[OPTIONS_PROBLEM_BYTES];
    describe_no_command(o->words[at], problem);
    output_error_line("kith: ", bytes_from_str(problem));
    return EXIT_USAGE;
}

/* What needs no hub. */
static int run_about(struct output *out, const struct options *o)
{
    if (!o->version)
        return help(out, o);
    output_line(out, "kith " KITH_VERSION, bytes_make(NULL, 0));
    return EXIT_DONE;
}

/* Where the reader has gone there is nobody to tell: kith ends as programs do. */
static int check_output(const struct output *out, int code)
{
    if (out->failed == 0)
        return code;
    if (out->failed == -EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    output_error_line("kith: cannot write the output: ",
                      bytes_from_str(problem_text(out->failed)));
    return code == EXIT_DONE ? EXIT_NO : code;
}

static int run_session(const struct options *options)
{
    struct session s;
    int code = session_init(&s, options);
    if (code == EXIT_DONE)
        code = run(&s);
    code = check_output(&s.output, code);
    session_fini(&s);
    return code;
}

int main(int argc, char **argv)
{
    struct options options;
    char problem[OPTIONS_PROBLEM_BYTES];
    if (argc == 1 && strcmp(argv[0], CARRIER_NAME) == 0)
        return carrying_run();
    if (standard_streams_hold(true) < 0)
        return EXIT_USAGE;
    signal(SIGPIPE, SIG_IGN);
    if (options_parse(&options, argc, argv, problem) < 0) {
        output_error_line("kith: ", bytes_from_str(problem));
        return EXIT_USAGE;
    }
    if (!options.version && !asks_for_help(&options))
        return run_session(&options);
    struct output out;
    output_init(&out, options.json, options.quiet);
    return check_output(&out, run_about(&out, &options));
}

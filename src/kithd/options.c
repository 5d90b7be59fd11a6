#include "kithd/options.h"

#include "base/number.h"
#include "base/synonym.h"
#include "hub/hub_name.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNFRAMED_MS_DEFAULT = 30, UNFRAMED_MS_MAX = 60 * 1000, BACKLOG_MAX = 65535 };

static const char usage[] =
    "usage: kithd [NAME [ADDR [PORT]]] [OPTION...]\n"
    "\n"
    "A hub: keeps values, echoes, and answers nc, redis-cli and kith on one port.\n"
    "NAME is the hub's name; ADDR and PORT default to 127.0.0.1 and 12345.\n"
    "\n"
    "  --listen ADDR[:PORT][,replies=terse|full]  listen there; may be given often. ADDR is "
    "an\n"
    "                          IPv4 or [IPv6] address ([::] takes both), a name, or the path\n"
    "                          of a Unix socket, written with a slash: ./hub.sock\n"
    "  --data DIR              keep everything in DIR (default:\n"
    "                          ~/.local/share/kith/hub-PORT)\n"
    "  --durability commit     answer when it is on disk (the default)\n"
    "  --durability second     answer at once, sync every second\n"
    "  --replies terse|full    how STORE and GET answer in text (default terse)\n"
    "  --workers N             threads that serve, 1 to 256 (default: one a core)\n"
    "  --backlog N             clients that may wait to be let in (default 1024, with\n"
    "                          --one-at-a-time 5)\n"
    "  --maxmemory BYTES       while the table is past BYTES[k|m|g] refuse commands that may\n"
    "                          make it grow (default 0: nothing is refused)\n"
    "  --one-at-a-time         serve one connection at a time\n"
    "  --delay MS              answer each message MS milliseconds after its turn came\n"
    "  --unframed-ms MS        silence that ends a message without a newline (default 30,\n"
    "                          0: none)\n"
    "  --open                  let other machines use the table in plaintext\n"
    "  --open-admin            let other machines, and other users, also rename and stop the\n"
    "                          hub, empty the table and copy it\n"
    "  --registration HOW      who may make an account: open, everybody (the default); "
    "invite,\n"
    "                          who has an invite; closed, nobody\n"
    "  --relay WHAT            what goes through this hub where two cannot reach each other:\n"
    "                          chat, what they say (the default); off, nothing; all, what "
    "they\n"
    "                          say, and files\n"
    "  --log FILE              log there (default: standard error); reopened on SIGHUP\n"
    "  --log-requests          log every request\n"
    "  --check DIR             run no hub: verify what is kept in DIR and say what it is\n"
    "  --help, --version       -h is --help, too\n"
    "\n"
    "Exit codes: 0 stopped, or with --check the folder is whole; 1 the disk failed, or the\n"
    "folder is not whole; 2 usage; 3 no start.\n";

enum option_code {
    OPT_LISTEN = 256,
    OPT_DATA,
    OPT_DURABILITY,
    OPT_REPLIES,
    OPT_WORKERS,
    OPT_BACKLOG,
    OPT_MAXMEMORY,
    OPT_ONE_AT_A_TIME,
    OPT_DELAY,
    OPT_UNFRAMED,
    OPT_OPEN,
    OPT_OPEN_ADMIN,
    OPT_REGISTRATION,
    OPT_RELAY,
    OPT_LOG,
    OPT_LOG_REQUESTS,
    OPT_CHECK,
    OPT_HELP,
    OPT_VERSION,
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"data", required_argument, NULL, OPT_DATA},
    {"durability", required_argument, NULL, OPT_DURABILITY},
    {"replies", required_argument, NULL, OPT_REPLIES},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"backlog", required_argument, NULL, OPT_BACKLOG},
    {"maxmemory", required_argument, NULL, OPT_MAXMEMORY},
    {"one-at-a-time", no_argument, NULL, OPT_ONE_AT_A_TIME},
    {"delay", required_argument, NULL, OPT_DELAY},
    {"unframed-ms", required_argument, NULL, OPT_UNFRAMED},
    {"open", no_argument, NULL, OPT_OPEN},
    {"open-admin", no_argument, NULL, OPT_OPEN_ADMIN},
    {"registration", required_argument, NULL, OPT_REGISTRATION},
    {"relay", required_argument, NULL, OPT_RELAY},
    {"log", required_argument, NULL, OPT_LOG},
    {"log-requests", no_argument, NULL, OPT_LOG_REQUESTS},
    {"check", required_argument, NULL, OPT_CHECK},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {0},
};

/* What is being parsed: the options, where complaints go, and what is settled at the end. */
struct parsing {
    struct options *o;
    FILE *err;
    bool replies_full, workers_given, backlog_given;
};

static int end_complaint(struct parsing *p)
{
    fputs("; kithd --help says more\n", p->err);
    return OPTIONS_INVALID;
}

/* One line: "kithd: ", what printf makes of the rest, and where to find more. */
#define complain(p, ...) \
    (fputs("kithd: ", (p)->err), fprintf((p)->err, __VA_ARGS__), end_complaint(p))

static int parse_number(struct parsing *p, const char *what, const char *text, uint64_t min,
                        uint64_t max, uint64_t *ret)
{
    uint64_t v;
    if (!number_parse_u64(bytes_from_str(text), &v) || v < min || v > max)
        return complain(p, "%s is a number from %llu to %llu, not '%s'", what,
                        (unsigned long long)min, (unsigned long long)max, text);
    *ret = v;
    return 0;
}

/* A number of bytes, or of KiB, MiB or GiB where k, m or g stands behind it. */
static int parse_size(struct parsing *p, const char *what, const char *text, size_t *ret)
{
    struct bytes number = bytes_from_str(text);
    unsigned shift = 0;
    uint64_t v;
    if (number.len > 0) {
        uint8_t unit = number.data[number.len - 1] | 0x20;
        shift = unit == 'k' ? 10 : unit == 'm' ? 20 : unit == 'g' ? 30 : 0;
    }
    if (shift > 0)
        number = bytes_first(number, number.len - 1);
    if (!number_parse_u64(number, &v) || v > SIZE_MAX >> shift)
        return complain(p, "%s is a number of bytes, as in 500000, 100m or 2g, not '%s'", what,
                        text);
    *ret = (size_t)v << shift;
    return 0;
}

static int parse_choice(struct parsing *p, const char *what, const char *text, const char *no,
                        const char *yes, bool *ret)
{
    if (strcmp(text, no) != 0 && strcmp(text, yes) != 0)
        return complain(p, "%s is %s or %s, not '%s'", what, no, yes, text);
    *ret = strcmp(text, yes) == 0;
    return 0;
}

static int parse_relay(struct parsing *p, const char *text)
{
    static const char *const words[] = {
        [OPTIONS_RELAY_CHAT] = "chat",
        [OPTIONS_RELAY_OFF] = "off",
        [OPTIONS_RELAY_ALL] = "all",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            p->o->relay = (enum options_relay)i;
            return 0;
        }
    }
    return complain(p, "--relay is off, chat or all, not '%s'", text);
}

static int parse_registration(struct parsing *p, const char *text)
{
    static const char *const words[] = {
        [OPTIONS_REGISTRATION_OPEN] = "open",
        [OPTIONS_REGISTRATION_INVITE] = "invite",
        [OPTIONS_REGISTRATION_CLOSED] = "closed",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            p->o->registration = (enum options_registration)i;
            return 0;
        }
    }
    return complain(p, "--registration is open, invite or closed, not '%s'", text);
}

static int parse_path(struct parsing *p, const char *what, const char *of, const char *text,
                      const char **ret)
{
    if (!*text)
        return complain(p, "%s needs the name of %s", what, of);
    *ret = text;
    return 0;
}

/* ---- addresses ---- */

static bool is_number(struct bytes text)
{
    uint64_t v;
    return number_parse_u64(text, &v);
}

static int set_host(struct parsing *p, struct options_listener *l, struct bytes host)
{
    if (is_number(host))
        return complain(p, "'%.*s' is not an address; for a port say --listen 127.0.0.1:%.*s",
                        (int)host.len, (const char *)host.data, (int)host.len,
                        (const char *)host.data);
    if (host.len == 0 || host.len >= sizeof l->host)
        return complain(p, "an address is 1 to %d bytes", OPTIONS_HOST_BYTES - 1);
    memcpy(l->host, host.data, host.len);
    l->host[host.len] = '\0';
    return 0;
}

static int set_port(struct parsing *p, struct options_listener *l, struct bytes port)
{
    uint64_t v;
    if (!number_parse_u64(port, &v) || v > UINT16_MAX)
        return complain(p, "a port is a number from 0 to 65535, not '%.*s'", (int)port.len,
                        port.len ? (const char *)port.data : "");
    l->port = (uint16_t)v;
    return 0;
}

/* "[::1]:12345", "[::1]" */
static int parse_bracketed(struct parsing *p, struct options_listener *l, struct bytes text)
{
    size_t end = bytes_find(text, ']');
    if (end == text.len)
        return complain(p, "an address that begins with [ needs a ]");
    struct bytes rest = bytes_from(text, end + 1);
    int r = set_host(p, l, bytes_from(bytes_first(text, end), 1));
    if (r != 0 || rest.len == 0)
        return r;
    if (rest.data[0] != ':')
        return complain(p, "after [ADDRESS] only :PORT may follow");
    return set_port(p, l, bytes_from(rest, 1));
}

static int parse_address(struct parsing *p, struct options_listener *l, struct bytes text)
{
    if (bytes_starts_with(text, "unix:") || bytes_find(text, '/') < text.len) {
        l->is_unix = true;
        return set_host(p, l, bytes_starts_with(text, "unix:") ? bytes_from(text, 5) : text);
    }
    if (text.len > 0 && text.data[0] == '[')
        return parse_bracketed(p, l, text);
    size_t colon = bytes_find(text, ':');
    bool is_v6 =
        colon < text.len && bytes_find(bytes_from(text, colon + 1), ':') < text.len - colon - 1;
    if (colon == text.len || is_v6)
        return set_host(p, l, text);
    struct bytes host = colon > 0 ? bytes_first(text, colon) : bytes_from_str("127.0.0.1");
    int r = set_host(p, l, host);
    return r != 0 ? r : set_port(p, l, bytes_from(text, colon + 1));
}

/* NULL where there are too many already. */
static struct options_listener *add_listener(struct parsing *p)
{
    if (p->o->listener_count == LIMIT_LISTENERS) {
        complain(p, "there can be at most %zu listeners", LIMIT_LISTENERS);
        return NULL;
    }
    struct options_listener *l = &p->o->listeners[p->o->listener_count++];
    *l = (struct options_listener){.port = OPTIONS_PORT_DEFAULT};
    return l;
}

static int parse_listen(struct parsing *p, const char *argument)
{
    struct bytes text = bytes_from_str(argument);
    size_t comma = bytes_find(text, ',');
    struct options_listener *l = add_listener(p);
    if (!l)
        return OPTIONS_INVALID;
    if (comma < text.len) {
        struct bytes setting = bytes_from(text, comma + 1);
        l->replies_given = true;
        l->replies_full = bytes_equal_str(setting, "replies=full");
        if (!l->replies_full && !bytes_equal_str(setting, "replies=terse"))
            return complain(p, "after the address of --listen only ,replies=terse or "
                               ",replies=full may follow");
    }
    return parse_address(p, l, bytes_first(text, comma));
}

/* ---- the whole line ---- */

static int parse_option(struct parsing *p, int code, const char *argument)
{
    struct options *o = p->o;
    uint64_t v = 0;
    int r = 0;
    switch (code) {
    case OPT_LISTEN:
        return parse_listen(p, argument);
    case OPT_DATA:
        return parse_path(p, "--data", "a folder", argument, &o->data);
    case OPT_DURABILITY:
        return parse_choice(p, "--durability", argument, "commit", "second", &o->second);
    case OPT_REPLIES:
        return parse_choice(p, "--replies", argument, "terse", "full", &p->replies_full);
    case OPT_WORKERS:
        r = parse_number(p, "--workers", argument, 1, LIMIT_WORKERS, &v);
        o->workers = (unsigned)v;
        p->workers_given = true;
        break;
    case OPT_BACKLOG:
        r = parse_number(p, "--backlog", argument, 1, BACKLOG_MAX, &v);
        o->backlog = (int)v;
        p->backlog_given = true;
        break;
    case OPT_MAXMEMORY:
        return parse_size(p, "--maxmemory", argument, &o->memory_max);
    case OPT_ONE_AT_A_TIME:
        o->one_at_a_time = true;
        break;
    case OPT_DELAY:
        return parse_number(p, "--delay", argument, 0, LIMIT_DELAY_MS, &o->delay_ms);
    case OPT_UNFRAMED:
        return parse_number(p, "--unframed-ms", argument, 0, UNFRAMED_MS_MAX, &o->unframed_ms);
    case OPT_OPEN:
        o->open = true;
        break;
    case OPT_OPEN_ADMIN:
        o->open_admin = true;
        break;
    case OPT_RELAY:
        return parse_relay(p, argument);
    case OPT_REGISTRATION:
        return parse_registration(p, argument);
    case OPT_LOG:
        return parse_path(p, "--log", "a file", argument, &o->log);
    case OPT_CHECK:
        return parse_path(p, "--check", "a folder", argument, &o->check);
    case OPT_LOG_REQUESTS:
        o->log_requests = true;
        break;
    default:
        return OPTIONS_INVALID;
    }
    return r;
}

/* The words stand before the options, whatever order getopt hands them out in. */
static struct options_listener *add_first_listener(struct parsing *p)
{
    struct options_listener *all = p->o->listeners, *last = add_listener(p);
    if (!last)
        return NULL;
    struct options_listener added = *last;
    memmove(all + 1, all, (p->o->listener_count - 1) * sizeof *all);
    all[0] = added;
    return all;
}

static bool is_ip(struct bytes text)
{
    char host[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.len >= sizeof host)
        return false;
    memcpy(host, text.data, text.len);
    host[text.len] = '\0';
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* Would --listen take it for a place? A host's bare name might be, but so might a hub's. */
static bool is_address(struct bytes text)
{
    size_t end = text.len > 0 && text.data[0] == '[' ? bytes_find(text, ']') : 0;
    struct bytes host = end > 0 ? bytes_from(bytes_first(text, end), 1) : text;
    if (is_ip(host) || bytes_equal_nocase_str(text, "localhost") ||
        bytes_starts_with(text, "unix:"))
        return true;
    size_t colon = bytes_find(text, ':');
    return colon < text.len && is_number(bytes_from(text, colon + 1));
}

static int take_name(struct parsing *p, const char *word)
{
    static const char first[] = "the first word is the hub's name";
    struct bytes name = bytes_from_str(word);
    if (is_number(name))
        return complain(p, "%s; for a port say --listen 127.0.0.1:%s", first, word);
    if (strchr(word, '/'))
        return complain(p, "%s; for a socket say --listen %s, for a folder --data %s", first,
                        word, word);
    if (is_address(name))
        return complain(p, "%s; for an address say --listen %s", first, word);
    if (!hub_name_is_valid(name))
        return complain(p,
                        "a name is 1 to %zu bytes of UTF-8 without control characters, not "
                        "blank at its ends",
                        LIMIT_NAME_BYTES);
    p->o->name = word;
    return 0;
}

static int parse_positionals(struct parsing *p, int count, char **words)
{
    if (count > 3)
        return complain(p, "there is a word too many: '%s'", words[3]);
    int r = count > 0 ? take_name(p, words[0]) : 0;
    if (r != 0 || count < 2)
        return r;
    struct options_listener *l = add_first_listener(p);
    if (!l)
        return OPTIONS_INVALID;
    r = parse_address(p, l, bytes_from_str(words[1]));
    if (r == 0 && count == 3)
        r = set_port(p, l, bytes_from_str(words[2]));
    return r;
}

static int settle(struct parsing *p)
{
    struct options *o = p->o;
    if (o->check && (o->data || o->name))
        return complain(p, "--check takes the folder, and runs no hub: '%s' has no meaning",
                        o->data ? o->data : o->name);
    if (o->one_at_a_time && p->workers_given && o->workers > 1)
        return complain(p, "--one-at-a-time means one worker, not %u", o->workers);
    if (o->one_at_a_time)
        o->workers = 1;
    if (!p->backlog_given)
        o->backlog = o->one_at_a_time ? OPTIONS_BACKLOG_ONE : OPTIONS_BACKLOG_MANY;
    if (o->listener_count == 0) {
        struct options_listener *l = add_listener(p);
        set_host(p, l, bytes_from_str(OPTIONS_ADDRESS_DEFAULT));
    }
    for (size_t i = 0; i < o->listener_count; i++)
        if (!o->listeners[i].replies_given)
            o->listeners[i].replies_full = p->replies_full;
    return 0;
}

/* What the same is called elsewhere, and what to say here. */
static const char *better_option(const char *name, size_t len)
{
    static const struct synonym known[] = {
        {"--port", "--listen :PORT"},
        {"-p", "--listen :PORT"},
        {"--address", "--listen ADDR"},
        {"--bind", "--listen ADDR"},
        {"--host", "--listen ADDR"},
        {"--hub", "--listen ADDR:PORT"},
        {"--socket", "--listen ./SOCKET"},
        {"--dir", "--data DIR"},
        {"-v", "--version"},
        {"-V", "--version"},
    };
    return synonym_find(known, sizeof known / sizeof *known, bytes_make(name, len));
}

/* getopt has met no option, or one with a value that takes none. */
static int refuse_option(struct parsing *p, const char *word)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    bool is_letter = optopt > 0 && optopt < OPT_LISTEN;
    const char *name = is_letter ? letter : word;
    int len = (int)strcspn(name, "=");
    const char *better = better_option(name, (size_t)len);
    if (optopt >= OPT_LISTEN)
        return complain(p, "%.*s takes no value", len, name);
    if (better)
        return complain(p, "%.*s is not an option, but %s is", len, name, better);
    return complain(p, "%.*s is not an option", len, name);
}

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > (long)LIMIT_WORKERS ? (unsigned)LIMIT_WORKERS : (unsigned)n;
}

int options_parse(struct options *o, int argc, char **argv, FILE *out, FILE *err)
{
    *o = (struct options){.workers = cores(), .unframed_ms = UNFRAMED_MS_DEFAULT};
    struct parsing p = {.o = o, .err = err};
    int code, r = 0;
    opterr = 0;
    optind = 0; /* what getopt may still hold of another line is forgotten */
    while (r == 0 && (code = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        if (code == OPT_HELP || code == 'h' || code == OPT_VERSION) {
            fputs(code == OPT_VERSION ? "kithd " KITH_VERSION "\n" : usage, out);
            return OPTIONS_HELP;
        }
        if (code == ':')
            return complain(&p, "%s needs a value", argv[optind - 1]);
        if (code == '?')
            return refuse_option(&p, argv[optind - 1]);
        /* Its value was forgotten, and the next option is none. */
        if (optarg == argv[optind - 1] && strncmp(optarg, "--", 2) == 0)
            return complain(&p, "%s needs a value, not %s", argv[optind - 2], optarg);
        r = parse_option(&p, code, optarg);
    }
    if (r == 0)
        r = parse_positionals(&p, argc - optind, argv + optind);
    return r != 0 ? r : settle(&p);
}

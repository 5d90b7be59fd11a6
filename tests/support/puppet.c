/* A program with libkith that does what it is told, a line at a time:
 *
 *     open WHERE MS | store KEY VALUE | get KEY | delete KEY | echo TEXT | update KEY OLD VALUE
 *     watch PREFIX | next MS | poll MS | fd | is-open | close
 *     login | name | accept WHOM | want WHAT | people | say NAME TEXT MS | letter NAME TEXT MS
 *     receive MS | end NAME
 *
 * WHERE and the other texts are in hexadecimal digits, or "-", which is none. `store-large KEY
 * N`, `echo-large N` and `update-large KEY N M` make up so many bytes. It answers a line: the
 * result's number, what was returned, in the same digits, a '|' and kith_problem. */

#include <kith/kith.h>

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 4, UNTOUCHED = 0x5a };

struct puppet {
    struct kith *k;
    char *words[WORDS_MAX];
    size_t word_count;
};

static void say_hex(struct kith_bytes b)
{
    const uint8_t *data = b.data;
    putchar(' ');
    if (b.len == 0)
        putchar('.');
    for (size_t i = 0; i < b.len; i++)
        printf("%02x", data[i]);
}

/* Turns the digits of word i into what they stand for, in place. */
static struct kith_bytes word(struct puppet *p, size_t i)
{
    char *digits = i < p->word_count ? p->words[i] : NULL;
    if (!digits || strcmp(digits, "-") == 0)
        return kith_absent();
    size_t n = strcmp(digits, ".") == 0 ? 0 : strlen(digits) / 2;
    for (size_t j = 0; j < n; j++) {
        char pair[3] = {digits[2 * j], digits[2 * j + 1], '\0'};
        digits[j] = (char)strtoul(pair, NULL, 16);
    }
    digits[n] = '\0';
    return kith_data(digits, n);
}

static int number(struct puppet *p, size_t i)
{
    return i < p->word_count ? (int)strtol(p->words[i], NULL, 10) : 0;
}

static int run_open(struct puppet *p)
{
    struct kith_options options = {.timeout_ms = (unsigned)number(p, 2),
                                   .profile = word(p, 3).data};
    return kith_open(word(p, 1).data, number(p, 2) || options.profile ? &options : NULL, &p->k);
}

static int run_close(struct puppet *p)
{
    kith_close(p->k);
    p->k = NULL;
    return KITH_OK;
}

static int run_store(struct puppet *p)
{
    struct kith_bytes key = word(p, 1), value = word(p, 2);
    return kith_store(p->k, key, value);
}

static int run_store_large(struct puppet *p)
{
    size_t n = (size_t)number(p, 2);
    char *large = calloc(n, 1);
    int result = large ? (int)kith_store(p->k, word(p, 1), kith_data(large, n)) : -100;
    free(large);
    return result;
}

static int run_update_large(struct puppet *p)
{
    size_t old = (size_t)number(p, 2), n = (size_t)number(p, 3);
    char *large = calloc(old > n ? old : n, 1);
    int result = large ? (int)kith_update_if(p->k, word(p, 1), kith_data(large, old),
                                             kith_data(large, n))
                       : -100;
    free(large);
    return result;
}

static int run_echo_large(struct puppet *p)
{
    size_t n = (size_t)number(p, 1), len = 0;
    char *large = calloc(n, 1), *reply = NULL;
    int result = large ? (int)kith_echo(p->k, kith_data(large, n), &reply, &len) : -100;
    if (result == KITH_OK && (len != n || memcmp(large, reply, n) != 0))
        result = -101;
    kith_free(reply);
    free(large);
    return result;
}

static int run_update(struct puppet *p)
{
    struct kith_bytes key = word(p, 1), old = word(p, 2), value = word(p, 3);
    return kith_update_if(p->k, key, old, value);
}

static int run_delete(struct puppet *p)
{
    return kith_delete(p->k, word(p, 1));
}

static int run_watch(struct puppet *p)
{
    return kith_watch(p->k, word(p, 1));
}

static int run_login(struct puppet *p)
{
    return kith_login(p->k);
}

static int run_accept(struct puppet *p)
{
    return kith_accept(p->k, word(p, 1).data);
}

static int run_say(struct puppet *p)
{
    struct kith_bytes name = word(p, 1), text = word(p, 2);
    return kith_say(p->k, name.data, text, number(p, 3));
}

static int run_letter(struct puppet *p)
{
    struct kith_bytes name = word(p, 1), text = word(p, 2);
    return kith_leave_letter(p->k, name.data, text, number(p, 3));
}

static int run_want(struct puppet *p)
{
    return kith_want(p->k, (unsigned)number(p, 1));
}

static int run_end(struct puppet *p)
{
    return kith_end_talk(p->k, word(p, 1).data);
}

static void run_name(struct puppet *p)
{
    printf("0");
    say_hex(kith_text(kith_name(p->k)));
}

static void run_people(struct puppet *p)
{
    const struct kith_person *people;
    size_t count = 0;
    int result = kith_people(p->k, &people, &count);
    printf("%d", result);
    for (size_t i = 0; i < count; i++) {
        say_hex(kith_text(people[i].name));
        printf(" %lld", (long long)people[i].since);
    }
}

static void run_receive(struct puppet *p)
{
    struct kith_message m;
    memset(&m, UNTOUCHED, sizeof m);
    int result = kith_receive(p->k, number(p, 1), &m);
    printf("%d", result);
    if (result != KITH_OK)
        return;
    if (((const char *)m.text.data)[m.text.len] != '\0')
        abort();
    say_hex(kith_text(m.from));
    say_hex(m.text);
    printf(" %d %lld", (int)m.kind, (long long)m.written);
}

/* What is returned is said after the result. */
static int say_text(int result, char *text, size_t len)
{
    printf("%d", result);
    if (result == KITH_OK) {
        if (text[len] != '\0')
            abort();
        say_hex(kith_data(text, len));
        kith_free(text);
    }
    return result;
}

static void run_get(struct puppet *p)
{
    char *value = NULL;
    size_t len = 0;
    int result = kith_get(p->k, word(p, 1), &value, &len);
    say_text(result, value, len);
}

static void run_echo(struct puppet *p)
{
    char *reply = NULL;
    size_t len = 0;
    int result = kith_echo(p->k, word(p, 1), &reply, &len);
    say_text(result, reply, len);
}

static void run_next(struct puppet *p)
{
    struct kith_change change;
    int result = kith_next_change(p->k, number(p, 1), &change);
    printf("%d", result);
    if (result == KITH_OK) {
        printf(" %d", change.kind);
        say_hex(change.key);
        say_hex(change.value);
    }
}

static void run_poll(struct puppet *p)
{
    struct pollfd wait = {.fd = kith_fd(p->k), .events = POLLIN};
    int n = poll(&wait, 1, number(p, 1));
    printf("%d", n == 1 && wait.revents ? 1 : 0);
}

static void run_fd(struct puppet *p)
{
    printf("%d", kith_fd(p->k));
}

static void run_is_open(struct puppet *p)
{
    printf("%d", kith_is_open(p->k));
}

static const struct {
    const char *name;
    int (*answers)(struct puppet *p); /* a result alone */
    void (*says)(struct puppet *p);   /* more than that */
} verbs[] = {
    {"open", run_open, NULL},
    {"close", run_close, NULL},
    {"store", run_store, NULL},
    {"store-large", run_store_large, NULL},
    {"echo-large", run_echo_large, NULL},
    {"update-large", run_update_large, NULL},
    {"update", run_update, NULL},
    {"delete", run_delete, NULL},
    {"watch", run_watch, NULL},
    {"login", run_login, NULL},
    {"accept", run_accept, NULL},
    {"want", run_want, NULL},
    {"say", run_say, NULL},
    {"letter", run_letter, NULL},
    {"end", run_end, NULL},
    {"name", NULL, run_name},
    {"people", NULL, run_people},
    {"receive", NULL, run_receive},
    {"get", NULL, run_get},
    {"echo", NULL, run_echo},
    {"next", NULL, run_next},
    {"poll", NULL, run_poll},
    {"fd", NULL, run_fd},
    {"is-open", NULL, run_is_open},
};

static void run(struct puppet *p)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(p->words[0], verbs[i].name) != 0)
            continue;
        if (verbs[i].answers)
            printf("%d", verbs[i].answers(p));
        else
            verbs[i].says(p);
        printf("|%s\n", kith_problem(p->k));
        fflush(stdout);
        return;
    }
    abort();
}

int main(void)
{
    struct puppet p = {0};
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *rest = NULL;
        p.word_count = 0;
        for (char *w = strtok_r(line, " \n", &rest); w && p.word_count < WORDS_MAX;
             w = strtok_r(NULL, " \n", &rest))
            p.words[p.word_count++] = w;
        if (p.word_count > 0)
            run(&p);
    }
    kith_close(p.k);
    free(line);
    return 0;
}

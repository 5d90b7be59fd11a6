/* A bot that answers: what people are like with libkith.
 *
 *     bot [PROFILE]
 *
 * Whoever invites it may talk with it, or leave it a letter. It says what time it is to who
 * asks "time?", and everything else back; to who is not there any more it leaves a letter. It
 * ends at Ctrl+C.
 *
 * The hub is the one the environment's KITH_HUB names, else 127.0.0.1:12345. There it needs an
 * account of its own, made once:
 *
 *     kith --as PROFILE register NAME */

#define _POSIX_C_SOURCE 200809L

#include <kith/kith.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MS = 500,      /* so often it sees whether it is to end */
    PATIENCE_MS = 30000 /* for an answer to be shown */
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static enum kith_result answer(struct kith *k, const struct kith_message *m)
{
    char words[64];
    struct kith_bytes text = m->text;
    enum kith_result result;
    time_t now = time(NULL);
    struct tm at;
    if (text.len == strlen("time?") && memcmp(text.data, "time?", text.len) == 0) {
        localtime_r(&now, &at);
        strftime(words, sizeof words, "it is %H:%M", &at);
        text = kith_text(words);
    }
    result = kith_say(k, m->from, text, PATIENCE_MS);
    if (result == KITH_ABSENT)
        result = kith_leave_letter(k, m->from, text, PATIENCE_MS);
    return result;
}

/* Until it is stopped, or must not go on. Who does not take an answer costs nobody else his. */
static enum kith_result serve(struct kith *k)
{
    enum kith_result result = KITH_OK;
    while (!stopped && result >= 0) {
        struct kith_message m;
        result = kith_receive(k, LOOK_MS, &m);
        if (result == KITH_OK && answer(k, &m) != KITH_OK)
            fprintf(stderr, "bot: %s\n", kith_problem(k));
    }
    return result;
}

int main(int argc, char **argv)
{
    struct kith_options options;
    struct kith *k;
    enum kith_result result;
    memset(&options, 0, sizeof options);
    options.profile = argc > 1 ? argv[1] : "bot";
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    result = kith_open(NULL, &options, &k);
    if (result == KITH_OK)
        result = kith_accept(k, "all");
    if (result == KITH_OK)
        result = kith_want(k, KITH_LETTERS);
    if (result == KITH_OK)
        result = kith_login(k);
    if (result == KITH_OK) {
        printf("Listening as %s.\n", kith_name(k));
        fflush(stdout);
        result = serve(k);
    }
    if (result < 0)
        fprintf(stderr, "bot: %s\n", kith_problem(k));
    kith_close(k);
    return result < 0 ? 1 : 0;
}

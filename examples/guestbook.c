/* A guestbook that all who reach a hub share: what libkith is like.
 *
 *     guestbook WORDS    writes them into it, and tells the guest's number
 *     guestbook          shows what others write, as they do
 *
 * The hub is the one the environment's KITH_HUB names, else 127.0.0.1:12345. */

#include <kith/kith.h>

#include <stdio.h>
#include <stdlib.h>

#define COUNT "guests"
#define ENTRY "guest:"

/* Two guests at once never get the same number: who finds that the count has moved on since he
 * read it, reads it again. */
static enum kith_result take_number(struct kith *k, long *number)
{
    enum kith_result result = KITH_DIFFERS;
    while (result == KITH_DIFFERS) {
        char *count = NULL, next[32];
        result = kith_get(k, kith_text(COUNT), &count, NULL);
        if (result < 0)
            break;
        *number = count ? strtol(count, NULL, 10) + 1 : 1;
        snprintf(next, sizeof next, "%ld", *number);
        result = kith_update_if(k, kith_text(COUNT), count ? kith_text(count) : kith_absent(),
                                kith_text(next));
        kith_free(count);
    }
    return result;
}

static enum kith_result sign(struct kith *k, const char *words)
{
    char key[32];
    long number;
    enum kith_result result = take_number(k, &number);
    if (result != KITH_OK)
        return result;
    snprintf(key, sizeof key, ENTRY "%ld", number);
    result = kith_store(k, kith_text(key), kith_text(words));
    if (result == KITH_OK)
        printf("You are guest %ld.\n", number);
    return result;
}

/* Until it is stopped, or the hub is. */
static enum kith_result follow(struct kith *k)
{
    struct kith_change change;
    enum kith_result result = kith_watch(k, kith_text(ENTRY));
    if (result == KITH_OK)
        puts("Watching.");
    while (result == KITH_OK) {
        fflush(stdout);
        result = kith_next_change(k, KITH_FOREVER, &change);
        if (result == KITH_OK && change.kind == KITH_SET)
            printf("%s: %s\n", (const char *)change.key.data, (const char *)change.value.data);
    }
    return result;
}

int main(int argc, char **argv)
{
    struct kith *k;
    enum kith_result result = kith_open(NULL, NULL, &k);
    if (result == KITH_OK)
        result = argc > 1 ? sign(k, argv[1]) : follow(k);
    if (result != KITH_OK)
        fprintf(stderr, "guestbook: %s\n", kith_problem(k));
    kith_close(k);
    return result == KITH_OK ? 0 : 1;
}

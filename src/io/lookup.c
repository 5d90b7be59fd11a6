#include "io/lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKUP_SERVICE_CHARS = sizeof "65535" };

/* Shared by who waits and the thread; the last of them to be done with it frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done, left;
    int result; /* once done: getaddrinfo's, in our words */
    struct addrinfo *list;
    char service[LOOKUP_SERVICE_CHARS];
    char host[];
};

static int result_of(int error)
{
    switch (error) {
    case 0:
        return 0;
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_FAIL:
        return LOOKUP_NO_HOST;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno > 0 ? -errno : LOOKUP_FAILED;
    default:
        return LOOKUP_FAILED;
    }
}

static int resolve(const char *host, const char *service, int flags, struct addrinfo **ret)
{
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC, .ai_flags = flags};
    return result_of(getaddrinfo(host, service, &hints, ret));
}

static void lookup_free(struct lookup *l)
{
    if (l->list)
        freeaddrinfo(l->list);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void *run(void *data)
{
    struct lookup *l = data;
    struct addrinfo *list = NULL;
    int result = resolve(l->host, l->service, 0, &list);
    pthread_mutex_lock(&l->lock);
    l->done = true;
    l->result = result;
    l->list = list;
    bool left = l->left;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
    if (left)
        lookup_free(l);
    return NULL;
}

/* Signals are for the program's own threads to take. */
static int start_thread(struct lookup *l)
{
    pthread_attr_t detached;
    pthread_t thread;
    sigset_t all, before;
    int r = pthread_attr_init(&detached);
    if (r != 0)
        return -r;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&thread, &detached, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return -r;
}

static struct lookup *lookup_new(const char *host, const char *service)
{
    size_t size = strlen(host) + 1;
    struct lookup *l = calloc(1, sizeof *l + size);
    if (!l)
        return NULL;
    memcpy(l->host, host, size);
    memcpy(l->service, service, strlen(service) + 1);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    return l;
}

/* Whether it was done in time; where it was not, it is the thread's alone. */
static bool wait_done(struct lookup *l, struct instant deadline)
{
    struct timespec end = {(time_t)(deadline.ns / 1000000000),
                           (long)(deadline.ns % 1000000000)};
    int r = 0;
    pthread_mutex_lock(&l->lock);
    while (!l->done && r != ETIMEDOUT)
        r = pthread_cond_clockwait(&l->changed, &l->lock, CLOCK_MONOTONIC, &end);
    bool done = l->done;
    l->left = !done;
    pthread_mutex_unlock(&l->lock);
    return done;
}

static int resolve_name(const char *host, const char *service, struct instant deadline,
                        struct addrinfo **ret)
{
    struct lookup *l = lookup_new(host, service);
    if (!l)
        return -ENOMEM;
    int r = start_thread(l);
    if (r == 0 && !wait_done(l, deadline))
        return -ETIMEDOUT;
    if (r == 0)
        r = l->result;
    if (r == 0) {
        *ret = l->list;
        l->list = NULL;
    }
    lookup_free(l);
    return r;
}

int lookup_host(const char *host, uint16_t port, struct instant deadline, struct addrinfo **ret)
{
    char service[LOOKUP_SERVICE_CHARS];
    snprintf(service, sizeof service, "%u", port);
    int r = resolve(host, service, AI_NUMERICHOST, ret); /* needs nobody to be asked */
    return r == LOOKUP_NO_HOST ? resolve_name(host, service, deadline, ret) : r;
}

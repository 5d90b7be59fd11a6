#include "people/directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct directory_account {
    struct presence *first; /* the newest */
    struct walltime since;  /* its first presence began */
    char key[ACCOUNT_NAME_BYTES + 1];
    char name[ACCOUNT_NAME_BYTES + 1];
};

void directory_fini(struct directory *d)
{
    assert(d->count == 0);
    free(d->accounts);
    d->accounts = NULL;
    d->capacity = 0;
}

/* Where the account of that key stands, or would. */
static size_t place(const struct directory *d, const char *key, bool *ret_found)
{
    size_t low = 0, high = d->count;
    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(d->accounts[middle]->key, key);
        if (order == 0)
            *ret_found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct directory_account *find(const struct directory *d, const char *key)
{
    bool found;
    size_t at = place(d, key, &found);
    return found ? d->accounts[at] : NULL;
}

static int make_room(struct directory *d)
{
    if (d->count < d->capacity)
        return 0;
    size_t capacity = d->capacity ? 2 * d->capacity : 16;
    struct directory_account **grown =
        realloc(d->accounts, capacity * sizeof *grown); /* of pointers */
    if (!grown)
        return -ENOMEM;
    d->accounts = grown;
    d->capacity = capacity;
    return 0;
}

static struct directory_account *add(struct directory *d, size_t at, const char *key,
                                     const char *name)
{
    struct directory_account *a = make_room(d) == 0 ? calloc(1, sizeof *a) : NULL;
    if (!a)
        return NULL;
    snprintf(a->key, sizeof a->key, "%s", key);
    snprintf(a->name, sizeof a->name, "%s", name);
    memmove(&d->accounts[at + 1], &d->accounts[at], (d->count - at) * sizeof(void *));
    d->accounts[at] = a;
    d->count++;
    return a;
}

static int enter(struct directory *d, struct presence *p, const char *key, const char *name,
                 directory_tell_fn tell, void *ctx)
{
    bool found;
    size_t at = place(d, key, &found);
    struct directory_account *a = found ? d->accounts[at] : add(d, at, key, name);
    if (!a)
        return -ENOMEM;
    bool comes = !a->first;
    p->account = a;
    p->next = a->first;
    a->first = p;
    if (comes) {
        a->since = p->since;
        tell(ctx, ++d->moves, a->name, true);
    }
    p->moves = d->moves;
    return 0;
}

int directory_enter(struct directory *d, struct presence *p, const char *key, const char *name,
                    directory_tell_fn tell, void *ctx)
{
    pthread_mutex_lock(&d->lock);
    int r = enter(d, p, key, name, tell, ctx);
    pthread_mutex_unlock(&d->lock);
    return r;
}

void directory_set_device(struct directory *d, struct presence *p,
                          const struct public_key *device)
{
    pthread_mutex_lock(&d->lock);
    p->has_device = device != NULL;
    if (device)
        p->device = *device;
    pthread_mutex_unlock(&d->lock);
}

static bool leave(struct directory *d, struct presence *p, directory_tell_fn tell, void *ctx)
{
    struct directory_account *a = p->account;
    struct presence **link = &a->first;
    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    if (!a->first)
        tell(ctx, ++d->moves, a->name, false);
    p->account = NULL;
    if (a->first)
        return false;
    bool found;
    size_t at = place(d, a->key, &found);
    d->count--;
    memmove(&d->accounts[at], &d->accounts[at + 1], (d->count - at) * sizeof(void *));
    free(a);
    return true;
}

bool directory_leave(struct directory *d, struct presence *p, directory_tell_fn tell, void *ctx)
{
    pthread_mutex_lock(&d->lock);
    bool gone = p->account && leave(d, p, tell, ctx);
    pthread_mutex_unlock(&d->lock);
    return gone;
}

bool directory_find(struct directory *d, const char *key, char ret_name[ACCOUNT_NAME_BYTES + 1])
{
    pthread_mutex_lock(&d->lock);
    const struct directory_account *a = find(d, key);
    if (a && ret_name)
        memcpy(ret_name, a->name, sizeof a->name);
    pthread_mutex_unlock(&d->lock);
    return a != NULL;
}

size_t directory_count(struct directory *d)
{
    pthread_mutex_lock(&d->lock);
    size_t n = d->count;
    pthread_mutex_unlock(&d->lock);
    return n;
}

static bool is_same_device(const struct presence *a, const struct presence *b)
{
    return a->has_device && b->has_device &&
           memcmp(a->device.bytes, b->device.bytes, PUBLIC_KEY_BYTES) == 0;
}

static size_t count_devices(const struct directory_account *a)
{
    size_t n = 0;
    for (const struct presence *p = a->first; p; p = p->next) {
        const struct presence *earlier = a->first;
        while (earlier != p && !is_same_device(earlier, p))
            earlier = earlier->next;
        n += earlier == p;
    }
    return n;
}

void directory_each(struct directory *d,
                    void (*see)(void *ctx, const struct directory_entry *entry), void *ctx)
{
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->count; i++) {
        const struct directory_account *a = d->accounts[i];
        see(ctx, &(struct directory_entry){.key = a->key,
                                           .name = a->name,
                                           .since = a->since,
                                           .devices = count_devices(a)});
    }
    pthread_mutex_unlock(&d->lock);
}

void directory_each_of(struct directory *d, const char *key,
                       void (*see)(void *ctx, const struct presence *p), void *ctx)
{
    pthread_mutex_lock(&d->lock);
    const struct directory_account *a = find(d, key);
    for (const struct presence *p = a ? a->first : NULL; p; p = p->next)
        see(ctx, p);
    pthread_mutex_unlock(&d->lock);
}

#include "kithd/credential.h"

#include "hub/accounts.h"
#include "hub/hub_key.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/own_addresses.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

enum { CERTIFICATE_BYTES_MAX = 16 * 1024, HOST_BYTES = 64 };

static const char *const protocols[] = {"kith-hub/1", NULL};

/* ---- the key ---- */

/* Does what the committer's thread will do, which does not run yet. What is accepted has its
 * place in a segment already; with nothing to do and the key not durable, it never would be. */
static int work_on_log(struct embedded *store, uint64_t lsn)
{
    struct instant deadline;
    int r = 0;
    while (r == 0 && store_durable(embedded_store(store)) < lsn)
        r = embedded_log_step(store, clock_instant(), &deadline);
    return r == EMBEDDED_IDLE ? -EIO : r;
}

/* Where the store takes nothing, its log knows why. */
static int error_of(struct embedded *store, int store_result)
{
    int trouble = store_trouble(embedded_store(store));
    return store_result < 0 ? store_result : trouble < 0 ? trouble : -ENOSPC;
}

static int obtain_key(struct embedded *store, uint8_t seed[IDENTITY_SEED_BYTES])
{
    uint8_t fresh[IDENTITY_SEED_BYTES];
    uint64_t lsn = 0;
    struct instant deadline;
    int r = entropy_fill(fresh, sizeof fresh);
    if (r < 0)
        return r;
    do
        r = hub_key_obtain(embedded_store(store), clock_walltime(), fresh, seed, &lsn);
    while (r == STORE_BUSY && embedded_segment_step(store, clock_instant(), &deadline) == 0);
    sodium_memzero(fresh, sizeof fresh);
    return r == 0 ? work_on_log(store, lsn) : error_of(store, r);
}

/* ---- the first admin ---- */

int credential_offer_setup(struct credential *c, struct embedded *store)
{
    uint8_t secret[TICKET_SECRET_BYTES];
    uint64_t lsn = 0;
    struct instant deadline;
    bool offered = false;
    int r = entropy_fill(secret, sizeof secret);
    if (r < 0)
        return r;
    struct ticket t = ticket_new(secret, c->setup);
    sodium_memzero(secret, sizeof secret);
    do
        r = accounts_offer_setup(embedded_store(store), clock_walltime(), &t, &offered, &lsn);
    while (r == STORE_BUSY && embedded_segment_step(store, clock_instant(), &deadline) == 0);
    r = r == 0 ? work_on_log(store, lsn) : error_of(store, r);
    if (r != 0 || !offered)
        sodium_memzero(c->setup, sizeof c->setup);
    return r;
}

/* ---- the certificate ---- */

struct names {
    const char *list[IDENTITY_NAMES];
    size_t count;
    char hosts[IDENTITY_NAMES][HOST_BYTES];
    struct utsname uts;
};

static void add_name(struct names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->list[i], name) == 0)
            return;
    if (n->count < IDENTITY_NAMES)
        n->list[n->count++] = name;
}

/* "127.0.0.1:12345" and "[::1]:12345" without the port and the brackets. */
static void add_listener(struct names *n, const struct listener *l)
{
    if (l->is_unix || n->count == IDENTITY_NAMES)
        return;
    const char *begin = l->text + (l->text[0] == '['), *end = strrchr(l->text, ':');
    if (l->text[0] == '[')
        end = strchr(l->text, ']');
    char *host = n->hosts[n->count];
    if (end && end > begin && (size_t)(end - begin) < HOST_BYTES) {
        snprintf(host, HOST_BYTES, "%.*s", (int)(end - begin), begin);
        add_name(n, host);
    }
}

static void add_own_addresses(struct names *n)
{
    struct own_address own[OWN_ADDRESSES_MAX];
    size_t count = own_addresses(own, OWN_ADDRESSES_MAX);
    for (size_t i = 0; i < count && n->count < IDENTITY_NAMES; i++) {
        char *host = n->hosts[n->count];
        net_address_write(host, &own[i].address);
        add_name(n, host);
    }
}

static void list_names(struct names *n, const struct listener *listeners, size_t count)
{
    add_name(n, "localhost");
    add_name(n, "127.0.0.1");
    add_name(n, "::1");
    if (uname(&n->uts) == 0)
        add_name(n, n->uts.nodename);
    for (size_t i = 0; i < count; i++)
        add_listener(n, &listeners[i]);
    for (size_t i = 0; i < count; i++)
        if (listener_is_everywhere(&listeners[i]))
            add_own_addresses(n);
}

static int write_file(struct disk *d, const char *name, struct bytes content)
{
    struct disk_file *f;
    int r = disk_open(d, name, true, &f);
    if (r != 0)
        return r;
    r = disk_write(d, f, 0, content.data, content.len);
    disk_close(d, f);
    return r;
}

/* What is there is replaced by what is whole. */
static int replace_file(struct disk *d, const char *name, const char *tmp_name,
                        struct bytes content)
{
    disk_remove(d, tmp_name);
    int r = write_file(d, tmp_name, content);
    if (r == 0)
        r = disk_rename(d, tmp_name, name);
    if (r != 0)
        disk_remove(d, tmp_name);
    return r;
}

int credential_publish(const struct credential *c, struct folder *folder)
{
    struct buffer text;
    buffer_init(&text, CERTIFICATE_BYTES_MAX);
    int r = identity_certificate(c->identity, &text);
    if (r == 0)
        r = replace_file(folder_disk(folder), CREDENTIAL_FILE, CREDENTIAL_FILE ".tmp",
                         buffer_view(&text));
    buffer_fini(&text);
    return r == BUFFER_FULL ? -EFBIG : r;
}

/* ---- all of it ---- */

int credential_open(struct credential *c, struct embedded *store,
                    const struct listener *listeners, size_t listener_count)
{
    uint8_t seed[IDENTITY_SEED_BYTES];
    struct names names = {0};
    list_names(&names, listeners, listener_count);
    int r = sodium_init() < 0 ? -EIO : obtain_key(store, seed);
    if (r == 0)
        r = identity_new(&c->identity, seed, names.list, names.count);
    sodium_memzero(seed, sizeof seed);
    if (r == 0)
        r = tls_config_new(&c->tls, TLS_HUB, c->identity, protocols);
    if (r != 0) {
        credential_close(c);
        return r;
    }
    fingerprint_write(c->fingerprint, identity_fingerprint(c->identity));
    return 0;
}

void credential_close(struct credential *c)
{
    tls_config_free(c->tls);
    identity_free(c->identity);
    *c = (struct credential){0};
}

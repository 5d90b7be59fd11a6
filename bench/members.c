/* members FOLDER COUNT: makes a hub's data folder in which the first COUNT members of device.h
 * have accounts, with a device each. A password would cost each a hash of a tenth of a second;
 * they have none that anybody knows. */

#include "device.h"
#include "dial.h"

#include "hub/accounts.h"
#include "io/clock.h"
#include "io/folder.h"
#include "people/password.h"
#include "store/embedded.h"

#include <errno.h>
#include <sodium.h>

static void expect(int result, const char *what)
{
    errno = result < 0 ? -result : 0;
    if (result != 0)
        dial_fail(what);
}

/* Until all that was changed is on disk, and there is room for more. */
static void settle(struct embedded *e)
{
    struct instant deadline;
    int r = 0;
    while (r == 0) {
        while (embedded_segment_step(e, clock_instant(), &deadline) == 0)
            ;
        r = embedded_log_step(e, clock_instant(), &deadline);
    }
    expect(r == EMBEDDED_IDLE ? 0 : r, "the log");
}

static int make(void *ctx, struct account *a, bool exists)
{
    const uint64_t *n = ctx;
    struct device d = {.key = device_key(*n), .since = clock_walltime()};
    device_name(*n, a->name);
    a->generation = *n + 1;
    a->since = d.since;
    a->password.cost = password_cost_least;
    return account_add_device(a, &d) ? 0 : ACCOUNTS_FULL;
}

static void add(struct embedded *e, uint64_t n)
{
    struct public_key key = device_key(n);
    struct fingerprint f = fingerprint_of(&key);
    char name[DEVICE_NAME_BYTES + 1];
    uint64_t lsn;
    device_name(n, name);
    struct accounts_change change = {
        .name = bytes_from_str(name), .fn = make, .ctx = &n, .hash = f.bytes};
    int r;
    while ((r = accounts_change(embedded_store(e), clock_walltime(), &change, &lsn)) ==
           STORE_BUSY)
        settle(e);
    expect(r, "an account");
}

static void finish(struct embedded *e)
{
    struct instant deadline;
    settle(e);
    embedded_close(e, clock_walltime());
    while (wal_state(embedded_wal(e)) == WAL_CLOSING)
        expect(embedded_log_step(e, clock_instant(), &deadline) < 0 ? -EIO : 0, "the log");
    expect(embedded_finish(e, clock_walltime()), "the checkpoint");
}

int main(int argc, char **argv)
{
    struct folder *folder;
    struct embedded *e;
    struct recovery_report report;
    struct embedded_config config = {.durability = EMBEDDED_COMMIT, .secret = 1};
    pid_t holder;
    if (argc != 3 || sodium_init() < 0)
        dial_fail("members FOLDER COUNT");
    uint64_t count = dial_number(argv[2], 1);
    expect(folder_open(argv[1], &folder, &holder), argv[1]);
    expect(embedded_open(&e, &config, folder_disk(folder), clock_walltime(), &report), argv[1]);
    for (uint64_t n = 0; n < count; n++)
        add(e, n);
    finish(e);
    embedded_free(e);
    folder_close(folder);
    return 0;
}

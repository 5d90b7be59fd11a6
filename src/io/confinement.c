#include "io/confinement.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a version of Landlock knows that the one before did not. The system's header may be
 * older than the kernel: what it may lack are numbers here. */
static const struct {
    long version;
    unsigned protection;
    uint64_t files, connections, others;
} steps[] = {
    {2, CONFINEMENT_FILES, (LANDLOCK_ACCESS_FS_REFER << 1) - 1, 0, 0},
    {3, CONFINEMENT_TRUNCATION, 1 << 14, 0, 0},
    {4, CONFINEMENT_CONNECTIONS, 0, 3, 0}, /* bind, connect */
    {5, CONFINEMENT_DEVICES, 1 << 15, 0, 0},
    {6, CONFINEMENT_OTHERS, 0, 0, 3}, /* abstract sockets, signals */
};
enum { STEPS = sizeof steps / sizeof *steps };

/* struct landlock_ruleset_attr of version 6; an older kernel takes it where the rest is zero.
 */
struct ruleset {
    uint64_t files, connections, others;
};

/* Negative: there is no Landlock, or it was not switched on. */
static long version_here(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
                   LANDLOCK_CREATE_RULESET_VERSION);
}

static struct ruleset rules_of(long version)
{
    struct ruleset r = {0};
    for (size_t i = 0; i < STEPS && steps[i].version <= version; i++) {
        r.files |= steps[i].files;
        r.connections |= steps[i].connections;
        r.others |= steps[i].others;
    }
    return r;
}

unsigned confinement_available(void)
{
    long version = version_here();
    unsigned protections = CONFINEMENT_PRIVILEGES;
    for (size_t i = 0; i < STEPS && steps[i].version <= version; i++)
        protections |= steps[i].protection;
    return protections;
}

static int allow_below(int rules, int folder, uint64_t rights)
{
    struct landlock_path_beneath_attr below = {.allowed_access = rights, .parent_fd = folder};
    return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0) < 0
               ? -errno
               : 0;
}

static int restrict_to(const struct ruleset *r, const int *folders, size_t count)
{
    int rules = (int)syscall(SYS_landlock_create_ruleset, r, sizeof *r, 0);
    if (rules < 0)
        return -errno;
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = allow_below(rules, folders[i], r->files & ~LANDLOCK_ACCESS_FS_EXECUTE);
    if (result == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        result = -errno;
    close(rules);
    return result;
}

int confinement_enter(const int *folders, size_t count)
{
    struct ruleset r = rules_of(version_here());
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    return r.files == 0 ? CONFINEMENT_NONE : restrict_to(&r, folders, count);
}

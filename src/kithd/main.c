#include "io/standard_streams.h"
#include "kithd/check.h"
#include "kithd/daemon.h"

#include <malloc.h>

enum { MMAP_BYTES = 128 * 1024 };

int main(int argc, char **argv)
{
    struct options options;
    /* Large values lie in pages of their own, always, and these are given back. */
    mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    if (standard_streams_hold(false) < 0)
        return DAEMON_FAILED;
    switch (options_parse(&options, argc, argv, stdout, stderr)) {
    case 0:
        return options.check ? check_run(options.check) : daemon_run(&options);
    case OPTIONS_HELP:
        return DAEMON_DONE;
    default:
        return DAEMON_NOT_USABLE;
    }
}

#include "io/standard_streams.h"
#include "kithd/daemon.h"

int main(int argc, char **argv)
{
    struct options options;
    if (standard_streams_hold(false) < 0)
        return DAEMON_FAILED;
    switch (options_parse(&options, argc, argv, stdout, stderr)) {
    case 0:
        return daemon_run(&options);
    case OPTIONS_HELP:
        return DAEMON_DONE;
    default:
        return DAEMON_NOT_USABLE;
    }
}

"""Goal: a machine's clock that is set back brings nothing back, and holds nothing up."""

import subprocess

import pytest
import redis
from hubs import until

SET_CLOCK = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *t)
{
    int r = (int)syscall(SYS_clock_gettime, id, t);
    long seconds = 0;
    FILE *f = id == CLOCK_REALTIME ? fopen(getenv("CLOCK_AHEAD"), "r") : NULL;
    if (f && fscanf(f, "%ld", &seconds) == 1)
        t->tv_sec += seconds;
    if (f)
        fclose(f);
    return r;
}
"""


class Clock:
    """The wall clock of a hub with this environment: so many seconds ahead of this machine's."""

    def __init__(self, folder):
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(SET_CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        self.file = folder / "ahead"
        self.env = {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(self.file)}
        self.set(0)

    def set(self, seconds):
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(self.file)


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.mark.parametrize("back", [1, 3600])
def test_time_goes_on_where_the_clock_is_set_back(start_hub, clock, back):
    """A lock that is to last half a second does; what is gone stays gone."""
    clock.set(back)
    hub = start_hub("--workers", "2", env=clock.env)
    with redis.Redis("127.0.0.1", hub.port) as r:
        assert r.set("gone", "x", px=100) and r.set("hour", "x", px=3600_000)
        until(lambda: r.get("gone") is None)
        clock.set(0)
        for _ in range(3):
            assert r.get("gone") is None
            assert r.set("lock", "x", px=500, nx=True)
            assert 0 < r.pttl("lock") <= 500
            until(lambda: r.get("lock") is None)
        assert 0 < r.pttl("hour") <= 3600_000
    hub.kill()
    hub.restart()
    with redis.Redis("127.0.0.1", hub.port) as r:
        assert r.get("gone") is None
        assert r.set("lock", "x", px=500, nx=True)
        until(lambda: r.set("lock", "y", nx=True))
        assert 0 < r.pttl("hour") <= 3600_000

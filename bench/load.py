"""What asks the servers: redis-benchmark, and the programs fill and probe. All run on the load's
processor."""

import contextlib
import json
import os
import re
import select
import subprocess

from peers import LOAD_CORE, PATIENCE, SERVER_CORE, build

CONNECTIONS, KEYS, VALUE_BYTES = 50, 100_000, 32


def pinned(*words, cores=LOAD_CORE):
    return ["taskset", "-c", cores, *map(str, words)]


def benchmark_arguments(port, verb, *, requests, depth=1, keys=KEYS, connections=CONNECTIONS):
    return ["redis-benchmark", "-p", port, "-c", connections, "-n", requests, "-r", keys, "-d",
            VALUE_BYTES, "-P", depth, "-t", verb.lower(), "--precision", 3]


def read_benchmark(text):
    """Operations a second and milliseconds of what redis-benchmark printed."""
    numbers = [float(n) for n in
               re.search(r"avg +min +p50.*\n((?: +[\d.]+){6})", text)[1].split()]
    steps = re.findall(r"^([\d.]+)% <= ([\d.]+) milliseconds",
                       text.split("Cumulative distribution")[0], re.MULTILINE)
    return {
        "rate": float(re.search(r"throughput summary: ([\d.]+)", text)[1]),
        "p50": numbers[2], "p99": numbers[4],
        "p999": next(float(ms) for percent, ms in steps if float(percent) >= 99.9),
    }


def cost(peer, verb, depth, requests, cores=LOAD_CORE):
    """One run of redis-benchmark: its figures, and the server's CPU microseconds an operation."""
    before = peer.cpu_ns()
    result = subprocess.run(
        pinned(*benchmark_arguments(peer.port, verb, requests=requests, depth=depth), cores=cores),
        capture_output=True, text=True, timeout=PATIENCE * 5)
    spent = peer.cpu_ns() - before
    if result.returncode != 0:
        raise RuntimeError(f"redis-benchmark on {peer.name}: {result.stderr or result.stdout}")
    return {**read_benchmark(result.stdout), "cpu": spent / 1000 / requests}


def fill(peer, count, window=256):
    """Sets that many keys, which are those redis-benchmark asks for; returns when all are
    answered."""
    subprocess.run(pinned(build() / "bench/fill", peer.port, count, window), check=True,
                   timeout=PATIENCE * 5)


class Background:
    """redis-benchmark without end, ended by `with`."""

    def __init__(self, peer, verb, **how):
        self.process = subprocess.Popen(
            pinned(*benchmark_arguments(peer.port, verb, requests=1_000_000, **how), "-l", "-q"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)


class Probe:
    """A client that GETs one value at a steady pace; window() is what it saw since the last
    window, in milliseconds. Time in which its own or the server's processor stood still is in
    no wait; the longest of it is "standstill"."""

    KEY = "probe"

    def __init__(self, peer, every_us=500):
        peer.ask("SET", self.KEY, "v" * VALUE_BYTES)
        self.process = subprocess.Popen(
            pinned(build() / "bench/probe", peer.port, self.KEY, every_us, SERVER_CORE,
                   LOAD_CORE),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.go_first()

    def go_first(self):
        """The load on its own processor shall not make it wait: that is not the server's doing.
        Only root may."""
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(self.process.pid, os.SCHED_FIFO, os.sched_param(1))

    def window(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise RuntimeError("a probe waits for its answer in vain")
        seen = json.loads(self.process.stdout.readline())
        return {name: n if name == "count" else n / 1000 for name, n in seen.items()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(PATIENCE)

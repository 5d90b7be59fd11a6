"""What one client does to another's wait: a checkpoint, large values, long pipelines, readers that
stop."""

import contextlib
import socket
import threading
import time

import load
import peers
from figures import Bar, table

LARGE_BYTES = 64 << 20
PIPELINE = 100_000
KEY = "key:000000000000"


def receive(s, count):
    while count > 0:
        n = len(s.recv(min(count, 1 << 20)))
        if n == 0:
            raise RuntimeError("the server closed a connection")
        count -= n


# ---- a checkpoint

def checkpoint(run, peer):
    """Has one made, and waits until there is one; returns how long that took."""
    before = peer.ask("LASTSAVE")
    if not before.startswith(b":"):
        raise RuntimeError(f"LASTSAVE: {before.decode().strip()}")
    run.wait(1.1)  # LASTSAVE counts in seconds
    begin = time.monotonic()
    while (answer := peer.ask("BGSAVE")).startswith(b"-ERR Background save already"):
        if time.monotonic() > begin + peers.PATIENCE:
            raise RuntimeError("an earlier checkpoint does not end")
        time.sleep(0.02)
    begin = time.monotonic()
    before = peer.ask("LASTSAVE")
    if not answer.startswith(b"+"):
        raise RuntimeError(f"BGSAVE: {answer.decode().strip()}")
    while peer.ask("LASTSAVE") == before:
        if time.monotonic() > begin + peers.PATIENCE:
            raise RuntimeError("the checkpoint does not end")
        time.sleep(0.02)
    return time.monotonic() - begin


class Peak(threading.Thread):
    """The most memory a server has from now on until `with` ends."""

    def __init__(self, peer):
        super().__init__()
        self.peer, self.done = peer, threading.Event()
        self.first = self.most = peer.anonymous()

    def run(self):
        while not self.done.wait(0.02):
            self.most = max(self.most, self.peer.anonymous())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()


def watch_checkpoint(run, peer, count):
    """What a probe saw before and during it, under a load of GETs and SETs; how long it took; how
    many times its memory the server had meanwhile."""
    load.fill(peer, count)
    with load.Background(peer, "GET", keys=count), \
            load.Background(peer, "SET", keys=count, connections=5), \
            load.Probe(peer, 200) as probe:
        run.wait(2)
        probe.window()
        run.wait(10)
        usual = probe.window()
        with Peak(peer) as peak:
            seconds = checkpoint(run, peer)
        during = probe.window()
    return usual, during, seconds, peak.most / peak.first


def under_checkpoint(run):
    count = 10_000_000 // run.shrink
    rows, results = [], []
    for make in [peers.kithd, peers.redis]:
        with run.scratch() as (folder, stack):
            peer = stack.enter_context(make(folder / "peer"))
            run.say(f"a checkpoint of {count} entries under load: {peer.name}")
            usual, during, seconds, growth = watch_checkpoint(run, peer, count)
        results.append((during["p999"] / usual["p999"], growth))
        rows.append([peer.name, f"{usual['p999']:.2f}", f"{during['p999']:.2f}",
                     f"{during['max']:.2f}", f"{seconds:.1f}",
                     f"{max(usual['standstill'], during['standstill']):.2f}"])
    text = f"### A checkpoint of {count:,} entries under load\n\n" + table(
        ["server", "GET's usual p99.9 ms", "meanwhile", "longest ms", "it took s",
         "a processor stood still ms"], rows)
    return [Bar("GET's p99.9 during a checkpoint, over its usual", 3, measured=results[0][0]),
            Bar("Memory during a checkpoint, over before", 1.05, digits=3,
                measured=results[0][1])], text


# ---- clients that ask much

def large_values(peer, goes_on):
    """Sets a value of 64 MiB and gets it, again and again."""
    value = peers.command("SET", "large", b"v" * LARGE_BYTES)
    with peer.connect() as s:
        while goes_on():
            s.sendall(value)
            receive(s, len("+OK\r\n"))
            s.sendall(peers.command("GET", "large"))
            receive(s, len(f"${LARGE_BYTES}\r\n\r\n") + LARGE_BYTES)


def long_pipelines(peer, goes_on):
    """Sends 100 000 commands at once and then takes the answers, again and again."""
    half = PIPELINE // 2
    commands = (peers.command("SET", KEY, b"v" * load.VALUE_BYTES) +
                peers.command("GET", KEY)) * half
    answers = (len("+OK\r\n") + len(f"${load.VALUE_BYTES}\r\n\r\n") + load.VALUE_BYTES) * half
    with peer.connect() as s:
        while goes_on():
            sender = threading.Thread(target=s.sendall, args=[commands])
            sender.start()
            receive(s, answers)
            sender.join()


def stopped_readers(peer, goes_on):
    """Eight clients that ask for a value of 1 MiB 200 times each, and read nothing. (A server that
    does not stop listening to them holds 1.6 GB of replies.)"""
    peer.ask("SET", "medium", b"v" * (1 << 20))
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(peer.connect()) for _ in range(8)]
        for s in sockets:
            s.sendall(peers.command("GET", "medium") * 200)
        while goes_on():
            time.sleep(0.01)


LOADS = {
    "nobody else": lambda peer, goes_on: None,
    "a 64 MiB value, set and got in a loop": large_values,
    "a pipeline of 100,000 commands": long_pipelines,
    "eight readers that stopped": stopped_readers,
}


def watch_load(run, peer, disturb):
    """What a probe saw while this went on."""
    with load.Probe(peer) as probe:
        run.wait(1)
        probe.window()
        deadline = time.monotonic() + 10 / run.hurry
        failures = []

        def guarded():
            try:
                disturb(peer, lambda: time.monotonic() < deadline)
            except (OSError, RuntimeError, socket.timeout) as e:
                failures.append(f"{peer.name}: {e}")

        thread = threading.Thread(target=guarded)
        thread.start()
        run.wait(10)
        seen = probe.window()
        thread.join()
    if failures:
        raise RuntimeError(failures[0])
    return seen


def fairness(run):
    bars, rows = [], []
    with run.scratch() as (folder, stack):
        servers = [stack.enter_context(make(folder / name))
                   for name, make in [("hub", peers.kithd), ("redis", peers.redis)]]
        for what, disturb in LOADS.items():
            run.say(f"another client's wait beside {what}")
            ours, theirs = [watch_load(run, peer, disturb) for peer in servers]
            rows.append([what, *(f"{seen[n]:.2f}" for seen in [ours, theirs]
                                 for n in ["p999", "max", "standstill"])])
            if rows[1:]:
                bars.append(Bar(f"The longest wait beside {what}", 20, unit=" ms", digits=1,
                                measured=ours["max"]))
    return bars, "### One client's wait beside another\n\n" + table(
        ["beside", "kithd: p99.9 ms", "longest ms", "still ms", "Redis: p99.9 ms",
         "longest ms", "still ms"], rows)

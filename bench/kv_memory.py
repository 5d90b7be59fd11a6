"""Memory: of an idle connection, and of an entry."""

import load
import peers
from figures import Bar, table

ENTRY_BYTES = 48  # a key of 16 and a value of 32


def idle_bytes(run, peer, count):
    """User memory of each of so many connections that asked once and are quiet now."""
    load.fill(peer, 1000)
    before = peer.memory()
    sockets = []
    try:
        for _ in range(count):
            sockets.append(peer.connect())
            sockets[-1].sendall(peers.command("GET", "key:000000000000"))
            sockets[-1].recv(4096)
        run.wait(5)  # what frees the buffers of idle clients in the background has its time
        return (peer.memory() - before) / count
    finally:
        for s in sockets:
            s.close()


def idle(run):
    count = 10_000 // run.shrink
    results = []
    for make in [peers.kithd, peers.redis]:
        with run.scratch() as (folder, stack):
            peer = stack.enter_context(make(folder / "peer"))
            run.say(f"{count} idle connections: {peer.name}")
            results.append((peer.name, idle_bytes(run, peer, count)))
    text = "### Idle connections\n\n" + table(
        ["server", "bytes of user memory each"], [[name, f"{n:.0f}"] for name, n in results])
    return [Bar("An idle connection: user memory", 512, unit=" bytes", digits=0,
                measured=results[0][1])], text


def fill_and_watch(run, peer, count):
    """Bytes an entry beyond key and value, and what a probe saw meanwhile."""
    with load.Probe(peer) as probe:
        run.wait(1)
        probe.window()
        before = peer.memory()
        load.fill(peer, count)
        seen = probe.window()
    return (peer.memory() - before) / count - ENTRY_BYTES, seen


def fill_new(run, make, count):
    """The same of a new server, with its name before."""
    with run.scratch() as (folder, stack):
        peer = stack.enter_context(make(folder / "peer"))
        run.say(f"{count} entries: {peer.name}")
        return peer.name, *fill_and_watch(run, peer, count)


def entries(run):
    count = 10_000_000 // run.shrink
    ours_all = sorted((fill_new(run, peers.kithd, count) for _ in range(3)),
                      key=lambda result: result[2]["max"])
    results = [*ours_all, fill_new(run, peers.redis, count)]
    ours, theirs = ours_all[1][1], results[-1][1]
    text = f"### {count:,} entries of 16 + 32 bytes, set one after the other\n\n" + table(
        ["server", "bytes over key and value", "another client's GET: p99.9 ms", "longest ms",
         "a processor stood still ms"],
        [[name, f"{n:.1f}", f"{seen['p999']:.2f}", f"{seen['max']:.2f}",
          f"{seen['standstill']:.2f}"]
         for name, n, seen in results])
    return [Bar("An entry: bytes over its key and value", 40, digits=1, measured=ours),
            Bar("An entry, key and value included: over Redis'", 0.75,
                measured=(ours + ENTRY_BYTES) / (theirs + ENTRY_BYTES)),
            Bar("Inserting: the longest wait of another client, median of three runs", 5,
                unit=" ms", digits=1, measured=ours_all[1][2]["max"])], text

"""How long a start takes when there is something to recover."""

import load
import peers
from kv_pauses import checkpoint
from figures import Bar, table


def from_log(run, count):
    """Seconds to the first answer after a crash."""
    with run.scratch() as (folder, stack):
        hub = stack.enter_context(peers.kithd(folder / "hub"))
        load.fill(hub, count)
        hub.kill()
        hub.start()
        check_count(hub, count)
        return hub.started_s


def from_checkpoint(run, count):
    """The same after a checkpoint and a stop in good order."""
    with run.scratch() as (folder, stack):
        hub = stack.enter_context(peers.kithd(folder / "hub"))
        load.fill(hub, count)
        checkpoint(run, hub)
        hub.stop()
        hub.start()
        check_count(hub, count)
        return hub.started_s


def check_count(hub, count):
    if (found := hub.ask("DBSIZE")) != b":%d\r\n" % count:
        raise RuntimeError(f"{count} entries were stored, DBSIZE after the start is {found}")


def recovery(run):
    count = 1_000_000 // run.shrink
    bars = []
    for name, measure in [("its log, after a crash", from_log),
                          ("a checkpoint, after a stop", from_checkpoint)]:
        run.say(f"recovery of {count} entries from {name}")
        bars.append(run.attempt(lambda m=measure: m(run, count),
                                Bar(f"Recovery of {count:,} entries from {name}", 1, unit=" s")))
    return bars, "### Recovery\n\n" + table(
        ["from", "seconds to the first answer"],
        [[bar.what.split(" from ")[1], "-" if bar.measured is None else f"{bar.measured:.2f}"]
         for bar in bars])

"""./dev bench kv [PART...]: the table against its peers, and every bar it has to clear."""

import kv_cost
import kv_memory
import kv_pauses
import kv_recovery
import kv_workers
import peers
from document import compose, measure_part
from run import first_line, machine, session_first

PARTS = {
    "idle": kv_memory.idle,
    "entries": kv_memory.entries,
    "recovery": kv_recovery.recovery,
    "workers": kv_workers.workers,
    "checkpoint": kv_pauses.under_checkpoint,
    "fairness": kv_pauses.fairness,
}
NAMES = [*kv_cost.WORKLOADS, *PARTS]
DOCUMENT = peers.ROOT / "docs/benchmarks.md"

HEAD = """# What the table costs

Written by `./dev bench kv`: all of it measured in one run, side by side. The server runs on one
processor, with one worker; the load on another, over loopback. `redis-benchmark` asks, with 50
connections, 100,000 keys and values of 32 bytes. CPU is what the kernel accounts to all threads
of the server. Absolute figures drift from machine to machine and hour to hour; ratios, taken
round by round with the servers taking turns, hold: what stands here is their median.

- *bare libuv, +OK* answers every command without reading it: the floor of any server on such a
  loop.
- *bare libuv, group commit* answers a write when it is on disk, and does nothing else either: the
  floor of a server that keeps its word.
- Waits are a client's that asks every half millisecond, from when its turn was to ask. Time in
  which *a processor stood still* is in no wait: when a thread there that goes before all others
  did not run although its timer said so. Only the kernel and a virtual machine's host can do
  that, and on this machine they do when it is idle, too. The longest such time stands beside.
- Whatever else runs on the machine gives way to the servers and their loads (`/proc/self/autogroup`
  at -20): theirs is one session.
- `kithd --durability commit` is the default: every answer waits for the disk. `second` syncs every
  second.

"""


def where():
    return machine([f"{first_line('redis-cli', '--version').split()[1]} of Redis"])


def measure(run, names):
    """The bars and texts of the parts named."""
    bars, texts = [], []
    parts = [name for name in kv_cost.WORKLOADS if name in names]
    todo = [(", ".join(parts), lambda run: kv_cost.measure(run, parts))] if parts else []
    todo += [(name, PARTS[name]) for name in PARTS if name in names]
    for name, part in todo:
        more, text = measure_part(run, name, part)
        bars += more
        texts.append(text)
    return bars, texts


def main(run, names, writes):
    """Prints the parts named, all without a name; where all were measured, writes them down."""
    with session_first():
        bars, texts = measure(run, names or NAMES)
    document = compose(HEAD, where(), bars, texts)
    print(document)
    if writes and not names:
        DOCUMENT.write_text(document)
        run.say(f"written to {DOCUMENT}")

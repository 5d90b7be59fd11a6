"""./dev bench files [PART...]: files between two people's devices, beside ssh and others, and every
bar that has to be cleared."""

import contextlib
import filecmp
import os
import pathlib
import shutil
import tempfile
import time

import files_chat as chat
import files_link as link
import files_others as others
import peers
import processes
from document import publish
from figures import Bar, median, median_of, median_ratio, table
from files_pair import Pair, Person, pair_on_loopback, transfer, transfer_over
from run import first_line, machine

DOCUMENT = peers.ROOT / "docs/bench-files.md"
MEMORY = pathlib.Path("/dev/shm")
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MEMORY_BAR_MIB = 32
TRIPS = 1000

HEAD = """# What files cost

Written by `./dev bench files`: all of it measured in one run, side by side, on processors that all
share. Files lie in memory (`/dev/shm`), so that no disk is measured. Absolute figures drift from machine to machine and hour to hour; ratios, taken round by round
in turn, hold: what stands here is their median.

- *kith* is `kith send` to `kith receive`, two members of a hub, each with processes of his own; a
  transfer is from its event `started` to `done`, which is when all is published at the other side.
  Over a file that is there it writes with `--into -` and that file as standard output.
- *ssh* and *scp* are Debian's, over loopback, with the cipher they agree on; a transfer is what the
  command takes beyond `ssh true`, a login that does nothing.
- *socat* is plain TCP, without encryption and without sums.
- *magic-wormhole* is Debian's, with its mailbox server and its transit relay on loopback; its ends
  connect to each other. It is measured whole, from the begin of both commands.
- *A bare pipe* is `bench/files_pipe.c`: two processes, TLS 1.3 with a key that both have and
  AES-128-GCM, every 256 KiB summed with XXH3-128 on both sides, and nothing else.
- CPU is of all processes of a side, each command's start and login among them.

"""


@contextlib.contextmanager
def in_memory():
    """A folder there, gone at the end whatever happens."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kith-bench-", dir=MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def places(run):
    """Folders for servers, for what is sent and for what is received, and a stack of what ends before
    they go."""
    with in_memory() as memory, run.scratch() as (folder, stack):
        (memory / "into").mkdir()
        yield folder, memory, memory / "into", stack


def make_file(path, size):
    """Of bytes that are different, over and over."""
    piece = os.urandom(min(size, 16 * MIB))
    with open(path, "wb") as f:
        for done in range(0, size, len(piece)):
            f.write(piece[:size - done])
    return path


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def expect_same(source, target):
    """What is not all there has no figures."""
    if target.stat().st_size != source.stat().st_size:
        raise RuntimeError(f"{target.name} has not all that was sent")


def in_turn(run, what, ways):
    """Samples of each way, round by round, in turn."""
    samples = {name: [] for name in ways}
    for n in range(run.rounds):
        names = list(ways)
        for name in names[n % len(names):] + names[:n % len(names)]:
            run.say(f"round {n + 1} of {run.rounds}: {what}: {name}")
            samples[name].append(ways[name]())
    return samples


def throughput_ratio(samples, other, name="seconds"):
    """kith's over the other's."""
    return median_ratio(samples[other], samples["kith"], name)


# ---- big, fresh, small ----

BIG = 2 * GIB


def expect_equal(source, target):
    if not filecmp.cmp(source, target, shallow=False):
        raise RuntimeError(f"{target.name} is not what was sent")


def scribble(path):
    """What is there is not what will come: a word in each MiB."""
    with open(path, "r+b") as f:
        for at in range(0, path.stat().st_size, MIB):
            f.seek(at)
            f.write(b"scribble")


def throughput_table(samples, gib):
    rows = []
    for name, of in samples.items():
        m = median_of(of)
        rows.append([name, f"{gib * 1024 / m['seconds']:.0f}", f"{throughput_ratio(samples, name):.2f}",
                     f"{m['seconds']:.2f}", f"{m['whole']:.2f}", f"{m['sends'] / gib:.2f}",
                     f"{m['receives'] / gib:.2f}"])
    return table(["", "MiB a second", "kith, times as fast", "seconds", "the whole command",
                  "CPU s a GiB: sends", "receives"], rows)


def big_ways(folder, target, source, stack):
    pair, sshd = pair_on_loopback(folder, stack), stack.enter_context(others.Sshd(folder / "sshd"))

    def way(bring):
        def one():
            scribble(target)
            seen = bring(source, target)
            expect_equal(source, target)
            return seen
        return one

    return {"kith": way(lambda s, t: transfer_over(pair, s, t)),
            "ssh": way(lambda s, t: others.ssh(sshd, s, t)),
            "socat": way(others.socat),
            "a bare pipe": way(others.pipe)}


def big(run):
    size = BIG // run.shrink
    with places(run) as (folder, memory, into, stack):
        source, target = make_file(memory / "big", size), make_file(into / "there", size)
        samples = in_turn(run, "big", big_ways(folder, target, source, stack))
    text = f"### A file of {size / GIB:.3g} GiB, over one that is there\n\n" + throughput_table(
        samples, size / GIB)
    return [Bar("A large file: throughput, over ssh's", at_least=2,
                measured=throughput_ratio(samples, "ssh")),
            Bar("A large file: throughput, over the bare pipe's", at_least=0.9,
                measured=throughput_ratio(samples, "a bare pipe"))], text


def pages(source, into):
    """Seconds of copies: into a file made anew, and over one that is there."""
    target = into / "copy"
    seen = [others.copy(source, target) for _ in range(2)]
    empty(into)
    return seen


def fresh_ways(folder, into, source, stack, copies):
    """Before each there are copies: the pages that are free are then ones that a virtual machine's host
    has at hand, for all alike."""
    pair, sshd = pair_on_loopback(folder, stack), stack.enter_context(others.Sshd(folder / "sshd"))
    wormhole = others.Wormhole(folder, stack)

    def way(bring):
        def one():
            copies.append(pages(source, into))
            seen = bring(source, into / source.name)
            expect_same(source, into / source.name)
            empty(into)
            return seen
        return one

    return {"kith": way(lambda s, t: transfer(pair, s, t.parent)),
            "ssh": way(lambda s, t: others.ssh(sshd, s, t)),
            "scp": way(lambda s, t: others.scp(sshd, s, t)),
            "socat": way(others.socat),
            "magic-wormhole": way(wormhole.transfer),
            "a bare pipe": way(others.pipe)}


def fresh(run):
    size, copies = BIG // run.shrink, []
    with places(run) as (folder, memory, into, stack):
        source = make_file(memory / "big", size)
        samples = in_turn(run, "fresh", fresh_ways(folder, into, source, stack, copies))
    anew, there = (median(c[i] for c in copies) for i in range(2))
    return [], f"### A file of {size / GIB:.3g} GiB, made anew\n\n" + throughput_table(
        samples, size / GIB) + (
        f"\nA plain copy in memory takes {anew:.2f} s into a file made anew, {there:.2f} s over one that "
        f"is there: {anew - there:.2f} s of every transfer here are the kernel's, for fresh pages.\n")


def make_tree(top, folders, files, size):
    content = os.urandom(size)
    for i in range(folders):
        (top / f"folder-{i:04}").mkdir(parents=True)
        for j in range(files):
            (top / f"folder-{i:04}/file-{j:04}").write_bytes(content)
    return top


def expect_tree(top, folders, files):
    found = [len(list(folder.iterdir())) for folder in top.iterdir()]
    if found != [files] * folders:
        raise RuntimeError("not all files came")


def small(run):
    folders, files = 20, 1000 // run.shrink

    def checked(bring):
        def one():
            seen = bring()
            expect_tree(into / source.name, folders, files)
            empty(into)
            return seen
        return one

    with places(run) as (folder, memory, into, stack):
        pair, sshd = pair_on_loopback(folder, stack), stack.enter_context(others.Sshd(folder / "sshd"))
        source = make_tree(memory / "small", folders, files, 4 * KIB)
        samples = in_turn(run, "small", {
            "kith": checked(lambda: transfer(pair, source, into)),
            "tar, ssh, tar": checked(lambda: others.tar_over_ssh(sshd, source, into))})
    rows = []
    for name, of in samples.items():
        m = median_of(of)
        rows.append([name, f"{folders * files / m['whole']:.0f}", f"{m['whole']:.2f}",
                     f"{m['seconds']:.2f}", f"{m['sends']:.2f}", f"{m['receives']:.2f}"])
    text = f"### {folders * files:,} files of 4 KiB in {folders} folders\n\n" + table(
        ["", "files a second", "seconds of the whole command", "of the transfer", "CPU s: sends",
         "receives"], rows) + (
        "\nThe whole commands are compared: kith looks through the folders before a transfer begins, "
        "tar meanwhile.\n")
    return [Bar(f"{folders * files:,} small files: time, that of tar over ssh over kith's", at_least=2,
                measured=throughput_ratio(samples, "tar, ssh, tar", "whole"))], text


# ---- memory ----

def make_sparse(path, size):
    """4 KiB of data in each MiB, holes between."""
    with open(path, "wb") as f:
        f.truncate(size)
        for at in range(0, size, MIB):
            f.seek(at)
            f.write(os.urandom(4 * KIB))
    return path


def peaks_of(pair, source, into):
    """MiB of each kind of process, for one transfer."""
    with pair.bob.receive("alice", into) as receive, pair.alice.send("bob", source) as send:
        with processes.Peaks({"sends": send.pid, "receives": receive.pid}) as peaks:
            send.expect("done")
            receive.expect("done")
        return {key: kib / 1024 for key, kib in peaks.of.items()}


def memory(run):
    size, folders = 10 * GIB // run.shrink, 1000 // run.shrink
    seen = {}
    with places(run) as (folder, memory_folder, into, stack):
        pair = pair_on_loopback(folder, stack)
        run.say("memory: a large file")
        sparse = make_sparse(memory_folder / "sparse", size)
        seen[f"a file of {size / GIB:g} GiB"] = peaks_of(pair, sparse, into)
        expect_same(sparse, into / "sparse")
        empty(into)
        run.say("memory: many files")
        tree = make_tree(memory_folder / "many", folders, 1000, 0)
        many = f"{folders * 1000 + folders + 1:,} files and folders"
        seen[many] = peaks_of(pair, tree, into)
        expect_tree(into / "many", folders, 1000)
    rows = [[what, *(f"{peaks[side, which]:.1f}" for side in ["sends", "receives"]
                     for which in ["itself", "carriers"])] for what, peaks in seen.items()]
    text = "### Memory of each process, at its most, MiB\n\n" + table(
        ["", "kith send", "its carrier", "kith receive", "its carrier"], rows) + (
        "\nVmHWM, what is shared with others among it, looked at every few milliseconds until a process "
        "ends. The large file has 4 KiB of data in each MiB, and holes between.\n")
    return [Bar(f"Memory of the largest process: {what}", MEMORY_BAR_MIB, unit=" MiB", digits=1,
                measured=max(peaks.values())) for what, peaks in seen.items()], text


# ---- resume ----

def staged(into):
    """The file that grows: what was staged of the one that is sent."""
    found = [p for p in into.rglob("*") if p.is_file()]
    return max(found, key=lambda p: p.stat().st_size)


def size_of(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # it was published


def has_half(into, size):
    found = [p.stat().st_size for p in into.rglob("*") if p.is_file()]
    return max(found, default=0) >= size // 2


def go_on(pair, source, into, path, had):
    """Seconds from the start of the second of the two until the file has more than it had."""
    with pair.bob.receive("alice", into) as receive, pair.alice.send("bob", source) as send:
        while size_of(path) <= had:
            if time.monotonic() > send.begun + peers.PATIENCE:
                raise RuntimeError("it does not go on")
            time.sleep(0.001)
        took = time.monotonic() - send.begun
        send.expect("done")
        receive.expect("done")
    expect_same(source, into / source.name)
    return took


def resume_once(pair, source, into):
    size = source.stat().st_size
    with pair.bob.receive("alice", into) as receive, pair.alice.send("bob", source) as send:
        peers.wait_for(lambda: has_half(into, size), "half of the file")
        send.crash()
        receive.crash()
    path = staged(into)
    had = path.stat().st_size
    if had == size:
        raise RuntimeError("all was there before it was killed")
    took = go_on(pair, source, into, path, had)
    empty(into)
    return {"seconds": took, "had": had / size}


def resume(run):
    size, samples = 4 * GIB // run.shrink, []
    with places(run) as (folder, memory_folder, into, stack):
        pair = pair_on_loopback(folder, stack)
        source = make_file(memory_folder / "big", size)
        for n in range(run.rounds):
            run.say(f"round {n + 1} of {run.rounds}: resume")
            samples.append(resume_once(pair, source, into))
    longest = max(s["seconds"] for s in samples)
    text = f"### Going on with a file of {size / GIB:.3g} GiB after kill -9 of both sides\n\n" + table(
        ["there when it was killed", "seconds until more came"],
        [[f"{s['had']:.0%}", f"{s['seconds']:.2f}"] for s in samples]) + (
        "\nFrom the start of the second command, whose login and meeting are in it, until the staged file "
        "grows beyond what it had.\n")
    return [Bar("From a new start after kill -9 to the first missing byte", 1, unit=" s",
                measured=longest)], text


# ---- chat ----

def percentile(samples, share):
    return sorted(samples)[min(len(samples) - 1, int(share * len(samples)))]


def chat_row(what, trips):
    ms = [t * 1000 for t in trips]
    return [what, len(ms), f"{median(ms):.2f}", f"{percentile(ms, 0.99):.2f}", f"{max(ms):.2f}"]


def talk(run):
    count = TRIPS // run.shrink
    with places(run) as (folder, memory_folder, into, stack):
        pair = pair_on_loopback(folder, stack)
        pair.bob.env["HOME"] = str(into)  # files that come go to Downloads/kith there
        source = make_file(memory_folder / "big", 2 * GIB // run.shrink)
        alice = stack.enter_context(chat.Visit(pair.alice))
        bob = stack.enter_context(chat.Visit(pair.bob, "--accept", "alice,100G"))
        chat.met(alice, bob)
        run.say("chat: alone")
        alone = chat.round_trips(alice, bob, None, count)
        files = chat.Files(alice, source, into / "Downloads/kith")
        bob.hears = files.hear
        files.begin()
        run.say("chat: beside a transfer")
        beside = chat.round_trips(alice, bob, files, count)
        files.over = True
    text = "### Round trips of a text and its answer, ms\n\n" + table(
        ["", "round trips", "median", "p99", "longest"],
        [chat_row("alone", alone), chat_row("beside a transfer", beside)]) + (
        f"\nBetween two visits; the transfer is between the same two, of a file of "
        f"{2 / run.shrink:.3g} GiB, begun anew whenever it is over. Whoever asks and answers is "
        "a process of its own, and waits for a processor like the others.\n")
    return [Bar("A text and its answer beside a transfer: p99", 20, unit=" ms", digits=1,
                measured=percentile(beside, 0.99) * 1000)], text


# ---- loss ----

def loss(run):
    size = 32 * MIB // run.shrink
    with places(run) as (folder, memory_folder, into, stack):
        wire = stack.enter_context(link.Link())
        hub = stack.enter_context(link.hub_at(folder / "hub", wire, "a"))
        where = f"{hub.address}:{hub.port}"
        pair = Pair(*(Person(folder, name, where, wire.inside(letter))
                      for name, letter in [("alice", "a"), ("bob", "b")]))
        sshd = stack.enter_context(others.Sshd(folder / "sshd", link.ADDRESSES["b"],
                                               wire.inside("b")))
        source = make_file(memory_folder / "file", size)

        def checked(bring):
            seen = bring()
            expect_same(source, into / source.name)
            empty(into)
            return seen

        samples = in_turn(run, "loss", {
            "kith": lambda: checked(lambda: transfer(pair, source, into)),
            "scp": lambda: checked(lambda: others.scp(sshd, source, into / source.name,
                                                      wire.inside("a")))})
    rows = [[name, f"{size / MIB / median_of(of)['seconds']:.2f}", f"{median_of(of)['seconds']:.2f}",
             f"{min(s['seconds'] for s in of):.2f}", f"{max(s['seconds'] for s in of):.2f}"]
            for name, of in samples.items()]
    delay = 2 * link.ONE_WAY_US // 1000
    text = (f"### A file of {size / MIB:.3g} MiB over a link of {delay} ms and "
            f"{link.LOST_IN_100} % loss\n\n" + table(
                ["", "MiB a second", "seconds: median", "least", "most"], rows) +
            f"\nTwo namespaces of the network. A round trip takes {delay} ms, {delay // 2} each way; of "
            f"the packets that carry the file {link.LOST_IN_100} in 100 is lost, chosen at random; those "
            f"that come back are not. Congestion control is the system's, for both: "
            f"{link.congestion_control()}.\n")
    return [Bar(f"A link of {delay} ms and {link.LOST_IN_100} % loss: throughput, over scp's",
                at_least=1, measured=throughput_ratio(samples, "scp"))], text


PARTS = {"big": big, "fresh": fresh, "small": small, "memory": memory, "resume": resume, "chat": talk, "loss": loss}
NAMES = list(PARTS)


def version_of(package):
    return first_line("dpkg-query", "--showformat", "${Package} ${Version}\\n", "--show", package)


def where():
    return machine([first_line("openssl", "version").split(" (")[0], version_of("openssh-server"),
                    version_of("socat"), version_of("magic-wormhole")])


def main(run, names, writes):
    publish(run, PARTS, names, HEAD, where, DOCUMENT if writes else None)

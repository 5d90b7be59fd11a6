"""Files that people send each other: made, watched on their way, compared."""

import hashlib
import json
import os
import pathlib
import signal
import stat

from hubs import until

CHUNK = 256 * 1024
MIB = 1024 * 1024


def at_work(person, *words, **how):
    """kith in the background: what it says on standard error is kept, too."""
    err = open(person.folder / f"err-{len(person.opened)}", "w+b", buffering=0)
    process = person.start(*words, err=err, **how)
    process.complained = lambda: os.pread(err.fileno(), 1 << 24, 0).decode()
    process.events = lambda: events(process.said())
    return process


def receiving(person, into, *options):
    """kith receive, once it waits."""
    process = at_work(person, "receive", "--into", into, *options)
    until(lambda: "waiting for files" in process.complained(), "that it waits for files")
    return process


def send(person, name, *what, **how):
    """kith send, to its end; with events where it is to print them."""
    done = person.run("send", name, *what, **how)
    if "--json" in what:
        done.events = events(done.stdout.decode())
    return done


def events(text):
    """Of whole lines; another may be on its way."""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def named(some, *kinds):
    return [e for e in some if e.get("event") in kinds]


def until_event(process, kind, count=1):
    """Waits for so many of that kind; the last of them."""
    until(lambda: len(named(process.events(), kind)) >= count,
          f"'{kind}' after {process.said()} {process.complained()}")
    return named(process.events(), kind)[count - 1]


def records(person):
    """What is unfinished, as its profile has it."""
    return [json.loads(line) for line in person.run("--json", "transfers").stdout.splitlines()]


def put(path, content=b"", mode=None, mtime=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if mode is not None:
        path.chmod(mode)
    if mtime is not None:
        os.utime(path, ns=(mtime, mtime))
    return path


def noise(size, salt=b""):
    """Bytes that neither repeat nor compress; the same ones each time."""
    return hashlib.shake_128(b"noise" + salt).digest(size)


def tree(folder):
    """All below it by path: folders, and files by content, with times and who may execute them.
    Of what is staged nothing."""
    seen, top = {}, os.fsencode(folder)
    for at, folders, files in os.walk(top):
        if at == top and b".kith" in folders:
            folders.remove(b".kith")
        for name in folders + files:
            path = os.path.join(at, name)
            s = os.lstat(path)
            assert stat.S_ISDIR(s.st_mode) or stat.S_ISREG(s.st_mode), path
            content = None if stat.S_ISDIR(s.st_mode) else pathlib.Path(os.fsdecode(path)).read_bytes()
            runs = stat.S_ISREG(s.st_mode) and bool(s.st_mode & 0o100)
            seen[os.path.relpath(path, top)] = (content, s.st_mtime_ns, runs)
    return seen


def staged(folder):
    """The transfers that are staged there."""
    try:
        return sorted(os.listdir(folder / ".kith"))
    except FileNotFoundError:
        return []


def arrived(box):
    """Bytes that are staged there, synced or not."""
    try:
        return sum(path.stat().st_size for place in ["content", "tree"]
                   for path in (box / ".kith").glob(f"*/{place}/**/*") if path.is_file())
    except FileNotFoundError:  # published just now
        return 0


def carriers(process):
    """The processes that carry its transfers."""
    try:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return [int(pid) for pid in children]
    except (FileNotFoundError, ProcessLookupError):
        return []


def kill_carriers(process):
    """At once, those that are there; how many."""
    killed = 0
    for pid in carriers(process):
        try:
            os.kill(pid, signal.SIGKILL)
            killed += 1
        except ProcessLookupError:
            pass
    return killed

"""One run of a benchmark: how long and how often, where its files lie, what it says meanwhile."""

import contextlib
import datetime
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import peers


class Run:
    """rounds: of each comparison. quick: a tenth of the work, to see that everything works."""

    def __init__(self, rounds, quick=False):
        self.rounds = rounds
        self.shrink = 10 if quick else 1  # of what is counted
        self.hurry = 5 if quick else 1    # of what is timed

    def say(self, what):
        print(what, file=sys.stderr, flush=True)

    def wait(self, seconds):
        """Lets time pass that is measured by its length."""
        time.sleep(seconds if seconds < 2 else seconds / self.hurry)

    @contextlib.contextmanager
    def scratch(self):
        """A folder on a real disk, and a stack of what ends before it goes."""
        parent = peers.build() / "bench"
        parent.mkdir(parents=True, exist_ok=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=parent))
        try:
            with contextlib.ExitStack() as stack:
                yield folder, stack
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def attempt(self, measure, bar):
        """The bar with what was measured; where that failed, the reason is said."""
        try:
            bar.measured = measure()
        except (RuntimeError, OSError, subprocess.SubprocessError) as e:
            self.say(f"not measured: {e}")
        return bar


@contextlib.contextmanager
def session_first(session=pathlib.Path("/proc/self/autogroup")):
    """Whatever else runs on this machine gives way to this session's processes, until `with` ends:
    where the kernel weighs sessions against each other, and only as root."""
    try:
        before = session.read_text().split()[-1]
        session.write_text("-20")
    except (OSError, IndexError):
        yield
        return
    try:
        yield
    finally:
        session.write_text(before)


def first_line(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def machine(versions=()):
    """Where and with what was measured, a line each; versions of what else had a part in it."""
    cpus = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(),
                      re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())[1]
    return [
        f"Date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
        f"Machine: {len(cpus)} × {cpus[0] if cpus else os.uname().machine}, {memory:.0f} GiB of "
        f"memory; {system}, Linux {os.uname().release}",
        "; ".join([f"Versions: {first_line(str(peers.build() / 'kithd'), '--version')}", *versions,
                   f"libuv {first_line('pkg-config', '--modversion', 'libuv')}",
                   first_line("gcc", "--version")]),
    ]

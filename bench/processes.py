"""What the kernel says of processes: who began whom, what they ran, and how much memory they had."""

import os
import pathlib
import re
import threading

import peers

PAUSE = 0.003  # seconds between two looks: a process's last ones may be missed


def children(pid):
    """Those of its children that have not ended and been waited for."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if stat(entry.name)[1] == str(pid):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def stat(pid):
    """The fields of /proc/PID/stat from the third on: state, parent ..."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_s(pid):
    """What it and the children it waited for have run."""
    return sum(map(int, stat(pid)[11:15])) / os.sysconf("SC_CLK_TCK")


def peak_kib(pid):
    """The most memory it had at once: None where it has ended."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB",
                          pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None


def wait_until_alone(pid):
    """Until its children have ended and it has waited for them: cpu_s has what they ran."""
    peers.wait_for(lambda: not children(pid), f"the end of what process {pid} began")


class Peaks:
    """The most memory that processes and their children had, each, within `with`; whose: a name for
    each that is watched. of: (name, "itself" or "carriers") to KiB."""

    def __init__(self, whose):
        self.whose, self.of, self.over = whose, {}, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def look(self, name, which, pid):
        kib = peak_kib(pid)
        if kib is not None:
            self.of[name, which] = max(kib, self.of.get((name, which), 0))

    def run(self):
        while not self.over.wait(PAUSE):
            for name, pid in self.whose.items():
                self.look(name, "itself", pid)
                for child in children(pid):
                    self.look(name, "carriers", child)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

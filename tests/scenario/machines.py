"""Machines in small: network namespaces with cables between, addresses and firewalls of their own."""

import os
import signal
import subprocess
import sys

from hubs import PATIENCE, until

# What each end of the two networks is called by family: the hub's to each of the two, with which
# they have no way to each other, and the one that both are in.
HUB = {4: "10.78.{}.{}/24", 6: "fd78:{}::{}/64"}
SHARED = {4: "10.79.0.{}/24", 6: "fd79::{}/64"}


def run(*words):
    subprocess.run(words, check=True, capture_output=True, timeout=PATIENCE)


def ip(words):
    run("ip", *words.split())


def inside(name):
    """The words that put a command there."""
    return ["ip", "netns", "exec", name]


class Machine:
    """One of them; words of `inside` before a command put it there."""

    def __init__(self, letter):
        self.name = f"kith-{os.getpid()}-{letter}"
        self.inside = inside(self.name)
        ip(f"netns add {self.name}")
        self.ip("link set lo up")

    def ip(self, words):
        ip(f"-n {self.name} {words}")

    def add(self, device, address):
        self.ip(f"addr add {address} dev {device}{' nodad' if ':' in address else ''}")

    def up(self, device):
        """The kernel takes a moment until it says so to programs."""
        self.ip(f"link set {device} up")
        look = ["ip", "-n", self.name, "-brief", "link", "show", device]
        until(lambda: b" UP " in subprocess.run(look, capture_output=True, timeout=PATIENCE).stdout,
              f"{device} of {self.name}")

    def lets_nobody_in(self, how="drop"):
        """No connection that others make, but for the hub's answers; how: drop, or reject."""
        run(*self.inside, "nft", "add table inet wall; add chain inet wall in { type filter hook input "
            f"priority 0; }}; add rule inet wall in iifname more tcp flags & (syn | ack) == syn {how}")

    def lets_nothing_through(self, device):
        """What comes from there is lost, and what goes there, as if a cable behind it were cut."""
        run(*self.inside, "nft", f"add table inet wall; add chain inet wall in {{ type filter hook input "
            f"priority 0; }}; add rule inet wall in iifname {device} drop; add chain inet wall out "
            f"{{ type filter hook output priority 0; }}; add rule inet wall out oifname {device} drop")

    def is_slow(self, device):
        """From now on, in what it says there: 2 MB a second."""
        run(*self.inside, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", "16mbit", "burst", "32kb",
            "latency", "100ms")

    def is_fast(self, device):
        run(*self.inside, "tc", "qdisc", "del", "dev", device, "root")

    def lets_all_in(self):
        run(*self.inside, "nft", "delete", "table", "inet", "wall")

    def gone(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)


class Machines:
    """A hub's machine, and two with a cable to it each, which have no way to each other unless they
    are joined."""

    def __init__(self, families=(4,)):
        self.families, self.all = families, []
        self.hub, self.a, self.b = (self.make(letter) for letter in "hab")
        for number, (letter, m) in enumerate([("a", self.a), ("b", self.b)], 1):
            self.hub.ip(f"link add to-{letter} type veth peer name cable netns {m.name}")
            for family in families:
                self.hub.add(f"to-{letter}", HUB[family].format(number, 1))
                m.add("cable", HUB[family].format(number, 2))
            self.hub.ip(f"link set to-{letter} up")
            m.up("cable")

    def make(self, letter):
        self.all.append(Machine(letter))
        return self.all[-1]

    def hub_address(self, number):
        """Where the one of that number, from 1, has the hub."""
        address = HUB[self.families[0]].format(number, 1).partition("/")[0]
        return f"[{address}]" if ":" in address else address

    def join(self, families=None):
        """From now on the hub's machine is a switch: the two reach each other in a subnet of theirs,
        10.79.0 or fd79:, alice at 1 and bob at 2."""
        self.hub.ip("link add between type bridge")
        self.hub.ip("link set between up")
        for number, (letter, m) in enumerate([("a", self.a), ("b", self.b)], 1):
            self.hub.ip(f"link add more-{letter} type veth peer name more netns {m.name}")
            self.hub.ip(f"link set more-{letter} master between up")
            for family in families or self.families:
                m.add("more", SHARED[family].format(number))
            m.up("more")

    def gone(self):
        for m in self.all:
            m.gone()


READER = r"""
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
print("ready", flush=True)
with open(sys.argv[1], "wb", buffering=0) as out:
    while True:
        out.write(s.recv(1 << 17))
"""


class Ear:
    """Hears all that crosses a machine's interfaces, from now on."""

    def __init__(self, machine, path):
        self.path = path
        self.process = subprocess.Popen([*machine.inside, sys.executable, "-c", READER, str(path)],
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"

    def heard(self):
        return self.path.read_bytes() if self.path.exists() else b""

    def close(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


def memory_has(pid, word):
    """Is it anywhere in what the process may write?"""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            start, end = (int(x, 16) for x in span.split("-"))
            if not rights.startswith("rw") or "[v" in line or end - start > 1 << 30:
                continue  # what is as large is a sanitizer's own
            memory.seek(start)
            if word in memory.read(end - start):
                return True
    return False

"""Two machines in small, namespaces of the network, with a cable between them that takes its time and
loses packets."""

import os
import pathlib
import subprocess

import peers

ONE_WAY_US, LOST_IN_100 = 25_000, 1
ADDRESSES = {"a": "10.80.0.1", "b": "10.80.0.2"}


def run(*words):
    subprocess.run(words, check=True, capture_output=True, timeout=peers.PATIENCE)


def congestion_control():
    return pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()


class Link:
    """Two machines, a and b; for as long as `with`. What a sends to b is lost now and then; nothing
    is on the way back."""

    def __init__(self):
        self.names = {letter: f"kith-bench-{os.getpid()}-{letter}" for letter in ADDRESSES}
        self.wire = None

    def inside(self, letter):
        """The words that put a command there."""
        return ["ip", "netns", "exec", self.names[letter]]

    def lay(self):
        for name in self.names.values():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.wire = subprocess.Popen(
            [str(peers.build() / "bench/wire"),
             *(f"/run/netns/{name}" for name in self.names.values()), str(ONE_WAY_US)],
            stdout=subprocess.PIPE, text=True)
        if self.wire.stdout.readline() != "laid\n":
            raise RuntimeError("the cable could not be laid")
        for letter, name in self.names.items():
            run("ip", "-n", name, "addr", "add", f"{ADDRESSES[letter]}/24", "dev", "wire")
            run("ip", "-n", name, "link", "set", "wire", "txqueuelen", "10000", "up")
        run(*self.inside("b"), "nft", "add table inet wire; add chain inet wire in { type filter hook "
            "input priority 0; }; add rule inet wire in iifname wire "
            f"numgen random mod 100 < {LOST_IN_100} drop")

    def __enter__(self):
        try:
            self.lay()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.wire:
            self.wire.kill()
            self.wire.wait()
            self.wire.stdout.close()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def hub_at(folder, link, letter):
    """A hub on that machine."""
    address = ADDRESSES[letter]
    return peers.Elsewhere("kithd", folder, [peers.build() / "kithd", "--listen",
                                             address + ":{port}", "--data", folder / "data"],
                           address, link.inside(letter))

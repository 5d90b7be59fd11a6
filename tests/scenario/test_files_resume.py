"""Goal: a transfer that was begun ends with what was sent, whatever is killed meanwhile: nobody asks for
it, and what was kept is not sent again."""

import hashlib
import os
import random
import signal
import time

import pytest
from files import (MIB, at_work, carriers, kill_carriers, named, noise, put, receiving, records, send, staged,
                   tree, until_event)
from hubs import PATIENCE, until

LONG_S = 10 * PATIENCE
CUTS = 100


@pytest.fixture
def shm(tmp_path):
    """A folder in memory, where the disk is not what takes the time."""
    folder = type(tmp_path)("/dev/shm") / f"kith-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def sum_of(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def end(process):
    """As a crash does."""
    process.kill()
    process.wait(PATIENCE)


def running(sender, receiver):
    """That a connection is there, on both sides."""
    until(lambda: carriers(sender) and carriers(receiver), "that it is carried")


# ---- kill -9 ----


class Killing:
    """alice sends bob one file, and goes on with it; this kills, and starts again what it has killed."""

    def __init__(self, hub, alice, bob, path, box):
        self.hub, self.alice, self.bob, self.path, self.box = hub, alice, bob, path, box
        self.cut = 0
        self.receive()
        self.sender = at_work(alice, "--json", "send", "bob", path)

    def receive(self):
        self.receiver = receiving(self.bob, self.box, "--from", "alice", "--json")

    def resume(self):
        self.sender = at_work(self.alice, "--json", "transfers", "resume")

    def is_done(self):
        return (self.box / self.path.name).exists()

    def wait_until_it_runs(self):
        """Until data flows, or it is over."""
        try: until(lambda: self.is_done() or (carriers(self.sender) and carriers(self.receiver)) or
              self.sender.poll() is not None, "that it goes on")
        except AssertionError: print(self.sender.complained(), self.sender.said(), "\nRECEIVER", self.receiver.complained(), self.receiver.said()); raise

    def kill_sending_carrier(self):
        return kill_carriers(self.sender)

    def kill_receiving_carrier(self):
        return kill_carriers(self.receiver)

    def kill_both_carriers(self):
        return kill_carriers(self.sender) + kill_carriers(self.receiver)

    def kill_sender(self):
        was = len(carriers(self.sender))
        end(self.sender)
        self.resume()
        return was

    def kill_receiver(self):
        was = len(carriers(self.receiver))
        end(self.receiver)
        self.receive()
        return was

    def kill_both(self):
        was = len(carriers(self.receiver))
        end(self.sender)
        end(self.receiver)
        self.receive()
        self.resume()
        return was


def test_killed_again_and_again(hub, alice, bob, shm):
    """At random moments, until all of it is there."""
    path = shm / "much"
    path.write_bytes(noise(200 * MIB))
    (shm / "box").mkdir()
    it, dice, cut = Killing(hub, alice, bob, path, shm / "box"), random.Random(1), 0
    kills = [it.kill_sending_carrier, it.kill_receiving_carrier, it.kill_both_carriers, it.kill_sender,
             it.kill_receiver, it.kill_both]
    deadline = time.monotonic() + LONG_S
    while not it.is_done() and time.monotonic() < deadline:
        it.wait_until_it_runs()
        moment = time.monotonic() + dice.uniform(0, 0.03)
        until(lambda: time.monotonic() >= moment)
        kill = dice.choice(kills)
        cut += bool(kill())
        print("%.3f" % time.monotonic(), cut, kill.__name__, len(it.alice.opened), [r["kept"] for r in records(bob)], records(alice))
    assert sum_of(it.box / "much") == sum_of(path)
    until(lambda: staged(it.box) == [], "that nothing is staged")
    assert cut > CUTS

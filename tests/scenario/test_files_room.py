"""Goal: a disk that is full, or would be, stops a transfer and nothing else: both sides are told, and it
goes on by itself once there is room."""

import os
import subprocess
import sys

import pytest
from files import MIB, at_work, named, noise, put, receiving, until_event
from hubs import PATIENCE, until

# A small disk that only this person has, at the first word; the rest is the command.
SMALL = 'mount -t tmpfs -o size={}m,mode=700 disk "$0" && exec "$@"'


@pytest.fixture
def make_disk(tmp_path):
    """A disk of so many MiB on which he receives; where it is to be seen from here."""

    def make(person, mebibytes, *options):
        box = tmp_path / "box"
        box.mkdir()
        before, person.prefix = person.prefix, ["unshare", "-m", "sh", "-c", SMALL.format(mebibytes), str(box)]
        receiver = receiving(person, box, *options)
        person.prefix = before
        return receiver, type(box)(f"/proc/{receiver.pid}/root{box}")

    return make


def test_a_full_disk(alice, bob, make_disk, tmp_path):
    receiver, box = make_disk(bob, 96, "--from", "alice", "--json")
    (box / "ballast").write_bytes(bytes(80 * MIB))
    path = put(tmp_path / "much", noise(64 * MIB))
    sender = at_work(alice, "send", "bob", path, "--json")
    for side in [receiver, sender]:
        assert until_event(side, "waiting")["why"] == "no room on the disk"
    assert sender.poll() is None and not (box / "much").exists()
    (box / "ballast").unlink()
    assert sender.wait(PATIENCE) == 0, sender.said()
    assert (box / "much").read_bytes() == noise(64 * MIB)


def test_a_full_disk_in_lines(alice, bob, make_disk, tmp_path):
    """Once, however often it is tried."""
    receiver, box = make_disk(bob, 4, "--from", "alice")
    sender = at_work(alice, "send", "bob", put(tmp_path / "much", noise(8 * MIB)))
    until(lambda: "kith: from alice waits: no room on the disk; it is tried again\n" in receiver.complained(),
          "that he is told")
    until(lambda: "kith: to bob waits: no room on the disk; it is tried again\n" in sender.complained(),
          "that she is told")
    assert sender.complained().count("no room") == 1


def test_of_unknown_totals_some_room_is_left(alice, bob, make_disk):
    """Standard input has no end that is known of: it stops before the disk is full."""
    receiver, box = make_disk(bob, 96, "--from", "alice", "--json")
    r, w = os.pipe()
    sender = at_work(alice, "send", "bob", "-", "--as", "endless", "--json", stdin=r)
    os.close(r)
    endless = "import os\nwhile True: os.write(1, bytes(range(256)) * 1024)"
    feeder = subprocess.Popen([sys.executable, "-c", endless], stdout=w, stderr=subprocess.DEVNULL)
    os.close(w)
    try:
        assert until_event(receiver, "waiting")["why"] == "no room on the disk"
        room = os.statvfs(box)
        assert room.f_bavail * room.f_frsize > 16 * MIB
        until(lambda: named(sender.events(), "waiting", "failed"), "that she is told")
    finally:
        feeder.kill()
        feeder.wait()

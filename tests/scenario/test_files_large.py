"""Goal: neither the size of a file nor the number of files matters but for the time they take."""

import os
import pathlib

from files import MIB, at_work, carriers, noise, receiving, tree
from hubs import PATIENCE, until

GIB = 1024 * MIB
LONG_S = 4 * PATIENCE


def test_a_sparse_file_of_five_gibibytes(alice, bob, tmp_path):
    """It stays sparse, and no offset is cut to 32 bits."""
    pieces = {0: b"begin", 2 * GIB - 3: b"two gibi", 4 * GIB - 3: b"four gibi", 4 * GIB + MIB: b"behind",
              5 * GIB - 4: b"end."}
    path, box = tmp_path / "sparse", tmp_path / "box"
    with open(path, "wb") as f:
        for at, what in pieces.items():
            f.seek(at)
            f.write(what)
    receiving(bob, box, "--from", "alice")
    sender = at_work(alice, "send", "bob", path)
    assert sender.wait(LONG_S) == 0, sender.complained()
    arrived = box / "sparse"
    assert arrived.stat().st_size == 5 * GIB and arrived.stat().st_blocks * 512 < 4 * MIB
    fd = os.open(arrived, os.O_RDONLY)
    assert {at: os.pread(fd, len(what), at) for at, what in pieces.items()} == pieces
    assert [os.pread(fd, 64, at).strip(b"\0") for at in [MIB, GIB, 3 * GIB, 4 * GIB - 1 - MIB]] == [b""] * 4
    os.close(fd)


def test_twenty_thousand_files(alice, bob, tmp_path):
    for n in range(20_000):
        folder = tmp_path / "things/all" / str(n // 500)
        if n % 500 == 0:
            folder.mkdir(parents=True)
        (folder / f"file-{n}").write_bytes(b"%d\n" % n * (n % 7))
    box = tmp_path / "box"
    receiving(bob, box, "--from", "alice")
    sender = at_work(alice, "send", "bob", tmp_path / "things/all")
    assert sender.wait(LONG_S) == 0, sender.complained()
    assert tree(box) == tree(tmp_path / "things")


def peak(pid):
    """The most memory it ever had, in bytes; None: it is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def test_memory_does_not_grow_with_what_is_sent(alice, bob, tmp_path):
    """The most that any process had while 2 GiB went through: of the commands, and of who carries for them."""
    path, much, most = tmp_path / "much", noise(16 * MIB), {}
    with open(path, "wb") as f:
        for _ in range(128):
            f.write(much)
    receiver = receiving(bob, tmp_path / "box", "--from", "alice")
    sender = at_work(alice, "send", "bob", path)

    def is_over():
        for pid in [sender.pid, receiver.pid, *carriers(sender), *carriers(receiver)]:
            most[pid] = peak(pid) or most.get(pid, 0)
        return sender.poll() is not None

    until(is_over, "the end of it")
    path.unlink()
    assert sender.returncode == 0 and (tmp_path / "box/much").stat().st_size == 2 * GIB
    assert len(most) >= 4 and max(most.values()) < 32 * MIB, most

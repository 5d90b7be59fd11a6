"""Goal: a receiver that is killed while what came gets its names goes on where it was: all of it is there, once."""

import pytest
from files import at_work, put, receiving, send, tree
from hubs import PATIENCE, until

MANY = 60


@pytest.fixture
def things(tmp_path):
    folder = tmp_path / "things"
    folder.mkdir()
    return folder


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def folders(things):
    for n in range(MANY):
        put(things / f"d{n:03}/inner", f"{n}".encode())


def empty_folders(things):
    for n in range(MANY):
        (things / f"d{n:03}").mkdir(parents=True)


def files(things):
    for n in range(MANY):
        put(things / f"f{n:03}", f"{n}".encode())


@pytest.mark.parametrize("make", [folders, empty_folders, files])
def test_killed_while_it_publishes(alice, bob, box, things, make):
    make(things)
    first = receiving(bob, box, "--from", "alice")
    sends = at_work(alice, "send", "bob", *sorted(things.iterdir()))
    until(lambda: [p for p in box.iterdir() if p.name != ".kith"], "the first name")
    first.kill()
    receiving(bob, box, "--from", "alice")
    assert sends.wait(PATIENCE) == 0, sends.complained()
    assert tree(box) == tree(things)


def test_many_paths(alice, bob, box, things):
    """More than a process is told at once."""
    for n in range(1000):
        put(things / f"with a long name, so that it is much, {n:04}", b"x")
    receiving(bob, box, "--from", "alice")
    assert send(alice, "bob", *sorted(things.iterdir())).returncode == 0
    assert tree(box) == tree(things)

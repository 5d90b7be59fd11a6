"""Goal: where two reach each other through the hub alone, their files go that way if the hub lets them,
and wait for another way if it does not; what they say is not held up by it."""

import os
import signal

import pytest
from files import (MIB, at_work, carriers, kill_carriers, named, noise, put, receiving, send, staged, tree,
                   until_event)
from hubs import PATIENCE, until
from persons import meet

LONG_S = 3 * PATIENCE


@pytest.fixture
def box(tmp_path):
    return tmp_path / "box"


@pytest.fixture
def things(tmp_path):
    return tmp_path / "things"


@pytest.fixture
def apart(make_machines, place):
    """Without a way to each other but a hub that lets files through."""
    machines = make_machines()
    return (machines, *place(machines, "--relay", "all"))


def stop(process):
    """Its carrier, until it is told to go on; which one."""
    (pid,) = carriers(process)
    os.kill(pid, signal.SIGSTOP)
    return pid


def is_staged(person):
    """Some of it, at home."""
    files = (person.folder / "Downloads/kith/.kith").rglob("*")
    return any(path.is_file() and path.stat().st_size > MIB for path in files)


# ---- where the hub lets them through ----


def test_files_go_through_the_hub(apart, box, things):
    _, _, alice, bob = apart
    put(things / "photos/a.jpg", noise(5 * MIB + 1))
    put(things / "photos/empty.jpg")
    receiver = receiving(bob, box, "--from", "alice", "--json")
    done = send(alice, "bob", things / "photos", "--json")
    assert done.returncode == 0, done.stderr
    assert tree(box) == tree(things) and staged(box) == []
    assert [e["way"] for e in named(done.events, "started", "done")] == ["relayed", "relayed"]
    assert until_event(receiver, "done")["way"] == "relayed"


def test_a_pipe_through_the_hub(apart):
    _, _, alice, bob = apart
    receiver = receiving(bob, "-", "--from", "alice")
    assert send(alice, "bob", "-", "--as", "x", input=noise(3 * MIB)).returncode == 0
    assert receiver.wait(PATIENCE) == 0
    assert (bob.folder / f"out-{bob.opened.index(receiver)}").read_bytes() == noise(3 * MIB)


@pytest.mark.parametrize("whose", ["sender", "receiver"])
def test_a_carrier_is_killed_and_it_goes_on(apart, box, things, whose):
    """What was kept is not sent again."""
    machines, _, alice, bob = apart
    path = put(things / "much", noise(8 * MIB))
    receiver = receiving(bob, box, "--from", "alice", "--json")
    machines.a.is_slow("cable")
    sender = at_work(alice, "--json", "send", "bob", path)
    until(lambda: any(e["kept"] > 0 for e in named(sender.events(), "progress")), "that something is kept")
    assert kill_carriers(sender if whose == "sender" else receiver) == 1
    again = until_event(sender, "started", 2)
    machines.a.is_fast("cable")
    assert again["way"] == "relayed" and again["kept"] > 0
    assert sender.wait(LONG_S) == 0, sender.complained()
    assert tree(box) == tree(things) and staged(box) == []


def test_what_is_said_meanwhile_is_not_held_up(apart, things):
    """The disk of who receives stands still: nobody's memory grows, and talk goes on."""
    _, _, alice, bob = apart
    bob.env["HOME"] = str(bob.folder)
    path = put(things / "much", noise(16 * MIB))
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "relayed"
    a.sendline(f"/send {path}")
    b.expect("alice offers much, .*: /accept or /decline")
    b.sendline("/accept")
    until(lambda: is_staged(bob), "that it is carried")
    held = stop(b)
    a.sendline("said in the middle")
    b.expect_exact("alice: said in the middle")
    b.sendline("and back")
    a.expect_exact("bob: and back")
    assert len(carriers(a)) == 1 and carriers(b) == [held]
    os.kill(held, signal.SIGCONT)
    a.expect("sent to bob", timeout=LONG_S)


def test_it_goes_on_when_a_direct_way_is_found(make_machines, place, things):
    """The talk moves there, with what goes over it; the carriers notice nothing."""
    machines = make_machines()
    machines.join()
    for m in [machines.a, machines.b]:
        m.lets_nobody_in()
    _, alice, bob = place(machines, "--relay", "all")
    bob.env["HOME"] = str(bob.folder)
    path = put(things / "much", noise(48 * MIB))
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "relayed"
    machines.a.is_slow("cable")
    a.sendline(f"/send {path}")
    b.expect("alice offers much, .*: /accept or /decline")
    b.sendline("/accept")
    until(lambda: is_staged(bob), "that it is carried")
    carried = carriers(a)
    machines.b.lets_all_in()
    a.expect("Talking with bob: direct")
    assert carriers(a) == carried
    a.expect("sent to bob: much, .* relayed", timeout=LONG_S)
    assert tree(bob.folder / "Downloads/kith") == tree(things)


# ---- where it does not ----


def test_files_wait_for_another_way(make_machines, place, box, things):
    machines = make_machines()
    machines.join()
    for m in [machines.a, machines.b]:
        m.lets_nobody_in()
    _, alice, bob = place(machines, "--relay", "chat")
    path = put(things / "report.pdf", noise(2 * MIB))
    receiving(bob, box, "--from", "alice")
    sender = at_work(alice, "--json", "send", "bob", path)
    assert until_event(sender, "waiting")["why"] == "there is only the relay, which carries no files"
    assert named(sender.events(), "started") == [] and staged(box) == []
    machines.b.lets_all_in()
    assert sender.wait(LONG_S) == 0, sender.complained()
    assert tree(box) == tree(things)
    assert [e["way"] for e in named(sender.events(), "done")] == ["direct 10.79.0.2"]

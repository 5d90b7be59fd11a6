"""Goal: a transfer between two machines outlives what happens to the network between them, and takes no
way that carries no files."""

import subprocess

import pytest
from files import MIB, arrived, at_work, named, noise, put, receiving, until_event
from hubs import PATIENCE, until
from machines import Machines, run

LONG_S = 4 * PATIENCE
SIZE = 64 * MIB
SLOWLY = "tc qdisc add dev more root tbf rate 200mbit burst 64kb latency 50ms"  # 64 MiB in 3 seconds


@pytest.fixture
def machines():
    made = Machines()
    yield made
    made.gone()


@pytest.fixture
def apart(machines, start_hub, make_person):
    """alice and bob on machines that reach the hub's alone."""
    hub = start_hub(listen="0.0.0.0:0", prefix=machines.hub.inside)
    return [make_person(name, f"{machines.hub_address(number)}:{hub.port}", m.inside)
            for number, (name, m) in enumerate([("alice", machines.a), ("bob", machines.b)], 1)]


@pytest.fixture
def together(machines, apart):
    machines.join()
    return apart


class Halfway:
    """A transfer of which some has come."""

    def __init__(self, machines, alice, bob, folder):
        self.box = folder / "box"
        path = put(folder / "much", noise(SIZE))
        run(*machines.a.inside, *SLOWLY.split())
        self.receiver = receiving(bob, self.box, "--from", "alice", "--json")
        self.sender = at_work(alice, "--json", "send", "bob", path)
        until(lambda: arrived(self.box) > 4 * MIB, "some of it")

    def finishes(self):
        assert self.sender.wait(LONG_S) == 0, self.sender.said() + self.sender.complained()
        assert (self.box / "much").read_bytes() == noise(SIZE)
        return named(self.sender.events(), "done")[0]


def test_from_machine_to_machine(machines, together, tmp_path):
    done = Halfway(machines, *together, tmp_path).finishes()
    assert done["way"] == "direct 10.79.0.2"


def test_another_address_in_the_middle(machines, together, tmp_path):
    """What was on its way is lost with the address; the rest goes to the other one."""
    it = Halfway(machines, *together, tmp_path)
    machines.b.ip("addr del 10.79.0.2/24 dev more")
    machines.b.add("more", "10.79.0.12/24")
    assert it.finishes()["way"] == "direct 10.79.0.12"
    assert len(named(it.sender.events(), "started")) > 1


def repeated(machine):
    """Segments of TCP that it has sent again."""
    lines = subprocess.run([*machine.inside, "grep", "Tcp:", "/proc/net/snmp"], capture_output=True, text=True,
                           timeout=PATIENCE, check=True).stdout.splitlines()
    return int(dict(zip(*(line.split() for line in lines)))["RetransSegs"])


def test_a_link_that_is_cut_for_seconds(machines, together, tmp_path):
    """Nothing is begun anew: TCP bears it."""
    it = Halfway(machines, *together, tmp_path)
    before = repeated(machines.a)
    machines.b.lets_nothing_through("more")
    until(lambda: repeated(machines.a) >= before + 4, "that nothing arrives")
    machines.b.lets_all_in()
    it.finishes()
    assert len(named(it.sender.events(), "started")) == 1


def test_only_the_relay(machines, together, tmp_path):
    """It carries no files: she waits, and is told why; it goes on when they reach each other."""
    alice, bob = together
    for m in [machines.a, machines.b]:
        m.lets_nobody_in()
    box, path = tmp_path / "box", put(tmp_path / "much", noise(MIB))
    receiving(bob, box, "--from", "alice")
    sender = at_work(alice, "send", "bob", path, "--json")
    assert until_event(sender, "waiting")["why"] == "there is only the relay, which carries no files"
    assert not (box / "much").exists()
    machines.b.lets_all_in()
    assert sender.wait(LONG_S) == 0, sender.said()
    assert (box / "much").read_bytes() == noise(MIB)

"""Goal: people on machines of their own find the way to each other that there is, through firewalls,
cuts and new addresses; nothing of what they say can be read on the hub; `kith doctor` tells which ways
there are."""

import json
import signal
import subprocess

import pytest
from files import at_work, noise, put, receiving, tree
from hubs import PATIENCE, until
from machines import Ear, memory_has
from persons import meet

GONE_S = 45  # half as long again as it takes


@pytest.fixture
def apart(make_machines, place):
    """Without a way to each other but the hub."""
    machines = make_machines()
    return (machines, *place(machines))


@pytest.fixture
def together(make_machines, place):
    """In one network."""
    machines = make_machines()
    machines.join()
    return (machines, *place(machines))


def exchange(a, b, word):
    """A text each way."""
    for one, name, other in [(a, "alice", b), (b, "bob", a)]:
        one.sendline(f"{word} of {name}")
        other.expect_exact(f"{name}: {word} of {name}")


# ---- which way ----


def test_a_machine_that_goes_without_a_word(apart):
    """Neither side is told anything: bob is not here any more, and the hub not there."""
    machines, _, alice, bob = apart
    a, b = alice.visit(), bob.visit()
    a.expect_exact("bob is here")
    machines.hub.lets_nothing_through("to-b")
    a.expect_exact("bob has left", timeout=GONE_S)
    b.expect_exact("Lost the hub", timeout=GONE_S)
    machines.hub.lets_all_in()
    b.expect_exact("is back")
    a.expect_exact("bob is here")


@pytest.mark.parametrize("families, shown", [((4,), ["10.79.0."]), ((6,), ["fd79::"]), ((4, 6), ["fd79::"]),
                                             ((6, 4), ["fd79::"])],
                         ids=["IPv4", "IPv6", "both", "both, the hub by IPv6"])
def test_a_direct_way(make_machines, place, families, shown):
    machines = make_machines(*families)
    machines.join()
    _, alice, bob = place(machines)
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "direct"
    exchange(a, b, "hello")
    a.sendline("/path")
    assert a.expect_exact([f"bob          direct {s}" for s in shown]) == 0


@pytest.mark.parametrize("how", ["drop", "reject with tcp reset"])
@pytest.mark.parametrize("who", ["a", "b"])
def test_one_that_lets_nobody_in(together, who, how):
    machines, _, alice, bob = together
    getattr(machines, who).lets_nobody_in(how)
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "direct"
    exchange(a, b, "hello")


@pytest.mark.parametrize("how", ["drop", "reject"])
def test_both_let_nobody_in_until_one_does(together, how):
    """Relayed, and direct as soon as that works, with nothing lost or doubled."""
    machines, _, alice, bob = together
    for m in [machines.a, machines.b]:
        m.lets_nobody_in(how)
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "relayed"
    exchange(a, b, "over the relay")
    machines.b.lets_all_in()
    a.expect(r"Talking with bob: direct 10\.79\.0\.2")
    b.expect(r"Talking with alice: direct 10\.79\.0\.1")
    exchange(a, b, "past it")


# ---- the relay ----


def hub_pid(hub):
    """ip netns exec becomes the program."""
    with open(f"/proc/{hub.pid}/comm") as name:
        assert name.read() == "kithd\n"
    return hub.pid


def test_what_the_hub_knows(apart, tmp_path):
    """No word of a talk is in the memory of the hub that relays it, or crosses its interfaces; what is
    said in the open does."""
    machines, hub, alice, bob = apart
    ear = Ear(machines.hub, tmp_path / "heard")
    try:
        a, b = alice.visit(), bob.visit()
        assert meet(a, "bob", b, "alice") == "relayed"
        before = len(ear.heard())
        a.sendline("a word like xylophone-4711")
        b.expect_exact("alice: a word like xylophone-4711")
        b.sendline("and zither-1147 back")
        a.expect_exact("bob: and zither-1147 back")
        words = [b"xylophone-4711", b"zither-1147"]
        assert not any(memory_has(hub_pid(hub), word) for word in words)
        a.sendline("/close")
        a.sendline("STORE a = trombone-1711")  # what is for the hub it does know
        a.expect_exact("Saved Successfully")
        assert memory_has(hub_pid(hub), b"trombone-1711")
        say = ("import socket; s = socket.create_connection(('10.78.1.1', %d)); "
               "s.sendall(b'triangle-7411\\n'); print(s.recv(99))" % hub.port)
        subprocess.run([*machines.a.inside, "/usr/bin/python3", "-c", say], check=True, timeout=PATIENCE,
                       capture_output=True)
        until(lambda: b"triangle-7411" in ear.heard(), "what is said in the open")
        heard = ear.heard()
        assert len(heard) > before
        assert not any(word in heard for word in [*words, b"trombone-1711"])
    finally:
        ear.close()


def test_say_over_the_relay(apart):
    _, _, alice, bob = apart
    listener = bob.listen("--accept", "alice")
    assert alice.say("bob", "the long way").returncode == 0
    assert listener.said() == "alice: the long way\n"


def test_files_do_not_go_over_the_relay(together, tmp_path):
    """They wait for a direct way, and go once there is one."""
    machines, _, alice, bob = together
    for m in [machines.a, machines.b]:
        m.lets_nobody_in()
    receiving(bob, tmp_path / "box", "--from", "alice")
    sender = at_work(alice, "send", "bob", put(tmp_path / "things/a", noise(1 << 20)))
    until(lambda: "there is only the relay, which carries no files" in sender.complained(), "that she waits")
    assert tree(tmp_path / "box") == {}
    machines.b.lets_all_in()
    assert sender.wait(PATIENCE) == 0
    assert tree(tmp_path / "box") == tree(tmp_path / "things")


@pytest.mark.parametrize("who", ["a", "b"])
def test_files_where_one_lets_nobody_in(together, tmp_path, who):
    """Who dialed the talk's connection dials theirs, be it who sends or who receives."""
    machines, _, alice, bob = together
    getattr(machines, who).lets_nobody_in()
    receiving(bob, tmp_path / "box", "--from", "alice")
    sender = at_work(alice, "send", "bob", put(tmp_path / "things/a", noise(1 << 20)))
    assert sender.wait(PATIENCE) == 0
    assert tree(tmp_path / "box") == tree(tmp_path / "things")


def test_a_hub_without_a_relay(make_machines, place):
    _, alice, bob = place(make_machines(), "--relay", "off")
    bob.listen("--accept", "alice")
    alone = alice.start("say", "bob", "hello", err=subprocess.PIPE)
    assert alone.wait(2 * PATIENCE) == 1
    assert b"not delivered: no connection came about" in alone.stderr.read()


def test_a_relayed_talk_outlives_the_hub(together):
    """The hub is killed and started again; what both say meanwhile arrives once and in order."""
    machines, hub, alice, bob = together
    for m in [machines.a, machines.b]:
        m.lets_nobody_in()
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "relayed"
    exchange(a, b, "before")
    everywhere = f"0.0.0.0:{hub.port}"
    hub.kill()
    a.expect_exact("Lost bob. Trying to get back; what you say is kept.")
    b.expect_exact("Lost alice. Trying to get back; what you say is kept.")
    for n in range(3):
        a.sendline(f"{n} in the dark")
        b.sendline(f"{n} into the dark")
    hub.restart("--listen", everywhere)
    for n in range(3):
        b.expect_exact(f"alice: {n} in the dark", timeout=2 * PATIENCE)
        a.expect_exact(f"bob: {n} into the dark", timeout=2 * PATIENCE)
    exchange(a, b, "after")
    assert "in the dark" not in b.before and "into the dark" not in a.before


# ---- changes ----


def test_a_cut_cable_is_mended_over_the_relay(together):
    machines, _, alice, bob = together
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "direct"
    exchange(a, b, "before")
    machines.a.ip("link set more down")  # bob's machine notices nothing, and is told by the hub
    a.expect("Talking with bob: relayed")
    b.expect("Talking with alice: relayed")
    exchange(a, b, "after")


def test_a_machine_that_is_cut_off_and_comes_back(together):
    """No way at all for a while, not even to the hub; what both say then arrives later, in order."""
    machines, _, alice, bob = together
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "direct"
    exchange(a, b, "before")
    for device in ["cable", "more"]:
        machines.a.ip(f"link set {device} down")
    a.expect_exact("Lost bob. Trying to get back; what you say is kept.")
    for n in range(3):
        a.sendline(f"{n} from afar")
        b.sendline(f"{n} to far away")
    a.sendline("/path")
    a.expect("bob +not connected")
    for device in ["cable", "more"]:
        machines.a.ip(f"link set {device} up")
    for n in range(3):
        b.expect_exact(f"alice: {n} from afar")
        a.expect_exact(f"bob: {n} to far away")
    exchange(a, b, "after")
    assert "from afar" not in b.before and "to far away" not in a.before


def test_another_address(together):
    """In the midst of a talk, one machine is at another address; what is said meanwhile arrives once and
    in order, and directly."""
    machines, _, alice, bob = together
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "direct"
    exchange(a, b, "before")
    machines.a.ip("addr del 10.79.0.1/24 dev more")
    a.expect_exact("Lost bob. Trying to get back; what you say is kept.")
    for n in range(3):
        a.sendline(f"{n} on the way")
        b.sendline(f"{n} behind you")
    machines.a.add("more", "10.79.0.11/24")
    for n in range(3):
        b.expect_exact(f"alice: {n} on the way")
        a.expect_exact(f"bob: {n} behind you")
    b.sendline("/path")
    b.expect(r"alice +(direct 10\.79\.0\.11|relayed)")
    exchange(a, b, "after")
    assert "on the way" not in b.before and "behind you" not in a.before


# ---- kith doctor ----


def ask(person, *words):
    """Exit code, and what the doctor finds: objects in order."""
    done = person.run("--json", "doctor", *words)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def find(findings, about):
    return [(f.get("at"), f["result"]) for f in findings if f["about"] == about]


def test_the_doctor_alone(together):
    _, hub, alice, bob = together
    bob.listen("--accept", "all")
    code, found = ask(alice, "--peer-port", "4711")
    assert code == 0
    assert find(found, "hub") == [(alice.where, "works")]
    assert find(found, "you") == [("alice", "logged-in")]
    assert find(found, "port") == [("4711", "listens")]
    assert sorted(find(found, "address")) == [("10.78.1.2:4711", "told"), ("10.79.0.1:4711", "told")]
    assert [f["text"] for f in found if f["about"] == "here"] == ["alice, bob"]
    plain = alice.run("doctor")
    assert plain.returncode == 0 and b"logged in over TLS 1.3" in plain.stdout
    nobody = alice.run("--as", "other", "doctor")
    assert nobody.returncode == 4 and b"this device is nobody's" in nobody.stderr
    hub.stop()
    assert alice.run("doctor").returncode == 3


def test_the_doctor_finds_all_ways(together):
    """It goes on after the first that works; nobody is told anything but that a talk began and
    ended."""
    _, _, alice, bob = together
    listener = bob.listen("--accept", "alice", "--peer-port", "4712")
    code, found = ask(alice, "bob")
    assert code == 0
    assert sorted(find(found, "path")) == [("10.78.2.2:4712", "no-way"), ("10.79.0.2:4712", "works")]
    assert find(found, "from there") == [("10.79.0.2", "works")]
    assert find(found, "relay") == [(None, "works")]
    assert find(found, "conclusion") == [("bob", "direct")]
    assert found[-1]["text"] == "direct, over IPv4, from either side"
    assert alice.say("bob", "and now?").returncode == 0
    assert listener.said() == "alice: and now?\n"


@pytest.mark.parametrize("families", [(4,), (4, 6)], ids=["IPv4", "both"])
def test_the_doctor_and_one_that_lets_nobody_in(make_machines, place, families):
    machines = make_machines(*families)
    machines.join()
    machines.a.lets_nobody_in()
    _, alice, bob = place(machines)
    bob.listen("--accept", "all")
    over = "IPv6 and IPv4" if 6 in families else "IPv4"
    code, found = ask(alice, "bob")
    assert (code, find(found, "from there")) == (0, [(None, "nothing-came")])
    assert found[-1]["text"].startswith(f"direct, over {over}: this device gets to bob;")
    alice.listen("--accept", "all")
    code, found = ask(bob, "alice")
    assert (code, find(found, "conclusion")) == (0, [("alice", "direct")])
    shared = [f for f in found if f["about"] == "path" and f["at"].startswith(("10.79.", "[fd79:"))]
    assert {f["result"] for f in shared} == {"no-answer"} and len(shared) == len(families)
    assert any("a firewall there keeps it out" in f["text"] for f in shared)
    assert found[-1]["text"].endswith("alice gets here, this device does not get there, and one of the "
                                      "two is enough")


def test_the_doctor_where_both_let_nobody_in(together):
    machines, _, alice, bob = together
    for m in [machines.a, machines.b]:
        m.lets_nobody_in("reject with tcp reset")
    bob.listen("--accept", "all", "--peer-port", "4712")
    code, found = ask(alice, "bob")
    assert code == 0
    assert ("10.79.0.2:4712", "refused") in find(found, "path")
    assert find(found, "relay") == [(None, "works")]
    assert find(found, "conclusion") == [("bob", "relayed")]
    plain = alice.run("doctor", "bob").stdout.decode()
    assert "same network: refused: perhaps by a firewall there" in plain
    assert "only relayed: nothing from outside gets to either of you." in plain


def test_the_doctor_finds_no_way(make_machines, place):
    _, alice, bob = place(make_machines(), "--relay", "off")
    bob.listen("--accept", "all")
    code, found = ask(alice, "bob")
    assert code == 1
    assert find(found, "relay") == [(None, "denied")]
    assert find(found, "conclusion") == [("bob", "none")]


def test_who_does_not_meet_the_doctor(together):
    _, _, alice, bob = together
    assert ask(alice, "bob")[0] == 1
    assert alice.run("doctor", "no/body").returncode == 2
    assert b"that is you" in alice.run("doctor", "alice").stderr
    b = bob.visit()
    asked = alice.start("doctor", "bob", err=subprocess.PIPE)
    b.expect_exact("alice wants to talk")
    b.sendline("/decline")
    assert asked.wait(PATIENCE) == 1
    assert b"bob does not want to talk" in asked.stderr.read()
    accepted = alice.start("doctor", "bob", err=subprocess.PIPE)
    b.expect_exact("alice wants to talk")
    b.sendline("/accept")
    b.expect_exact("You talk with alice now")
    b.expect_exact("alice has ended the talk.")
    assert accepted.wait(PATIENCE) == 0
    again = alice.start("doctor", "bob", err=subprocess.PIPE)
    b.expect_exact("alice wants to talk")
    b.sendline("/accept")
    b.expect_exact("You talk with alice now")
    again.send_signal(signal.SIGSTOP)
    b.sendline("/close")
    b.expect_exact("The talk with alice is over.")
    again.send_signal(signal.SIGCONT)
    code = again.wait(PATIENCE)
    found, told = again.said(), again.stderr.read()
    if code == 0:  # what was found by then is told, and what was not tried
        assert "conclusion" in found and "relay" in found, found
    else:
        assert code == 1 and b"bob has ended the talk before all was tried" in told

"""Goal: two people who know only the hub's address talk, device to device, and the hub cannot read
it; scripts do the same."""

import json
import os
import re
import signal
import socket
import subprocess

import pexpect
import pytest
from hubs import PATIENCE, until
from people import PASSWORD

LAST_LINE_OF_HELP = "say a line that begins with a slash"


class Person:
    """Somebody with a profile of his own, perhaps on a machine of his own: words before each command
    put it there."""

    def __init__(self, build, folder, name, where, prefix=()):
        self.kith, self.folder, self.name, self.where = build / "kith", folder / name, name, where
        self.prefix = list(prefix)
        self.folder.mkdir()
        (self.folder / "password").write_text(PASSWORD + "\n")
        self.env = {k: v for k, v in os.environ.items() if k != "KITH_HUB"}
        self.env.update(XDG_CONFIG_HOME=str(self.folder), NO_COLOR="1", TERM="xterm")
        self.opened = []
        made = self.run("register", name, "--password-file", self.folder / "password")
        assert made.returncode == 0, made.stderr

    def words(self, *words):
        return [*self.prefix, str(self.kith), *map(str, words)]

    def run(self, *words, **how):
        return subprocess.run(self.words("--hub", self.where, *words), capture_output=True,
                              env=self.env, timeout=PATIENCE, **how)

    def say(self, *words, **how):
        return self.run("say", *words, **how)

    def start(self, *words, err=subprocess.DEVNULL):
        """In the background; what it prints is in a file."""
        out = open(self.folder / f"out-{len(self.opened)}", "w+b", buffering=0)
        process = subprocess.Popen(self.words("--hub", self.where, *words), stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=err, env=self.env)
        process.said = lambda: os.pread(out.fileno(), 1 << 24, 0).decode()
        self.opened.append(process)
        return process

    def listen(self, *options):
        """Until it listens."""
        process = self.start("listen", *options, err=subprocess.PIPE)
        assert b"listening at" in process.stderr.readline()
        return process

    def visit(self, *options):
        words = self.words(*options, *self.where.rsplit(":", 1))
        child = pexpect.spawn(words[0], words[1:], env=self.env, encoding="utf-8",
                              timeout=PATIENCE, dimensions=(40, 120))
        child.expect_exact(LAST_LINE_OF_HELP)
        self.opened.append(child)
        return child

    def close(self):
        for one in self.opened:
            if isinstance(one, pexpect.spawn):
                one.close(force=True)
            else:
                one.kill()
                one.wait()


@pytest.fixture
def make_person(build, tmp_path):
    people = []

    def make(name, where, prefix=()):
        people.append(Person(build, tmp_path, name, where, prefix))
        return people[-1]

    yield make
    for person in people:
        person.close()


@pytest.fixture
def alice(hub, make_person):
    return make_person("alice", hub.where)


@pytest.fixture
def bob(hub, make_person):
    return make_person("bob", hub.where)


def meet(one, name, other, own_name):
    """From an invitation to a talk."""
    one.sendline(f"GET_CLIENT_INFO {name}")
    other.expect_exact(f"{own_name} wants to talk: /accept or /decline")
    other.sendline("/accept")
    for visit, whom in [(one, name), (other, own_name)]:
        visit.expect_exact(f"You talk with {whom} now; /close ends it.")
        visit.expect(f"Talking with {whom}: (\\S+)")
    return one.match.group(1)


def leave(*visits):
    for visit in visits:
        visit.sendline("/quit")
        visit.expect(pexpect.EOF)
        visit.close()
        assert visit.exitstatus == 0


# ---- visits ----


def test_two_people_talk(alice, bob):
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "direct"
    a.sendline("hello bob")
    b.expect_exact("alice: hello bob")
    b.sendline("grüße 世界")
    a.expect_exact("bob: grüße 世界")
    a.sendline("STORE a = for bob, not for the hub")
    b.expect_exact("alice: STORE a = for bob, not for the hub")
    a.sendline("/path")
    a.expect("bob +direct")
    a.sendline("DISCONNECT_CLIENT")
    a.expect_exact("You talk with bob: CLOSE_SESSION first.")
    a.sendline("CLOSE_SESSION")
    a.expect_exact("The talk with bob is over. What you type now is for the hub.")
    b.expect_exact("alice has ended the talk.")
    b.sendline("a secret, too late")
    b.expect_exact("Not said: a secret, too late")
    a.sendline("CLOSE_SESSION")
    a.expect_exact("No session")
    assert alice.run("get", "a").returncode == 1
    leave(a, b)


def test_several_talks_one_in_front(alice, bob, hub, make_person):
    carol = make_person("carol", hub.where)
    a, b, c = alice.visit(), bob.visit(), carol.visit("--accept", "bob,alice")
    meet(a, "bob", b, "alice")
    a.sendline("/talk carol")
    a.expect_exact("carol is there to talk: /talk carol")
    c.expect_exact("alice is there to talk: /talk alice")
    a.sendline("still for bob")
    b.expect_exact("alice: still for bob")
    a.sendline("/talk carol")
    a.sendline("for carol")
    c.expect_exact("alice: for carol")
    b.sendline("from bob")
    a.expect_exact("bob: from bob")
    a.sendline("/close")
    c.expect_exact("alice has ended the talk.")
    a.sendline("/talk bob")
    a.sendline("and bob again")
    b.expect_exact("alice: and bob again")
    assert "carol" not in (b.before or "")


def test_who_does_not_want_to(alice, bob):
    a, b = alice.visit(), bob.visit()
    a.sendline("/talk bob")
    b.expect_exact("alice wants to talk")
    b.sendline("/decline")
    a.expect_exact("bob does not want to talk.")
    a.sendline("/talk bob")
    b.expect_exact("alice wants to talk")
    a.sendline("/close")
    a.expect_exact("bob is no longer asked.")
    b.expect_exact("alice is gone.")
    b.sendline("/accept")
    b.expect_exact("Nobody asks to talk.")


def test_a_talk_outlives_the_hub(hub, alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    hub.kill()
    a.expect_exact("Lost the hub")
    a.sendline("still there?")
    b.expect_exact("alice: still there?")


def test_what_was_not_delivered_is_said(alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    os.kill(b.pid, signal.SIGSTOP)
    try:
        a.sendline("are you there")
        a.sendline("/close")
        a.expect_exact("The talk with bob is over.")
        a.expect_exact("Not delivered to bob: are you there")
    finally:
        os.kill(b.pid, signal.SIGCONT)


def test_what_is_said_while_both_close_arrives(alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    os.kill(a.pid, signal.SIGSTOP)
    try:
        a.sendline("last words")
        a.sendline("/close")
        b.sendline("/close")
        b.expect_exact("The talk with alice is over.")
    finally:
        os.kill(a.pid, signal.SIGCONT)
    a.expect_exact("The talk with bob is over.")
    b.expect_exact("alice: last words")


# ---- say and listen ----


def test_say_and_listen(alice, bob):
    listener = bob.listen("--accept", "alice")
    for _ in range(3):
        assert alice.say("bob", "hello", "there").returncode == 0
    assert alice.say("bob", "-", input=b"of a pipe\n").returncode == 0
    assert listener.said() == "alice: hello there\n" * 3 + "alice: of a pipe\n"
    listener.send_signal(signal.SIGTERM)
    assert listener.wait(PATIENCE) == -signal.SIGTERM
    gone = alice.say("bob", "hello")
    assert gone.returncode == 1 and b"there is no 'bob' here" in gone.stderr


def test_listen_as_json(alice, bob):
    listener = bob.start("--json", "listen", "--accept", "all")
    until(lambda: alice.say("bob", 'a "quoted" \x1b[31m line').returncode == 0, "the listener")
    assert json.loads(listener.said()) == {"from": "alice", "text": 'a "quoted" \x1b[31m line'}


def test_who_is_not_to_be_listened_to(alice, bob):
    bob.listen("--accept", "carol")
    refused = alice.say("bob", "hello")
    assert (refused.returncode, refused.stderr) == (1, b"kith: bob is busy\n")


def test_what_cannot_be_said(hub, alice, bob, build):
    listener = bob.listen("--accept", "all")
    for text in [b"\xff", b"x" * 65537, b""]:
        assert alice.say("bob", "-", input=text).returncode == 2
    assert alice.say("bob", "-", input=b"x" * 65536).returncode == 0
    assert listener.said() == f"alice: {'x' * 65536}\n"
    assert alice.say("alice", "hello").returncode == 1
    assert alice.say("no/body", "hello").returncode == 2
    assert alice.run("listen").returncode == 2
    assert alice.run("listen", "--accept", "a,").returncode == 2
    assert alice.run("say", "bob", "x", "--peer-port", "80").returncode == 2
    assert alice.run("get", "a", "--accept", "all").returncode == 2
    nobody = alice.run("--as", "other", "say", "bob", "hello")
    assert nobody.returncode == 4 and b"this device is nobody's" in nobody.stderr
    hub.stop()
    assert alice.say("bob", "hello").returncode == 3


def test_another_device_is_a_hard_stop(alice, bob):
    listener = bob.listen("--accept", "all")
    assert alice.say("bob", "one").returncode == 0
    listener.terminate()
    listener.wait(PATIENCE)
    bob.run("--as", "new", "login", "bob", "--password-file", bob.folder / "password")
    other = bob.start("--as", "new", "listen", "--accept", "all", err=subprocess.PIPE)
    assert b"listening at" in other.stderr.readline()
    changed = alice.say("bob", "two")
    assert changed.returncode == 5 and b"bob is on another device than before" in changed.stderr
    assert other.said() == ""


# ---- who connects ----


def peer_port(pid):
    """Where a kith listens."""
    inodes = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    with open(f"/proc/{pid}/net/tcp6") as table:
        rows = [line.split() for line in table][1:]
    (row,) = [r for r in rows if r[3] == "0A" and f"socket:[{r[9]}]" in inodes]
    return int(row[1].rsplit(":", 1)[1], 16)


def test_a_port_that_is_taken(bob):
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::", 0))
        taken.listen()
        port = taken.getsockname()[1]
        listen = bob.run("listen", "--accept", "all", "--peer-port", port)
    assert listen.returncode == 1
    assert listen.stderr == b"kith: cannot listen for people at port %d: the address is taken\n" % port


def test_strangers_are_not_heard(alice, bob, tmp_path):
    """No word is said to who shows no key, or one that no talk expects; a crowd of them keeps nobody
    out for long."""
    listener = bob.listen("--accept", "all", "--peer-port", "15151")
    assert peer_port(listener.pid) == 15151
    for greeting in [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello"]:
        with socket.create_connection(("127.0.0.1", 15151), timeout=PATIENCE) as s:
            s.sendall(greeting)
            answer = b""
            while some := s.recv(4096):
                answer += some
            assert answer[:1] in (b"", b"\x15")  # at most an alert
    crowd = [socket.create_connection(("127.0.0.1", 15151), timeout=PATIENCE) for _ in range(40)]
    refused = 0
    for s in crowd[16:]:
        try:
            refused += s.recv(1) == b""
        except ConnectionResetError:
            refused += 1
    assert refused == 24
    for s in crowd[:16]:  # these have their 10 s
        s.setblocking(False)
        with pytest.raises(BlockingIOError):
            s.recv(1)
    for s in crowd:
        s.close()
    assert alice.say("bob", "hello").returncode == 0
    assert listener.said() == "alice: hello\n"


# ---- machines ----


def ip(words):
    subprocess.run(["ip", *words.split()], check=True, capture_output=True, timeout=PATIENCE)


def inside(machine):
    return ["ip", "netns", "exec", machine]


@pytest.fixture
def machines():
    """A hub's machine with a cable to each of two others, which have no way to each other."""
    names = {m: f"kith-{os.getpid()}-{m}" for m in "hab"}
    try:
        for name in names.values():
            ip(f"netns add {name}")
            ip(f"-n {name} link set lo up")
        for number, m in [(1, "a"), (2, "b")]:
            ip(f"-n {names['h']} link add to-{m} type veth peer name cable netns {names[m]}")
            for name, device, address in [(names["h"], f"to-{m}", f"10.78.{number}.1/24"),
                                          (names[m], "cable", f"10.78.{number}.2/24")]:
                ip(f"-n {name} addr add {address} dev {device}")
                ip(f"-n {name} link set {device} up")
        yield names
    finally:
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def bridge(machines):
    """From now on the hub's machine is a switch: the two reach each other in a subnet of theirs."""
    h = machines["h"]
    ip(f"-n {h} link add between type bridge")
    ip(f"-n {h} link set between up")
    for m, number in [("a", 1), ("b", 2)]:
        ip(f"-n {h} link add more-{m} type veth peer name more netns {machines[m]}")
        ip(f"-n {h} link set more-{m} master between up")
        ip(f"-n {machines[m]} addr add 10.79.0.{number}/24 dev more")
        ip(f"-n {machines[m]} link set more up")


@pytest.fixture
def apart(start_hub, machines, make_person):
    """A hub, alice and bob on three machines."""
    hub = start_hub(listen="0.0.0.0:0", prefix=inside(machines["h"]))
    alice = make_person("alice", f"10.78.1.1:{hub.port}", inside(machines["a"]))
    bob = make_person("bob", f"10.78.2.1:{hub.port}", inside(machines["b"]))
    return hub, alice, bob


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


def hub_pid(hub):
    """ip netns exec becomes the program."""
    with open(f"/proc/{hub.pid}/comm") as name:
        assert name.read() == "kithd\n"
    return hub.pid


def test_the_relay_and_what_the_hub_knows(apart):
    hub, alice, bob = apart
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "relayed"
    a.sendline("a word like xylophone-4711")
    b.expect_exact("alice: a word like xylophone-4711")
    b.sendline("and zither-1147 back")
    a.expect_exact("bob: and zither-1147 back")
    for word in [b"xylophone-4711", b"zither-1147"]:
        assert not memory_has(hub_pid(hub), word)
    a.sendline("/close")
    a.sendline("STORE a = trombone-1711")  # what is for the hub it does know
    a.expect_exact("Saved Successfully")
    assert memory_has(hub_pid(hub), b"trombone-1711")


def test_say_over_the_relay(apart):
    _, alice, bob = apart
    listener = bob.listen("--accept", "alice")
    assert alice.say("bob", "the long way").returncode == 0
    assert listener.said() == "alice: the long way\n"


def test_a_hub_without_a_relay(start_hub, machines, make_person):
    hub = start_hub("--relay", "off", listen="0.0.0.0:0", prefix=inside(machines["h"]))
    alice = make_person("alice", f"10.78.1.1:{hub.port}", inside(machines["a"]))
    bob = make_person("bob", f"10.78.2.1:{hub.port}", inside(machines["b"]))
    bob.listen("--accept", "alice")
    alone = alice.start("say", "bob", "hello", err=subprocess.PIPE)
    assert alone.wait(2 * PATIENCE) == 1
    assert b"not delivered: no connection came about" in alone.stderr.read()


def test_a_cut_cable_is_mended_over_the_relay(apart, machines):
    _, alice, bob = apart
    bridge(machines)
    a, b = alice.visit(), bob.visit()
    assert meet(a, "bob", b, "alice") == "direct"
    a.sendline("before")
    b.expect_exact("alice: before")
    subprocess.run([*inside(machines["a"]), "ss", "-K", "dst", "10.79.0.2"], check=True,
                   capture_output=True)
    ip(f"-n {machines['a']} link set more down")
    a.expect("Talking with bob: relayed")
    a.sendline("after")
    b.expect_exact("alice: after")

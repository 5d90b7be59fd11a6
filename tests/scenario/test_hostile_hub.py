"""Goal: a hub that lies gets nobody to talk with, or to dial, or to believe, what he did not choose; and
cannot write on his screen, nor fill his memory."""

import os
import re
import socket
import subprocess

import pexpect
import pytest
from elsewhere import within
from hubs import PATIENCE, until
from lying_hub import LyingHub, bulk, certificate, introduced, invited, push, wear
from members import Device, new_id, resident_kib
from machines import inside, ip
from persons import Person

MIB = 1 << 20


@pytest.fixture
def start_liar(tmp_path):
    started = []

    def start(**how):
        folder = tmp_path / f"liar-{len(started)}"
        folder.mkdir()
        started.append(LyingHub(folder, "alice", **how))
        return started[-1]

    yield start
    for liar in started:
        liar.close()


@pytest.fixture
def liar(start_liar):
    return start_liar()


@pytest.fixture
def make_person(build, tmp_path):
    people = []

    def make(where, prefix=()):
        people.append(Person(build, tmp_path, f"alice{len(people) or ''}", where, prefix))
        return people[-1]

    yield make
    for person in people:
        person.close()


@pytest.fixture
def alice(liar, make_person):
    return make_person(liar.where)


@pytest.fixture
def bob(tmp_path):
    return Device(tmp_path / "devices", "bob")


@pytest.fixture
def mallory(tmp_path):
    return Device(tmp_path / "devices", "mallory")


@pytest.fixture
def ear():
    """Makes sockets that listen, to see who is made to dial where."""
    opened = []

    def listen(at="127.0.0.1", port=0):
        opened.append(Ear(at, port))
        return opened[-1]

    yield listen
    for one in opened:
        one.socket.close()


class Ear:
    def __init__(self, at, port):
        self.socket = socket.create_server((at, port), family=socket.AF_INET6 if ":" in at else socket.AF_INET)
        self.port = self.socket.getsockname()[1]
        self.candidate = f"[{at}]:{self.port}" if ":" in at else f"{at}:{self.port}"

    def hears(self):
        """Waits until somebody dials it."""
        self.socket.settimeout(PATIENCE)
        self.socket.accept()[0].close()
        return True

    def has_heard(self):
        self.socket.setblocking(False)
        try:
            self.socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True


def guest_of(liar, person_does, word="WHOAMI"):
    """Somebody comes in; his connection, once he has asked that."""
    before = len(liar.guests)
    child = person_does()

    def found():
        return next((g for g in liar.guests[before:] if g.has_asked(word)), None)
    return child, until(found, "a guest")


def test_who_asks_while_one_is_still_coming_in(liar, alice, bob):
    """The hub lets one in, and says that somebody asks, before it says whom it takes one for."""
    asking = invited(bob, "bob")
    liar.answers["LOGIN"] = b"+OK\r\n" + push(*asking)
    alice.listen("--accept", "bob")
    assert liar.is_told("ACCEPT")[1][1] == asking[1]


def ask_to_talk(liar, guest, visit, name, meeting=None):
    """The visit asks for somebody; under which id."""
    meeting = meeting or new_id()
    liar.answers["MEET"] = bulk(meeting)
    visit.sendline(f"/talk {name}")
    visit.expect_exact(f"Asking {name} to talk")
    return meeting


def is_still_heard(liar, guest, visit, ear):
    """Somebody asked for is dialed; whatever the hub said before this has had its effect."""
    control = ear()
    carol = Device(liar.folder, f"carol-{control.port}")
    meeting = ask_to_talk(liar, guest, visit, "carol")
    liar.tell(guest, *introduced(carol, "carol", meeting, control.candidate))
    return control.hears()


# ---- introductions ----


def test_nobody_is_dialed_whom_the_visit_did_not_choose(liar, alice, bob, ear):
    visit, guest = guest_of(liar, alice.visit)
    unasked = ear()
    liar.tell(guest, *introduced(bob, "bob", new_id(), unasked.candidate))
    meeting = new_id()
    liar.tell(guest, *invited(bob, "bob", meeting))
    visit.expect_exact("bob wants to talk: /accept or /decline")
    liar.tell(guest, *introduced(bob, "bob", meeting, unasked.candidate))  # not accepted
    assert is_still_heard(liar, guest, visit, ear)
    assert not unasked.has_heard()


def test_an_introduction_counts_once(liar, alice, bob, ear):
    visit, guest = guest_of(liar, alice.visit)
    first, again = ear(), ear()
    meeting = ask_to_talk(liar, guest, visit, "bob")
    liar.tell(guest, *introduced(bob, "bob", meeting, first.candidate))
    assert first.hears()
    liar.tell(guest, *introduced(bob, "bob", meeting, again.candidate))
    liar.tell(guest, *introduced(bob, "bob", new_id(), again.candidate))
    assert is_still_heard(liar, guest, visit, ear)
    assert not again.has_heard()


def test_an_introduction_is_to_whom_it_was_asked_for(liar, alice, bob, mallory, ear):
    visit, guest = guest_of(liar, alice.visit)
    elsewhere = ear()
    meeting = ask_to_talk(liar, guest, visit, "bob")
    liar.tell(guest, *introduced(mallory, "mallory", meeting, elsewhere.candidate))
    accepted = new_id()
    liar.tell(guest, *invited(bob, "dave", accepted))
    visit.expect_exact("dave wants to talk")
    visit.sendline("/accept")
    liar.is_told("ACCEPT")
    liar.tell(guest, *introduced(mallory, "mallory", accepted, elsewhere.candidate))
    visit.sendline("/close")
    visit.expect_exact("bob is no longer asked.")
    assert is_still_heard(liar, guest, visit, ear)
    assert not elsewhere.has_heard()


def test_a_listener_is_introduced_to_whom_it_has_accepted(liar, alice, bob, mallory, ear):
    _, guest = guest_of(liar, lambda: alice.listen("--accept", "bob,mallory"))
    unasked, good, again = ear(), ear(), ear()
    liar.tell(guest, *introduced(bob, "bob", new_id(), unasked.candidate))
    meeting = new_id()
    liar.tell(guest, *invited(bob, "bob", meeting))
    until(lambda: guest.has_asked("ACCEPT"), "its acceptance")
    liar.tell(guest, *introduced(mallory, "mallory", meeting, unasked.candidate))
    liar.tell(guest, *introduced(bob, "bob", meeting, good.candidate))
    assert good.hears()
    liar.tell(guest, *introduced(bob, "bob", meeting, again.candidate))
    guest.asked.clear()
    other = new_id()
    liar.tell(guest, *invited(mallory, "mallory", other))
    until(lambda: guest.has_asked("ACCEPT"), "its second acceptance")
    control = ear()
    liar.tell(guest, *introduced(mallory, "mallory", other, control.candidate))
    assert control.hears()
    assert not unasked.has_heard() and not again.has_heard()


# ---- where to ----


@pytest.fixture
def machine():
    """A machine of its own: 10.81.0.2 of 10.81.0.0/24, on the way to everything else through 10.81.0.1,
    which has 10.82.0.1, too. Calls what is done there."""
    names = {"own": f"kith-{os.getpid()}-own", "way": f"kith-{os.getpid()}-way"}
    own, way = names["own"], names["way"]
    try:
        for name in names.values():
            ip(f"netns add {name}")
            ip(f"-n {name} link set lo up")
        ip(f"-n {way} link add cable type veth peer name cable netns {own}")
        for name, number in [(way, 1), (own, 2)]:
            ip(f"-n {name} addr add 10.81.0.{number}/24 dev cable")
            ip(f"-n {name} link set cable up")
        ip(f"-n {way} addr add 10.82.0.1/24 dev lo")
        ip(f"-n {own} route add default via 10.81.0.1")
        yield names
    finally:
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def test_nobody_is_made_to_dial_what_is_not_his(machine, start_liar, make_person, bob, ear):
    own, way = machine["own"], machine["way"]
    liar = start_liar(listener=within(way, lambda: socket.create_server(("10.81.0.1", 0))))
    alice = make_person(liar.where, inside(own))
    near = within(way, lambda: ear("10.81.0.1"))
    link_local = within(own, lambda: link_local_address("cable"))
    forbidden = [within(own, lambda: ear("127.0.0.1")), within(own, lambda: ear("::1")),
                 within(own, lambda: ear("10.81.0.2", 1000)), within(way, lambda: ear("10.81.0.1", 1023)),
                 within(way, lambda: ear("10.82.0.1")), within(own, lambda: ear("::"))]
    texts = [one.candidate for one in forbidden]
    texts[-1] = f"[{link_local}]:{forbidden[-1].port}"
    texts += ["239.1.1.1:5000", "255.255.255.255:5000", "0.0.0.0:%d" % forbidden[0].port, "10.81.0.255:5000"]
    visit, guest = guest_of(liar, alice.visit)
    meeting = ask_to_talk(liar, guest, visit, "bob")
    liar.tell(guest, *introduced(bob, "bob", meeting, *texts, near.candidate, seen="10.81.0.1"))
    assert near.hears()
    relay, _ = liar.is_told("RELAY")  # when no way has been found
    assert relay is not guest
    assert not any(one.has_heard() for one in forbidden)


def link_local_address(device):
    shown = subprocess.run(["ip", "-6", "-o", "addr", "show", "dev", device, "scope", "link"],
                           check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
    return re.search(r"inet6 (\S+)/", shown).group(1)


def test_a_relay_that_is_used_up(liar, alice, bob):
    meeting = new_id()
    liar.answers["MEET"] = bulk(meeting)
    liar.answers["RELAY"] = b"-QUOTA this hour's quota of the relay is used up\r\n"
    said, guest = guest_of(liar, lambda: alice.start("say", "bob", "hello", err=subprocess.PIPE), "MEET")
    liar.tell(guest, *introduced(bob, "bob", meeting))
    assert said.wait(PATIENCE) == 1
    assert b"this hour's quota of it is used up" in said.stderr.read()


# ---- keys ----


def test_another_key_for_bob(liar, alice, bob, mallory, ear):
    meeting = new_id()
    liar.answers["MEET"] = bulk(meeting)
    first, second = ear(), ear()
    said = alice.start("say", "bob", "hello", err=subprocess.PIPE)
    guest, _ = liar.is_told("MEET")
    liar.tell(guest, *introduced(bob, "bob", meeting, first.candidate))
    assert first.hears()
    said.kill()

    said, guest = guest_of(liar, lambda: alice.start("say", "Bob", "a secret", err=subprocess.PIPE), "MEET")
    liar.tell(guest, *introduced(mallory, "Bob", meeting, second.candidate))
    assert said.wait(PATIENCE) == 5
    assert b"is on another device than before" in said.stderr.read()

    visit, guest = guest_of(liar, alice.visit)
    ask_to_talk(liar, guest, visit, "bob", meeting)
    liar.tell(guest, *introduced(mallory, "bob", meeting, second.candidate))
    visit.expect_exact("bob is on another device than before")
    assert is_still_heard(liar, guest, visit, ear)
    assert not second.has_heard()


def test_a_key_that_is_not_its_fingerprints(liar, alice, bob, mallory, ear):
    visit, guest = guest_of(liar, alice.visit)
    there = ear()
    meeting = ask_to_talk(liar, guest, visit, "bob")
    mixed = list(introduced(bob, "bob", meeting, there.candidate))
    mixed[4] = introduced(mallory, "bob", meeting)[4]
    liar.tell(guest, *mixed)
    visit.sendline("/close")
    visit.expect_exact("bob is no longer asked.")
    assert is_still_heard(liar, guest, visit, ear)
    assert not there.has_heard()


# ---- who the hub says it is ----


def nothing_was_asked(liar):
    until(lambda: liar.guests and all(g.over for g in liar.guests), "the end of the connections")
    return not any(g.asked for g in liar.guests)


def run_all(person, where):
    """Each way to a hub: what it says on standard error, and its exit code."""
    visit = subprocess.run(person.words(*where.rsplit(":", 1)), input=b"hello\n", capture_output=True,
                           env=person.env, timeout=PATIENCE)
    return [person.run("say", "bob", "a secret"), person.run("listen", "--accept", "all"),
            person.run("devices"), visit]


@pytest.mark.parametrize("kind", ["rsa", "chain"])
def test_a_certificate_that_is_none_of_a_hubs(start_liar, alice, kind):
    liar = start_liar(kind=kind)
    alice.where = liar.where
    for done in run_all(alice, liar.where):
        assert done.returncode == 3
        assert b"the certificate is not a single one of an Ed25519 key" in done.stderr
    assert nothing_was_asked(liar)


def test_a_certificates_dates_mean_nothing(start_liar, alice):
    liar = start_liar(kind="expired")
    alice.where = liar.where
    visit, guest = guest_of(liar, alice.visit)
    liar.tell(guest, "online", "bob")
    visit.expect_exact("bob is here")


def test_another_key_than_known_gets_no_word(liar, alice, tmp_path):
    (tmp_path / "other").mkdir()
    liar.show(*certificate(tmp_path / "other", "ed25519"))
    liar.guests.clear()
    for done in run_all(alice, liar.where):
        assert done.returncode == 5
        assert b"is another one" in done.stderr
    assert nothing_was_asked(liar)


def test_a_known_key_that_is_not_proven(start_liar, alice, liar, tmp_path):
    (tmp_path / "other").mkdir()
    known = tmp_path / "liar-0" / "ed25519.crt"
    liar.show(*certificate(tmp_path / "other", "ed25519"))
    wear(liar.context, known)
    liar.guests.clear()
    for done in run_all(alice, liar.where):
        assert done.returncode == 3
        assert b"bad signature" in done.stderr
    assert nothing_was_asked(liar)


def test_who_the_hub_says_one_is(liar, alice):
    for name in ["al/ice", "\x1b[31malice", "x" * 33, ""]:
        liar.name = name
        done = alice.run("listen", "--accept", "all")
        assert done.returncode == 3 and b"\x1b" not in done.stderr


# ---- what it writes ----

BAD_NAMES = ["../../etc", "a/b", "\x1b[2J", "\x9b31m", "\u202eeve", "", "x" * 33, "a b", "al\nice", "\xff"]


def test_names_that_are_none(liar, alice, bob):
    visit, guest = guest_of(liar, alice.visit)
    for name in BAD_NAMES:
        liar.tell(guest, "online", name)
        liar.tell(guest, *invited(bob, name))
        liar.tell(guest, "declined", new_id(), name, "busy")
        liar.tell(guest, *introduced(bob, name, new_id()))
    for word in ["../x", "\x1b[31m", "short", new_id() + "x"]:
        liar.tell(guest, *invited(bob, "bob", word))
    liar.tell(guest, "declined", new_id(), "bob", "\x1b]0;title\x07")
    visit.expect_exact("bob does not talk.")
    liar.tell(guest, "online", "zed")
    visit.expect_exact("zed is here")
    assert " is here" not in visit.before and "wants to talk" not in visit.before


def test_what_it_answers_is_shown_clean(liar, alice):
    visit, guest = guest_of(liar, alice.visit)
    dirty = "\x1b[31mred\x07 \u202egnorw \x9b2J\r\nforged: line"
    liar.answers["GET"] = bulk(dirty)
    liar.answers["GET_CLIENT_LIST"] = f"+CLIENT_LIST<{dirty[:12]}>\r\n".encode()
    liar.answers["MEET"] = b"-ERR \x1b[2J no\r\n"
    for line in ["GET k", "GET_CLIENT_LIST", "/talk bob", "/quit"]:
        visit.sendline(line)
    visit.expect(pexpect.EOF)
    shown = re.sub(r"\x1b\[\??[0-9;]*[A-Za-ln-z]", "", visit.before)  # what moves the cursor is kith's own
    for part in ["\x1b[2J", "\x1b[31m", "\x9b", "\u202e", "\x07"]:
        assert part not in visit.before, part
    assert not re.search(r"^forged: line", shown, re.MULTILINE)
    assert "red" in shown


ENDLESS = {
    "line": (b"+", b"a" * MIB, 80),
    "text": (b"$60000000\r\n", b"a" * MIB, 56),
    "nothings": (b"*20000000\r\n", b"_\r\n" * (MIB // 3), 80),
    "deep": (b"*1\r\n" * 100, b"*1\r\n" * 1000, 1),
    "pushes": (b"", push("message", "a" * 1000) * 1000, 80),
    "push": (b">2\r\n$6\r\nonline\r\n$900000000\r\n", b"a" * MIB, 80),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_reply_without_end_takes_bounded_memory(liar, alice, kind):
    listener, guest = guest_of(liar, lambda: alice.listen("--accept", "all"))
    begin, more, times = ENDLESS[kind]
    try:
        liar.tell_raw(guest, begin)
        for _ in range(times):
            liar.tell_raw(guest, more)
    except OSError:
        pass  # it has had enough
    if kind in ("pushes", "text"):
        assert listener.poll() is None
        assert resident_kib(listener, "VmHWM") < 200 * 1024
    else:
        assert listener.wait(PATIENCE) == 3

"""Goal: who was introduced and then does not keep to what was agreed ends his own talk, and nothing else."""

import itertools
import socket
import ssl
import struct
import subprocess

import pytest
from hubs import PATIENCE, until
from lying_hub import certificate, wear
from members import Device, grown_kib, resident_kib
from rude_peer import (ACK, BULK, CLOSE, NOMINATE, PING, PROOF, RESUME, TALK, WANT, Introduced, RudePeer,
                       ask_for_new_keys, context, delivered, frame, numbers, text_message)
from persons import Person

KIB = 1 << 10
MIB = 1 << 20


@pytest.fixture
def make_person(build, hub, tmp_path):
    people = []

    def make(name):
        people.append(Person(build, tmp_path, name, hub.where))
        return people[-1]

    yield make
    for person in people:
        person.close()


@pytest.fixture
def bob(make_person):
    return make_person("bob")


@pytest.fixture
def alice(make_person):
    return make_person("alice")


@pytest.fixture
def mallory(hub, tmp_path):
    folder = tmp_path / "mallory"
    peer = RudePeer(hub, Device(folder, "mallory"), "mallory", folder)
    yield peer
    peer.close()


def still_listens(listener, alice, before=""):
    """Others are heard as ever, and of him nothing was."""
    assert alice.say("bob", "hello").returncode == 0
    assert listener.said() == before + "alice: hello\n"
    return True


def test_a_peer_in_python_is_one_as_any(bob, mallory):
    """What the tests below rest on."""
    listener = bob.listen("--accept", "all")
    path = mallory.talk("bob")
    path.say(b"good day")
    assert path.await_frame(TALK) == numbers(0) + delivered(1)
    path.send(CLOSE)
    assert path.await_frame(CLOSE) == b""
    assert listener.said() == "mallory: good day\n"


# ---- who he is ----


def greet(port, made):
    """What a device says to who dials it so, but an alert."""
    try:
        with made.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as tls:
            return tls.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


@pytest.mark.parametrize("kind", ["none", "rsa", "chain", "another", "not proven", "another protocol"])
def test_who_dials_with_another_certificate_hears_nothing(bob, alice, mallory, tmp_path, kind):
    listener = bob.listen("--accept", "all")
    other = mallory.meet("bob")
    made = context(ssl.PROTOCOL_TLS_CLIENT, tmp_path)
    if kind in ("rsa", "chain"):
        made.load_cert_chain(*certificate(tmp_path, kind))
    elif kind == "another protocol":
        made.load_cert_chain(mallory.device.crt, mallory.device.key)
        made.set_alpn_protocols(["kith-hub/1"])
    elif kind != "none":
        eve = Device(tmp_path, "eve")
        made.load_cert_chain(eve.crt, eve.key)
    if kind == "not proven":
        wear(made, mallory.device.crt)
    assert greet(other.port(), made) == b""
    path = mallory.dial(other)  # he himself is awaited all the same
    path.prove()
    assert still_listens(listener, alice)


@pytest.mark.parametrize("kind", ["rsa", "chain", "another"])
def test_who_is_dialed_and_shows_another_certificate_hears_nothing(bob, alice, mallory, tmp_path, kind):
    listener = bob.listen("--accept", "all")
    with socket.create_server(("127.0.0.1", 0)) as ear:
        other = mallory.meet("bob", "127.0.0.1:%d" % ear.getsockname()[1])
        files = certificate(tmp_path, "ed25519" if kind == "another" else kind)
        heard = b""
        try:
            heard = mallory.take(ear, other, files=files).tls.recv(100)
        except (ssl.SSLError, ConnectionError):
            pass
        assert heard == b""
    assert still_listens(listener, alice)


def test_who_is_dialed_proves_himself_too(bob, alice, mallory):
    listener = bob.listen("--accept", "all")
    with socket.create_server(("127.0.0.1", 0)) as ear:
        other = mallory.meet("bob", "127.0.0.1:%d" % ear.getsockname()[1])
        path = mallory.take(ear, other)
        assert path.await_frame(PROOF) == path.proof(b"d")
        path.send(PROOF, path.proof(b"d"))  # his own, sent back
        assert path.rest() == []
    assert still_listens(listener, alice)


NO_DATA = {
    "a transfer nobody knows": b"KITHDATA" + bytes(32),
    "with TLS behind it": b"KITHDATA" + bytes(32) + b"\x16\x03\x01\x02\x00\x01",
    "another word": b"KITHDOOR",
    "by the byte": None,
}


@pytest.mark.parametrize("what", NO_DATA)
def test_who_brings_data_nobody_expects_hears_nothing(bob, alice, mallory, what):
    listener = bob.listen("--accept", "all")
    port = mallory.meet("bob").port()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as data, \
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as broken_off:
        broken_off.sendall(b"KITHDATA and no more")
        for piece in [NO_DATA[what]] if NO_DATA[what] else [bytes([byte]) for byte in b"KITHDATA" + bytes(32)]:
            data.sendall(piece)
        try:
            assert data.recv(100) == b""
        except ConnectionError:
            pass  # something that was sent was not read
        broken_off.setblocking(False)
        with pytest.raises(BlockingIOError):
            broken_off.recv(1)  # its time has not come
        assert still_listens(listener, alice)


# ---- before the proof ----

UNPROVEN = {
    "another's": lambda path: frame(PROOF, b"\1" + bytes(32)),
    "sent back": lambda path: frame(PROOF, path.proof(b"a")),
    "of another version": lambda path: frame(PROOF, b"\2" + path.proof()[1:]),
    "too short": lambda path: frame(PROOF, path.proof()[:32]),
    "too long": lambda path: frame(PROOF, path.proof() + bytes(32)),
    "a gigabyte": lambda path: struct.pack(">IB", 1 << 30, PROOF),
    "four gigabytes": lambda path: struct.pack(">IB", 0xffffffff, PROOF),
    "a text": lambda path: frame(TALK, numbers(0) + text_message(1, b"evil")),
    "a nomination": lambda path: frame(NOMINATE, numbers(1, 0, 0)),
    "the end": lambda path: frame(CLOSE),
    "of another talk": lambda path: frame(PROOF, other_talks_proof(path)),
}


def other_talks_proof(path):
    path.other.id = bytes(16)
    return path.proof()


@pytest.mark.parametrize("what", UNPROVEN)
def test_nothing_is_heard_before_the_proof(bob, alice, mallory, what):
    listener = bob.listen("--accept", "all")
    path = mallory.dial(mallory.meet("bob"))
    path.send_raw(UNPROVEN[what](path) + frame(TALK, numbers(0) + text_message(1, b"evil")))
    assert path.rest() in ([], [PROOF])
    assert still_listens(listener, alice)


def test_a_proof_by_the_byte(bob, mallory):
    """However it is cut, it is one."""
    listener = bob.listen("--accept", "all")
    bob_there = mallory.meet("bob")

    def by_the_byte():
        path = mallory.dial(bob_there)
        try:
            for byte in frame(PROOF, path.proof()):
                path.send_raw(bytes([byte]))
            path.await_frame(PROOF)
        except (ConnectionError, ssl.SSLError):
            return None  # he has not heard of the introduction yet
        return path

    path = until(by_the_byte, "bob to expect it")
    path.settle()
    path.say(b"good day")
    until(lambda: listener.said() == "mallory: good day\n", "the text")


def test_two_talks_of_one_device(bob, mallory):
    """Each connection finds its own by the proof."""
    listener = bob.listen("--accept", "all")
    first, second = mallory.talk("bob"), mallory.talk("bob")
    second.say(b"two")
    until(lambda: listener.said() == "mallory: two\n", "the text of the second")
    first.say(b"one")
    until(lambda: listener.said() == "mallory: two\nmallory: one\n", "the text of the first")


# ---- after it ----

ENDS_THE_PATH = {
    "four gigabytes": lambda path: struct.pack(">IB", 0xffffffff, TALK) + b"x" * 1000,
    "more than a frame": lambda path: struct.pack(">IB", MIB + 1, TALK) + b"x" * 1000,
    "out of order": lambda path: frame(TALK, numbers(1) + text_message(1, b"evil")),
    "a number of the end": lambda path: frame(TALK, numbers(2 ** 64 - 1) + text_message(1, b"evil")),
    "no number": lambda path: frame(TALK, b"evil"),
    "a message too long": lambda path: frame(TALK, numbers(0) + bytes(64 * KIB + 65)),
    "too much acknowledged": lambda path: frame(ACK, numbers(1, 0)),
    "all acknowledged": lambda path: frame(ACK, numbers(2 ** 64 - 1, 2 ** 64 - 1)),
    "half an acknowledgement": lambda path: frame(ACK, numbers(0)),
    "a second proof": lambda path: frame(PROOF, path.proof()),
    "a choice that is not his": lambda path: frame(RESUME if not path.is_first else NOMINATE,
                                                   numbers(1, 0, 0)[:23]),
    "a wish without a number": lambda path: frame(WANT, b"1234567"),
    "an end with a reason": lambda path: frame(CLOSE, b"evil"),
}

ENDS_THE_TALK = {
    "an empty message": b"",
    "an empty text": text_message(1, b""),
    "no text": bytes([1]),
    "not UTF-8": text_message(1, b"evil\xff"),
    "half a letter": text_message(1, "evilé".encode()[:-1]),
    "a text too long": text_message(1, b"x" * (64 * KIB + 1)),
    "the second text": text_message(2, b"evil"),
    "a text of no number": text_message(0, b"evil"),
    "a mark of what was never said": delivered(1),
    "a mark with a reason": delivered(0) + b"evil",
}


@pytest.mark.parametrize("what", ENDS_THE_PATH)
def test_what_is_against_the_rules_ends_the_connection(bob, alice, mallory, what):
    listener = bob.listen("--accept", "all")
    path = mallory.talk("bob")
    path.send_raw(ENDS_THE_PATH[what](path))
    assert TALK not in path.rest()
    assert still_listens(listener, alice)


@pytest.mark.parametrize("what", ENDS_THE_TALK)
def test_what_is_no_talk_ends_it(bob, alice, mallory, what):
    listener = bob.listen("--accept", "all")
    path = mallory.talk("bob")
    path.message(ENDS_THE_TALK[what])
    assert path.await_frame(CLOSE) == b""
    assert still_listens(listener, alice)


@pytest.fixture
def chooser(bob, mallory, hub, tmp_path):
    """One with a smaller key than bob's: what they talk over is his choice."""
    bobs = mallory.member.ask("DEVICES", "OF", bob.name)
    key = bobs[0][1]
    folder = tmp_path / "chooser"
    devices = (Device(folder, f"key{n}") for n in itertools.count())
    peer = RudePeer(hub, next(device for device in devices if device.public < key), "chooser", folder)
    yield peer
    peer.close()


def test_nothing_is_said_on_a_connection_that_was_not_chosen(bob, alice, chooser):
    listener = bob.listen("--accept", "all")
    other = chooser.meet("bob")
    path = until(lambda: chooser.proven(other), "bob to expect it")
    path.message(text_message(1, b"evil"))
    assert TALK not in path.rest()
    assert still_listens(listener, alice)


def test_who_gives_a_talk_up_tells_who_has_just_begun_it(bob, chooser):
    visit = bob.visit()
    visit.sendline("/talk chooser")
    invited = chooser.member.await_told("invited")
    assert chooser.member.ask("ACCEPT", invited[1]) == "OK"
    other = Introduced(chooser.member.await_told("introduced", invited[1]))
    path = until(lambda: chooser.proven(other), "bob to expect it")
    visit.sendline("/close")
    visit.expect_exact("chooser")
    path.settle()
    assert path.await_frame(CLOSE) == b""


def test_who_does_not_believe_ends_only_what_has_no_connection(bob, mallory):
    visit = bob.visit("--accept", "all")
    mallory.member.ask("DECLINE", mallory.meet("bob").meeting, "UNBELIEVED")
    visit.expect_exact("The talk with mallory is over: this device is not believed there to be yours: sign it")
    other = mallory.meet("bob")
    path = until(lambda: mallory.proven(other), "bob to expect it")
    path.settle()
    visit.expect_exact("mallory is there to talk")
    mallory.member.ask("DECLINE", other.meeting, "UNBELIEVED")
    mallory.member.ask("DECLINE", mallory.meet("bob").meeting, "UNBELIEVED")
    path.say(b"still here")
    visit.expect_exact("mallory: still here")
    assert "is over" not in visit.before


def test_half_a_text_is_none(bob, alice, mallory):
    listener = bob.listen("--accept", "all")
    whole = frame(TALK, numbers(0) + text_message(1, b"evil"))
    path = mallory.talk("bob")
    path.send_raw(whole[:-1])
    path.close()
    assert still_listens(listener, alice)


def test_a_text_is_heard_once_whatever_is_sent_again(bob, alice, mallory):
    listener = bob.listen("--accept", "all")
    path = mallory.talk("bob")
    path.say(b"one")
    for _ in range(100):
        path.message(text_message(1, b"one"), number=0)
    path.send_raw(frame(99, b"of a later version") + frame(BULK, numbers(0) + text_message(2, b"no talk")))
    path.message(text_message(2, b"two"), number=1)
    path.await_frame(TALK)
    until(lambda: "two" in listener.said(), "the second text")
    assert still_listens(listener, alice, "mallory: one\nmallory: two\n")


# ---- on the screen ----


def test_what_he_says_is_shown_clean_and_as_his(bob, mallory):
    visit = bob.visit("--accept", "all")
    path = mallory.talk("bob")
    visit.expect_exact("mallory is there to talk")
    path.say("red \x1b[31mtext\x07\r\nalice: forged \u202egnorw \x9b2J\x00 end".encode())
    visit.expect_exact("mallory: red ")
    visit.expect_exact("mallory: alice: forged ")
    for part in ["\x1b[31m", "\x07", "\u202e", "\\x0d"]:
        assert part not in visit.before, repr(part)
    visit.expect_exact(" end")
    for part in ["\n", "\u202e", "\x9b", "\x00"]:
        assert part not in visit.before, repr(part)


# ---- too much, and too little ----


def test_a_flood_of_frames(bob, alice, mallory):
    listener = bob.listen("--accept", "all")
    path = mallory.talk("bob")
    path.tls.settimeout(PATIENCE)
    pings = frame(PING) * 10000 + frame(200, bytes(1000)) * 100
    for _ in range(50):
        path.send_raw(pings)
    path.say(b"after it")
    path.await_frame(TALK)
    assert resident_kib(listener, "VmHWM") < 64 * KIB
    assert still_listens(listener, alice, "mallory: after it\n")


def test_who_asks_much_and_reads_nothing_is_closed(bob, alice, mallory):
    """TLS itself answers who asks for new keys; that is not kept for him without end."""
    listener = bob.listen("--accept", "all")
    path = mallory.talk("bob", room=4096)
    before = resident_kib(listener)
    assert ask_for_new_keys(path.tls, 1000 * 1000) < 1000 * 1000
    assert grown_kib(listener, before) < 16 * KIB
    assert still_listens(listener, alice)


def test_who_never_reads_is_not_written_to_without_end(bob, alice, mallory, tmp_path):
    a = alice.visit("--accept", "all")
    with open(tmp_path / "said", "wb") as out:
        visit = subprocess.Popen(bob.words("--accept", "all", *bob.where.rsplit(":", 1)),
                                 stdin=subprocess.PIPE, stdout=out, stderr=out, env=bob.env, bufsize=0)
    bob.opened.append(visit)

    def says(text):
        until(lambda: text in (tmp_path / "said").read_text(), text)

    def types(line):
        visit.stdin.write(line.encode() + b"\n")

    a.expect_exact("bob is here")
    path = mallory.talk("bob", room=4096)
    says("mallory is there to talk")
    types("/talk mallory")
    for _ in range(300):  # more than all buffers on the way hold
        types("x" * 60000)
    says("Not said to mallory")
    assert resident_kib(visit, "VmHWM") < 64 * KIB
    types("/close")
    says("The talk with mallory is over.")
    types("/talk alice")
    says("You talk with alice now")
    types("still here")
    a.expect_exact("bob: still here")
    path.close()

"""Goal: who says about transfers what he should not gets no file taken that nobody wanted, and ends nothing
but his own."""

import itertools
import os
import socket
import struct
import subprocess

import pexpect
import pytest
from hubs import PATIENCE, until
from members import Device
from rude_peer import TALK, RudePeer
from persons import Person

OFFER, ACCEPT, CALL, OVER = 32, 33, 34, 35
DONE, CANCELLED, TOO_MUCH, UNKNOWN, BUSY, LATER = 0, 2, 7, 14, 15, 200
GOES_ON = 1
FAILED = 6  # what kith exits with
FROM_ONE = 16  # transfers of one person, at once
TOKEN, SECRET = b"t" * 16, b"s" * 32


def an_id(number):
    return struct.pack(">12xI", number)


def offer(number=1, name=b"notes.txt", flags=0, entries=1, size=5, tops=1, token=TOKEN):
    return (bytes([OFFER]) + an_id(number) + token + SECRET + bytes([flags]) +
            struct.pack(">QQQ", entries, size, tops) + name)


def accept(number=1, token=TOKEN):
    return bytes([ACCEPT]) + an_id(number) + token + b"\0"


def call(number=1, token=TOKEN):
    return bytes([CALL]) + an_id(number) + token


def over(number=1, reason=CANCELLED):
    return bytes([OVER]) + an_id(number) + bytes([reason])


def next_note(path):
    while True:
        said = path.await_frame(TALK)[8:]
        if OFFER <= said[0] <= OVER:
            return said


def is_offered(path, *words, **named):
    """Says OFFER; what comes of it."""
    path.message(offer(*words, **named))
    return next_note(path)


@pytest.fixture
def bob(build, hub, tmp_path):
    person = Person(build, tmp_path, "bob", hub.where)
    yield person
    person.close()


@pytest.fixture
def make_peer(hub, tmp_path):
    peers = []

    def make(name):
        folder = tmp_path / name
        peers.append(RudePeer(hub, Device(folder, name), name, folder))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()


@pytest.fixture
def mallory(make_peer):
    return make_peer("mallory")


def receive(person, *options):
    """Until it waits."""
    process = person.start("receive", *options, err=subprocess.PIPE)
    assert b"waiting for files" in process.stderr.readline()
    return process


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


NO_NOTES = {
    "a byte": [bytes([kind]) for kind in range(OFFER, OVER + 1)],
    "no name": [offer(name=b"")],
    "a path": [offer(name=b"a/b")],
    "a NUL": [offer(name=b"a\0b")],
    "256 bytes": [offer(name=b"a" * 256)],
    "nothing at the top": [offer(tops=0)],
    "cut short": [offer()[:n] for n in range(1, 90, 11)],
    "longer": [accept() + b"\0", call() + b"\0", over() + b"\0"],
    "shorter": [accept()[:-1], call()[:-1], over()[:-1]],
    "of nothing known": [accept(), call(), over(reason=DONE), over(reason=BUSY), over(reason=LATER)],
}


@pytest.mark.parametrize("what", NO_NOTES)
def test_notes_that_are_none_change_nothing(bob, mallory, inbox, what):
    receive(bob, "--from", "all", "--into", inbox)
    path = mallory.talk("bob")
    for note in NO_NOTES[what]:
        path.message(note)
    assert is_offered(path, 2) == accept(2)
    assert os.listdir(inbox) == []


def test_what_goes_on_is_known_or_refused(bob, mallory, inbox):
    receive(bob, "--from", "all", "--into", inbox)
    path = mallory.talk("bob")
    assert is_offered(path, 1, flags=GOES_ON) == over(1, UNKNOWN)


def test_offers_without_end_are_refused(bob, mallory, inbox):
    receive(bob, "--from", "all", "--into", inbox)
    path = mallory.talk("bob")
    for number in range(2 * FROM_ONE):
        path.message(offer(number))
    answers = [next_note(path) for _ in range(2 * FROM_ONE)]
    assert answers == ([accept(number) for number in range(FROM_ONE)] +
                       [over(number, BUSY) for number in range(FROM_ONE, 2 * FROM_ONE)])
    path.message(over(0))
    numbers = itertools.count(1000)
    until(lambda: is_offered(path, next(numbers))[0] == ACCEPT, "there to be a place again")


def test_nobody_else_has_a_say_in_a_transfer(bob, make_peer, inbox):
    receive(bob, "--from", "all", "--into", inbox)
    alice, mallory = make_peer("alice").talk("bob"), make_peer("mallory").talk("bob")
    assert is_offered(alice) == accept()
    assert is_offered(mallory) == over(1, UNKNOWN)
    assert is_offered(mallory, flags=GOES_ON) == over(1, UNKNOWN)
    mallory.message(over(1, CANCELLED))
    mallory.message(call())
    assert is_offered(mallory, 2) == accept(2)  # so all before was heard
    assert is_offered(alice, flags=GOES_ON, token=b"u" * 16) == accept(token=b"u" * 16)


def test_an_offer_is_ended_and_made_again(bob, mallory, inbox):
    """Connected to as well, and cut: each time it goes on."""
    receive(bob, "--from", "all", "--into", inbox)
    path = mallory.talk("bob")
    for token in [bytes([n]) * 16 for n in range(20)]:
        until(lambda: is_offered(path, token=token) == accept(token=token), "an end of the one before")
        with socket.create_connection(("127.0.0.1", path.other.port()), timeout=PATIENCE) as data:
            data.sendall(b"KITHDATA" + an_id(1) + token)
            path.message(over(1, BUSY))
    path.message(over(1, CANCELLED))
    assert is_offered(path, 2) == accept(2)


def test_too_much_is_refused_and_its_name_cleaned(bob, mallory, inbox):
    listener = receive(bob, "--from", "all", "--into", inbox, "--accept", "1K")
    path = mallory.talk("bob")
    assert is_offered(path, name=b"\x1b]0;a\x07b\n\xff", size=1 << 62) == over(1, TOO_MUCH)
    line = listener.stderr.readline()
    assert b"mallory offers" in line and b"not taken" in line
    assert b"\x1b" not in line and b"\x07" not in line


@pytest.mark.parametrize("reason", [LATER, DONE, CANCELLED, BUSY])
def test_standard_output_gets_nothing_of_what_was_called_off(bob, mallory, reason):
    listener = receive(bob, "--from", "all", "--into", "-")
    path = mallory.talk("bob")
    assert is_offered(path) == accept()
    path.message(over(1, reason))
    if reason in (LATER, CANCELLED):
        assert listener.wait(PATIENCE) == FAILED
    else:
        assert is_offered(path, 2) == accept(2)
    assert listener.said() == ""


def test_standard_output_is_not_that_of_another_kith(bob, mallory, inbox):
    listener = receive(bob, "--from", "all", "--into", "-")
    path = mallory.talk("bob")
    assert is_offered(path) == accept()
    listener.kill()
    listener.wait()
    path.close()
    receive(bob, "--from", "all", "--into", inbox)
    path = mallory.talk("bob")
    assert is_offered(path, flags=GOES_ON) == over(1, UNKNOWN)


def test_nothing_is_taken_that_nobody_wanted(bob, mallory, inbox):
    """An offer that a person is asked about, and that is called off as if it were to go on."""
    words = bob.words("--hub", bob.where, "receive", "--into", inbox)
    child = pexpect.spawn(words[0], words[1:], env=bob.env, encoding="utf-8", timeout=PATIENCE)
    bob.opened.append(child)
    child.expect_exact("waiting for files")
    path = mallory.talk("bob")
    for name in [b"first", b"second"]:
        path.message(offer(name=name))
        child.expect_exact("mallory offers %s, 5" % name.decode())
        child.expect_exact("Take it? [yes/no] ")
        path.message(over(1, BUSY))
        child.expect_exact("mallory")
    path.message(offer(name=b"third"))
    child.expect_exact("mallory offers third, 5")
    child.expect_exact("Take it? [yes/no] ")
    child.sendline("yes")
    assert next_note(path) == accept()

"""Goal: a script that says something with kith gets an answer it can rely on, however many run at once
and whatever the hub does."""

import collections
import json
import subprocess

import pytest
from hubs import PATIENCE, until
from lying_hub import LyingHub, bulk, introduced
from members import Device, new_id
from persons import Person, leave

SIX = [f"text {n}" for n in range(6)]


def say_at_once(person, name, texts, *options):
    return [person.start("say", name, text, *options, err=subprocess.PIPE) for text in texts]


def ends(said):
    """How each has ended: the exit code, and what it said."""
    return [(one.wait(PATIENCE), one.stderr.read().decode()) for one in said]


# ---- several at once ----


def test_six_at_once_to_who_listens(alice, bob):
    listener = bob.listen("--accept", "all")
    assert ends(say_at_once(alice, "bob", SIX)) == [(0, "")] * 6
    assert sorted(listener.said().splitlines()) == [f"alice: {text}" for text in SIX]


def test_six_at_once_from_two_devices(alice, bob):
    """Each device waits its turn on its own; what the other one asks, the hub says."""
    login = alice.run("--as", "second", "login", "alice", "--password-file", alice.folder / "password")
    assert login.returncode == 0, login.stderr
    own = json.loads(alice.run("--as", "second", "--json", "id").stdout)["fingerprint"]
    assert alice.run("devices", "--sign", own).returncode == 0
    b = bob.visit()
    first = alice.start("say", "bob", "first", err=subprocess.PIPE)
    b.expect_exact("alice wants to talk")
    second = alice.start("--as", "second", "--log", alice.folder / "log", "say", "bob", "second",
                         err=subprocess.PIPE)
    until(lambda: (alice.folder / "log").exists() and
          (alice.folder / "log").read_text().count("MEET") > 1, "a second attempt")
    b.sendline("/accept")
    b.expect_exact("alice: first")
    assert ends([first]) == [(0, "")]
    b.expect_exact("alice wants to talk")
    b.sendline("/accept")
    b.expect_exact("alice: second")
    assert ends([second]) == [(0, "")]


def test_six_at_once_to_who_accepts_once(alice, bob):
    """The others' texts wait for him as letters, since he leaves; nothing is said to be what it is not."""
    b = bob.visit()
    said = say_at_once(alice, "bob", SIX)
    b.expect_exact("alice wants to talk")
    b.sendline("/accept")
    b.expect("alice: (text [0-5])")
    shown = b.match.group(1)
    b.expect_exact("alice wants to talk")
    leave(b)
    told = dict(zip(SIX, ends(said)))
    assert told.pop(shown) == (0, "")
    assert all(code == 0 and "a letter waits for bob, sealed, for 1 device" in words
               for code, words in told.values()), told
    taken = bob.run("--json", "letters").stdout.splitlines()
    assert sorted(json.loads(line)["text"] for line in taken) == sorted(told)


def test_several_at_once_to_several(hub, alice, bob, make_person):
    """Who waits for one keeps nobody from saying something to another."""
    carol = make_person("carol", hub.where)
    b = bob.visit()
    waiting = alice.start("say", "bob", "hello", err=subprocess.PIPE)
    b.expect_exact("alice wants to talk")
    listener = carol.listen("--accept", "all")
    assert alice.say("carol", "hello").returncode == 0
    assert listener.said() == "alice: hello\n" and waiting.poll() is None
    b.sendline("/accept")
    assert ends([waiting]) == [(0, "")]


# ---- a hub that does not answer ----


@pytest.fixture
def liar(tmp_path):
    liar = LyingHub(tmp_path, "alice")
    yield liar
    liar.close()


@pytest.fixture
def guest(build, tmp_path, liar):
    guest = Person(build, tmp_path, "guest", liar.where)
    yield guest
    guest.close()


def test_a_hub_that_says_busy_is_asked_again(liar, guest):
    answers = collections.deque([b"-BUSY waiting for an answer already from 'bob'\r\n"] * 3)
    liar.answers["MEET"] = lambda _: answers.popleft() if answers else b"-ERR enough\r\n"
    done = guest.say("bob", "hello")
    assert (done.returncode, done.stderr) == (1, b"kith: enough\n") and not answers


SILENT = {"LOGIN": "", "MEET": "", "DEVICES": "-ABSENT he is away\r\n", "LETTER": "-ABSENT he is away\r\n"}


def test_a_hub_that_never_answers(liar, guest, build, tmp_path):
    """Each request, with all at once, since it takes its time; one that answers no letter may have it."""
    bob = Device(tmp_path / "devices", "bob")
    others = {}
    try:
        for word, meets in SILENT.items():
            (tmp_path / word).mkdir()
            other = LyingHub(tmp_path / word, "alice")
            other.answers["MEET"] = meets.encode()
            others[word] = Person(build, tmp_path / word, "guest", other.where), other
            other.answers["DEVICES"] = devices_of(bob)
            other.answers[word] = b""
        said = {word: person.start("say", "bob", "hello", err=subprocess.PIPE)
                for word, (person, _) in others.items()}
        told = {word: (one.wait(2 * PATIENCE), one.stderr.read().decode()) for word, one in said.items()}
    finally:
        for person, other in others.values():
            person.close()
            other.close()
    for word in ["LOGIN", "MEET"]:
        where = others[word][1].where
        assert told[word] == (3, f"kith: lost the hub at {where}: it does not answer\n"), told
    for word in ["DEVICES", "LETTER"]:
        assert told[word][0] == 3 and "the hub has not said that it keeps the letter to bob" in told[word][1], told


def devices_of(device):
    """DEVICES OF, of one that is the first."""
    public = b"$32\r\n" + device.public + b"\r\n"
    return b"*1\r\n*6\r\n" + bulk(device.fingerprint) + public + b"$0\r\n\r\n:1700000000\r\n$-1\r\n$-1\r\n"

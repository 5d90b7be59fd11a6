"""Goal: nobody gets files of people, or in an amount, that he has not asked for, nor has one of his own
overwritten; who sends them is told."""

import os
import subprocess

import pexpect
import pytest
from files import MIB, at_work, events, named, noise, put, receiving, records, send, staged, tree, until_event
from hubs import PATIENCE, until


@pytest.fixture
def box(tmp_path):
    return tmp_path / "box"


@pytest.fixture
def report(tmp_path):
    return put(tmp_path / "things/report.pdf", noise(MIB))


def names(box):
    return sorted(os.listdir(box))


# ---- from whom ----


def test_from_those_named(hub, make_person, alice, bob, box, report):
    carol = make_person("carol", hub.where)
    receiving(bob, box, "--from", "carol,alice")
    for person in [alice, carol]:
        assert send(person, "bob", put(report.parent / person.name, b"x")).returncode == 0
    assert names(box) == [".kith", "alice", "carol"] or names(box) == ["alice", "carol"]


def test_from_all(alice, bob, box, report):
    receiving(bob, box, "--from", "all")
    assert send(alice, "bob", report).returncode == 0
    assert tree(box) == tree(report.parent)


def test_from_nobody_else(alice, bob, box, report):
    """Who waits for him gets through once she is welcome."""
    receiver = receiving(bob, box, "--from", "carol")
    sender = at_work(alice, "send", "bob", report)
    until(lambda: "kith: bob is busy; waiting for him\n" in sender.complained(), "that she is told")
    assert "kith: alice wants to talk: --from alice lets him send files" in receiver.complained()
    assert names(box) == [] and receiver.said() == ""
    receiver.kill()
    receiver.wait()
    receiving(bob, box, "--from", "alice")
    assert sender.wait(PATIENCE) == 0 and tree(box) == tree(report.parent)


def test_from_nobody_who_is_not_verified(alice, bob, box, report):
    receiver = receiving(bob, box)
    done = send(alice, "bob", report, "--now")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines()[1:] == ["kith: bob is busy"]
    assert names(box) == [] and receiver.said() == ""


def test_from_who_is_verified(alice, bob, box, report):
    verify(alice, bob)
    receiving(bob, box)
    assert send(alice, "bob", report).returncode == 0
    assert tree(box) == tree(report.parent)


def verify(*both):
    """The two compare words, and both say that they are the same."""
    visits = []
    for person, name in zip(both, ["bob", "alice"]):
        words = person.words("--hub", person.where, "verify", name)
        visits.append(pexpect.spawn(words[0], words[1:], env=person.env, encoding="utf-8", timeout=PATIENCE))
        person.opened.append(visits[-1])
    for visit in visits:
        visit.expect_exact("yes/no")
        visit.sendline("yes")
    for visit in visits:
        visit.expect(pexpect.EOF)


def test_a_person_is_asked_at_a_terminal(alice, bob, box, report):
    words = bob.words("--hub", bob.where, "receive", "--into", box)
    child = pexpect.spawn(words[0], words[1:], env=bob.env, encoding="utf-8", timeout=PATIENCE)
    bob.opened.append(child)
    child.expect_exact("waiting for files")
    for answer, code in [("no", 1), ("yes", 0)]:
        sender = at_work(alice, "send", "bob", report)
        child.expect_exact("alice offers report.pdf, 1.0 MiB. Take it? [yes/no]")
        child.sendline(answer)
        assert sender.wait(PATIENCE) == code, sender.complained()
    assert tree(box) == tree(report.parent)


# ---- how much ----


def test_more_than_is_accepted(alice, bob, box, report):
    receiver = receiving(bob, box, "--from", "alice", "--accept", "1023K")
    done = send(alice, "bob", report)
    assert done.returncode == 1, done
    assert done.stderr.decode().splitlines()[-1] == "kith: report.pdf to bob: more than was accepted"
    assert names(box) == []
    assert ("kith: alice offers report.pdf, 1.0 MiB: not taken, it is more than --accept says" in
            receiver.complained())


def test_as_much_as_is_accepted(alice, bob, box, report):
    receiving(bob, box, "--from", "alice", "--accept", "1M")
    assert send(alice, "bob", report).returncode == 0
    assert tree(box) == tree(report.parent)


def test_more_than_is_accepted_shows_while_it_comes(alice, bob, box):
    """Of standard input nobody knows how much it will be."""
    receiver = receiving(bob, box, "--from", "alice", "--accept", "1M", "--json")
    done = send(alice, "bob", "-", "--as", "much", input=noise(MIB + 1))
    assert done.returncode == 1 and b"more than was accepted" in done.stderr, done
    failed = until_event(receiver, "failed")
    assert failed["reason"] == "more than was accepted"
    until(lambda: names(box) == [] and records(bob) == [], "that nothing is left of it")


# ---- under a name that is taken ----


def test_a_name_that_is_taken(alice, bob, box, report):
    put(box / "report.pdf", b"mine")
    receiver = receiving(bob, box, "--from", "alice", "--json")
    done = send(alice, "bob", report)
    assert done.returncode == 1, done
    assert done.stderr.decode().splitlines()[-1] == "kith: report.pdf to bob: there is something of that name"
    assert until_event(receiver, "failed")["reason"] == "there is something of that name"
    assert (box / "report.pdf").read_bytes() == b"mine" and named(receiver.events(), "file") == []


def test_a_name_that_is_taken_is_refused_before_anything_is_sent(alice, bob, box, tmp_path):
    """With all that belongs to it."""
    put(tmp_path / "first", b"first")
    put(box / "photos/mine", b"mine")
    put(tmp_path / "photos/a", b"a")
    receiving(bob, box, "--from", "alice")
    assert send(alice, "bob", tmp_path / "first", tmp_path / "photos").returncode == 1
    assert [n for n in names(box) if n != ".kith"] == ["photos"] and names(box / "photos") == ["mine"]


def test_rename(alice, bob, box, report):
    put(box / "report.pdf", b"mine")
    receiver = receiving(bob, box, "--from", "alice", "--rename", "--json")
    for again in ["report (2).pdf", "report (3).pdf"]:
        assert send(alice, "bob", report).returncode == 0
        assert (box / again).read_bytes() == report.read_bytes()
    published = [until_event(receiver, "published", n) for n in [1, 2]]
    assert [(e["name"], e["as"]) for e in published] == [("report.pdf", "report (2).pdf"),
                                                         ("report.pdf", "report (3).pdf")]
    assert (box / "report.pdf").read_bytes() == b"mine"


def test_replace(alice, bob, box, report):
    put(box / "report.pdf", b"mine")
    receiving(bob, box, "--from", "alice", "--replace")
    assert send(alice, "bob", report).returncode == 0
    assert tree(box) == tree(report.parent)


def test_replace_puts_no_file_into_the_place_of_a_folder(alice, bob, box, report):
    put(box / "report.pdf/mine", b"mine")
    receiving(bob, box, "--from", "alice", "--replace")
    send(alice, "bob", report)
    assert (box / "report.pdf/mine").read_bytes() == b"mine"


def test_what_was_stuck_goes_on_once_the_name_is_free(alice, bob, box, report):
    put(box / "report.pdf", b"mine")
    receiving(bob, box, "--from", "alice")
    assert send(alice, "bob", report).returncode == 1
    assert [r["state"] for r in records(alice)] == ["there is something of that name"]
    (box / "report.pdf").unlink()
    done = alice.run("transfers", "resume", records(alice)[0]["id"])
    assert done.returncode == 0, done
    assert tree(box) == tree(report.parent) and staged(box) == []


def test_declined_as_an_event(alice, bob, box, report):
    receiving(bob, box, "--from", "carol")
    done = send(alice, "bob", report, "--json", "--now")
    assert done.returncode == 1
    offered, error, failed = done.events
    assert offered["event"] == "offered" and error == {"error": "bob is busy", "code": 1}
    assert (failed["event"], failed["reason"]) == ("failed", "is busy")


# ---- sums ----


def test_sha256_that_the_receiver_asks_for(alice, bob, box, tmp_path):
    """It prints what sha256sum checks, whatever the names are."""
    put(tmp_path / "all/plain", noise(MIB + 1))
    put(tmp_path / "all/with blanks  and more", b"x")
    put(tmp_path / "all/empty")
    receiver = receiving(bob, box, "--from", "alice", "--sha256")
    assert send(alice, "bob", tmp_path / "all").returncode == 0
    checked(receiver.said, box, 3)


def test_sha256_that_the_sender_asks_for(alice, bob, box, tmp_path):
    put(tmp_path / "all/a", noise(MIB))
    put(tmp_path / "all/b", b"x")
    receiver = receiving(bob, box, "--from", "alice")
    assert send(alice, "bob", tmp_path / "all", "--sha256").returncode == 0
    checked(receiver.said, box, 2)


def test_sha256_that_the_sender_prints(alice, bob, box, tmp_path):
    put(tmp_path / "all/a", noise(MIB))
    put(tmp_path / "all/b", b"x")
    receiving(bob, box, "--from", "alice")
    done = send(alice, "bob", tmp_path / "all", "--sha256")
    assert done.returncode == 0
    checked(done.stdout.decode, tmp_path, 2)


def test_sha256_as_events(alice, bob, box, report):
    receiver = receiving(bob, box, "--from", "alice", "--json", "--sha256")
    assert send(alice, "bob", report).returncode == 0
    said = until_event(receiver, "file")["sha256"]
    summed = subprocess.run(["sha256sum", report], capture_output=True, timeout=PATIENCE).stdout
    assert said == summed.split()[0].decode() and len(events(receiver.said())) > 0


def checked(said, folder, count):
    until(lambda: said().count("\n") >= count, f"{count} lines of sums in {said()}")
    done = subprocess.run(["sha256sum", "--strict", "-c"], input=said().encode(), cwd=folder,
                          capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0 and done.stdout.count(b": OK\n") == count, (done, said())

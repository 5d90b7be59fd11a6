"""A device that is revoked while it is at work: it is told, and whoever talks with it; and who is there is
told when his account gets another device."""

import json
import os
import select
import signal
import subprocess

import pexpect
import pytest
from hubs import PATIENCE
from members import Device, Member, register, text
from persons import add_device, meet

DENIED = 4
OVER = "the talk with bob is over: the hub says that the other device was revoked"


def fingerprint(person, *words):
    p = person.run(*words, "id", "--quiet")
    assert p.returncode == 0, p.stderr
    return p.stdout.decode().strip()


def revoke(person):
    """By another process of the same device: all of it is out at once."""
    p = person.run("devices", "--revoke", fingerprint(person))
    assert p.returncode == 0, p.stderr


def next_line(process):
    """What it says next about itself."""
    line, fd = b"", process.stderr.fileno()
    while not line.endswith(b"\n"):
        assert select.select([fd], [], [], PATIENCE)[0], line
        line += os.read(fd, 1) or pytest.fail(f"it has ended: {line}")
    return line


def test_a_visit_and_whom_it_talks_with(alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    revoke(bob)
    b.expect_exact("This device is no longer one of bob's: it was revoked")
    told = b.before
    b.expect_exact("kith login bob adds it again")
    b.expect(pexpect.EOF)
    b.close()
    assert b.exitstatus == DENIED
    assert "Lost the hub" not in told and "Are you new here" not in told + b.before
    a.expect_exact(["T" + OVER[1:], "A device of bob's was revoked."])
    a.sendline("too late")
    a.expect_exact("Not said: too late")


def test_a_talk_that_goes_on_at_another_device(alice, bob):
    second = add_device(bob, "second")
    assert bob.run("devices", "--sign", second).returncode == 0
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    other = bob.visit("--as", "second")
    other.sendline("/talk alice")
    other.expect_exact("You talk with alice now")
    a.expect_exact("bob is there at another device, too.")
    assert bob.run("devices", "--revoke", second).returncode == 0
    a.expect_exact("A device of bob's was revoked; the talk goes on at another.")
    a.sendline("still there?")
    b.expect_exact("alice: still there?")


def test_whom_it_talks_with_though_it_does_not_agree(alice, bob):
    """Who has somebody's device does not end his talks for him."""
    a, b = alice.visit(), bob.listen("--accept", "alice")
    a.sendline("/talk bob")
    a.expect_exact("You talk with bob now")
    b.send_signal(signal.SIGSTOP)
    revoke(bob)
    a.expect_exact("T" + OVER[1:])


def test_who_was_away_from_the_hub_meanwhile(hub, alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    for visit in (a, b):
        os.kill(visit.pid, signal.SIGSTOP)
    hub.kill()
    hub.restart("--listen", hub.where)
    revoke(bob)
    os.kill(a.pid, signal.SIGCONT)
    a.expect_exact("The hub at")
    a.expect_exact("T" + OVER[1:])


def test_who_was_away_and_listens(hub, alice, bob):
    a, b = alice.listen("--accept", "bob"), bob.visit()
    b.sendline("/talk alice")
    b.expect_exact("You talk with alice now")
    for process in (a, b):
        os.kill(process.pid, signal.SIGSTOP)
    hub.kill()
    hub.restart("--listen", hub.where)
    revoke(bob)
    a.send_signal(signal.SIGCONT)
    said = [next_line(a) for _ in range(3)]
    assert b"lost the hub" in said[0]
    assert any(OVER.encode() in line for line in said), said


def test_who_listens(alice, bob):
    a, b = alice.listen("--accept", "bob"), bob.visit()
    b.sendline("/talk alice")
    b.expect_exact("You talk with alice now")
    os.kill(b.pid, signal.SIGSTOP)  # or it would end the talk before the hub says so
    revoke(bob)
    assert OVER.encode() in next_line(a)
    assert bob.run("login", "bob", "--password-file", bob.folder / "password").returncode == 0
    revoke(alice)
    assert b"this device is no longer one of alice's" in next_line(a)
    assert a.wait(PATIENCE) == DENIED


def test_who_says_something(hub, alice, bob, tmp_path):
    """Bob accepts, and then nothing comes of it: his device is revoked before it takes anything."""
    carol = Device(tmp_path / "devices", "carol")
    with register(hub, carol, "carol") as member:
        process = alice.start("say", "carol", "hello", err=subprocess.PIPE)
        invited = member.await_told("invited")
        assert member.ask("ACCEPT", invited[1]) == "OK"
        member.await_told("introduced")
        with Member(hub, carol) as other:
            assert other.ask("DEVICES", "REVOKE", carol.fingerprint) == "OK"
        assert member.await_told("revoked") == ["revoked", "carol", carol.fingerprint, text(carol.public)]
        assert b"the hub says that the other device was revoked" in next_line(process)
        assert process.wait(PATIENCE) == 1


def test_another_device(hub, alice):
    a = alice.visit()
    made = alice.run("--as", "laptop", "login", "alice", "--password-file", alice.folder / "password")
    assert made.returncode == 0, made.stderr
    print_ = fingerprint(alice, "--as", "laptop")
    a.expect("A device was added to your account: ([^ ]+), " + print_)
    a.expect_exact("kith devices --sign " + print_)
    assert alice.run("devices", "--sign", print_).returncode == 0


def test_a_device_made_in_a_visit_is_called_as_the_machine(hub, alice):
    words = alice.words("--as", "other", *hub.where.rsplit(":", 1))
    visit = pexpect.spawn(words[0], words[1:], env=alice.env, encoding="utf-8", timeout=PATIENCE)
    visit.expect_exact("new here, or returning?")
    visit.sendline("returning")
    visit.expect_exact("Your name:")
    visit.sendline("alice")
    visit.expect_exact("Your password:")
    visit.sendline((alice.folder / "password").read_text().strip())
    visit.expect_exact("Welcome, alice")
    listed = [json.loads(line)["label"] for line in alice.run("--json", "devices").stdout.splitlines()]
    assert len(listed) == 2 and listed[0] == listed[1] != "", listed

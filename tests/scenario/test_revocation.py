"""A device that is revoked while it is at work: it is told, and whoever talks with it; and who is there is
told when his account gets another device."""

import json
import os
import signal
import subprocess

import pexpect
from hubs import PATIENCE
from members import Device, Member, register, text
from persons import meet

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
    assert "Trying to get back" not in told and "Are you new here" not in told + b.before
    a.expect_exact(["T" + OVER[1:], "A device of bob's was revoked."])
    a.sendline("too late")
    a.expect_exact("Not said: too late")


def test_whom_it_talks_with_though_it_does_not_agree(alice, bob):
    """Who has somebody's device does not end his talks for him."""
    a, b = alice.visit(), bob.listen("--accept", "alice")
    a.sendline("/talk bob")
    a.expect_exact("You talk with bob now")
    b.send_signal(signal.SIGSTOP)
    revoke(bob)
    a.expect_exact("T" + OVER[1:])


def test_who_listens(alice, bob):
    a, b = alice.listen("--accept", "bob"), bob.visit()
    b.sendline("/talk alice")
    b.expect_exact("You talk with alice now")
    os.kill(b.pid, signal.SIGSTOP)  # or it would end the talk before the hub says so
    revoke(bob)
    assert OVER.encode() in a.stderr.readline()
    assert bob.run("login", "bob", "--password-file", bob.folder / "password").returncode == 0
    revoke(alice)
    assert b"this device is no longer one of alice's" in a.stderr.readline()
    assert a.wait() == DENIED


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
        assert b"the hub says that the other device was revoked" in process.stderr.readline()
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

"""Goal: what is said to somebody who is not here waits for him, sealed, and each of his devices gets
it once, whatever happens in between; the hub cannot read it."""

import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time

import pexpect
from hubs import PATIENCE, until
from persons import leave, meet


class Second:
    """Another device of somebody, signed by his first one."""

    def __init__(self, person, name="second", signed=True):
        self.person, self.name = person, name
        login = self.run("login", person.name, "--password-file", person.folder / "password")
        assert login.returncode == 0, login.stderr
        if signed:
            own = json.loads(self.run("--json", "id").stdout)["fingerprint"]
            assert person.run("devices", "--sign", own).returncode == 0

    def run(self, *words, **how):
        return self.person.run("--as", self.name, *words, **how)

    def letters(self):
        return letters(self)


def letters(one):
    """Takes what waits: the texts."""
    done = one.run("--json", "letters")
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["text"] for line in done.stdout.splitlines()]


def count_unread(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def crash(hub):
    """And back at the same place."""
    hub.kill()
    hub.restart("--listen", hub.where)


def leave_talk(one, other):
    one.sendline("/close")
    other.expect_exact("has ended the talk.")


def leave_letter(sender, name, text, devices=1):
    done = sender.say(name, text)
    plural = "s" if devices != 1 else ""
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode() == \
        f"kith: {name} is not here; a letter waits for {name}, sealed, for {devices} device{plural}\n"


# ---- once ----


def test_a_letter_is_shown_once(alice, bob):
    leave_letter(alice, "bob", "see you at nine")
    b = bob.visit()
    b.expect(r"alice wrote at \d\d:\d\d: see you at nine")
    leave(b)
    assert letters(bob) == []
    b = bob.visit()
    b.sendline("/who")
    b.expect("bob +just now")
    assert "wrote" not in b.before


def test_each_device_gets_it_once_over_a_restart(hub, alice, bob):
    second = Second(bob)
    leave_letter(alice, "bob", "for both", devices=2)
    crash(hub)
    assert letters(bob) == ["for both"]
    crash(hub)
    assert letters(second) == ["for both"]
    assert letters(bob) == [] and letters(second) == []


def test_it_comes_while_one_is_here(alice, bob):
    """To who does not answer; here it is said by hand."""
    b = bob.visit()
    a = alice.visit()
    a.sendline("/letter bob not urgent")
    a.expect_exact("A letter waits for bob, sealed, for 1 device.")
    b.expect(r"alice wrote at \d\d:\d\d: not urgent")
    a.sendline("LETTER nobody what?")
    a.expect_exact("The letter: what?")
    a.expect_exact("Not sent to nobody: the hub says there is no such account.")
    a.sendline("/letter bob")
    a.expect_exact("What? /letter NAME TEXT")
    leave(b)
    a.expect_exact("bob has left")
    a.sendline("/talk bob")
    a.expect_exact("/letter bob TEXT leaves a letter.")
    a.sendline("/talk ghost")
    a.expect_exact("The hub says: there is no 'ghost' here at present")
    a.expect_exact("The hub says: there is no such account")
    a.sendline("/letter alice remember")
    a.expect_exact("Not sent: that is you, and a letter to oneself is for one's other devices")
    assert "/letter ghost" not in a.before
    leave(a)


def test_who_is_killed_while_showing_loses_nothing(alice, bob):
    """The second letter finds no room in the pipe."""
    texts = [str(n) * 3000 for n in range(3)]
    for text in texts:
        leave_letter(alice, "bob", text)
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    taking = subprocess.Popen(bob.words("--hub", bob.where, "--json", "letters"), stdout=write,
                              stderr=subprocess.DEVNULL, env=bob.env)
    os.close(write)
    until(lambda: count_unread(read) > 3000, "the first letter")
    taking.kill()
    taking.wait(PATIENCE)
    os.close(read)
    assert letters(bob) == texts
    assert letters(bob) == []


def test_a_hub_that_forgets_that_it_was_taken(alice, bob, hub):
    """As one does that ends in the moment before it is told."""
    leave_letter(alice, "bob", "once")
    hub.kill()
    with tempfile.TemporaryDirectory() as before:
        shutil.copytree(hub.data, before, dirs_exist_ok=True)
        hub.restart("--listen", hub.where)
        assert letters(bob) == ["once"]
        hub.kill()
        shutil.rmtree(hub.data)
        shutil.copytree(before, hub.data)
        hub.data.chmod(0o700)
        hub.restart("--listen", hub.where)
    assert letters(bob) == []
    leave_letter(alice, "bob", "another")
    assert letters(bob) == ["another"]


# ---- scripts ----


def test_who_leaves_instead_of_answering(alice, bob):
    b = bob.visit()
    saying = alice.start("say", "bob", "then read it later", err=subprocess.PIPE)
    b.expect_exact("alice wants to talk")
    leave(b)
    assert saying.wait(PATIENCE) == 0
    assert b"bob is gone; a letter waits for bob" in saying.stderr.read()
    assert letters(bob) == ["then read it later"]


def test_listen_prints_letters_of_those_it_listens_to(hub, alice, bob, make_person):  # noqa: F811
    carol = make_person("carol", hub.where)
    leave_letter(alice, "bob", "from alice")
    leave_letter(carol, "bob", "from carol")
    listener = bob.start("--json", "listen", "--accept", "alice")
    line = until(listener.said, "the letter")
    said = json.loads(line)
    assert abs(said.pop("written_ms") / 1000 - os.stat(bob.folder).st_mtime) < 600
    assert said == {"from": "alice", "text": "from alice", "letter": True}
    listener.send_signal(signal.SIGTERM)
    listener.wait(PATIENCE)
    assert listener.said() == line
    plain = bob.run("letters")
    assert plain.returncode == 0
    assert plain.stdout.decode().startswith("carol wrote at ") and b": from carol\n" in plain.stdout


def test_as_json_and_quiet(alice, bob):
    done = alice.run("--json", "say", "bob", "hello")
    assert done.returncode == 0 and not done.stderr
    assert json.loads(done.stdout) == {"to": "bob", "letter": True, "devices": 1}
    done = alice.run("--quiet", "say", "bob", "hello")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_cannot_be_left(alice, bob):
    unknown = alice.say("nobody", "hello")
    assert unknown.returncode == 1 and b"there is no such account" in unknown.stderr
    long = alice.say("bob", "-", input=b"x" * 65400)
    assert long.returncode == 1 and b"too long for a letter" in long.stderr
    for text in [b"\xff", b"x" * 65537, b""]:
        assert alice.say("bob", "-", input=text).returncode == 2  # as where he is here
    assert letters(bob) == []


def test_a_full_box(alice, bob):
    a = alice.visit()
    for n in range(64):
        a.sendline(f"/letter bob {n}")
        a.expect_exact("A letter waits for bob, sealed, for 1 device.")
    a.sendline("/letter bob one too many")
    a.expect_exact("The letter: one too many")
    a.expect_exact("Not sent: bob has no room for more letters, or none for more of yours.")
    leave(a)
    full = alice.say("bob", "still too many")
    assert full.returncode == 1 and b"no room" in full.stderr
    assert letters(bob) == [str(n) for n in range(64)]
    leave_letter(alice, "bob", "room again")


# ---- who is believed ----


def test_a_device_nobody_has_signed(alice, bob):
    """It gets no letters, and what it writes is left, until it is signed."""
    leave_letter(alice, "bob", "known now")
    assert letters(bob) == ["known now"]
    leave_letter(bob, "alice", "this is bob")
    assert letters(alice) == ["this is bob"]
    second = Second(bob, signed=False)
    done = alice.say("bob", "not for that one")
    assert done.returncode == 0 and b"for 1 device; 1 more, not known as bob's, got none" in done.stderr
    assert second.run("say", "alice", "believe me").returncode == 0
    warned = alice.run("letters")
    assert warned.returncode == 5 and not warned.stdout
    assert b"is from a device that is not known as his" in warned.stderr
    own = json.loads(second.run("--json", "id").stdout)["fingerprint"]
    assert bob.run("devices", "--sign", own).returncode == 0
    assert letters(alice) == ["believe me"]
    assert letters(second) == []


def test_a_running_visit_looks_again_with_the_next_letter(alice, bob):
    leave_letter(bob, "alice", "this is bob")
    assert letters(alice) == ["this is bob"]
    second = Second(bob, signed=False)
    assert second.run("say", "alice", "believe me").returncode == 0
    a, b = alice.visit(), bob.visit()
    a.expect_exact("lets the next kith letters or visit show it")
    own = json.loads(second.run("--json", "id").stdout)["fingerprint"]
    assert bob.run("devices", "--sign", own).returncode == 0
    b.sendline("/letter alice it is signed now")
    a.expect_exact("it is signed now")
    a.expect_exact("believe me")  # once it knows who vouches for it
    leave(a, b)


def test_what_nobody_vouches_for_is_thrown_away(alice, bob):
    leave_letter(bob, "alice", "known now")
    assert letters(alice) == ["known now"]
    second, third = Second(bob, signed=False), Second(bob, "third", signed=False)
    for one, text in [(second, "mine"), (second, "still mine"), (third, "of another")]:
        assert one.run("say", "alice", text).returncode == 0
    leave_letter(bob, "alice", "of the first device")
    prints = [json.loads(one.run("--json", "id").stdout)["fingerprint"] for one in (second, third)]
    warned = alice.run("letters")
    assert warned.returncode == 5 and warned.stdout.count(b"\n") == 1
    for own in prints:
        command = f"kith --hub {alice.where} letters --discard {own}"
        assert warned.stderr.decode().count(command) == 1
    a = alice.visit()
    a.expect_exact(f"kith letters --discard {prints[0]}")
    leave(a)
    assert alice.run("letters", "--discard", "bob").returncode == 2
    assert alice.run("listen", "--accept", "all", "--discard", prints[0]).returncode == 2
    thrown = alice.run("letters", "--discard", prints[0])
    assert (thrown.returncode, thrown.stdout) == (0, b"2 letters thrown away, unread.\n")
    again = alice.run("letters", "--discard", prints[0])
    assert again.returncode == 1 and b"no letter of that device waits" in again.stderr
    left = alice.run("letters")
    assert left.returncode == 5 and prints[1] in left.stderr.decode() and prints[0] not in left.stderr.decode()
    thrown = alice.run("--json", "letters", "--discard", prints[1])
    assert json.loads(thrown.stdout) == {"fingerprint": prints[1], "discarded": 1}
    assert letters(alice) == []


def test_none_is_said_to_a_person_alone(alice):
    assert alice.run("letters").stdout == b""
    a = pexpect.spawn(str(alice.kith), ["--hub", alice.where, "letters"], env=alice.env, timeout=PATIENCE)
    a.expect_exact("No letters.")
    a.expect(pexpect.EOF)
    a.close()
    assert a.exitstatus == 0


def test_an_account_that_was_reset(hub, alice, bob):
    leave_letter(alice, "bob", "known now")
    bob.run("devices")
    reset = hub.kith("account", "--reset", "bob", "--password-file", bob.folder / "password")
    assert reset.returncode == 0, reset.stderr
    Second(bob, "new", signed=False)
    stranger = alice.say("bob", "who are you")
    assert stranger.returncode == 5 and b"is one that is known as bob's" in stranger.stderr


# ---- what is kept here ----


def kept(person, other):
    """What a person has of the talks with another, line by line."""
    [path] = (person.folder / "kith/default/history").glob(f"{other}@*.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600
    return path, path.read_text().splitlines()


def test_what_is_said_is_kept_if_asked(alice, bob):
    a, b = alice.visit("--history"), bob.visit("--history")
    a.sendline("/history bob")
    a.expect_exact("Nothing is kept of what was said with bob")
    meet(a, "bob", b, "alice")
    a.sendline("of a talk")
    b.expect_exact("alice: of a talk")
    b.sendline("and back")
    a.expect_exact("bob: and back")
    leave_talk(a, b)
    leave(a, b)
    assert alice.run("--history", "say", "bob", "of a letter").returncode == 0
    assert bob.run("--history", "--quiet", "letters").returncode == 0
    for person, other in [(alice, "bob"), (bob, "alice")]:
        lines = [json.loads(line) for line in kept(person, other)[1]]
        assert all(abs(line.pop("when_ms") / 1000 - time.time()) < 600 for line in lines)
        assert lines == [{"from": "alice", "to": "bob", "text": "of a talk"},
                         {"from": "bob", "to": "alice", "text": "and back"},
                         {"from": "alice", "to": "bob", "text": "of a letter", "letter": True}]


def test_nothing_is_kept_unasked(alice, bob):
    leave_letter(alice, "bob", "hello")
    assert letters(bob) == ["hello"]
    assert not list(alice.folder.rglob("history")) and not list(bob.folder.rglob("history"))


def test_a_line_that_was_cut_off(alice, bob):
    assert alice.run("--history", "say", "bob", "one").returncode == 0
    path, _ = kept(alice, "bob")
    with open(path, "a") as file:
        file.write('{"when_ms":17,"from":"alice","to":"bo')
    assert alice.run("--history", "say", "bob", "two").returncode == 0
    assert len(kept(alice, "bob")[1]) == 3
    for n in range(19):
        assert alice.run("--history", "say", "bob", f"more {n}").returncode == 0
    a = alice.visit()
    a.sendline("/history bob")
    a.expect(r"at \d\d:\d\d, alice wrote: two")
    assert "one" not in a.before and "bo" not in a.before.split("/history bob")[1]
    for n in range(19):
        a.expect(fr"at \d\d:\d\d, alice wrote: more {n}\b")


def test_a_history_that_cannot_be_kept(alice, bob):
    (alice.folder / "kith/default/history").write_text("no folder")
    listener = bob.listen("--accept", "all")
    done = alice.run("--history", "say", "--now", "bob", "said all the same")
    assert done.returncode == 0 and b"cannot be kept" in done.stderr
    assert listener.said() == "alice: said all the same\n"


# ---- what the hub has ----


def test_the_hub_finds_no_word_of_it(hub, alice, bob):
    secret = "quinquagesima"
    leave_letter(alice, "bob", secret)
    hub.stop()
    for path in hub.data.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
    assert secret not in hub.log()
    hub.restart("--listen", hub.where)
    assert letters(bob) == [secret]


# ---- a profile that cannot be written to ----

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


def test_letters_stay_where_they_are_if_nothing_can_be_remembered(alice, bob):
    assert alice.say("bob", "hello").returncode == 0
    prefix, bob.prefix = bob.prefix, ["unshare", "--mount", "sh", "-c", READ_ONLY, str(bob.folder)]
    left = bob.run("letters")
    assert (left.returncode, left.stdout) == (1, b"")
    assert b"letters are left with the hub, unread" in left.stderr
    assert left.stderr.endswith(b"known_peers: the file system is read-only\n")
    bob.prefix = prefix
    assert b"hello" in bob.run("letters").stdout

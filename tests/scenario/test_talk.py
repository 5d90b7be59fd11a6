"""Goal: two people who know only the hub's address talk, device to device, and the hub cannot read
it; scripts do the same."""

import contextlib
import json
import os
import signal
import socket
import subprocess

import pytest
from hubs import PATIENCE, until
from persons import add_device, leave, meet

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
    b.expect_exact("alice asks no longer.")
    b.sendline("/accept")
    b.expect_exact("Nobody asks to talk.")


def test_what_is_typed_before_an_answer_is_not_the_hubs(alice, bob):
    a, b = alice.visit(), bob.visit()
    a.sendline("/talk bob")
    b.expect_exact("alice wants to talk")
    a.sendline("my secret for bob")
    a.expect_exact("Not said: my secret for bob")
    a.expect_exact("bob has not answered yet; /close withdraws that.")
    a.sendline("GET a")
    a.expect_exact("Invalid Key:a")
    b.sendline("/decline")
    a.expect_exact("bob does not want to talk.")
    a.sendline("another secret")
    a.expect_exact("Not said: another secret")
    a.sendline("for the hub")
    a.expect("\x1b\\[Jfor the hub\r")
    a.sendline("/talk carol")
    a.expect_exact("there is no 'carol' here at present")
    a.sendline("a third")
    a.expect_exact("Not said: a third")
    assert meet(a, "bob", b, "alice") == "direct"


def test_lines_are_shown_behind_the_name(alice, bob):
    text = b"1\n\ncarol: \x1b[31m3\n"
    listener = bob.listen("--accept", "alice")
    assert alice.say("bob", "-", input=text).returncode == 0
    until(lambda: listener.said() == "alice: 1\nalice: \nalice: carol: \\x1b[31m3\n", listener.said)
    listener.kill()
    listener.wait()
    until(lambda: b"a letter waits" in alice.say("bob", "-", input=text).stderr, "a letter")
    lines = bob.run("letters").stdout.decode().splitlines()
    assert len(lines) % 3 == 0 and [line.split(": ", 1)[1] for line in lines[-3:]] == [
        "1", "", "carol: \\x1b[31m3"]
    assert all(line.startswith("alice wrote ") for line in lines)


def test_a_talk_outlives_the_hub(hub, alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    hub.kill()
    a.expect_exact("Lost the hub")
    a.sendline("still there?")
    b.expect_exact("alice: still there?")


@contextlib.contextmanager
def halted(visit):
    os.kill(visit.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(visit.pid, signal.SIGCONT)


def test_what_was_not_delivered_is_said(alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    with halted(b):
        a.sendline("are you there")
        a.sendline("/close")
        a.expect_exact("The talk with bob is over.")
        a.expect_exact("Not delivered to bob: are you there")


def test_what_is_said_while_both_close_arrives(alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    with halted(a):
        a.sendline("last words")
        a.sendline("/close")
        b.sendline("/close")
        b.expect_exact("The talk with alice is over.")
    a.expect_exact("The talk with bob is over.")
    b.expect_exact("alice: last words")


def test_who_asks_whom_he_is_asked_by_accepts(alice, bob):
    a, b = alice.visit(), bob.visit()
    a.sendline("/talk bob")
    b.expect_exact("alice wants to talk: /accept or /decline")
    b.sendline("/talk alice")
    a.expect_exact("You talk with bob now; /close ends it.")
    b.expect_exact("You talk with alice now; /close ends it.")
    b.sendline("/decline")
    b.expect_exact("Nobody asks to talk.")


# ---- one talk, several programs and devices ----


def goes_on(visit, name):
    """The talk does, and never was over."""
    visit.sendline("/path")
    visit.expect(f"{name} +direct")
    said = visit.logfile_read.getvalue()
    return " is over" not in said and "has ended" not in said


def test_a_program_says_something_to_whom_one_talks_with(alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    for text in "one", "two":
        assert alice.say("bob", text).returncode == 0
        b.expect_exact(f"alice: {text}")
    b.sendline("an answer")
    a.expect_exact("bob: an answer")
    assert "another device" not in b.logfile_read.getvalue()
    a.sendline("and on it goes")
    b.expect_exact("alice: and on it goes")
    assert goes_on(a, "bob") and goes_on(b, "alice")


def test_a_doctor_does_not_end_what_he_looks_at(alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    for person, other in (alice, "bob"), (bob, "alice"):
        looked = person.run("doctor", other)
        assert looked.returncode == 0, looked.stdout + looked.stderr
    a.sendline("still here")
    b.expect_exact("alice: still here")
    b.sendline("here, too")
    a.expect_exact("bob: here, too")
    assert goes_on(a, "bob") and goes_on(b, "alice")


def test_two_doctors_at_each_other(alice, bob):
    """Each is an answer to the other, unless one has come too late, or gone."""

    def both_look():
        looking = [person.start("doctor", other, err=subprocess.PIPE)
                   for person, other in [(alice, "bob"), (bob, "alice")]]
        codes = [one.wait(PATIENCE) for one in looking]
        for code, one in zip(codes, looking):
            words = one.stderr.read()
            early = b"here at present", b"is gone", b"before all was tried"
            assert code == 0 or any(why in words for why in early), (words, one.said())
        return codes == [0, 0]

    until(both_look, "two that find a way to each other")


def test_two_that_say_something_to_each_other(alice, bob):
    """Neither shows anything: both texts are left as letters."""
    for n in range(3):
        saying = [alice.start("say", "bob", f"to bob {n}"), bob.start("say", "alice", f"to alice {n}")]
        assert [one.wait(PATIENCE) for one in saying] == [0, 0]
        for person in alice, bob:
            assert f"to {person.name} {n}" in person.run("letters").stdout.decode()


def test_a_talk_at_two_devices(alice, bob):
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    assert alice.run("devices", "--sign", add_device(alice, "second")).returncode == 0
    second = alice.visit("--as", "second")
    second.sendline("/talk bob")
    second.expect_exact("You talk with bob now; /close ends it.")
    b.expect_exact("alice is there at another device, too.")
    b.sendline("for the first, who spoke last")
    a.expect_exact("bob: for the first, who spoke last")
    second.sendline("from the second")
    b.expect_exact("alice: from the second")
    b.sendline("for the second")
    second.expect_exact("bob: for the second")
    second.sendline("/close")
    second.expect_exact("The talk with bob is over.")
    a.sendline("from the first")
    b.expect_exact("alice: from the first")
    assert goes_on(a, "bob") and goes_on(b, "alice")
    second.sendline("/talk bob")
    second.expect_exact("You talk with bob now; /close ends it.")
    b.expect_exact("alice is there at another device, too.")
    b.sendline("/close")
    for one in a, second:
        one.expect_exact("bob has ended the talk.")
    b.expect_exact("The talk with alice is over.")


def lose(visit, child):
    """A kith ends as a machine does without power."""
    child.kill(signal.SIGKILL)
    child.close(force=True)
    visit.expect_exact("Trying to get back; what you say is kept.")


def test_who_is_back_is_talked_with(alice, bob):
    """What is said next is for the kith that is there; what was lost is told with the end."""
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    lose(b, a)
    b.sendline("for the one that is gone")
    again = alice.visit()
    again.sendline("/talk bob")
    again.expect_exact("You talk with bob now; /close ends it.")
    b.expect_exact("Talking with alice: direct")
    b.sendline("for the one that is here")
    again.expect_exact("bob: for the one that is here")
    again.sendline("/close")
    b.expect_exact("alice has ended the talk.")
    b.expect_exact("Not delivered to alice: for the one that is gone")


def test_who_is_lost_can_be_asked_anew(alice, bob):
    listener, b = alice.listen("--accept", "all"), bob.visit()
    b.sendline("/talk alice")
    b.expect_exact("You talk with alice now")
    listener.kill()
    listener.wait()
    b.expect_exact("Trying to get back; what you say is kept.")
    listener = alice.listen("--accept", "all")
    b.sendline("/talk alice")
    b.expect_exact("Talking with alice: direct")
    b.sendline("are you back?")
    until(lambda: listener.said() == "bob: are you back?\n", "the text")


def test_two_that_talk_to_each_other_at_once(alice, bob):
    """However the two invitations cross, the talk is in front of both."""
    a, b = alice.visit(), bob.visit()
    for n in range(10):
        a.send("/talk bob\r")
        b.send("/talk alice\r")
        for one, name in (a, "bob"), (b, "alice"):
            one.expect_exact(f"You talk with {name} now")
            assert "The hub says" not in one.before
        a.sendline(f"round {n}")
        b.expect_exact(f"alice: round {n}")
        a.sendline("/close")
        b.expect_exact("alice has ended the talk.")
        a.expect_exact("The talk with bob is over.")


def test_the_talk_goes_on_where_he_still_is(alice, bob):
    """A device that is gone without a word is no end of a talk that has another."""
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    again = alice.visit()
    again.sendline("/talk bob")
    again.expect("Talking with bob: direct")
    a.kill(signal.SIGKILL)
    again.sendline("I am still here")
    b.expect_exact("alice: I am still here")
    b.sendline("so I see")
    again.expect_exact("bob: so I see")
    assert goes_on(b, "alice")


# ---- say and listen ----


def test_say_and_listen(alice, bob):
    listener = bob.listen("--accept", "alice")
    for _ in range(3):
        assert alice.say("bob", "hello", "there").returncode == 0
    assert alice.say("bob", "-", input=b"of a pipe\n").returncode == 0
    assert listener.said() == "alice: hello there\n" * 3 + "alice: of a pipe\n"
    listener.send_signal(signal.SIGTERM)
    assert listener.wait(PATIENCE) == -signal.SIGTERM
    gone = alice.say("--now", "bob", "hello")
    assert gone.returncode == 1 and b"bob is not here" in gone.stderr


def test_listen_as_json(alice, bob):
    listener = bob.start("--json", "listen", "--accept", "all", err=subprocess.PIPE)
    assert listener.stderr.readline() == f"kith: listening at {bob.where} as bob\n".encode()
    assert alice.say("--now", "bob", 'a "quoted" \x1b[31m line').returncode == 0
    assert json.loads(listener.said()) == {"from": "alice", "text": 'a "quoted" \x1b[31m line'}


def test_listen_quietly(alice, bob):
    listener = bob.start("--quiet", "listen", "--accept", "all", err=subprocess.PIPE)
    until(lambda: alice.say("--now", "bob", "hello").returncode == 0, "the listener")
    listener.terminate()
    assert listener.communicate(timeout=PATIENCE)[1] == b""


def test_who_is_not_to_be_listened_to(alice, bob):
    bob.listen("--accept", "carol")
    refused = alice.say("--now", "bob", "hello")
    assert (refused.returncode, refused.stderr) == (1, b"kith: bob is busy\n")
    left = alice.say("bob", "hello")
    assert left.returncode == 0 and b"bob is busy; a letter waits for bob" in left.stderr


def test_doctor_of_who_is_not_here(alice):
    absent = alice.run("doctor", "zed")
    assert absent.returncode == 1 and b"there is no 'zed'" in absent.stdout + absent.stderr
    assert b"ABSENT" not in absent.stdout + absent.stderr


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


def test_who_asks_meanwhile_does_not_make_say_forget_whom_it_asked(hub, alice, bob, make_person):
    carol = make_person("carol", hub.where)
    b = bob.visit()
    saying = alice.start("say", "bob", "hello")
    b.expect_exact("alice wants to talk: /accept or /decline")
    busy = carol.say("--now", "alice", "are you there?")
    assert busy.returncode == 1 and b"alice is busy" in busy.stderr
    b.sendline("/accept")
    b.expect_exact("alice: hello")
    assert saying.wait(PATIENCE) == 0


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

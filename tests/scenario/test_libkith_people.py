"""Goal: a program with libkith is somebody on a hub, as its header says: it logs in, sees who is
there, says and receives; and harms no program it is in."""

import concurrent.futures
import signal
import subprocess
import threading
import time

import pexpect
import pytest
from hubs import PATIENCE, until
from puppet import COMINGS, LETTERS, RESULTS, Puppet
from persons import leave

LATER = "it comes later"


@pytest.fixture
def start_puppet():
    started = []

    def start(person, who="all", **how):
        """A program that has logged in as somebody."""
        puppet = Puppet(env={"XDG_CONFIG_HOME": str(person.folder)}, **how)
        started.append(puppet)
        assert puppet.open(person.where) == "OK", puppet.problem
        assert puppet.accept(who) == "OK"
        return puppet

    yield start
    codes = [puppet.process.returncode if puppet.process.returncode is not None else puppet.end()
             for puppet in started]
    assert codes == [0] * len(started)


@pytest.fixture
def program(bob, start_puppet):
    """Bob is one."""
    puppet = start_puppet(bob)
    assert puppet.login() == "OK", puppet.problem
    return puppet


def test_it_is_somebody(hub, alice, program):
    assert program.name() == "bob"
    before = time.time()
    people = program.people()
    assert list(people) == ["bob"] and before - 60 < people["bob"] <= before + 60
    with_alice = alice.listen("--accept", "all")
    assert list(program.people()) == ["alice", "bob"]
    with_alice.kill()
    until(lambda: list(program.people()) == ["bob"])


def test_it_hears_what_is_said(alice, program):
    said = threading.Thread(target=alice.say, args=("bob", "grüße\tund \x1b[31m"))
    said.start()
    assert program.receive() == ("alice", "grüße\tund \x1b[31m".encode())
    assert program.receive(0) == "NOTHING"
    program.receive(100)
    said.join()


def test_a_text_counts_as_shown_once_it_is_received(alice, program):
    """Not before: what a program has not taken, nobody has seen."""
    saying = alice.start("say", "bob", "hello")
    until(lambda: "alice" in program.people())
    for _ in range(1000):
        program.people()
    assert saying.poll() is None
    assert program.receive() == ("alice", b"hello")
    until(lambda: program.receive(50) == "NOTHING" and saying.poll() is not None)
    assert saying.wait() == 0


def test_what_shows_nothing_has_been_shown_nothing(alice, program):
    """kith say delivers a text, and whoever answers it there is not told that she saw it."""
    saying = alice.start("say", "bob", "hello")
    until(lambda: "alice" in program.people())
    answers = {"REFUSED"}  # she calls, and takes no call, until both have met
    until(lambda: answers.add(program.say("alice", "does she see this?")) or "ABSENT" in answers)
    assert answers == {"REFUSED", "ABSENT"}
    assert program.receive() == ("alice", b"hello")
    assert saying.wait(PATIENCE) == 0


def test_who_asks_is_answered_and_not_another_program_of_his(alice, program, start_puppet):
    visit = alice.visit()
    visit.sendline("/talk bob")
    talks = ["Talking with bob", pexpect.TIMEOUT]
    until(lambda: program.receive(50) == "NOTHING" and visit.expect_exact(talks, timeout=0) == 0)
    asking = start_puppet(alice)
    assert asking.login() == "OK"
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        for n in range(3):
            asked = threads.submit(asking.say, "bob", f"question {n}")
            assert program.receive() == ("alice", f"question {n}".encode())
            answer = threads.submit(program.say, "alice", f"answer {n}")
            assert asked.result() == "OK"
            assert asking.receive() == ("bob", f"answer {n}".encode())
            asking.receive(0)
            assert answer.result() == "OK"
    visit.sendline("/path")
    visit.expect("bob +direct")
    assert "bob: answer" not in visit.logfile_read.getvalue()


def test_it_says_and_waits_until_that_was_shown(alice, program):
    listening = alice.listen("--accept", "bob")
    assert program.say("ALICE", "one") == "OK", program.problem
    assert listening.said() == "bob: one\n"
    assert program.say("alice", "two") == "OK"
    assert listening.said() == "bob: one\nbob: two\n"
    assert program.end_talk("alice") == "OK"
    assert program.say("alice", "three") == "OK"
    assert listening.said() == "bob: one\nbob: two\nbob: three\n"


def test_two_programs_answer_each_other(alice, program, start_puppet):
    other = start_puppet(alice)
    assert other.login() == "OK"
    for n in range(20):
        other.tell("say", "bob".encode().hex(), f"question {n}".encode().hex(), PATIENCE * 1000)
        assert program.receive() == ("alice", f"question {n}".encode())
        program.tell("say", "alice".encode().hex(), f"answer {n}".encode().hex(), PATIENCE * 1000)
        assert other.hear()[0] == 0
        assert other.receive() == ("bob", f"answer {n}".encode())
        assert program.hear()[0] == 0


def test_both_may_begin_at_once(alice, program, start_puppet):
    """Two invitations that cross are one talk."""
    other = start_puppet(alice)
    assert other.login() == "OK"

    def say_and_receive(puppet, whom, text):
        return puppet.say(whom, text), puppet.problem, puppet.receive()

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        for n in range(100):
            text = f"at once {n}"
            both = [threads.submit(say_and_receive, program, "alice", text),
                    threads.submit(say_and_receive, other, "bob", text)]
            results = [one.result() for one in both]
            assert [(one[0], one[2][1]) for one in results] == 2 * [("OK", text.encode())], results
            assert program.receive(0) == "NOTHING" and other.receive(0) == "NOTHING"
            if n % 5:
                assert program.end_talk("alice") == "OK"
                assert other.end_talk("bob") in ("OK", "MISSING")


def test_a_person_may_begin_at_the_same_time(alice, bob, start_puppet):
    """Who waits for the answer to his own invitation, and accepts no other."""
    puppet, visit = start_puppet(bob, None), alice.visit()
    assert puppet.login() == "OK"
    for n in range(4):
        visit.sendline("/talk bob")
        visit.expect_exact("Asking bob to talk")
        assert puppet.say("alice", f"hello {n}") == "OK", puppet.problem
        visit.expect_exact(f"bob: hello {n}")
        assert puppet.end_talk("alice") == "OK"
        puppet.receive(0)
        visit.expect_exact("has ended the talk")
    leave(visit)


@pytest.mark.parametrize("whom, words, result, problem", [
    ("alice", "x", "ABSENT", "alice is not here"),
    ("bob", "x", "REFUSED", "that is you"),
    ("nobody at all", "x", "INVALID", "nobody can be called that"),
    ("alice", "", "INVALID", "a text is UTF-8, and 1 byte to 64 KiB"),
    ("alice", "x" * 65537, "INVALID", "a text is UTF-8, and 1 byte to 64 KiB"),
    ("alice", b"\xff", "INVALID", "a text is UTF-8, and 1 byte to 64 KiB"),
], ids=["absent", "oneself", "no name", "empty", "too long", "not UTF-8"])
def test_what_cannot_be_said(alice, program, whom, words, result, problem):
    assert program.say(whom, words) == result
    assert problem in program.problem


def test_who_does_not_want_to_is_not_talked_with(alice, program):
    visit = alice.visit()
    program.tell("say", "alice".encode().hex(), "hello".encode().hex(), PATIENCE * 1000)
    visit.expect_exact("bob wants to talk")
    visit.sendline("/decline")
    assert program.hear()[0] == -2
    assert program.problem == "alice does not want to talk"
    leave(visit)


def test_an_invitation_is_taken_back_in_time(alice, program):
    visit = alice.visit()
    assert program.say("alice", "hello", 500) == "NOTHING"
    assert program.problem == "alice has not answered in that time"
    visit.expect_exact("bob wants to talk")
    program.receive(0)
    visit.expect("bob.*asks no longer")
    leave(visit)


def test_it_waits_for_its_turn_to_ask(alice, bob, program):
    """One of an account asks somebody at a time."""
    visit = alice.visit()
    asks_already = bob.start("say", "alice", "first")
    visit.expect_exact("bob wants to talk")
    assert program.say("alice", "too early", 500) == "NOTHING"
    assert program.problem == "alice has not answered in that time"
    program.tell("say", "alice".encode().hex(), "second".encode().hex(), PATIENCE * 1000)
    visit.sendline("/decline")
    visit.expect_exact("bob wants to talk")
    assert asks_already.wait(PATIENCE) == 1
    visit.sendline("/accept")
    visit.expect_exact("bob: second")
    assert RESULTS[program.hear()[0]] == "OK"


def test_it_is_busy_for_who_was_not_accepted(alice, bob, start_puppet):
    puppet = start_puppet(bob, "carol")
    assert puppet.login() == "OK"
    saying = alice.start("say", "--now", "bob", "hello", err=subprocess.PIPE)
    until(lambda: puppet.receive(50) == "NOTHING" and saying.poll() is not None)
    assert saying.wait() == 1 and b"bob is busy" in saying.stderr.read()
    assert puppet.accept("alice") == "OK"
    saying = alice.start("say", "bob", "hello")
    assert puppet.receive() == ("alice", b"hello")
    until(lambda: puppet.receive(50) == "NOTHING" and saying.poll() is not None)
    assert saying.wait() == 0


def test_who_says_too_much_is_heard_no_further(hub, alice, program, start_puppet, make_person):
    """8 MiB wait for a program that takes none; then that talk ends, and what was kept is there."""
    other, carol = start_puppet(alice), make_person("carol", hub.where).visit()
    assert other.login() == "OK"
    other.tell("say", "bob".encode().hex(), "first".encode().hex(), PATIENCE * 1000)
    assert program.receive() == ("alice", b"first")
    assert other.hear()[0] == 0
    program.tell("say", "carol".encode().hex(), "hello".encode().hex(), PATIENCE * 1000)
    carol.expect_exact("bob wants to talk")
    said = 0
    while "has ended the talk" not in other.problem and said < 300:
        said += other.say("bob", f"{said:065536}", 5) == "NOTHING"  # else it is to be said again
    assert 127 <= said < 300
    carol.sendline("/decline")
    assert program.hear()[0] == -2
    for n in range(128):
        assert program.receive(0) == ("alice", b"%065536d" % n)
    leave(carol)


def test_what_comes_at_the_end(alice, program, start_puppet):
    """A handle is closed while the other side still says something."""
    other = start_puppet(alice)
    assert other.login() == "OK"
    other.tell("say", "bob".encode().hex(), "one".encode().hex(), PATIENCE * 1000)
    assert program.receive() == ("alice", b"one")
    assert other.hear()[0] == 0
    other.tell("say", "bob".encode().hex(), "two".encode().hex(), PATIENCE * 1000)
    assert program.close() == "OK"
    assert RESULTS[other.hear()[0]] == "ABSENT"
    assert program.open(alice.where) == "OK"
    assert program.login() == "OK"


def test_nobody_without_a_login(bob, start_puppet):
    puppet = start_puppet(bob)
    for call in (puppet.people, lambda: puppet.say("alice", "x"), lambda: puppet.receive(0),
                 lambda: puppet.end_talk("alice"), lambda: puppet.letter("alice", "x")):
        assert call() == "INVALID"
        assert puppet.problem == "nobody has logged in with this handle"
    assert puppet.name() == ""
    assert puppet.accept("no, names") == "INVALID"


def test_a_device_that_is_nobodys(hub, tmp_path):
    puppet = Puppet(env={"XDG_CONFIG_HOME": str(tmp_path / "new")})
    assert puppet.open(hub.where) == "OK"
    assert puppet.login() == "DENIED"
    assert puppet.problem.startswith(f"this device is nobody's at {hub.where}: kith --hub "
                                     f"{hub.where} register makes")
    assert puppet.store("k", "v") == "OK"
    assert puppet.end() == 0


def test_values_over_tls(hub, alice, start_puppet):
    puppet = Puppet(env={"XDG_CONFIG_HOME": str(alice.folder)})
    assert puppet.open(f"kith://{hub.where}") == "OK", puppet.problem
    assert puppet.store("k", b"v" * 100000) == "OK"
    assert puppet.get("k") == b"v" * 100000
    assert puppet.login() == "OK" and puppet.name() == "alice"
    assert puppet.close() == "OK"
    wrong = "A" * 43
    assert puppet.open(f"kith://{hub.where}#{wrong}") == "CHANGED"
    assert "is another one: its fingerprint is" in puppet.problem
    assert puppet.end() == 0


def test_another_hub_in_its_place(hub, start_hub, program, alice):
    """What was met first is remembered; another one is not believed."""
    hub.stop()
    start_hub("--listen", hub.where)
    assert program.receive(PATIENCE * 1000) == "CHANGED"
    assert program.say("alice", "x") == "CHANGED"
    assert program.people() == "CHANGED"
    assert program.login() == "CHANGED"


def test_it_comes_back_to_the_hub(hub, program, alice):
    hub.stop()
    assert program.receive(0) == "NOTHING"
    hub.restart("--listen", hub.where)
    listening = alice.listen("--accept", "all")
    assert program.say("alice", LATER) == "OK", program.problem
    assert listening.said() == f"bob: {LATER}\n"


def test_no_signal_and_no_output(alice, bob, start_puppet):
    """A peer that goes while it is written to raises no SIGPIPE."""
    puppet = start_puppet(bob)
    assert puppet.login() == "OK"
    visit = alice.visit("--accept", "all")
    assert puppet.say("alice", "hello") == "OK"
    visit.close(force=True)
    for _ in range(5):
        assert puppet.say("alice", "hello", 300) in ("NOTHING", "REFUSED", "ABSENT")


# ---- comings and goings ----


class Told:
    """Who is present, as a program is told: nobody comes twice, nobody goes who was not here."""

    def __init__(self, puppet, *present):
        self.puppet, self.present, self.events, self.texts = puppet, set(present), [], []

    def hear(self):
        one = self.puppet.receive(50)
        if one[0] in ("came", "went"):
            assert (one[1] in self.present) == (one[0] == "went"), one
            self.present ^= {one[1]}
            self.events.append(one)
        elif one != "NOTHING":
            self.texts.append(one)

    def until(self, *present):
        until(lambda: self.hear() or self.present == set(present), f"that {present} are here")
        self.events.clear()


def test_who_comes_and_goes(hub, alice, program, make_person):
    """Who is there already comes first."""
    with_alice = alice.listen("--accept", "all")
    until(lambda: "alice" in program.people())
    assert program.want(COMINGS) == "OK"
    assert program.receive() == ("came", "alice")
    told = Told(program, "alice")
    with_carol = make_person("carol", hub.where).listen("--accept", "all")
    told.until("alice", "carol")
    with_alice.kill()
    told.until("carol")
    with_carol.kill()
    told.until()
    assert list(program.people()) == ["bob"]


def test_comings_are_for_who_wants_them(alice, program):
    with_alice = alice.listen("--accept", "all")
    until(lambda: "alice" in program.people())
    assert program.receive(0) == "NOTHING"
    assert program.want(4) == "INVALID"
    assert program.want(0) == "OK"
    with_alice.kill()
    until(lambda: "alice" not in program.people())
    assert program.receive(0) == "NOTHING"


def test_wanted_before_the_login(alice, bob, start_puppet):
    puppet, with_alice = start_puppet(bob), alice.listen("--accept", "all")
    assert puppet.want(COMINGS) == "OK"
    for _ in range(2):
        assert puppet.login() == "OK"
        Told(puppet).until("alice")
    with_alice.kill()
    Told(puppet, "alice").until()


def test_who_comes_says_something_and_goes(alice, program):
    assert program.want(COMINGS) == "OK"
    told = Told(program)
    saying = alice.start("say", "bob", "hello")
    until(lambda: told.hear() or (told.texts and told.events[-1:] == [("went", "alice")]))
    assert told.texts == [("alice", b"hello")]
    assert saying.wait(PATIENCE) == 0


def test_who_came_and_went_while_the_hub_was_away(hub, alice, bob, start_puppet, make_person):
    """What is different is told once it is back."""
    carol, dave = make_person("carol", hub.where), make_person("dave", hub.where)
    with_alice, with_carol = alice.listen("--accept", "all"), carol.listen("--accept", "all")
    puppet = start_puppet(bob)
    assert puppet.want(COMINGS) == "OK" and puppet.login() == "OK"
    told = Told(puppet)
    told.until("alice", "carol")
    hub.stop()
    with_alice.kill()
    hub.restart("--listen", hub.where)
    with_dave = dave.listen("--accept", "all")
    told.until("carol", "dave")
    with_dave.kill()
    with_carol.kill()


# ---- letters ----


def leave_letter(sender, name, text):
    assert sender.say(name, text).returncode == 0


def test_a_letter_for_who_is_away(alice, bob, program):
    assert program.say("alice", "hello") == "ABSENT"
    assert program.letter("ALICE", "for later: ü") == "OK", program.problem
    taken = alice.run("letters")
    assert taken.returncode == 0 and taken.stdout.decode().endswith(": for later: ü\n")
    assert alice.run("letters").stdout == b""


def test_a_letter_among_programs(alice, program, start_puppet):
    assert program.letter("alice", "one") == "OK" and program.letter("alice", "two") == "OK"
    other, before = start_puppet(alice), time.time()
    assert other.want(LETTERS) == "OK"
    assert other.login() == "OK"
    for text in (b"one", b"two"):
        kind, sender, got, written = other.receive()
        assert (kind, sender, got) == ("letter", "bob", text)
        assert before - 60 < written <= before + 60
    assert program.letter("alice", "three") == "OK"
    assert other.receive()[:3] == ("letter", "bob", b"three")
    assert other.receive(0) == "NOTHING"


def test_letters_are_for_who_wants_them(alice, bob, program):
    program.close()
    leave_letter(alice, "bob", "hello")
    assert program.open(bob.where) == "OK" and program.accept("all") == "OK"
    assert program.login() == "OK"
    listening = alice.listen("--accept", "bob")
    assert program.say("alice", "still here") == "OK"
    assert listening.said() == "bob: still here\n"
    assert program.receive(0) == "NOTHING"
    assert program.want(LETTERS) == "OK"
    assert program.receive()[:3] == ("letter", "alice", b"hello")


def test_letters_of_those_it_accepts(hub, alice, bob, start_puppet, make_person):
    carol = make_person("carol", hub.where)
    leave_letter(alice, "bob", "from alice")
    leave_letter(carol, "bob", "from carol")
    puppet = start_puppet(bob, "carol")
    assert puppet.want(LETTERS) == "OK" and puppet.login() == "OK"
    assert puppet.receive()[:3] == ("letter", "carol", b"from carol")
    for _ in range(20):
        puppet.people()
    assert puppet.receive(0) == "NOTHING"
    assert puppet.accept("all") == "OK"
    assert puppet.receive()[:3] == ("letter", "alice", b"from alice")


def test_a_letter_comes_once_to_who_is_killed(alice, bob, start_puppet):
    """After it was received, never again; before that, none is lost."""
    texts = [str(n).encode() for n in range(5)]
    for text in texts:
        leave_letter(alice, "bob", text.decode())
    received = []
    while len(received) < len(texts):
        puppet = Puppet(env={"XDG_CONFIG_HOME": str(bob.folder)})
        assert puppet.open(bob.where) == "OK" and puppet.accept("all") == "OK"
        assert puppet.want(LETTERS) == "OK" and puppet.login() == "OK"
        received.append(puppet.receive()[2])
        puppet.process.kill()
        puppet.end()
    assert received == texts
    puppet = start_puppet(bob)
    assert puppet.want(LETTERS) == "OK" and puppet.login() == "OK"
    for _ in range(20):
        puppet.people()
    assert puppet.receive(0) == "NOTHING"
    assert bob.run("letters").stdout == b""


def test_a_letter_comes_once_though_the_hub_was_not_told(hub, alice, bob, start_puppet):
    """Both it and the program are killed right after the letter was received."""
    leave_letter(alice, "bob", "once")
    puppet = Puppet(env={"XDG_CONFIG_HOME": str(bob.folder)})
    assert puppet.open(bob.where) == "OK" and puppet.accept("all") == "OK"
    assert puppet.want(LETTERS) == "OK" and puppet.login() == "OK"
    for _ in range(20):
        puppet.people()
    hub.signal(signal.SIGSTOP)
    assert puppet.receive()[2] == b"once"
    puppet.process.kill()
    puppet.end()
    hub.kill()
    hub.restart("--listen", hub.where)
    leave_letter(alice, "bob", "another")
    puppet = start_puppet(bob)
    assert puppet.want(LETTERS) == "OK" and puppet.login() == "OK"
    assert puppet.receive()[2] == b"another"


def test_a_letter_that_kith_took_meanwhile(alice, bob, start_puppet):
    """It waits in the program, which has not received it yet."""
    leave_letter(alice, "bob", "once")
    puppet = start_puppet(bob)
    assert puppet.want(LETTERS) == "OK" and puppet.login() == "OK"
    for _ in range(20):
        puppet.people()
    assert b"once" in bob.run("letters").stdout
    assert puppet.receive(0) == "NOTHING"


@pytest.mark.parametrize("whom, words, result, problem", [
    ("nobody", "x", "REFUSED", "there is no such account"),
    ("nobody at all", "x", "INVALID", "nobody can be called that"),
    ("alice", "", "INVALID", "not empty"),
    ("alice", "x" * 65270, "INVALID", "at most 65269 bytes"),
    ("alice", b"\xff", "INVALID", "a letter is UTF-8"),
], ids=["unknown", "no name", "empty", "too long", "not UTF-8"])
def test_what_cannot_be_left(alice, program, whom, words, result, problem):
    assert program.letter(whom, words) == result
    assert problem in program.problem
    assert program.letter("alice", "x" * 65269) == "OK"


def test_a_letter_without_a_hub(hub, alice, program):
    hub.stop()
    assert program.letter("alice", "x", 300) == "NOTHING"
    assert "it may, or not" in program.problem


def test_the_bot(hub, alice, build, make_person):
    bot = make_person("bot", hub.where)
    env = {**bot.env, "KITH_HUB": hub.where}
    leave_letter(alice, "bot", "are you there?")
    process = subprocess.Popen([build / "examples/bot", "default"], env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"Listening as bot.\n"
    until(lambda: b"bot wrote at " in (answer := alice.run("letters").stdout) and b": are you there?" in answer)
    visit = alice.visit()
    visit.sendline("/talk bot")
    visit.expect_exact("You talk with bot now")
    visit.sendline("one two")
    visit.expect_exact("bot: one two")
    visit.sendline("time?")
    visit.expect("bot: it is [0-9][0-9]:[0-9][0-9]")
    visit.sendline("/close")
    leave(visit)
    assert alice.say("bot", "still there?").returncode == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    process.stdout.close()
    process.stderr.close()

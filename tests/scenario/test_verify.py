"""Goal: whose device somebody talks with is known: a new one counts where a known one has signed it,
two who compare five words know that nobody is between them, and there is a way out of a hard stop."""

import json
import re
import signal
import subprocess
import time

import pexpect
import pytest
from hubs import PATIENCE, until
from persons import add_device, fingerprint, invite, leave, meet

WORDS = re.compile(r"((?:[a-z]+ ){4}[a-z]+)\r")
QUESTION = "Are these the words {} sees? [yes/no] "


def listen(person, profile):
    listener = person.start("--as", profile, "listen", "--accept", "all", err=subprocess.PIPE)
    assert b"listening at" in listener.stderr.readline()
    return listener


def stop(*listeners):
    for listener in listeners:
        listener.terminate()
        listener.wait(PATIENCE)


def says(one, name):
    """Says something to him: the exit code."""
    return one.say(name, "hello").returncode


def known(person, name):
    """What is known of somebody, by fingerprint."""
    lines = person.run("--json", "id", name).stdout.splitlines()
    return {d["fingerprint"]: d["how"] for d in map(json.loads, lines) if "fingerprint" in d}


def forget(person, name):
    done = person.run("forget", name)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.fixture
def verify():
    """Starts kith verify at a terminal; it ends with the test."""
    started = []

    def start(person, name, *options):
        words = person.words("--hub", person.where, *options, "verify", name)
        child = pexpect.spawn(words[0], words[1:], env=person.env, encoding="utf-8",
                              timeout=PATIENCE, dimensions=(40, 120))
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def words_of(child, name):
    """The words it shows, once it asks about them."""
    child.expect(WORDS)
    words = child.match.group(1)
    child.expect_exact(QUESTION.format(name))
    return words


def exit_code(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


# ---- devices ----


def test_a_device_that_is_signed_needs_no_stop(alice, bob):
    first = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    stop(first)
    second = add_device(bob, "second")
    assert bob.run("devices", "--sign", second).returncode == 0
    assert known(alice, "bob") == {fingerprint(bob): "met"}
    listener = listen(bob, "second")
    assert says(alice, "bob") == 0
    assert known(alice, "bob") == {fingerprint(bob): "met", second: "signed"}
    stop(listener)
    third = add_device(bob, "third")
    assert bob.run("--as", "second", "devices", "--sign", third).returncode == 0
    listener = listen(bob, "third")
    assert says(alice, "bob") == 0  # by way of the second
    stop(listener)
    first = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    assert sorted(known(alice, "bob").values()) == ["met", "signed", "signed"]


def test_a_visit_believes_a_signed_device(alice, bob):
    first = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    stop(first)
    second = add_device(bob, "second")
    visit = alice.visit()
    listener = listen(bob, "second")
    visit.sendline("/talk bob")
    visit.expect_exact("No talk with bob: bob is on another device than before")
    visit.expect_exact(second[:20])
    stop(listener)
    assert bob.run("devices", "--sign", second).returncode == 0
    listener = listen(bob, "second")
    visit.sendline("/talk bob")
    visit.expect_exact("You talk with bob now")


def test_an_unsigned_device_is_told_so(alice, bob):
    listener = alice.listen("--accept", "all")
    assert says(bob, "alice") == 0
    second = add_device(bob, "second")
    way = f"kith devices --sign {second}".encode()
    assert way in bob.run("--as", "second", "login").stderr
    assert way in bob.run("--as", "second", "doctor").stdout
    why = "this device is not believed there to be yours: sign it"
    for verb in ["say", "alice", "hello"], ["doctor", "alice"]:
        refused = bob.run("--as", "second", *verb)
        assert why.encode() in refused.stderr, refused.stderr
        assert refused.returncode == 1
    visit = bob.visit("--as", "second")
    visit.expect_exact(way.decode())
    visit.sendline("/talk alice")
    visit.expect_exact(f"The talk with alice is over: {why}")
    assert bob.run("devices", "--sign", second).returncode == 0
    assert way not in bob.run("--as", "second", "login").stderr
    assert way not in bob.run("--as", "second", "doctor").stdout
    stop(listener)


def test_an_unsigned_device_cannot_compare_words(alice, bob, verify):
    listener = alice.listen("--accept", "all")
    assert says(bob, "alice") == 0
    add_device(bob, "second")
    refused = verify(bob, "alice", "--as", "second")
    refused.expect_exact("this device is not believed there to be yours: sign it")
    stop(listener)


def test_a_device_that_has_signed_and_left(alice, bob):
    first = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    stop(first)
    second = add_device(bob, "second")
    assert bob.run("devices", "--sign", second).returncode == 0
    revoked = bob.run("--as", "second", "devices", "--revoke", fingerprint(bob))
    assert revoked.returncode == 0, revoked.stderr
    listener = listen(bob, "second")
    assert says(alice, "bob") == 0
    stop(listener)


def test_new_devices_that_sign_each_other(alice, bob):
    """As a hub can add them: in a circle. By itself: kith says no, and so does the hub (test_accounts.py)."""
    first = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    stop(first)
    one, other = add_device(bob, "one"), add_device(bob, "other")
    assert bob.run("--as", "one", "devices", "--sign", one).returncode == 2
    listener = listen(bob, "one")
    assert says(alice, "bob") == 5
    for signer, signed in ("one", other), ("other", one):
        assert bob.run("--as", signer, "devices", "--sign", signed).returncode == 0
    assert bob.run("--as", "one", "devices", "--sign", fingerprint(bob)).returncode == 0
    assert says(alice, "bob") == 5
    assert known(alice, "bob") == {fingerprint(bob): "met"}
    stop(listener)


def test_the_way_out_of_a_stop(alice, bob):
    first = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    stop(first)
    add_device(bob, "new")
    listener = listen(bob, "new")
    stopped = alice.say("bob", "hello")
    assert stopped.returncode == 5
    way_out = re.search(r"kith (--hub \S+ forget bob) begins anew", stopped.stderr.decode())
    assert alice.say("bob", "hello").returncode == 5  # again and again
    done = alice.run(*way_out.group(1).split()[2:])
    assert done.returncode == 0
    assert done.stdout.decode().startswith("Forgot 1 device of bob at ")
    assert says(alice, "bob") == 0
    assert known(alice, "bob") == {fingerprint(bob, "--as", "new"): "met"}
    stop(listener)


def test_nothing_is_known(alice, bob):
    for words in ["forget", "carol"], ["id", "carol"]:
        done = alice.run(*words)
        assert done.returncode == 1 and b"nothing is known of carol at " in done.stderr
    assert alice.run("forget", "no/body").returncode == 2
    assert alice.run("id", "no/body").returncode == 2
    alice.where = "127.0.0.1:1"
    never = alice.run("forget", "bob")
    assert never.returncode == 1 and b"was never met" in never.stderr


def test_a_damaged_file_is_not_written_over(alice, bob):
    listener = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    (file,) = alice.folder.glob("**/known_peers")
    damaged = file.read_text() + "carol@nowhere\n"
    file.write_text(damaged)
    for words in ["say", "bob", "hello"], ["forget", "bob"], ["id", "bob"]:
        done = alice.run(*words)
        assert done.returncode == 1 and b"line 2 of " in done.stderr, done.stderr
    assert file.read_text() == damaged
    stop(listener)


def test_a_damaged_file_and_letters(alice, bob):
    listener = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    stop(listener)
    assert bob.say("alice", "in return").returncode == 0
    (file,) = alice.folder.glob("**/known_peers")
    sound = file.read_text()
    file.write_text(sound + "carol@nowhere\n")
    for words in ["say", "bob", "hello"], ["letters"]:
        done = alice.run(*words)
        assert done.returncode == 1 and b"line 2 of " in done.stderr, done.stderr
    file.write_text(sound)
    assert alice.run("letters").stdout.endswith(b"in return\n")


def test_a_file_of_an_older_kith(alice, bob):
    listener = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    (file,) = alice.folder.glob("**/known_peers")
    file.write_text(" ".join(file.read_text().split()[:2]) + "\n")
    assert says(alice, "bob") == 0
    assert known(alice, "bob") == {fingerprint(bob): "met"}
    file.write_text("bob@" + file.read_text().split("@")[1].split()[0] + " " + "A" * 43 + "\n")
    assert says(alice, "bob") == 5
    stop(listener)


# ---- words ----


def test_two_visits_compare_words(alice, bob):
    one, other = alice.visit(), bob.visit()
    meet(one, "bob", other, "alice")
    one.sendline("VERIFY bob")
    shown = words_of(one, "bob")
    other.expect_exact("alice compares words with you: " + shown)
    other.expect_exact("Look at them together; then /verify alice")
    one.sendline("yes")
    one.expect_exact("bob is verified, at this device.")
    other.sendline("/verify")
    assert words_of(other, "alice") == shown
    other.sendline("yes")
    other.expect_exact("alice is verified, at this device.")
    one.sendline("/who")
    one.expect("bob .*, verified")
    assert known(alice, "bob") == {fingerprint(bob): "words"}
    assert known(bob, "alice") == {fingerprint(alice): "words"}
    one.sendline("/close")
    other.expect_exact("alice has ended the talk.")
    leave(one, other)
    again, other = alice.visit(), bob.visit()
    meet(again, "bob", other, "alice", " (verified)")
    again.sendline("/who")
    again.expect("bob .*, verified")


def test_both_say_verify(alice, bob, verify):
    one = verify(alice, "bob")
    one.expect_exact("there is no 'bob' here at present")
    one.expect_exact("he is waited for")
    other = verify(bob, "alice")
    shown = words_of(one, "bob")
    assert words_of(other, "alice") == shown
    one.sendline("what?")
    one.expect_exact(QUESTION.format("bob"))
    one.sendline("yes")
    one.expect_exact("bob is verified, at this device.")
    assert exit_code(one) == 0
    other.sendline("Y")
    assert exit_code(other) == 0
    assert known(alice, "bob") == {fingerprint(bob): "words"}
    assert known(bob, "alice") == {fingerprint(alice): "words"}


def test_a_command_and_a_visit(alice, bob, verify):
    visit = bob.visit()
    one = verify(alice, "bob")
    visit.expect_exact("alice wants to talk: /accept or /decline")
    visit.sendline("/accept")
    shown = words_of(one, "bob")
    visit.expect_exact("alice compares words with you: " + shown)
    one.sendline("yes")
    assert exit_code(one) == 0
    visit.expect_exact("alice has ended the talk.")
    visit.sendline("/verify alice")
    assert words_of(visit, "alice") == shown
    visit.sendline("yes")
    visit.expect_exact("alice is verified, at this device.")


def test_the_words_are_not_the_same(alice, bob, verify):
    visit = bob.visit()
    one = verify(alice, "bob")
    visit.expect_exact("alice wants to talk")
    visit.sendline("/accept")
    words_of(one, "bob")
    one.sendline("no")
    one.expect_exact("somebody may be between you and bob")
    assert exit_code(one) == 5
    visit.expect_exact("alice has ended the talk.")
    visit.sendline("/quit")
    visit.expect(pexpect.EOF)
    listener = bob.listen("--accept", "all")
    stopped = alice.say("bob", "hello")
    assert stopped.returncode == 5 and b"were not the same" in stopped.stderr
    assert known(alice, "bob") == {fingerprint(bob): "doubted"}
    forget(alice, "bob")
    assert says(alice, "bob") == 0
    stop(listener)


def test_no_in_a_visit_ends_the_talk(alice, bob):
    one, other = alice.visit(), bob.visit()
    meet(one, "bob", other, "alice")
    one.sendline("/verify")
    words_of(one, "bob")
    one.sendline("no")
    one.expect_exact("Somebody may be between you and bob")
    other.expect_exact("alice has ended the talk.")
    invite(one, "bob", other, "alice")
    one.expect_exact("No talk with bob: the words compared with bob")


def test_no_is_no_to_what_it_has_signed(alice, bob, verify):
    listener = bob.listen("--accept", "all")
    assert says(alice, "bob") == 0
    second = add_device(bob, "second")
    assert bob.run("devices", "--sign", second).returncode == 0
    stop(listener)
    listener = listen(bob, "second")
    assert says(alice, "bob") == 0
    assert known(alice, "bob") == {fingerprint(bob): "met", second: "signed"}
    stop(listener)
    one, other = verify(alice, "bob"), verify(bob, "alice")
    assert words_of(one, "bob") == words_of(other, "alice")
    one.sendline("no")
    assert exit_code(one) == 5
    assert known(alice, "bob") == {fingerprint(bob): "doubted"}
    listen(bob, "second")
    assert says(alice, "bob") == 5
    refused = bob.run("--as", "second", "say", "--now", "alice", "hello")
    assert refused.returncode == 1


def come_to_the_same_words(one, other):
    """Whichever came first may have found a visit, and then the command."""
    children, words = (one, other), ["", ""]

    def are_the_same():
        for i, child in enumerate(children):
            if child.expect([WORDS, pexpect.TIMEOUT], timeout=0.1) == 0:
                words[i] = child.match.group(1)
        return words[0] and words[0] == words[1]

    until(are_the_same, "the same words")


def test_two_commands_beside_two_visits(alice, bob, verify):
    """The words are those of the commands: whoever types kith verify, compares there."""
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    for _ in range(3):
        one, other = verify(alice, "bob"), verify(bob, "alice")
        come_to_the_same_words(one, other)
        for child in one, other:
            child.sendline("yes")
        assert exit_code(one) == exit_code(other) == 0


def test_a_command_takes_the_place_of_a_visit(alice, bob, verify):
    """Whoever is at a visit when he is asked, and then types the command, too."""
    a, b = alice.visit(), bob.visit()
    meet(a, "bob", b, "alice")
    one = verify(alice, "bob")
    first = words_of(one, "bob")
    b.expect_exact(first)
    other = verify(bob, "alice")
    second = words_of(other, "alice")
    assert second != first
    one.expect_exact("Other words take the place of those before.")
    assert words_of(one, "bob") == second


def test_ctrl_c_at_the_question(alice, bob, verify):
    visit, one = compare_in_a_visit(alice, bob, verify)
    one.sendintr()
    one.expect(pexpect.EOF)
    one.close()
    assert one.signalstatus == signal.SIGINT
    assert known(bob, "alice") == {fingerprint(alice): "met"}


def compare_in_a_visit(alice, bob, verify):
    """alice's visit and bob's kith verify, both asked whether the words are the same."""
    visit = alice.visit()
    one = verify(bob, "alice")
    visit.expect_exact("bob wants to talk")
    visit.sendline("/accept")
    words_of(one, "alice")
    visit.sendline("/verify bob")
    words_of(visit, "bob")
    return visit, one


def test_no_of_one_is_no_of_both(alice, bob, verify):
    visit, one = compare_in_a_visit(alice, bob, verify)
    visit.sendline("no")
    one.expect_exact("alice says the words were not the same")
    assert exit_code(one) == 5
    assert known(bob, "alice") == {fingerprint(alice): "met"}


def test_no_of_a_command_ends_the_question_of_a_visit(alice, bob, verify):
    visit, one = compare_in_a_visit(alice, bob, verify)
    one.sendline("no")
    assert exit_code(one) == 5
    visit.expect_exact("bob says the words were not the same")
    visit.expect_exact("bob has ended the talk.")
    visit.sendline("/verify bob")
    visit.expect_exact("You do not talk with bob")


def test_somebody_verified_on_a_device_that_is_not_signed(alice, bob, verify):
    one, other = verify(alice, "bob"), verify(bob, "alice")
    for child, name in (one, "bob"), (other, "alice"):
        words_of(child, name)
        child.sendline("yes")
    assert exit_code(one) == exit_code(other) == 0
    second = add_device(bob, "second")
    listener = listen(bob, "second")
    stopped = alice.say("bob", "hello")
    assert stopped.returncode == 5
    assert b"THIS MAY BE SOMEBODY ELSE. bob was verified" in stopped.stderr
    stop(listener)
    assert bob.run("devices", "--sign", second).returncode == 0
    listener = listen(bob, "second")
    assert says(alice, "bob") == 0
    assert known(alice, "bob") == {fingerprint(bob): "words", second: "vouched"}
    stop(listener)


def test_nobody_is_there_to_compare(alice, bob, verify):
    listener = bob.listen("--accept", "all")
    one = verify(alice, "bob")
    one.expect_exact("no words with bob: nobody is there to compare them")
    assert exit_code(one) == 1
    stop(listener)
    visit = bob.visit()
    one = verify(alice, "bob")
    visit.expect_exact("alice wants to talk")
    visit.sendline("/decline")
    one.expect_exact("bob does not want to talk")
    assert exit_code(one) == 1


def test_words_are_for_a_terminal(alice):
    for options in [], ["--json"]:
        done = alice.run(*options, "verify", "bob")
        assert done.returncode == 2 and b"needs a terminal" in done.stdout + done.stderr


def test_oneself(alice, verify):
    one = verify(alice, "ALICE")
    one.expect_exact("is you")
    assert exit_code(one) == 2


# ---- who is here ----


def who(person):
    lines = person.run("--json", "who").stdout.splitlines()
    return {p["name"]: (p["devices"], p["verified"]) for p in map(json.loads, lines)}


def test_who_is_here(alice, bob, verify):
    done = alice.run("who")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")  # it makes nobody present
    before = int(time.time())
    listener = bob.listen("--accept", "all")
    assert who(alice) == {"bob": (1, False)}
    assert alice.run("who").stdout == b"bob          just now\n"
    [there] = map(json.loads, alice.run("--json", "who").stdout.splitlines())
    assert list(there) == ["name", "since_ms", "devices", "verified"]
    assert before * 1000 <= there["since_ms"] <= time.time() * 1000
    stop(listener)
    one, other = verify(alice, "bob"), verify(bob, "alice")
    for child, name in [(one, "bob"), (other, "alice")]:
        words_of(child, name)
        child.sendline("yes")
    assert exit_code(one) == exit_code(other) == 0
    second = add_device(bob, "second")
    assert bob.run("devices", "--sign", second).returncode == 0
    listeners = [bob.listen("--accept", "all"), listen(bob, "second")]
    assert who(alice) == {"bob": (2, True)}
    assert alice.run("who").stdout == b"bob          just now, 2 devices, verified\n"
    assert alice.run("--quiet", "who").stdout == b"bob\n"
    assert who(bob) == {"bob": (2, False)}
    stop(*listeners)


def test_who_is_for_members(alice, hub):
    stranger = alice.run("--as", "stranger", "--json", "who")
    assert stranger.returncode == 4 and b"nobody" in stranger.stdout + stranger.stderr
    assert alice.run("who", "bob").returncode == 2
    book = next(alice.folder.glob("kith/default")) / "known_peers"
    book.write_text("damaged\n")
    done = alice.run("who")
    assert done.returncode != 0 and b"known_peers" in done.stderr
    hub.stop()
    assert alice.run("who").returncode == 3

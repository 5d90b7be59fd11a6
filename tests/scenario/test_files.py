"""Goal: what somebody sends with kith arrives as it was: all of it, byte for byte, under its names, with
its times; both sides are told what became of it."""

import os
import re
import shutil
import signal
import stat
import subprocess

import pytest
from files import CHUNK, MIB, at_work, named, noise, put, receiving, send, staged, tree, until_event
from hubs import PATIENCE, until

LONG_AGO = 1_234_567_890_123_456_789  # to the nanosecond


@pytest.fixture
def box(tmp_path):
    return tmp_path / "box"


@pytest.fixture
def things(tmp_path):
    return tmp_path / "things"


@pytest.fixture
def receiver(bob, box):
    """bob, who takes what alice sends."""
    return receiving(bob, box, "--from", "alice", "--json")


# ---- what arrives ----


def test_files_of_every_size(alice, receiver, box, things):
    """Alone, and around the size of a chunk."""
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5]:
        path = put(things / f"of-{size}", noise(size), mtime=LONG_AGO + size)
        done = send(alice, "bob", path)
        assert done.returncode == 0, done.stderr
    assert tree(box) == tree(things) and staged(box) == []


def test_folders_with_all_that_is_in_them(alice, receiver, box, things):
    put(things / "photos/2024/a.jpg", noise(CHUNK + 1, b"a"), mtime=LONG_AGO)
    put(things / "photos/2024/empty.jpg", mtime=LONG_AGO + 1)
    put(things / "photos/run.sh", b"#!/bin/sh\n", mode=0o755)
    put(things / "notes.txt", b"notes\n")
    (things / "photos/nothing/at/all").mkdir(parents=True)
    (things / "bare").mkdir()
    for folder in [things / "photos/nothing", things / "photos/2024", things / "photos", things / "bare"]:
        os.utime(folder, ns=(LONG_AGO, LONG_AGO + 7))
    done = send(alice, "bob", things / "photos", things / "notes.txt", things / "bare")
    assert done.returncode == 0, done.stderr
    assert tree(box) == tree(things) and staged(box) == []


def test_a_path_may_end_with_a_slash_or_be_relative(alice, receiver, box, things):
    put(things / "photos/a.jpg", b"a")
    put(things / "b.txt", b"b")
    done = send(alice, "bob", "photos/", "./b.txt", cwd=things)
    assert done.returncode == 0, done.stderr
    assert tree(box) == tree(things)


def test_of_the_rights_only_whether_it_may_be_executed(alice, receiver, box, things):
    """Whoever sends decides neither who writes nor as whom something runs."""
    rights = {0o6755: 0o755, 0o777: 0o755, 0o700: 0o755, 0o600: 0o644, 0o666: 0o644, 0o2654: 0o644,
              0o400: 0o644}
    for mode in rights:
        put(things / f"of-{mode:o}", b"#!/bin/sh\n", mode=mode)
    (things / "open").mkdir()
    (things / "open").chmod(0o3777)
    done = send(alice, "bob", *things.iterdir())
    assert done.returncode == 0, done.stderr
    assert {mode: stat.S_IMODE((box / f"of-{mode:o}").stat().st_mode) for mode in rights} == rights
    assert stat.S_IMODE((box / "open").stat().st_mode) == 0o755


def test_the_umask_of_who_receives_is_kept(alice, bob, box, things):
    put(things / "run", b"#!/bin/sh\n", mode=0o755)
    put(things / "plain", b"plain", mode=0o644)
    before = os.umask(0o027)
    try:
        receiving(bob, box, "--from", "alice")
    finally:
        os.umask(before)
    assert send(alice, "bob", things / "run", things / "plain").returncode == 0
    modes = [stat.S_IMODE((box / name).stat().st_mode) for name in ["run", "plain"]]
    assert modes == [0o750, 0o640]


def test_links_and_devices_are_left_out_and_said(alice, receiver, box, things):
    put(things / "all/real", b"real")
    (things / "all/link").symlink_to("real")
    os.mkfifo(things / "all/pipe")
    done = send(alice, "bob", things / "all", "--json")
    assert done.returncode == 6, done
    assert sorted((os.path.basename(e["path"]), e["why"]) for e in named(done.events, "skipped")) == [
        ("link", "a link"), ("pipe", "neither a file nor a folder")]
    assert sorted(tree(box)) == [b"all", b"all/real"]


def test_a_home_goes_without_its_keys(alice, receiver, box, things):
    """Those of all its profiles."""
    put(things / "home/letter", b"dear")
    alice.env["XDG_CONFIG_HOME"] = str(things / "home/.config")
    shutil.copytree(alice.folder / "kith", things / "home/.config/kith")
    done = send(alice, "bob", things / "home", "--json")
    assert done.returncode == 6, done
    assert [(e["path"], e["why"]) for e in named(done.events, "skipped")] == [
        (str(things / "home/.config/kith"), "the keys of this device are in it")]
    assert sorted(tree(box)) == [b"home", b"home/.config", b"home/letter"]


# ---- standard input and output ----


def test_standard_input(alice, receiver, box):
    for size in [0, 1, CHUNK, 5 * MIB + 3]:
        done = send(alice, "bob", "-", "--as", f"notes-{size}.txt", input=noise(size))
        assert done.returncode == 0, done.stderr
        assert (box / f"notes-{size}.txt").read_bytes() == noise(size) and staged(box) == []


def test_standard_output(alice, bob, things, tmp_path):
    """One file, byte for byte, and nothing else; it is over then."""
    path = put(things / "all.tar", noise(2 * MIB + 1))
    receiver = receiving(bob, "-", "--from", "alice")
    assert send(alice, "bob", path).returncode == 0
    assert receiver.wait(PATIENCE) == 0
    assert (bob.folder / f"out-{bob.opened.index(receiver)}").read_bytes() == noise(2 * MIB + 1)


def test_from_pipe_to_pipe(alice, bob):
    receiver = receiving(bob, "-", "--from", "alice")
    assert send(alice, "bob", "-", "--as", "x", input=noise(MIB)).returncode == 0
    assert receiver.wait(PATIENCE) == 0
    assert (bob.folder / f"out-{bob.opened.index(receiver)}").read_bytes() == noise(MIB)


def test_standard_output_takes_one_file_only(alice, bob, things):
    put(things / "a", b"a")
    put(things / "b", b"b")
    receiver = receiving(bob, "-", "--from", "alice")
    done = send(alice, "bob", things / "a", things / "b")
    assert done.returncode != 0 and receiver.poll() is None and receiver.said() == ""
    assert "standard output takes one file" in receiver.complained()


def test_standard_output_is_the_file_s_alone(bob):
    done = bob.run("--json", "receive", "--into", "-")
    assert done.returncode == 2 and b"no --json" in done.stderr + done.stdout, done


# ---- several at once ----


def test_to_several_people(hub, make_person, alice, bob, things, tmp_path):
    carol = make_person("carol", hub.where)
    path = put(things / "report.pdf", noise(MIB))
    boxes = [tmp_path / "bob-box", tmp_path / "carol-box"]
    for person, box in zip([bob, carol], boxes):
        receiving(person, box, "--from", "alice")
    done = send(alice, "bob,carol", path, "--json")
    assert done.returncode == 0, done.stderr
    assert sorted(e["to"] for e in named(done.events, "done")) == ["bob", "carol"]
    assert [tree(box) for box in boxes] == [tree(things)] * 2


def test_both_ways_at_once(alice, bob, tmp_path):
    """Each waits for files and sends some, all at the same time."""
    sides = []
    for person, name, other in [(alice, "alice", "bob"), (bob, "bob", "alice")]:
        folder, box = tmp_path / f"of-{name}", tmp_path / f"to-{name}"
        put(folder / "much", noise(8 * MIB, name.encode()))
        receiving(person, box, "--from", other)
        sides.append((folder, box))
    both = [at_work(person, "send", other, folder / "much")
            for person, other, (folder, _) in [(alice, "bob", sides[0]), (bob, "alice", sides[1])]]
    assert [(one.wait(PATIENCE), one.said()) for one in both] == [(0, "")] * 2
    assert tree(sides[0][0]) == tree(sides[1][1]) and tree(sides[1][0]) == tree(sides[0][1])


def test_several_to_one_at_the_same_time(alice, receiver, box, things):
    names = [f"file-{n}" for n in range(4)]
    for name in names:
        put(things / name, noise(MIB, name.encode()))
    all_of_them = [at_work(alice, "send", "bob", things / name) for name in names]
    assert [(one.wait(PATIENCE), one.complained()[-200:])[0] for one in all_of_them] == [0] * 4
    assert tree(box) == tree(things) and staged(box) == []


# ---- what is said of it ----


def test_events_of_both_sides(alice, receiver, things, box):
    put(things / "all/a", b"a" * 10)
    put(things / "all/b", b"b" * 20)
    done = send(alice, "bob", things / "all", "--json")
    assert done.returncode == 0 and done.stderr == b""
    sent = [{**e, "way": None} if "way" in e else e for e in done.events]
    ident = sent[0]["id"]
    assert [e["event"] for e in sent] == ["offered", "started", "done"]
    assert all(e["id"] == ident and e["to"] == "bob" for e in sent) and re.fullmatch(r"[\w-]{22}", ident)
    assert sent[0] == {"event": "offered", "id": ident, "to": "bob", "name": "all", "entries": 3, "bytes": 30}
    over = until_event(receiver, "done")
    taken = receiver.events()
    assert [e["event"] for e in taken] == ["started", "file", "file", "published", "done"]
    assert all(e["id"] == ident and e["from"] == "alice" for e in taken)
    assert [(e["path"], e["bytes"]) for e in named(taken, "file")] in [
        [("all/a", 10), ("all/b", 20)], [("all/b", 20), ("all/a", 10)]]
    published = named(taken, "published")[0]
    assert (published["name"], published["as"], published["into"]) == ("all", "all", str(box))
    assert (over["entries"], over["bytes"], over["moved"]) == (3, 30, 30)


def test_lines_of_both_sides(alice, bob, things, box):
    receiver = receiving(bob, box, "--from", "alice")
    put(things / "report.pdf", b"x" * 2048)
    done = send(alice, "bob", things / "report.pdf")
    assert (done.returncode, done.stdout) == (0, b"")
    first, last = done.stderr.decode().splitlines()
    assert first == "kith: for bob: report.pdf, 2.0 KiB"
    assert re.fullmatch(r"kith: sent to bob: report\.pdf, 2\.0 KiB in [\d.]+ s, \S+ \S+/s, direct \S+", last)
    until(lambda: "received" in receiver.complained(), "that it was received")
    assert receiver.said() == "report.pdf  2.0 KiB from alice\n"
    waits, received = receiver.complained().splitlines()
    assert waits == f"kith: waiting for files at {bob.where} as bob, into {box}"
    assert re.fullmatch(r"kith: received from alice: report\.pdf, 2\.0 KiB in [\d.]+ s, \S+ \S+/s, direct \S+; into .*",
                        received)


def test_quietly(alice, bob, things, box):
    """Of what is well nothing is said but what was asked for."""
    receiver = at_work(bob, "--quiet", "receive", "--into", box, "--from", "alice")
    done = send(alice, "bob", put(things / "a", b"a"), "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    until(lambda: receiver.said() == "a  1 B from alice\n", "the line of the file")
    assert receiver.complained() == ""


def test_a_profile_forgets_what_is_over(alice, bob, receiver, things):
    assert send(alice, "bob", put(things / "a", b"a")).returncode == 0
    until_event(receiver, "done")
    for person in [alice, bob]:
        listed = person.run("transfers")
        assert (listed.returncode, listed.stdout) == (0, b""), listed


# ---- what cannot be ----


WRONG = [
    (["bob", "/nowhere"], 1, "/nowhere: no such file or folder"),
    (["bob"], 2, "what to send is missing; kith --help says more"),
    (["bob,", "here"], 2, "to whom? NAME, or NAME,NAME"),
    (["all", "here"], 2, "to whom? NAME, or NAME,NAME"),
    (["bob", "-"], 2, "what is read has no name: kith send NAME - --as notes.txt"),
    (["bob", "here", "--as", "x"], 2, "--as behind a path is for -: it says what standard input is called; "
     "a profile's is before"),
    (["bob", "-", "here", "--as", "x"], 2, "- is standard input, and is sent alone"),
    (["bob", "-", "--as", "a/b"], 2, "a file cannot be called that"),
    (["bob", "-", "--as", ".."], 2, "a file cannot be called that"),
    (["bob", "-", "--as", "x" * 256], 2, "a file cannot be called that"),
    (["bob,carol", "-", "--as", "x"], 2, "standard input is sent to one person")]


def test_what_is_wrong_is_said_at_once(alice, tmp_path):
    """bob is not here; nobody is asked."""
    put(tmp_path / "here", b"here")
    for words, code, says in WRONG:
        done = send(alice, *words, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.decode()) == (code, b"", f"kith: {says}\n")


def test_receive_says_what_is_wrong_at_once(alice):
    for words, says in [(["--from", "a b"], "--from takes names, as in alice,bob, or all"),
                        (["--rename", "--replace"], "--rename and --replace exclude each other"),
                        (["--accept", "many"], "--accept takes a size, as in 10G or 500M")]:
        done = alice.run("receive", *words)
        assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"kith: {says}\n")


def test_nothing_but_what_cannot_be_sent(alice, bob, things):
    """It is over without anybody having been asked."""
    os.mkfifo(things)
    done = send(alice, "bob", things)
    assert (done.returncode, done.stderr.decode().splitlines()) == (6, [
        f"kith: {things} is not sent: neither a file nor a folder",
        "kith: nothing to bob: what is sent cannot be read: there is nothing to send"])
    assert alice.run("transfers").stdout == b""


def test_no_hub(hub, alice, things):
    put(things / "a", b"a")
    hub.stop()
    for words in [["send", "bob", things / "a"], ["receive", "--into", things]]:
        done = alice.run(*words)
        assert done.returncode == 3 and done.stdout == b"", done


def test_not_here_and_not_to_be_waited_for(alice, bob, things):
    done = send(alice, "bob", put(things / "a", b"a"), "--now", "--json")
    assert [e.get("reason") for e in done.events if e.get("event") == "failed"] == ["is not here"]
    done = send(alice, "bob", put(things / "a", b"a"), "--now")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines() == ["kith: for bob: a, 1 B", "kith: bob is not here"]


@pytest.mark.parametrize("option", [(), ("--now",)])
def test_nobody_of_that_name(alice, things, option):
    done = send(alice, "nobody", put(things / "a", b"a"), *option)
    assert done.returncode == 1 and b"kith: nobody has no account at this hub\n" in done.stderr, done


def test_who_is_not_here_is_waited_for(alice, bob, things, box):
    put(things / "a", noise(MIB))
    sender = at_work(alice, "send", "bob", things / "a")
    until(lambda: "kith: bob is not here; waiting for him\n" in sender.complained(), "that she waits")
    receiving(bob, box, "--from", "alice")
    assert sender.wait(PATIENCE) == 0 and tree(box) == tree(things)


def test_who_is_stopped_is_told_how_it_goes_on(alice, bob, things, box):
    put(things / "a", noise(MIB))
    sender = at_work(alice, "send", "bob", things / "a")
    until(lambda: "kith: bob is not here; waiting for him\n" in sender.complained(), "that she waits")
    sender.send_signal(signal.SIGINT)
    assert sender.wait(PATIENCE) == -signal.SIGINT
    assert sender.complained().splitlines()[-1] == (
        "kith: stopped; the same command goes on with it, and so does kith transfers resume")
    receiving(bob, box, "--from", "alice")
    assert alice.run("transfers", "resume").returncode == 0 and tree(box) == tree(things)


def test_where_it_cannot_be_received(bob, tmp_path):
    put(tmp_path / "file")
    done = bob.run("receive", "--into", tmp_path / "file")
    assert (done.returncode, done.stderr.decode()) == (
        1, f"kith: cannot receive into {tmp_path}/file: it is not a folder, or not in one\n"), done


def test_output_that_cannot_be_written(alice, bob, things, box):
    """It ends, and says so with its code: whoever reads on would miss something."""
    words = bob.words("--hub", bob.where, "receive", "--into", box, "--from", "alice")
    with open("/dev/full", "w") as full:
        receiver = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                                    env=bob.env)
    bob.opened.append(receiver)
    assert b"waiting for files" in receiver.stderr.readline()
    at_work(alice, "send", "bob", put(things / "a", b"a"))
    assert receiver.wait(PATIENCE) == 1
    receiver.stderr.close()

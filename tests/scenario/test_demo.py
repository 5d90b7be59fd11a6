"""Goal: the demo plays its story on real processes, and says so only if all of it was right."""

import json
import os
import re
import stat

import pytest
from conftest import run_kith

ANSWERS = 20


@pytest.fixture
def demo(build, tmp_path):
    def run(*words, **env):
        return run_kith(build, "demo", "--logs", tmp_path / "logs", *words,
                        env={"TMPDIR": str(tmp_path), **env})

    return run


def story(tmp_path, text):
    path = tmp_path / "a.story"
    path.write_text(text)
    return path


def scratch(tmp_path):
    return list(tmp_path.glob("kith-demo-*"))


def test_the_story(demo, tmp_path):
    result = demo()
    lines = result.stdout.decode().splitlines()
    assert (result.returncode, result.stderr) == (0, b"")
    assert lines[:2] == ["Server Starting", "The server is ready to receive"]
    at = lines.index("TEST CASE: Alice STORE foo=foo-val-none")
    assert lines[at:at + 9] == [
        "TEST CASE: Alice STORE foo=foo-val-none",
        "Server Response in Alice: Saved Successfully for key:foo",
        "TEST CASE (INVALID KEY): Alice GET abc",
        "Server Response in Alice: Invalid Key:abc",
        "TEST CASE (CONCURRENCY): Alice STORE foo=foo-val-alice",
        "TEST CASE (CONCURRENCY): Bob STORE foo=foo-val-bob",
        "Server Response in Alice: Update Successfully for key:foo",
        "Server Response in Bob: Update Successfully for key:foo",
        lines[at + 8]]
    assert re.fullmatch(r"All of them were under way at once, for \d+\.\d+ ms", lines[at + 8])
    left = lines[at + 10].rsplit(": ")[-1]
    assert left in ("foo-val-alice", "foo-val-bob")
    assert lines[at + 9:] == [
        "TEST CASE: Alice GET foo", f"Server Response in Alice: {left}",
        "TEST CASE: Bob GET foo", f"Server Response in Bob: {left}",
        "TEST CASE: Bob STORE foo-bob=foo-bob-val-bob",
        "Server Response in Bob: Saved Successfully for key:foo-bob",
        "Sending STOP SERVER message to Bob", "Server Response in Bob: Server Quitting..!",
        "Drives ends", f"{ANSWERS} answers, all of them right; the logs are in {tmp_path}/logs"]
    logs = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert set(logs) == {"hub.log", "writer.log", "reader.log", "alice.log", "bob.log"}
    assert "STORE foo = foo-val-none" in logs["alice.log"]
    assert "Server Quitting..!" in logs["bob.log"]
    assert scratch(tmp_path) == []


def test_quiet_and_json(demo):
    result = demo("--quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    lines = [json.loads(line) for line in demo("--json").stdout.splitlines()]
    assert len(lines) == ANSWERS + 1 and all(line["right"] for line in lines[:-1])
    assert (lines[-1]["answers"], lines[-1]["wrong"]) == (ANSWERS, 0)


def test_on_a_hub_that_runs(demo, hub):
    for _ in range(2):
        result = demo("--hub", hub.where)
        assert (result.returncode, result.stderr) == (0, b"")
        assert b"STOP SERVER message" not in result.stdout
        assert b"The hub goes on" in result.stdout
    assert hub.kith("get", "foo-bob").stdout == b"foo-bob-val-bob\n"


def test_the_story_printed_can_be_played(demo, tmp_path):
    text = demo("--print-story").stdout.decode()
    assert demo("--story", story(tmp_path, text)).returncode == 0


def test_a_wrong_answer(demo, tmp_path):
    result = demo("--story", story(tmp_path, "client Alice full\nask Alice GET k\nexpect v\n"))
    assert result.returncode == 1
    assert b"line 2 of the story, Alice: GET k: expected v, not Invalid Key:k" in result.stderr
    assert scratch(tmp_path) == []


def test_a_connection_the_hub_closes(demo, tmp_path):
    text = "client A full\nask A GET / HTTP/1.1\nexpect v\n"
    result = demo("--story", story(tmp_path, text))
    assert result.returncode == 1
    assert result.stderr == b"kith: A: the hub closed the connection instead of answering\n"
    assert scratch(tmp_path) == []


def test_a_bad_story(demo, tmp_path):
    path = story(tmp_path, "client A full\nplay\n")
    result = demo("--story", path)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(f"kith: {path}:2: ".encode())
    assert demo("--story", tmp_path / "none").returncode == 2


@pytest.mark.parametrize("body, words", [
    ("echo 'kithd: no' >&2; exit 3", b"the hub ended before it listened"),
    ("echo hello; exec sleep 100", b"the hub did not say where it listens")])
def test_a_hub_that_does_not_start(build, tmp_path, body, words):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "kith").write_bytes((build / "kith").read_bytes())
    (folder / "kithd").write_text(f"#!/bin/sh\n{body}\n")
    for name in ("kith", "kithd"):
        os.chmod(folder / name, stat.S_IRWXU)
    result = run_kith(folder, "demo", "--logs", tmp_path / "logs",
                      env={"TMPDIR": str(tmp_path)})
    assert result.returncode == 1 and words in result.stderr
    assert scratch(tmp_path) == []

"""Goal: a file arrives under the name it has, whatever bytes that is made of, and no name does anything to
the terminal of who reads it."""

import base64
import os

import pytest
from files import named, receiving, send, tree, until_event
from hubs import until

# All bytes that a name may have, by 200 in a name; and what trips programs over.
ALL_BYTES = bytes(b for b in range(1, 256) if b != ord("/"))
ODD = [b"-", b"--", b"-rf", b"--as", b" ", b"  two  blanks  ", b"a\nb", b"\n", b"a\rb", b"a\tb", b"...", b"..x",
       b"~", b"$HOME", b"`id`", b"*", b"?", b"\\", b"\\n", b"'", b'"', b"a;b", b"con", b"x" * 255, b"\xff" * 255,
       b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", "\u202egnp.exe".encode(), "e\u0301".encode(),
       "\u00e9".encode(), "\u3042".encode() * 85, b"\x1b[2J", b"\x1b]0;title\x07", b"\x9b31m", b"\x7f",
       b"CASE", b"case"] + [ALL_BYTES[:127], ALL_BYTES[127:]]
HIDDEN = [b".hidden", b"..x", b"...", b".-", b".\n"]


@pytest.fixture
def box(tmp_path):
    return tmp_path / "box"


def make(folder, names):
    folder = os.fsencode(folder)
    os.makedirs(folder, exist_ok=True)
    for name in names:
        with open(os.path.join(folder, name), "wb") as f:
            f.write(name)
    return folder


def is_clean(text):
    """Nothing in it but lines of what can be seen."""
    return all(line.isprintable() and "\u202e" not in line for line in text.split("\n"))


def test_within_a_folder(alice, bob, box, tmp_path):
    """Byte for byte, hidden ones, too."""
    make(tmp_path / "things/all", ODD + HIDDEN + [b".kith"])
    for name in ODD:
        make(os.path.join(os.fsencode(tmp_path / "things/all/folders"), name), [b"in it"])
    receiver = receiving(bob, box, "--from", "alice")
    done = send(alice, "bob", tmp_path / "things/all")
    assert done.returncode == 0, done.stderr
    assert tree(box) == tree(tmp_path / "things")
    until(lambda: "received" in receiver.complained(), "that all was said")
    assert receiver.said().count("\n") == 2 * len(ODD) + len(set(HIDDEN) - set(ODD)) + 1
    for said in [receiver.said(), receiver.complained(), done.stderr.decode()]:
        assert is_clean(said), ascii(said)


def test_at_the_top(alice, bob, box, tmp_path):
    """But for a leading dot, which would hide it."""
    folder = make(tmp_path / "things", [name for name in ODD if name not in HIDDEN])
    hidden = make(tmp_path / "hidden", HIDDEN)
    receiver = receiving(bob, box, "--from", "alice")
    done = send(alice, "bob", "--", *[os.fsdecode(os.path.join(b".", name)) for name in os.listdir(folder)],
                cwd=folder)
    assert done.returncode == 0, done.stderr
    assert tree(box) == {name: what for name, what in tree(tmp_path / "things").items()}
    done = send(alice, "bob", *[os.fsdecode(os.path.join(hidden, name)) for name in os.listdir(hidden)])
    assert done.returncode == 0, done.stderr
    for name in HIDDEN:
        with open(os.path.join(os.fsencode(box), b"_" + name[1:]), "rb") as f:
            assert f.read() == name
    for said in [receiver.said(), receiver.complained(), done.stderr.decode()]:
        assert is_clean(said), ascii(said)


def test_what_looks_like_an_option(alice, bob, box, tmp_path):
    folder = make(tmp_path / "things", [b"--sha256", b"-"])
    receiving(bob, box, "--from", "alice")
    done = send(alice, "bob", "--", "--sha256", "-", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert sorted(tree(box)) == [b"-", b"--sha256"]


def test_a_name_that_is_kept_for_what_is_staged(alice, bob, box, tmp_path):
    make(tmp_path / "things", [b".kith", b".KITH"])
    receiving(bob, box, "--from", "alice")
    for name in [".kith", ".KITH"]:
        done = send(alice, "bob", tmp_path / "things" / name)
        assert done.returncode == 6, done
        assert done.stderr.decode().splitlines()[-1] == (
            f"kith: {name} to bob: a name that no file can have there")


def test_names_in_events(alice, bob, box, tmp_path):
    """Each line is JSON; what is no UTF-8 is told in full, too."""
    names = set(ODD + HIDDEN)
    make(tmp_path / "all", names)
    receiver = receiving(bob, box, "--from", "alice", "--json")
    done = send(alice, "bob", tmp_path / "all", "--json")
    assert done.returncode == 0 and done.stderr == b""
    until_event(receiver, "done")
    told = [e["path"].encode() if "path" in e else base64.b64decode(e["path_base64"])
            for e in named(receiver.events(), "file")]
    assert sorted(told) == sorted(b"all/" + name for name in names)


def test_names_in_a_list_of_what_is_unfinished(alice, bob, tmp_path):
    folder = make(tmp_path / "things", [b"\x1b[2Jx\n"])
    send(alice, "bob", os.fsdecode(os.path.join(folder, b"\x1b[2Jx\n")), "--now")
    done = alice.run("transfers")
    assert is_clean(done.stdout.decode()), done
    box = tmp_path / "box"
    make(box, [b"\x1b[2Jx\n"])
    receiver = receiving(bob, box, "--from", "alice")
    done = send(alice, "bob", os.fsdecode(os.path.join(folder, b"\x1b[2Jx\n")))
    assert done.returncode == 1
    listed = alice.run("transfers").stdout.decode()
    assert listed.count("\n") == 1 and "there is something of that name" in listed
    for said in [listed, bob.run("transfers").stdout.decode(), done.stderr.decode(), receiver.complained()]:
        assert is_clean(said), ascii(said)

"""The checks of ./dev check: this tree passes them, and a tree that should not does not."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(tool, root):
    return subprocess.run([ROOT / "tools" / tool, root], capture_output=True, text=True)


@pytest.fixture
def write(tmp_path):
    def put(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return put


@pytest.fixture
def tree(tmp_path, write):
    """A small tree in order: includes downward, a lock and a socket where they may be."""
    write("src/base/bytes.h", "#include <stdint.h>\n")
    write("src/wire/line.h", '#include "base/bytes.h"\n')
    write("src/store/store.h", "/* printf(1) is only a word here, strcpy(a, b) too */\n")
    write("src/store/table.c", '#include "store/store.h"\n#include <pthread.h>\n')
    write("src/hub/hub.h", '#include "store/store.h"\n#include "wire/line.h"\n')
    write("src/io/loop.c", '#include "base/bytes.h"\n#include <sys/socket.h>\n')
    write("src/kithd/main.c", '#include "hub/hub.h"\nint main(void) { printf("strcpy(a)"); }\n')
    return tmp_path


@pytest.mark.parametrize("tool", ["check-floors", "check-banned"])
def test_this_tree_passes(tool):
    result = check(tool, ROOT)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("tool", ["check-floors", "check-banned"])
def test_a_tree_in_order_passes(tool, tree):
    result = check(tool, tree)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("tool", ["check-floors", "check-banned"])
def test_an_empty_tree_is_no_proof(tool, tmp_path):
    assert check(tool, tmp_path).returncode != 0


@pytest.mark.parametrize("path, line, problem", [
    ("src/base/a.c", '#include "wire/line.h"', "includes wire/line.h: upward"),
    ("src/wire/a.c", '#  include "hub/hub.h"', "includes hub/hub.h: upward"),
    ("src/hub/a.h", '#include "io/loop.c"', "includes io/loop.c: beside"),
    ("src/kithd/a.c", '#include "kith/a.h"', "includes kith/a.h: not a file"),
    ("src/wire/a.c", '#include "line.h"', "includes line.h: not a file"),
    ("src/wire/a.c", '#include "../wire/line.h"', "includes ../wire/line.h: not a file"),
    ("src/store/a.c", "#include <unistd.h>", "includes unistd.h: not for"),
    ("src/hub/a.c", "#include <sys/socket.h>", "includes sys/socket.h: not for"),
    ("src/client/a.c", "#include <uv.h>", "includes uv.h: not for"),
    ("src/base/a.h", "#include <time.h>", "includes time.h: not for"),
    ("src/wire/a.c", "#include <pthread.h>", "includes pthread.h: not for"),
    ("src/store/a.c", "int x = pthread_create(0);", "calls pthread_create: not for"),
    ("src/base/a.c", 'void f(void) { printf ("x"); }', "calls printf: not for"),
    ("src/stray.c", "", "lies on no floor"),
    ("src/attic/a.c", "", "lies on no floor"),
])
def test_floors_are_kept(tree, write, path, line, problem):
    write(path, f"/* {path} */\n{line}\n")
    result = check("check-floors", tree)
    assert result.returncode == 1
    assert result.stdout.startswith(f"{path}:") and problem in result.stdout
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize("path, line, problem", [
    ("src/io/a.c", "strcpy(a, b);", "calls strcpy: bounds unknown"),
    ("src/kith/a.c", "int n = atoi (s);", "calls atoi: errors unseen"),
    ("tests/unit/a.c", "system(s);", "calls system: runs a shell"),
    ("src/base/a.h", "/* T" "ODO: more */", "says T" "ODO"),
    ("docs/a.md", "F" "IXME", "says F" "IXME"),
    ("dev", "# H" "ACK", "says H" "ACK"),
])
def test_banned_things_are_found(tree, write, path, line, problem):
    write(path, line + "\n")
    result = check("check-banned", tree)
    assert result.returncode == 1
    assert result.stdout.startswith(f"{path}:1: ") and problem in result.stdout

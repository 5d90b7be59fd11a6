"""Goal: what `./dev run` tells of two people is true: they register, meet, talk, and a file that is cut in
the middle goes on and arrives."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]


def test_two_people(build):
    told = subprocess.run([ROOT / "examples/two-people", build], capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stdout + told.stderr
    lines = told.stdout.splitlines()
    assert "Registered alice" in lines and "Registered bob" in lines
    assert "alice: I have something for you." in lines
    assert "(killed)" in lines and "kith: that was begun before, and goes on" in lines
    [sent, received, summed] = [line.removeprefix("bob: ") for line in lines if line.endswith("  film.mkv")]
    assert sent == received == summed

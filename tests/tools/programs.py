"""The programs as built, and what their help says there is."""

import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ["kith", "kithd"]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def build():
    return pathlib.Path(os.environ.get("KITH_BUILD", ROOT / "build")).resolve()


def run(program, *arguments):
    """What it prints; it must succeed."""
    return subprocess.run([build() / program, *arguments], check=True, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL).stdout


def commands():
    """kith's commands, as its help lists them."""
    found = re.findall(r"^  ([a-z]+) .*", run("kith", "help"), re.MULTILINE)
    return set(found) - {"kith"}


def command_options(command):
    return set(OPTION.findall(run("kith", "help", command)))


def options(program):
    """Every option that its help names, that of the commands included."""
    found = set(OPTION.findall(run(program, "--help")))
    if program == "kith":
        found = found.union(*map(command_options, commands()))
    return found

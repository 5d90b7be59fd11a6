"""The script everything else starts from, as far as it can be tried without building."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = ["run", "test", "build", "check", "fuzz", "soak", "sanitize", "bench", "bench", "bench",
            "bench"]


def dev(*arguments):
    return subprocess.run([ROOT / "dev", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"]])
def test_help(arguments):
    result = dev(*arguments)
    assert result.returncode == 0
    assert re.findall(r"^\./dev (\w+)", result.stdout, re.MULTILINE) == COMMANDS


@pytest.mark.parametrize("arguments, complaint", [
    (["nonsense"], "./dev run"),
    (["test", "nonsense"], "no such kind: nonsense"),
    (["fuzz", "soon"], "not a number of seconds: soon"),
    (["soak", "long"], "not a number of seconds: long"),
    (["fuzz", "-1"], "not a number of seconds: -1"),
])
def test_what_makes_no_sense_is_refused(arguments, complaint):
    result = dev(*arguments)
    assert result.returncode == 2
    assert complaint in result.stderr


def test_where_nothing_can_be_installed_the_packages_are_named(tmp_path):
    for tool in ["bash", "cat", "dirname", "id", "readlink", "sort"]:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    result = subprocess.run([ROOT / "dev", "build"], env={"PATH": str(tmp_path)},
                            capture_output=True, text=True)
    assert result.returncode == 1
    assert "install them first: gcc " in result.stderr and "libuv1-dev" in result.stderr


def test_the_documents_name_every_package():
    script = (ROOT / "dev").read_text()
    packages = set(re.findall(r"^(?:build|test|check|fuzz|bench) +([a-z0-9+-]+) +(?:has|header|library"
                              r"|module|runtime) ", script, re.MULTILINE))
    assert len(packages) > 15
    list_of_them = (ROOT / "docs/install.md").read_text()
    assert [package for package in sorted(packages) if f"`{package}`" not in list_of_them] == []


@pytest.mark.parametrize("failing", ["", "check", "test"])
def test_what_a_change_must_pass(tmp_path, failing):
    """Both run, whatever the first says, and nothing may be skipped."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / "dev").write_text(f'#!/bin/sh\necho "$1, CI=$CI"\n[ "$1" != "{failing}" ]\n')
    (tmp_path / "dev").chmod(0o755)
    env = {k: v for k, v in os.environ.items() if k != "CI"}
    result = subprocess.run([tmp_path / ".ci/run"], cwd="/", env=env, capture_output=True, text=True)
    assert result.stdout == "check, CI=true\ntest, CI=true\n"
    assert result.returncode == (1 if failing else 0)


@pytest.mark.parametrize("tool, usage", [("prove-bare", "FOLDER [COMMAND...]"),
                                         ("prove-package", "FOLDER")])
def test_a_bare_system_needs_a_folder(tool, usage):
    result = subprocess.run([ROOT / "tools" / tool], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"usage: tools/{tool} {usage}\n"

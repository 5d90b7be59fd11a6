"""tools/count-tests: the last line of ./dev test."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def count(*files, ci=""):
    result = subprocess.run([ROOT / "tools/count-tests", *files], capture_output=True, text=True,
                            env={**os.environ, "CI": ci})
    return result.stdout.strip(), result.returncode


@pytest.fixture
def meson(tmp_path):
    def write(*tests):
        path = tmp_path / "unit.json"
        path.write_text("".join(json.dumps({"result": result, "stdout": output}) + "\n"
                                for result, output in tests))
        return path
    return write


@pytest.fixture
def junit(tmp_path):
    def write(*cases):
        path = tmp_path / "scenario.xml"
        path.write_text("<testsuites><testsuite>%s</testsuite></testsuites>" % "".join(
            f"<testcase>{case}</testcase>" for case in cases))
        return path
    return write


def test_programs_count_once(meson):
    assert count(meson(("OK", ""), ("OK", "5 inputs"))) == ("2 passed, 0 failed, 0 skipped", 0)


def test_tests_within_a_program_count_each(meson):
    output = "1..3\nok 1 - a\nok 2 - b\nok 3 - c\n"
    assert count(meson(("OK", output))) == ("3 passed, 0 failed, 0 skipped", 0)


@pytest.mark.parametrize("result", ["FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"])
def test_whatever_is_not_ok_has_failed(meson, result):
    assert count(meson((result, ""))) == ("0 passed, 1 failed, 0 skipped", 1)


def test_a_failed_test_is_not_counted_twice(meson):
    output = "1..2\nok 1 - a\nnot ok 2 - b\n# b.c:3: error\n"
    assert count(meson(("FAIL", output))) == ("1 passed, 1 failed, 0 skipped", 1)


def test_a_program_that_died_between_tests_has_failed(meson):
    assert count(meson(("FAIL", "1..2\nok 1 - a\n"))) == ("1 passed, 1 failed, 0 skipped", 1)


def test_pytest_is_counted(junit):
    assert count(junit("", "", "<failure/>", "<error/>")) == ("2 passed, 2 failed, 0 skipped", 1)


def test_kinds_are_summed(meson, junit):
    assert count(meson(("OK", "")), junit("", "")) == ("3 passed, 0 failed, 0 skipped", 0)


def test_a_skip_fails_where_ci_is_set(meson, junit):
    files = meson(("SKIP", ""), ("OK", "ok 1 # SKIP a\n")), junit("", "<skipped/>")
    assert count(*files) == ("1 passed, 0 failed, 3 skipped", 0)
    assert count(*files, ci="true") == ("1 passed, 0 failed, 3 skipped", 1)


def test_no_outcome_is_a_failure(meson, tmp_path):
    assert count(meson()) == ("0 passed, 1 failed, 0 skipped", 1)
    assert count(tmp_path / "never-written.xml") == ("0 passed, 1 failed, 0 skipped", 1)

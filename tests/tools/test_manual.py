"""The manual has what the programs' help has, and is well-formed."""

import re
import subprocess

import pytest

import programs
from programs import PROGRAMS, ROOT

PAGES = {"kith": ROOT / "docs/man/kith.1", "kithd": ROOT / "docs/man/kithd.8"}


def items(program):
    """The head of each entry of the page's lists."""
    return re.findall(r"^\.It (.*)", PAGES[program].read_text(), re.MULTILINE)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_options_are_those_of_the_help(program):
    found = {"--" + name for item in items(program) for name in re.findall(r"Fl \\-([a-z0-9-]+)", item)}
    assert len(found) > 10
    assert found == programs.options(program)


def test_the_commands_are_those_of_the_help():
    found = {item.split()[1] for item in items("kith") if item.startswith("Cm ")}
    assert len(found) > 10
    assert found == programs.commands()


@pytest.mark.parametrize("program, header, prefix", [("kith", "session.h", "EXIT_"),
                                                     ("kithd", "daemon.h", "DAEMON_")])
def test_the_exit_codes_are_those_there_are(program, header, prefix):
    """In the page, in the help and in the program, which uses each of them."""
    folder = ROOT / "src" / program
    codes = dict(re.findall(rf"^ +({prefix}\w+) = (\d+)", (folder / header).read_text(), re.MULTILINE))
    sources = "".join(file.read_text() for file in folder.glob("*.c"))
    assert len(codes) >= 4
    assert [name for name in codes if not re.search(rf"\b{name}\b", sources)] == []
    page = PAGES[program].read_text().split(".Sh EXIT STATUS")[1].split(".El")[0]
    assert sorted(re.findall(r"^\.It (\d+)$", page, re.MULTILINE)) == sorted(codes.values())
    told = programs.run(program, "--help").split("Exit codes: ")[1]
    assert sorted(re.findall(r"(?:^|; |;\n)(\d+) ", told)) == sorted(codes.values())


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_is_well_formed(program):
    lint = subprocess.run(["mandoc", "-Tlint", "-Wstyle", PAGES[program]], capture_output=True,
                          text=True).stdout
    # Whether the pages it refers to are installed is no matter of this page.
    assert [line for line in lint.splitlines() if "referenced manual not found" not in line] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_is_that_program_s(program):
    text = subprocess.run(["mandoc", "-Tutf8", PAGES[program]], check=True, capture_output=True,
                          text=True).stdout
    text = re.sub(".\b", "", text)
    for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES",
                    "SEE ALSO"]:
        assert f"\n{heading}\n" in text, heading
    assert f"{program}(" in text.splitlines()[0].lower()


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_version_is_told(program):
    version = re.search(r"^  version: '([^']+)'", (ROOT / "meson.build").read_text(), re.MULTILINE)
    assert programs.run(program, "--version") == f"{program} {version[1]}\n"

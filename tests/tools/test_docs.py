"""The documents: what they point at is there, and what they list is all there is."""

import re

import pytest

import programs
from programs import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(document):
    """As GitHub names the headings."""
    headings = re.findall(r"^#+ (.*)", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(document, link):
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]
    assert [link for link in links if not is_there(document, link)] == []


def test_every_document_is_reached_from_the_readme():
    reached = {(ROOT / link.partition("#")[0]).resolve() for link in LINK.findall((ROOT / "README.md").read_text())}
    assert [path for path in DOCUMENTS if path not in reached and path.name != "README.md"] == []


def test_the_options_of_the_hub_are_those_of_its_help():
    table = (ROOT / "docs/operations.md").read_text().split("## Options")[1].split("\n## ")[0]
    rows = "\n".join(re.findall(r"^\| (`-.*?) \| ", table, re.MULTILINE))
    assert set(programs.OPTION.findall(rows)) == programs.options("kithd")


def test_what_is_promised_is_shown_by_tests_that_are_there():
    rows = [line for line in (ROOT / "docs/security.md").read_text().splitlines()
            if line.startswith("|") and not line.startswith(("|---", "| against", "| who |", "| a hub that |", "| the hub cannot |",
                                                             "| what happens"))]
    shown = [re.findall(r"`(test_\w+|tests/[\w/.]+)`", row.rsplit(" | ", 1)[1]) for row in rows]
    assert [row for row, names in zip(rows, shown) if not names] == []
    sources = [path.read_text() for path in (ROOT / "tests").glob("*/*") if path.suffix in (".c", ".py")]
    there = set(re.findall(r"\b(test_\w+)\(", "\n".join(sources)))
    names = [name for row in shown for name in row]
    assert [name for name in names if name not in there and not (ROOT / name).is_file()] == []

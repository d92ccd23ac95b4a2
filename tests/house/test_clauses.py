"""docs/rfc9111.md against the sources: every clause has a row, every row has tests, and those tests exist."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "rfc9111.md"

# What the table may not leave out.
SECTIONS = {
    "9111": "2 3 3.1 3.2 3.3 3.4 3.5 4 4.1 4.2 4.2.1 4.2.2 4.2.3 4.2.4 4.3 4.3.1 4.3.2 4.3.3 4.3.4 4.3.5 4.4 5.1 5.2 5.2.1.1 "
            "5.2.1.2 5.2.1.3 5.2.1.4 5.2.1.5 5.2.1.6 5.2.1.7 5.2.2.1 5.2.2.2 5.2.2.3 5.2.2.4 5.2.2.5 5.2.2.6 5.2.2.7 5.2.2.8 "
            "5.2.2.9 5.2.2.10 5.2.3 5.3 5.4 5.5",
    "9110": "8.8.2 8.8.3 8.8.3.3 9.3 9.3.1 9.3.2 9.3.3 12.5.3 12.5.5 13.1.1 13.1.2 13.1.3 13.1.4 13.1.5 13.2.2 14.2 14.4 14.6 15.1 15.3.7.3 15.4.5",
    "5861": "3 4",
    "8246": "2",
    "9211": "2 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8",
    "9213": "2.1 2.2 2.3 3",
    "9875": "2 2.1 2.2.1 3",
}


def rows():
    """(RFC, section, tests) of every row."""
    rfc = ""
    for line in DOCUMENT.read_text().splitlines():
        if found := re.match(r"## RFC (\d+)", line):
            rfc = found[1]
        elif re.match(r"\| [\d.]+ \|", line):
            cells = line.strip("|").split("|")
            yield rfc, cells[0].strip(), re.findall(r"`([^`]+)`", cells[-1])


def existing_tests():
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*_test.cpp"))
    return {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F)?\(\s*(\w+),\s*(\w+)\)", sources, re.M)}


@pytest.mark.parametrize("rfc", SECTIONS)
def test_every_section_has_a_row(rfc):
    present = {section for number, section, _ in rows() if number == rfc}
    assert set(SECTIONS[rfc].split()) - present == set()


def test_every_row_names_tests_and_they_exist():
    known = existing_tests()
    for rfc, section, tests in rows():
        assert tests, f"RFC {rfc} §{section} has no test"
        assert set(tests) - known == set(), f"RFC {rfc} §{section}"


def test_every_test_of_a_clause_at_the_walk_has_a_row():
    """Whoever writes one more says in the table what it is about."""
    named = {test for _, _, tests in rows() for test in tests}
    walk_level = {test for test in existing_tests()
                  if re.match(r"Rfc(9111|9110|5861|8246|9213|9875)\w*\.Section", test)}
    assert walk_level - named == set()

"""docs/security.md: every hazard has a test that exists, and no law is left out."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
LAWS = 12


def rows():
    """(hazard, [file::test]) of every row."""
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[-1] != "test":
            yield cells[0], re.findall(r"`([^`]+)`", cells[-1])


def exists(test):
    path, _, name = test.partition("::")
    if not (ROOT / path).is_file():
        return False
    text = (ROOT / path).read_text()
    if path.endswith(".py"):
        return re.search(rf"^def {re.escape(name)}\(", text, re.M) is not None
    suite, _, case = name.partition(".")
    return re.search(rf"^(TEST|TEST_F|TEST_P)\(\s*{re.escape(suite)},\s*{re.escape(case)}\)", text, re.M) is not None


@pytest.mark.parametrize("hazard, tests", rows())
def test_every_hazard_has_tests_that_exist(hazard, tests):
    assert tests, f"no test for: {hazard}"
    missing = [test for test in tests if not exists(test)]
    assert not missing, f"{hazard}: {missing}"


def test_every_law_has_a_row():
    laws = {int(found[1]) for hazard, _ in rows() if (found := re.match(r"(\d+)\. ", hazard))}
    assert laws == set(range(1, LAWS + 1))

"""The documents name tests and files that are there: a promise is worth what its test is worth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "tests" / "README.md"]

#: Paths from the project's directory, and names of tests and of their modules.
_CITED = re.compile(r"`((?:tests|catalina|docs|benchmarks|bin|conf|examples)/[\w./-]+(?:::\w+)?|test_\w+(?:\.py)?)`")
#: Names that stand for any file.
_PLACEHOLDER = re.compile(r"\w+/x/\w*y\.py|.*/NAME\b.*|.*/NAME_.*")
#: Paths of a CATALINA_BASE, which no clone has.
_OF_A_BASE = ("conf/Catalina/", "bin/setenv.sh", "conf/jmxremote.", "conf/jolokia-access.xml")


def _tests() -> dict[str, set[str]]:
    """The tests of each module, by its path."""
    found = {}
    for file in (ROOT / "tests").rglob("test_*.py"):
        names = re.findall(r"^ *(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
        found[file.relative_to(ROOT).as_posix()] = set(names)
    return found


TESTS = _tests()
NAMES = set().union(*TESTS.values())
MODULES = {path.rpartition("/")[2] for path in TESTS}


def missing(text: str) -> Iterator[str]:
    """The names in a document that nobody finds."""
    for cited in _CITED.findall(text):
        path, _, name = cited.partition("::")
        if _PLACEHOLDER.fullmatch(cited) or cited.startswith(_OF_A_BASE):
            continue
        if "/" not in path:
            found = path in (MODULES if path.endswith(".py") else NAMES)
        elif name:
            found = name in TESTS.get(path, ())
        else:
            found = (ROOT / path).exists()
        if not found:
            yield cited


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_test_and_file_that_a_document_names_is_there(document: Path) -> None:
    assert list(missing(document.read_text("utf-8"))) == []


def test_a_name_that_is_nowhere_is_found() -> None:
    assert list(missing("`tests/test_nothing.py`, `test_nothing_at_all`, `tests/test_documents.py::test_no`")) == [
        "tests/test_nothing.py",
        "test_nothing_at_all",
        "tests/test_documents.py::test_no",
    ]

"""Configuration files to try things on: our own in ``tests/corpus``, and those of other people beside the repository.

A file of ours may say in a comment what is to be said about it: ``breaks: LINE`` when it is not well-formed,
``warns: LINE <tag>: text`` for each warning; without one there is none.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["CORPUS", "OTHERS", "breaks_at", "files", "warns"]

CORPUS = Path(__file__).parents[1] / "corpus"
OTHERS = Path(__file__).parents[3] / "shared" / "corpus"


def files(kind: str, pattern: str = "*.xml") -> list[Path]:
    """Our own files of a kind: server, context, web, properties, users."""
    found = sorted((CORPUS / kind).glob(pattern))
    assert found, f"tests/corpus/{kind} is empty"
    return found


def breaks_at(path: Path) -> int | None:
    """The line that is not well-formed XML, None when there is none."""
    found = re.search(r"breaks: (\d+)", path.read_text("utf-8"))
    return int(found[1]) if found else None


def warns(path: Path) -> list[str]:
    """The warnings that a file deserves, as ``file:line <tag>: text``, sorted."""
    expected = re.findall(r"warns: (\d+) (.*?)(?: -->)?$", path.read_text("utf-8"), re.MULTILINE)
    return sorted(f"{path.name}:{line} {text}" for line, text in expected)

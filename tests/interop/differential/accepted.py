"""Where the answers may differ, and why; the same rows stand in docs/differences.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.interop.differential.case import Case

__all__ = ["ACCEPTED", "Accepted"]

Shapes = list[dict[str, Any]]


@dataclass(frozen=True)
class Accepted:
    """One difference.

    Args:
        tables: names of the tables in which it may be seen.
        ours, tomcat, why: the row of docs/differences.md.
        holds: says whether this is it, from the case and the outcomes of ours and of Tomcat.
        before: the first release of Tomcat that answers as ours does; empty when none does.
    """

    tables: tuple[str, ...]
    ours: str
    tomcat: str
    why: str
    holds: Callable[[Case, Shapes, Shapes], bool]
    before: tuple[int, ...] = ()


ACCEPTED: list[Accepted] = []

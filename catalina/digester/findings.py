"""The digester's remarks about a file: one line each, with the place."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from catalina.errors import ConfigurationError
from catalina.place import Place

__all__ = ["Finding", "UnusableConfiguration", "nearest"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark.

    Args:
        level: logging.INFO (recognised, has no meaning here), WARNING (ignored), ERROR (stops the start).
        place: file and line.
        tag: the element it is about, empty in a file that has none.
        text: the remark without place and tag.
    """

    level: int
    place: Place
    tag: str
    text: str

    def __str__(self) -> str:
        where = " ".join(part for part in (str(self.place), f"<{self.tag}>" if self.tag else "") if part)
        return f"{where}: {self.text}" if where else self.text


class UnusableConfiguration(ConfigurationError):
    """A file has errors that stop the start.

    Args:
        findings: every remark about the file; at least one is an error.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        errors = [finding for finding in self.findings if finding.level >= logging.ERROR]
        super().__init__("\n".join(str(error) for error in errors))


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean expire?`` or nothing when no known name is near."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    if name.lower() in by_lower:
        return f"; did you mean {by_lower[name.lower()]}?"
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""

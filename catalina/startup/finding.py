"""One thing that ``catalina doctor`` looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["CODES", "Finding"]

#: Verdicts and their exit codes, the worst last; something that could not be looked at is no fault.
CODES = {"ok": 0, "unknown": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        check: what kind of look: ``multicast``, ``members``, ``clock`` ...
        verdict: ``ok``, ``unknown``, ``warning`` or ``error``.
        text: what was found.
        advice: what to do about it, empty when nothing is to be done.
    """

    check: str
    verdict: str
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)

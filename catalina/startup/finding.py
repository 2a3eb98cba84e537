"""The result of one check of ``catalina doctor``."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["CODES", "Finding"]

#: Verdicts and their exit codes, the worst last. A check that could not be made is not a fault.
CODES = {"ok": 0, "unknown": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Args:
        check: the kind of check: ``multicast``, ``members``, ``clock`` ...
        verdict: ``ok``, ``unknown``, ``warning`` or ``error``.
        text: the observation.
        advice: the remedy, empty when none is needed.
    """

    check: str
    verdict: str
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """The finding in JSON's types."""
        return asdict(self)

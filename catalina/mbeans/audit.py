"""Writes one log line for every change from outside: user, address, subject, old and new value."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from catalina.mbeans.secrets import shown

__all__ = ["Caller", "audit"]

log = logging.getLogger("org.apache.catalina.mbeans.Audit")

#: Characters of a value that a line shows.
_MAX_SHOWN = 200
#: Stands for a missing value.
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Caller:
    """The user who makes a change.

    Args:
        door: ``jmxproxy``, ``jmx``, ``manager`` ...
        user: the name that has been authenticated, empty for nobody.
        address: the client's address, ``127.0.0.1`` or ``127.0.0.1:40112``.
    """

    door: str
    user: str = ""
    address: str = ""

    def __str__(self) -> str:
        return f"[{printable(self.user) or '-'}] at [{self.address or '-'}] over [{self.door}]"


def audit(
    caller: Caller, action: str, subject: object, *, name: str = "", old: object = _NOTHING, new: object = _NOTHING,
    failed: BaseException | None = None,
) -> None:  # fmt: skip
    """Write the line; at WARNING when the change failed.

    Args:
        action: ``set``, ``invoke``, ``deploy`` ...
        subject: the changed thing: the name of a bean, a path.
        name: of the attribute, the operation, the file; a value is hidden when this looks secret.
        old, new: the values; for an operation ``new`` has its arguments.
    """
    parts = [f"{caller} {action}"]
    if name:
        parts.append(f"[{printable(name)}] of")
    parts.append(f"[{printable(str(subject))}]")
    for word, value in (("from", old), ("to", new)):
        if value is not _NOTHING:
            parts.append(f"{word} [{printable(shown(name, str(value)))}]")
    if failed is not None:
        parts.append(f"failed: {printable(str(failed))}")
    log.log(logging.INFO if failed is None else logging.WARNING, "%s", " ".join(parts))


def printable(text: str) -> str:
    """Foreign text for one line of a log: without control characters, and not too long."""
    cut = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}... ({len(text)} characters)"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)

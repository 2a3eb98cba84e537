"""The audit log: who has changed what on the running server, from where, and by which door.

Every operation that changes something and comes from outside (the manager applications, Jolokia, JMX, the command
line) leaves one line in the logger ``org.apache.catalina.audit``::

    [robot] from [127.0.0.1] by [manager/text]: undeploy [/shop]: OK - Undeployed application at context path [/shop]
    [ops] from [10.0.0.7] by [jolokia]: set [Catalina:type=Engine] backgroundProcessorDelay: [10] -> [1]
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

__all__ = ["Actor"]

log = logging.getLogger("org.apache.catalina.audit")

#: Characters of a value in a line.
MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, by what name the door knows him.

    Args:
        user: name of the login; ``-`` where there is none.
        address: where he is.
        door: ``manager/text``, ``jolokia``, ``jmx`` ...
    """

    user: str
    address: str
    door: str

    def did(self, what: str, outcome: str = "") -> None:
        """Note an operation and what has come of it."""
        text = f"{what}: {_short(outcome)}" if outcome else what
        log.info("[%s] from [%s] by [%s]: %s", self.user, self.address, self.door, text)

    def changed(self, what: str, old: object, new: object) -> None:
        """Note a value that is another now. Secrets are the caller's to hide (:mod:`catalina.mbeans.secrets`)."""
        self.did(f"{what}: [{_short(str(old))}] -> [{_short(str(new))}]")


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text)} characters)"

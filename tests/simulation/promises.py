"""Answers that clients were given, and what they may expect after them.

Each change of an attribute writes a number that is written once. A request reads all attributes before it writes, so it
is known which changes a change comes after: its ancestors. Nobody who has a change may be shown one of its ancestors
later; changes of which neither comes after the other may win over each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from catalina.ha.session.delta_manager import DeltaManager
from catalina.tribes.ledger.version import Version
from tests.simulation.nodes import Life

__all__ = ["NAMES", "BrokenPromise", "Story", "Write", "number_in"]

NAMES = ("a", "b", "c")

_NUMBER = re.compile(rb"<(\d+)>")


class BrokenPromise(AssertionError):
    """A promise that a run has shown to be broken."""


def number_in(value: Any) -> int | None:
    """The number of a value as an application has it."""
    if isinstance(value, dict):
        value = value.get("n")
    return None if value is None else int(str(value)[1:-1])


@dataclass(eq=False)
class Write:
    """One change of one attribute.

    Args:
        ancestors: the numbers of the changes that it comes after.
        holders: lives that have it, or a later one, as far as that is known.
        is_promised: the client has its answer.
        version: that the node which served it has given it.
    """

    number: int
    name: str
    ancestors: frozenset[int]
    is_removal: bool
    holders: set[Life] = field(default_factory=set)
    is_promised: bool = False
    version: Version | None = None


@dataclass(eq=False)
class Story:
    """One session as its clients know it.

    Args:
        ids: all that it has had.
        known_by: of each bare id that a client was given, who knew it then.
        replaced: bare ids that lead nowhere any more.
        interval: seconds.
        ended: a client has asked to end it; ``end_holders`` lives that know it, once the client was told.
    """

    interval: float
    ids: dict[str, None] = field(default_factory=dict)
    known_by: dict[str, set[Life]] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    writes: dict[str, dict[int, Write]] = field(default_factory=lambda: {name: {} for name in NAMES})
    last_used: float = 0.0
    ended: bool = False
    end_holders: set[Life] = field(default_factory=set)
    #: It was unused for so long that some node may have ended it while another one served it again.
    was_idle: bool = False
    #: When each node has served it last.
    used_at: dict[Life, float] = field(default_factory=dict)
    #: For each bare id that a login has replaced, the nodes that knew it when the client was told.
    replaced_at: dict[str, set[Life]] = field(default_factory=dict)
    #: Requests that use it at the moment, by node.
    inside: dict[Life, list[Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"session {next(iter(self.ids), '?')[:8]}"

    def numbers_at(self, life: Life) -> dict[str, int | None] | None:
        """The numbers that a node has of it; None: it has not the session."""
        session = life.session(reversed(self.ids))
        if session is None:
            return None
        found: dict[str, int | None] = dict.fromkeys(NAMES)
        for name, value in session.record.values.items():
            match = _NUMBER.search(value.data)
            found[name] = None if match is None else int(match[1])
        return found

    def is_older(self, shown: int | None, write: Write) -> bool:
        """True when the number that is shown is older than a change of the same attribute."""
        if shown is not None:
            return shown in write.ancestors
        if write.is_removal:
            return False
        others = self.writes[write.name].values()
        return not any(other.is_removal and other.number not in write.ancestors for other in others)

    def holds(self, numbers: dict[str, int | None] | None, write: Write) -> bool:
        """True when the numbers show a change, one that crosses it, or a later one."""
        return numbers is not None and not self.is_older(numbers.get(write.name), write)

    def is_at(self, life: Life, write: Write) -> bool:
        """True when a node has a change for sure, or a later one."""
        session = life.session(reversed(self.ids))
        if session is None:
            return False
        record = session.record
        if isinstance(life.manager, DeltaManager) and not life.network.java:
            return write.version is not None and record.versions.get(write.name, record.floor) >= write.version
        return (self.numbers_at(life) or {}).get(write.name) == write.number

    def parent_of(self, name: str, shown: int | None, life: Life) -> Write | None:
        """The change that a request has seen."""
        writes = self.writes[name]
        if shown is not None:
            return writes[shown]
        known = [write for write in writes.values() if write.is_removal and life in write.holders]
        latest = [write for write in known if not any(write.number in other.ancestors for other in known)]
        return latest[0] if len(latest) == 1 else None

    def promised(self, alive: Iterable[Life]) -> list[Write]:
        """Changes that some client was told of, and that some life has which goes on."""
        living = set(alive)
        return [
            write
            for writes in self.writes.values()
            for write in writes.values()
            if write.is_promised and write.holders & living
        ]

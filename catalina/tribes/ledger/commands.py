"""The commands that a ledger gives its carrier, which carries them out in their order.

``Ask``, ``Tell`` and ``TellEnded`` are messages to one peer; the others are events for the carrier's own side, which
shows the records to applications.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from catalina.tribes.ledger.graves import Grave
from catalina.tribes.ledger.record import FieldChange, Record

__all__ = ["Ask", "Born", "Changed", "Command", "Ended", "Peer", "Renamed", "Tell", "TellEnded", "Used"]

#: Another node, as its carrier knows it.
Peer = Hashable


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a peer for the whole record: this node has heard of it but does not have it."""

    to: Peer
    id: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Give a peer a whole record."""

    to: Peer
    record: Record


@dataclass(frozen=True, slots=True)
class TellEnded:
    """Tell a peer that a record it still speaks of has ended."""

    to: Peer
    grave: Grave


@dataclass(frozen=True, slots=True)
class Born:
    """A record has come from another node."""

    record: Record


@dataclass(frozen=True, slots=True)
class Changed:
    """Another node has changed these fields of a record; they are listed in the order of the changes."""

    record: Record
    fields: Sequence[FieldChange]


@dataclass(frozen=True, slots=True)
class Used:
    """Another node has used a record."""

    record: Record


@dataclass(frozen=True, slots=True)
class Renamed:
    """A record shows another id now."""

    record: Record
    old_id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A record has ended on another node."""

    record: Record


Command = Ask | Tell | TellEnded | Born | Changed | Used | Renamed | Ended

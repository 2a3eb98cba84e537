"""Who owns an entry of a replicated map, as a state machine (Tomcat: AbstractReplicatedMap.java, its class MapEntry).

::

    PRIMARY   this node serves the entry and tells the others what changes
    BACKUP    this node holds the value for the case that the primary goes
    COPY      as BACKUP, in a map where every node has a copy
    PROXY     this node knows the entry and who has it, not the value

A message from another node says which role this one has from now on. Only where this node has just claimed the entry
itself, and the other could not know yet, the two claims collide: the member that comes first by address keeps the
entry, and the other one says so when its own claim has arrived everywhere, so that the winner can claim it once more.
A claim that has arrived everywhere never competes: the other one comes from a later request, with a later value.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from catalina.tribes.member import Member

__all__ = ["TRANSITIONS", "Event", "MapEntry", "Role", "comes_first"]


class Role(Enum):
    """What this node is for an entry."""

    PRIMARY = auto()
    BACKUP = auto()
    COPY = auto()
    PROXY = auto()


class Event(Enum):
    """What changes a role."""

    #: The value was set here, or an access here has made this node the owner.
    CLAIMED = auto()
    #: Another node owns the entry and has given us the value to keep.
    BACKUP_RECEIVED = auto()
    COPY_RECEIVED = auto()
    #: Another node owns the entry, a third one backs it up.
    PROXY_RECEIVED = auto()
    #: Another node has become the owner; we are among those who hold the value.
    NOTIFIED_AS_NODE = auto()
    #: Another node has become the owner; we hold nothing for it.
    NOTIFIED_AS_OTHER = auto()
    #: The owner is gone, and we are the one who holds the value for it.
    OWNER_LOST = auto()


_HOLDERS = (Role.PRIMARY, Role.BACKUP, Role.COPY)

#: (role, event) -> role. A role that is None is an entry this node did not know. What is not here does not happen.
TRANSITIONS: dict[tuple[Role | None, Event], Role] = {
    **{(role, Event.CLAIMED): Role.PRIMARY for role in (None, *Role)},
    **{(role, Event.BACKUP_RECEIVED): Role.BACKUP for role in (None, *Role)},
    **{(role, Event.COPY_RECEIVED): Role.COPY for role in (None, *Role)},
    **{(role, Event.PROXY_RECEIVED): Role.PROXY for role in (None, *Role)},
    (Role.PRIMARY, Event.NOTIFIED_AS_NODE): Role.BACKUP,
    (Role.BACKUP, Event.NOTIFIED_AS_NODE): Role.BACKUP,
    (Role.COPY, Event.NOTIFIED_AS_NODE): Role.COPY,
    (Role.PROXY, Event.NOTIFIED_AS_NODE): Role.PROXY,
    (Role.PRIMARY, Event.NOTIFIED_AS_OTHER): Role.PROXY,
    (Role.BACKUP, Event.NOTIFIED_AS_OTHER): Role.PROXY,
    (Role.COPY, Event.NOTIFIED_AS_OTHER): Role.COPY,
    (Role.PROXY, Event.NOTIFIED_AS_OTHER): Role.PROXY,
    **{(role, Event.OWNER_LOST): Role.PRIMARY for role in (Role.BACKUP, Role.COPY)},
}


class MapEntry:
    """One entry as this node sees it.

    Args:
        primary: who owns it, None while nobody does.
        nodes: who holds the value beside the primary.
        claims: messages with which this node told the others that it owns the entry, and that are not yet known to
            have arrived.
    """

    __slots__ = ("claims", "gave_way", "key", "nodes", "primary", "role", "value")

    def __init__(self, key: Any, value: Any = None) -> None:
        self.key = key
        self.value = value
        self.role: Role | None = None
        self.primary: Member | None = None
        self.nodes: tuple[Member, ...] = ()
        self.claims = 0
        #: Whether this node let another one have the entry while its own claim was on its way.
        self.gave_way = False

    @property
    def is_primary(self) -> bool:
        """Whether this node owns the entry."""
        return self.role is Role.PRIMARY

    @property
    def holds_value(self) -> bool:
        """Whether the value is here."""
        return self.role in _HOLDERS and self.value is not None

    def apply(self, event: Event, primary: Member | None, nodes: tuple[Member, ...]) -> None:
        """Change the role; a proxy lets go of the value."""
        self.role = TRANSITIONS[self.role, event]
        self.gave_way = self.role is not Role.PRIMARY and (self.gave_way or self.claims > 0)
        self.primary = primary
        self.nodes = nodes
        if self.role is Role.PROXY:
            self.value = None

    def __repr__(self) -> str:
        role = self.role.name if self.role else "NEW"
        return f"MapEntry({self.key!r}, {role}, primary={self.primary}, nodes={[node.name for node in self.nodes]})"


def comes_first(one: Member, other: Member) -> bool:
    """Whether ``one`` keeps an entry that both have claimed; the same answer on every node."""
    return (one.host, one.port, one.unique_id) < (other.host, other.port, other.unique_id)

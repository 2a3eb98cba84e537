"""The ownership of an entry of a replicated map as a state machine (Tomcat: MapEntry in AbstractReplicatedMap.java).

::

    PRIMARY   this node serves the entry and tells the others what changes
    BACKUP    this node holds the value for the case that the primary goes
    COPY      as BACKUP, in a map where every node has a copy
    PROXY     this node knows the entry and who has it, not the value

:class:`Meaning` says how a message of another node relates to the entry. The later of two claims holds, and the stamps
(:mod:`map_stamp`) decide which is later, not the order of arrival. So all nodes that have heard the same claims agree,
even if some claims came late, twice or out of order.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from enum import Enum, auto
from typing import Any

from catalina.tribes.member import Member
from catalina.tribes.tipis.map_names import Names
from catalina.tribes.tipis.map_stamp import NO_VERSION, Stamp

__all__ = [
    "BACKUP", "COPY", "CROSSES", "EARLIER", "LATER", "PRIMARY", "PROXY", "ROLES", "SAME", "WITHOUT_OURS",
    "Event", "MapEntry", "Meaning", "Role",
]  # fmt: skip


class Role(Enum):
    """The role of this node for an entry."""

    PRIMARY = auto()
    BACKUP = auto()
    COPY = auto()
    PROXY = auto()


class Event(Enum):
    """The events that change a role."""

    #: The value was set here, or an access here has made this node the owner.
    CLAIMED = auto()
    #: Another node owns the entry and has given this node the value to keep.
    BACKUP_RECEIVED = auto()
    COPY_RECEIVED = auto()
    #: Another node owns the entry, and a third one is its backup.
    PROXY_RECEIVED = auto()


#: Module constants, because looking up a member in its class costs ten times as much in this Python.
PRIMARY, BACKUP, COPY, PROXY = Role
_HOLDERS = (PRIMARY, BACKUP, COPY)

#: The latest claim alone decides the role; the role before does not matter.
ROLES = {
    Event.CLAIMED: PRIMARY,
    Event.BACKUP_RECEIVED: BACKUP,
    Event.COPY_RECEIVED: COPY,
    Event.PROXY_RECEIVED: PROXY,
}


class Meaning(Enum):
    """The relation of a message's stamp to the entry."""

    #: A claim later than the one known here: the entry is the sender's.
    LATER = auto()
    #: The claim known here, perhaps with newer content.
    SAME = auto()
    #: The sender has not yet heard the claim known here.
    EARLIER = auto()
    #: A later claim, made without the newest content, which is here. This node claims the entry again, with that
    #: content.
    WITHOUT_OURS = auto()
    #: Java's claim crosses ours. Java lets the claim win that arrives last, so this node repeats its own.
    CROSSES = auto()


LATER, SAME, EARLIER, WITHOUT_OURS, CROSSES = Meaning


class MapEntry:
    """One entry as this node sees it.

    Args:
        key: the key that Java knows.
        id: the key by which every node finds the entry; it differs from ``key`` only in maps whose keys have a part
            that may change.
        primary: the owner, None while there is none.
        nodes: the members that hold the value beside the primary.
        former: the other members that hold the value until the new backup has it.
        birth: the version of the put that made the entry.
        claim: the version of the latest claim known here.
        content: the version of the value that is here; empty when there is none, or when it is Java's and so unknown.
        is_stale: the value here is older than the owner's, which this node has asked for.
        names: the names of an entry that was renamed; None: it still has the key that it was made with.
        pending: the number of this node's claims that are still on their way.
    """

    __slots__ = (
        "_route",
        "birth",
        "claim",
        "content",
        "former",
        "id",
        "is_primary",
        "is_stale",
        "names",
        "nodes",
        "pending",
        "primary",
        "role",
        "value",
    )

    def __init__(self, key: Hashable, value: object = None, id: Hashable = None) -> None:
        self.id: Any = key if id is None else id
        self.names: Names | None = None
        self._route = ""
        if id is not None:
            self.born(key)
        self.value: Any = value
        #: Only :meth:`apply` changes the role, and with it ``is_primary``: True when this node owns the entry.
        self.role: Role | None = None
        self.is_primary = False
        self.primary: Member | None = None
        self.nodes: tuple[Member, ...] = ()
        self.former: tuple[Member, ...] = ()
        self.birth = NO_VERSION
        self.claim = NO_VERSION
        self.content = NO_VERSION
        self.is_stale = False
        self.pending = 0

    @property
    def key(self) -> Any:
        """The key that Java knows."""
        if self.names is not None:
            return self.names.key
        return self.id + self._route if self._route else self.id

    def born(self, key: Any) -> None:
        """The entry under this key is a new one from now on."""
        #: The part of the key behind the id. Many entries share one of a few such strings.
        self._route = ""
        self.names = None
        if key == self.id:
            return
        if key.startswith(self.id):
            self._route = sys.intern(key[len(self.id) :])
        else:  # the entry was renamed before this node heard of it
            self.names = Names(self.id, key)

    @property
    def holds_value(self) -> bool:
        """True when a value is here, even an old one."""
        return self.role in _HOLDERS and self.value is not None

    @property
    def stamp(self) -> Stamp:
        """The versions known here."""
        return Stamp(self.birth, self.claim, self.content)

    @property
    def rank(self) -> tuple[bytes, bytes]:
        """The latest claim known here, for comparison with a message's."""
        return self.birth, self.claim

    def meaning_of(self, stamp: Stamp) -> Meaning:
        """The meaning of a claim with this stamp."""
        if not stamp.birth:
            return CROSSES if self.is_primary and self.pending else LATER
        told, known = stamp[:2], (self.birth, self.claim)
        if told == known:
            return SAME
        if told < known:
            return EARLIER
        return WITHOUT_OURS if self._misses_ours(stamp) else LATER

    def _misses_ours(self, stamp: Stamp) -> bool:
        return bool(
            self.holds_value
            and not self.is_stale
            and stamp.birth == self.birth
            and stamp.content
            and self.content > stamp.content
        )

    def apply(self, event: Event, primary: Member | None, nodes: tuple[Member, ...]) -> None:
        """Change the role; a proxy drops the value."""
        self.role = role = ROLES[event]
        self.is_primary = role is PRIMARY
        self.primary = primary
        self.nodes = nodes
        if role is PROXY:
            self.value = None
            self.content = NO_VERSION
            self.is_stale = False

    def __repr__(self) -> str:
        role = self.role.name if self.role else "NEW"
        stale = ", stale" if self.is_stale else ""
        nodes = [node.name for node in self.nodes]
        return f"MapEntry({self.key!r}, {role}{stale}, primary={self.primary and self.primary.name}, nodes={nodes})"

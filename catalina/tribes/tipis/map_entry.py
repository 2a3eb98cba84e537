"""Who owns an entry of a replicated map, as a state machine (Tomcat: AbstractReplicatedMap.java, its class MapEntry).

::

    PRIMARY   this node serves the entry and tells the others what changes
    BACKUP    this node holds the value for the case that the primary goes
    COPY      as BACKUP, in a map where every node has a copy
    PROXY     this node knows the entry and who has it, not the value

What a message of another node means for the entry is :class:`Meaning`: of two claims the later one holds, and later is
what the stamps say (:mod:`map_stamp`), not the order of arrival. So all nodes that have heard the same claims believe
the same, whatever was late, twice or out of order.
"""

from __future__ import annotations

import sys
from enum import Enum, auto
from typing import Any

from catalina.tribes.member import Member
from catalina.tribes.tipis.map_names import Names
from catalina.tribes.tipis.map_stamp import NO_VERSION, Stamp

__all__ = ["ROLES", "Event", "MapEntry", "Meaning", "Role"]


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


_HOLDERS = (Role.PRIMARY, Role.BACKUP, Role.COPY)

#: The role follows from the latest claim alone, whatever it was before.
ROLES = {
    Event.CLAIMED: Role.PRIMARY,
    Event.BACKUP_RECEIVED: Role.BACKUP,
    Event.COPY_RECEIVED: Role.COPY,
    Event.PROXY_RECEIVED: Role.PROXY,
}


class Meaning(Enum):
    """What the stamp of a message says to an entry."""

    #: A later claim than the one known here: the entry is the sender's.
    LATER = auto()
    #: The claim known here, and perhaps a newer content.
    SAME = auto()
    #: The sender has not heard the claim known here yet.
    EARLIER = auto()
    #: A later claim, made without the newest content, which is here: it is claimed again with that.
    WITHOUT_OURS = auto()
    #: Java's claim crosses ours. Java takes what arrives last: ours is said again.
    CROSSES = auto()


class MapEntry:
    """One entry as this node sees it.

    Args:
        key: as Java knows it.
        id: what every node finds it by; the key itself, unless the map's keys have a part that may change.
        primary: who owns it, None while nobody does.
        nodes: who holds the value beside the primary.
        former: who else holds the value until the new backup has it.
        birth: the version of the put that made it.
        claim: the version of the latest claim known here.
        content: the version of the value that is here, empty when that is unknown (Java's) or there is none.
        is_stale: the value that is here is older than the owner's, which has been asked for.
        names: of an entry that was renamed; None: its key is the one that it was made with.
        pending: claims of this node that are not known to have arrived yet.
    """

    __slots__ = (
        "_route",
        "birth",
        "claim",
        "content",
        "former",
        "id",
        "is_stale",
        "names",
        "nodes",
        "pending",
        "primary",
        "role",
        "value",
    )

    def __init__(self, key: Any, value: Any = None, id: Any = None) -> None:
        self.id = key if id is None else id
        self.names: Names | None = None
        self._route = ""
        if id is not None:
            self.born(key)
        self.value = value
        self.role: Role | None = None
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
        """The key as Java knows it."""
        if self.names is not None:
            return self.names.key
        return self.id + self._route if self._route else self.id

    def born(self, key: Any) -> None:
        """The entry is another one from now on, under this key."""
        #: What stands behind the id in the key: few different ones are behind many ids.
        self._route = ""
        self.names = None
        if key == self.id:
            return
        if key.startswith(self.id):
            self._route = sys.intern(key[len(self.id) :])
        else:  # it was renamed before it was heard of here
            self.names = Names(self.id, key)

    @property
    def is_primary(self) -> bool:
        """Whether this node owns the entry."""
        return self.role is Role.PRIMARY

    @property
    def holds_value(self) -> bool:
        """Whether the value is here, be it an old one."""
        return self.role in _HOLDERS and self.value is not None

    @property
    def stamp(self) -> Stamp:
        """The versions known here."""
        return Stamp(self.birth, self.claim, self.content)

    @property
    def rank(self) -> tuple[bytes, bytes]:
        """The latest claim known here, to be compared with that of a message."""
        return self.birth, self.claim

    def meaning_of(self, stamp: Stamp) -> Meaning:
        """What a claim with this stamp says."""
        if not stamp.birth:
            return Meaning.CROSSES if self.is_primary and self.pending else Meaning.LATER
        if stamp.rank == self.rank:
            return Meaning.SAME
        if stamp.rank < self.rank:
            return Meaning.EARLIER
        return Meaning.WITHOUT_OURS if self._misses_ours(stamp) else Meaning.LATER

    def _misses_ours(self, stamp: Stamp) -> bool:
        return bool(
            self.holds_value
            and not self.is_stale
            and stamp.birth == self.birth
            and stamp.content
            and self.content > stamp.content
        )

    def apply(self, event: Event, primary: Member | None, nodes: tuple[Member, ...]) -> None:
        """Change the role; a proxy lets go of the value."""
        self.role = ROLES[event]
        self.primary = primary
        self.nodes = nodes
        if self.role is Role.PROXY:
            self.value = None
            self.content = NO_VERSION
            self.is_stale = False

    def __repr__(self) -> str:
        role = self.role.name if self.role else "NEW"
        stale = ", stale" if self.is_stale else ""
        nodes = [node.name for node in self.nodes]
        return f"MapEntry({self.key!r}, {role}{stale}, primary={self.primary and self.primary.name}, nodes={nodes})"

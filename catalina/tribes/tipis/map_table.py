"""The table of a replicated map: a pure machine, without socket, thread, clock or lock.

Invariants, whatever the order in which messages come, and however often:

- An entry is one object for its whole life, found by its ``id``; its other names are in ``aliases``, and a name leads
  to at most one entry or grave. The table never holds an entry and a grave with the same id.
- The later of two claims holds (``map_entry.Meaning``), and so does the later of two names and, for two copies of a
  mergeable value, the later form of each part. So nodes that have heard the same messages agree.
- Every member is told each claim of this node, or is owed it, or hears a new ``told_since`` and then asks for all
  claims.
- A value with changes that the entry's owner may lack stays in ``handed`` until the owner has them.
- An entry is in ``orphans`` when its owner is not there, or is there in another life than the one that claimed it. An
  entry is in ``wanted`` when its value is older than the owner's. Each heartbeat looks after both.
- Every version made here is later than all versions heard before.

The map owns the table. Every caller of a method that changes the table holds the map's lock (``MapLink.lock``); under
the lock nobody sends, waits, or calls a listener. Single reads of a dictionary need no lock. Callers pass the time:
``now_us`` is the wall clock in microseconds, for versions; ``now`` is in monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from catalina.tribes.io.java import OpaqueValue
from catalina.tribes.io.java.key_check import KeyRefusedError, KeyWork
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import PROXY, Event, MapEntry
from catalina.tribes.tipis.map_graves import Grave, Graves
from catalina.tribes.tipis.map_message import (
    MSG_ACCESS,
    MSG_REMOVE,
    MSG_RETRIEVE_BACKUP,
    MapMessage,
    decode_key,
    encode_key,
)
from catalina.tribes.tipis.map_names import Bare, Names, decode_names
from catalina.tribes.tipis.map_stamp import NO_VERSION, VERSION_SIZE, Stamp, VersionClock, is_same_life
from catalina.tribes.tipis.map_values import is_mergeable

__all__ = ["MapMembers", "MapTable"]

#: The number of keys that a member may be owed. Beyond it the member hears a new ``told_since``, and asks for all
#: claims.
MAX_OWED = 1000


class MapMembers:
    """The members of the channel that have the same map, and the time at which each was last heard."""

    def __init__(self) -> None:
        self._heard: dict[Member, float] = {}
        self._suids: dict[Member, int] = {}
        self._next = 0

    def __contains__(self, member: Member) -> bool:
        return member in self._heard

    def __len__(self) -> int:
        return len(self._heard)

    @property
    def all(self) -> tuple[Member, ...]:
        """Every member."""
        return tuple(self._heard)

    def except_for(self, members: Iterable[Member]) -> tuple[Member, ...]:
        """Every member but these."""
        left_out = set(members)
        return tuple(member for member in self._heard if member not in left_out)

    def heard(self, member: Member, now: float) -> bool:
        """Note that the member was heard; returns True if it is new."""
        is_new = member not in self._heard
        self._heard[member] = now
        return is_new

    def remove(self, member: Member) -> bool:
        """Forget the member; returns True if it was known."""
        self._suids.pop(member, None)
        return self._heard.pop(member, None) is not None

    def silent_since(self, then: float) -> list[Member]:
        """Members not heard after ``then``."""
        return [member for member, heard in self._heard.items() if heard < then]

    def in_turn(self) -> list[Member]:
        """Every member, beginning with another one each time: the order in which a backup is chosen."""
        members = list(self._heard)
        if not members:
            return []
        start = self._next % len(members)
        self._next = start + 1
        return members[start:] + members[:start]

    def learn_suid(self, member: Member, suid: int | None) -> None:
        """Note the serialVersionUID of MemberImpl that the member writes."""
        if suid is not None and suid in MEMBER_IMPL_SUIDS and member in self._heard:
            self._suids[member] = suid

    def by_suid(self, members: Iterable[Member]) -> dict[int, list[Member]]:
        """The members grouped by the serialVersionUID that they understand."""
        groups: dict[int, list[Member]] = {}
        for member in members:
            groups.setdefault(self._suids.get(member, MEMBER_IMPL_SUIDS[0]), []).append(member)
        return groups


class MapTable:
    """Entries, names, graves, members and debts of one map on one node.

    Args:
        map_id: the map's name on the wire.
        kind: COPY or BACKUP, the type of messages that bring a value.
        local: returns this node.
        bare: returns the part of a key that identifies the entry for its whole life; None: keys do not change.
    """

    def __init__(self, map_id: bytes, kind: int, local: Callable[[], Member], bare: Bare | None = None) -> None:
        self.map_id = map_id
        self.kind = kind
        self._local = local
        self.bare = bare
        self.entries: dict[Any, MapEntry] = {}
        #: Other bare names of entries -> the entry's id.
        self.aliases: dict[str, Any] = {}
        self.members = MapMembers()
        self.versions = VersionClock()
        self.graves = Graves()
        #: Entries about which a member, though still there, could not be told.
        self.owed: dict[Member, set[Any]] = {}
        #: For each member, the version since when this node tells it all claims; and the version of that kind that the
        #: member itself gave when it said what it owns. A different one in its ping shows that this node must ask
        #: again.
        self.told_since: dict[Member, bytes] = {}
        self.heard_since: dict[Member, bytes] = {}
        #: Entries whose owner is unknown, or not there in the life that claimed them, and the number of heartbeats
        #: since.
        self.orphans: dict[Any, int] = {}
        #: Entries whose value here is older than the owner's.
        self.wanted: set[Any] = set()
        #: Values with changes that the entry's owner may lack, and how often each was sent.
        self.handed: dict[Any, tuple[Any, int]] = {}

    @property
    def local(self) -> Member:
        """This node."""
        return self._local()

    def tick(self, now_us: int) -> bytes:
        """A version later than all that this node has heard."""
        return self.versions.tick(self.local, now_us)

    def clear(self) -> None:
        """Forget everything: the map's life on this node has ended."""
        self.entries.clear()
        self.aliases.clear()
        self.handed.clear()
        self.members = MapMembers()
        self.versions.end_life()

    # -- looking -------------------------------------------------------------------------------------------------

    def entry(self, key: Hashable) -> MapEntry | None:
        """One entry as this node sees it, None when no node has it. A replaced name leads nowhere."""
        entry = self.entries.get(self.id_of(key))
        if entry is None or self.bare is None or entry.names is None or entry.names.leads(self.bare(key)):  # type: ignore[arg-type]  # a text where keys change
            return entry
        return None

    def id_of(self, key: Hashable) -> Hashable:
        """The id of the entry that has or had this key."""
        if self.bare is None or type(key) is not str:
            return key
        name = self.bare(key)
        id: Hashable = self.aliases.get(name, name)
        return id

    def is_here(self, entry: MapEntry) -> bool:
        return self.entries.get(entry.id) is entry

    def owns(self, entry: MapEntry) -> bool:
        """True when this node owns the entry, and it was not removed meanwhile."""
        return entry.is_primary and self.is_here(entry)

    def is_owner_there(self, entry: MapEntry) -> bool:
        """True when the owner is here and has not restarted its map since it claimed the entry.

        A claim may arrive so late that its owner has restarted its map, and no longer knows of the claim.
        """
        owner = entry.primary
        if owner is None or owner not in self.members:
            return False
        since = self.heard_since.get(owner, NO_VERSION)  # Java nodes send no version, so any claim of theirs counts
        return not since or not entry.claim or is_same_life(since, entry.claim)

    def sums(self) -> dict[Member | None, bytes]:
        """For each member the sum of its claims, as far as this node knows them."""
        sums: dict[Member | None, int] = {}
        for entry in self.entries.values():
            sums[entry.primary] = sums.get(entry.primary, 0) ^ int.from_bytes(entry.claim, "big")
        return {member: total.to_bytes(VERSION_SIZE, "big") for member, total in sums.items() if total}

    # -- names ---------------------------------------------------------------------------------------------------

    def names_in(self, message: MapMessage, key: Hashable) -> tuple[Names, bool] | None:
        """The names in a message, and True if the sender knows no others; None when the message has none."""
        if self.bare is None or type(key) is not str:
            return None
        if message.names:
            return decode_names(message.names, key)
        is_whole = bool(message.stamp.birth) and message.diff is None and message.type != MSG_ACCESS
        return (Names(self.bare(key), key), True) if is_whole else None

    def id_in(self, told: tuple[Names, bool] | None, key: Hashable) -> Hashable:
        """The id of a message's entry.

        Java passes an entry on under its present key alone, so two nodes may know one entry by different ids: both then
        take the smaller id.
        """
        id = self.id_of(key)
        if told is None or told[0].id == id:
            return id
        first: str = self.aliases.get(told[0].id, told[0].id)
        entry, other = self.entries.get(id), self.entries.get(first)
        if entry is None or first == id:
            return first
        if other is not None:
            self.drop(entry)
        elif first < id:  # type: ignore[operator]  # with names, ids are texts
            self.drop(entry)
            names = self.known_names(entry)
            entry.id = first
            self.entries[first] = entry
            self.take_names(entry, names.merged(Names(first, names.key, names.version), self.bare or str))
            return first
        else:
            self.aliases[first] = id
            return id
        return first

    def id_of_message(self, message: MapMessage) -> Hashable:
        key = self.key_of(message)
        return None if key is None else self.id_in(self.names_in(message, key), key)

    def known_names(self, entry: MapEntry) -> Names:
        return entry.names or Names(entry.id, entry.key)

    def take_names(self, entry: MapEntry, names: Names) -> None:
        entry.names = names
        for name in names.all:
            if name != entry.id:
                self.aliases[name] = entry.id

    def give_key(self, entry: MapEntry, key: Hashable, now_us: int) -> None:
        """Give the entry another key."""
        if self.bare is not None:
            name: str = key  # type: ignore[assignment]  # a text where keys change
            self.take_names(entry, self.known_names(entry).renamed(name, self.tick(now_us), self.bare))

    def learn_names(self, entry: MapEntry, told: tuple[Names, bool] | None) -> bool:
        """Take the names of a message; returns True if its sender lacks names that are known here."""
        if told is None or not told[1] or self.bare is None:
            return False
        known = self.known_names(entry)
        merged = known.merged(told[0], self.bare)
        if merged != known:
            self.take_names(entry, merged)
        return merged != told[0]

    def forget_aliases(self, entry: MapEntry) -> None:
        if entry.names is not None:
            for name in entry.names.all:
                if self.aliases.get(name) == entry.id:
                    del self.aliases[name]

    def forget_names(self, entry: MapEntry, key: Hashable) -> None:
        """Make the entry a new one, under this key."""
        self.forget_aliases(entry)
        self.aliases.pop(entry.id, None)
        entry.born(key)

    # -- changes -------------------------------------------------------------------------------------------------

    def own(self, entry: MapEntry, now_us: int, *, is_born: bool = False, is_changed: bool = False) -> None:
        """Claim the entry for this node with the latest version of all, unless it was removed meanwhile."""
        if not self.is_here(entry):
            return
        version = self.tick(now_us)
        holders = (*entry.former, *entry.nodes, entry.primary)
        entry.former = tuple(
            dict.fromkeys(node for node in holders if node is not None and node != self.local and node in self.members)
        )
        if is_born or not entry.birth:
            entry.birth = version
        entry.claim = version
        if is_born or is_changed or not entry.content:
            entry.content = version
        entry.is_stale = False
        entry.apply(Event.CLAIMED, self.local, ())
        self.orphans.pop(entry.id, None)
        self.wanted.discard(entry.id)

    def drop(self, entry: MapEntry) -> None:
        """Forget an entry and its names."""
        if self.is_here(entry):
            del self.entries[entry.id]
        self.forget_aliases(entry)
        self.orphans.pop(entry.id, None)
        self.wanted.discard(entry.id)
        self.handed.pop(entry.id, None)

    def bury(self, entry: MapEntry, end: Stamp, now: float, is_ours: bool = False) -> None:
        """Remove an entry, and remember its end."""
        self.drop(entry)
        self.graves.dig(entry.id, Grave(end, now, is_ours, entry.key, self.names_of(entry)))

    def adopt(self, entry: MapEntry, message: MapMessage, value: object, event: Event) -> None:
        """Take a later claim; ``event`` is its effect on the role of this node."""
        stamp = message.stamp
        is_whole = value is not None
        has_content = is_whole or self.has_content(entry, message)
        if is_whole and not is_mergeable(entry.value):
            entry.value = value  # a mergeable value is merged in _after_claim, because that may call listeners
        if stamp.birth:
            entry.birth, entry.claim = stamp.birth, stamp.claim
            if has_content:
                entry.content = stamp.content
        elif is_whole or message.diff is not None:
            entry.content = NO_VERSION
        entry.apply(event, None if message.primary == self.local else message.primary, message.nodes or ())
        entry.former = ()
        entry.is_stale = entry.role is not PROXY and not has_content
        self.note_owner(entry)

    @staticmethod
    def has_content(entry: MapEntry, message: MapMessage) -> bool:
        """True when the value here is the one that a claim without a value is about."""
        if entry.value is None or entry.is_stale:
            return False
        stamp = message.stamp
        if not stamp.birth:
            return True  # Java relies on that
        return (
            message.diff is None
            and bool(stamp.content)
            and (stamp.birth, stamp.content) == (entry.birth, entry.content)
        )

    def note_owner(self, entry: MapEntry) -> None:
        """Put the entry into the orphans, or take it out: the next heartbeat finds an owner for orphans."""
        if self.is_owner_there(entry):
            self.orphans.pop(entry.id, None)
        else:
            self.orphans.setdefault(entry.id, 0)

    def owe(self, members: Iterable[Member], id: Hashable, now_us: int) -> None:
        """Note that these members could not be told about an entry; they are told when they are heard again."""
        for member in members:
            if member not in self.members:
                continue  # a former member is asked what it knows when it is heard again
            owed = self.owed.setdefault(member, set())
            owed.add(id)
            if len(owed) > MAX_OWED:
                del self.owed[member]
                self.told_since[member] = self.tick(now_us)  # the member will ask for all claims

    def lose(self, member: Member) -> bool:
        """Forget a member and everything noted about it; returns True if it was a member of the map."""
        for each in (self.owed, self.told_since, self.heard_since):
            each.pop(member, None)
        return self.members.remove(member)

    # -- messages ------------------------------------------------------------------------------------------------

    def about(
        self, kind: int, entry: MapEntry, nodes: tuple[Member, ...] | None = None, *, has_names: bool = True
    ) -> MapMessage:
        """A message that tells who owns an entry, by the versions known here.

        Args:
            has_names: include all names of the entry; otherwise only the name by which it is found.
        """
        told = entry.nodes if nodes is None else nodes
        names = b"" if entry.names is None else self.names_of(entry, is_whole=has_names)
        return MapMessage(
            self.map_id, kind, encode_key(entry.key), None, None, entry.primary, told, None, entry.stamp, names
        )

    def names_of(self, entry: MapEntry, *, is_whole: bool = False) -> bytes:
        """The block of an entry's names for a message: all names if ``is_whole``, otherwise the one by which it is
        found.
        """
        if entry.names is None or self.bare is None:
            return b""
        return entry.names.encode(self.bare, is_whole=is_whole)

    def removal(self, grave: Grave) -> MapMessage:
        return MapMessage(self.map_id, MSG_REMOVE, encode_key(grave.key), stamp=grave.end, names=grave.names)

    def key_of(self, message: MapMessage) -> Hashable:
        """The key of a message; None when it has none, or one that cannot be a key here."""
        if message.key is None:
            return None
        key = decode_key(message.key)
        if type(key) is str:
            return key
        if isinstance(key, OpaqueValue):
            return None
        try:
            KeyWork(len(message.key)).hash(key)
        except KeyRefusedError:
            return None
        return key

    def question(self, entry: MapEntry) -> MapMessage:
        return MapMessage(self.map_id, MSG_RETRIEVE_BACKUP, encode_key(entry.key), names=self.names_of(entry))

    def earlier(self, entry: MapEntry, owner: Member) -> MapMessage:
        """A message that reaches the owner of an entry as an earlier claim."""
        stamp = Stamp(entry.birth, NO_VERSION, NO_VERSION)
        message = self.about(self.kind, entry, nodes=(owner,))
        return message._replace(primary=owner, stamp=stamp)

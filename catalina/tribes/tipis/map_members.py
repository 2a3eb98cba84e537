"""The members of a channel that have the same map, and the time at which each was last heard."""

from __future__ import annotations

from collections.abc import Iterable

from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member

__all__ = ["MapMembers"]


class MapMembers:
    """A table of members; not thread-safe, the map's lock guards it."""

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

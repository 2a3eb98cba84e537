"""An order of members that every node computes alike (Tomcat: tribes/group/AbsoluteOrder.java)."""

from __future__ import annotations

from collections.abc import Iterable

from catalina.tribes.member import Member

__all__ = ["absolute_order", "in_absolute_order"]


def absolute_order(member: Member) -> tuple[int, bytes, int, int, bytes]:
    """Sort key: length and bytes of the host, port, length and bytes of the unique id."""
    return (len(member.host), member.host, member.port, len(member.unique_id), member.unique_id)


def in_absolute_order(members: Iterable[Member]) -> tuple[Member, ...]:
    """The members in that order, each once."""
    return tuple(sorted(set(members), key=absolute_order))

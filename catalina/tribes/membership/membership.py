"""The table of members that were heard (Tomcat: tribes/membership/Membership.java).

It has no clock and no socket: the caller passes ``now``, in seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalina.tribes.member import Member

__all__ = ["Membership"]


class _Entry:
    __slots__ = ("heard", "member")

    def __init__(self, member: Member, heard: float) -> None:
        self.member = member
        self.heard = heard


class Membership:
    """Members, and the time at which each was last heard.

    Args:
        max_members: further members are refused, because anybody who can send heartbeats could fill the table.
    """

    def __init__(self, max_members: int = 1000) -> None:
        self.max_members = max_members
        self.local: Member | None = None
        self._entries: dict[Member, _Entry] = {}
        self._barred: dict[Member, None] = {}
        #: Oldest first, as every layer above sees them. Replaced as a whole, so any thread may read it.
        self.members: tuple[Member, ...] = ()

    def alive(self, member: Member, now: float) -> bool:
        """Note that ``member`` was heard; returns True if it is new.

        For a known member only the changeable parts are taken over (alive, command, payload), and only with a new alive
        time.
        """
        entry = self._entries.get(member)
        if entry is None:
            if member == self.local or len(self._entries) >= self.max_members or member in self._barred:
                return False
            self._entries[member] = _Entry(member, now)
            self._sort()
            return True
        entry.heard = now
        if entry.member.alive_ms != member.alive_ms:
            entry.member = _updated(entry.member, member)
            self._sort()
        return False

    def remove(self, member: Member) -> bool:
        """Forget ``member``; returns True if it was known."""
        known = self._entries.pop(member, None) is not None
        if known:
            self._sort()
        return known

    def bar(self, member: Member) -> bool:
        """Remove ``member``, and do not take it again until :meth:`readmit`; return True if it was known.

        The oldest of too many is forgotten.
        """
        self._barred[member] = None
        if len(self._barred) > self.max_members:
            del self._barred[next(iter(self._barred))]
        return self.remove(member)

    def readmit(self, member: Member) -> None:
        """Take ``member`` again when it is heard."""
        self._barred.pop(member, None)

    @property
    def barred(self) -> tuple[Member, ...]:
        """The members that are not taken."""
        return tuple(self._barred)

    def expire(self, silence: float, now: float) -> Sequence[Member]:
        """Remove and return the members that were not heard for more than ``silence`` seconds."""
        gone = [entry.member for entry in self._entries.values() if now - entry.heard > silence]
        for member in gone:
            del self._entries[member]
        if gone:
            self._sort()
        return gone

    def silence_of(self, member: Member, now: float) -> float | None:
        """Seconds since ``member`` was heard, None when it is not known."""
        entry = self._entries.get(member)
        return None if entry is None else now - entry.heard

    def longest_silence(self, now: float) -> float:
        """Seconds since the quietest member was heard; 0 without members."""
        return max((now - entry.heard for entry in self._entries.values()), default=0.0)

    def forgive(self, now: float) -> None:
        """Count every member as heard now, because this process did not listen."""
        for entry in self._entries.values():
            entry.heard = now

    def get(self, member: Member) -> Member | None:
        """The newest record of ``member``, None when it is not known."""
        entry = self._entries.get(member)
        return None if entry is None else entry.member

    def at_address_of(self, member: Member) -> Iterator[Member]:
        """Members with the host and port of ``member`` but another unique id."""
        for known in self.members:
            if known.port == member.port and known.host == member.host and known.unique_id != member.unique_id:
                yield known

    def clear(self) -> None:
        """Forget everybody."""
        self._entries.clear()
        self._barred.clear()
        self.members = ()

    def __contains__(self, member: Member) -> bool:
        return member in self._entries

    def _sort(self) -> None:
        members = [entry.member for entry in self._entries.values()]
        members.sort(key=lambda member: -member.alive_ms)
        self.members = tuple(members)


def _updated(known: Member, heard: Member) -> Member:
    """The updated record; as in Java, domain and ports of a known member stay."""
    return Member(
        known.host,
        known.port,
        known.secure_port,
        known.udp_port,
        heard.alive_ms,
        known.unique_id,
        heard.command,
        known.domain,
        heard.payload,
    )

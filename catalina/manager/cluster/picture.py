"""The picture of the group at one moment, made from its nodes' answers, and the changes since the last look."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from catalina.ha.tcp.live_facts import LiveNode
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order

__all__ = ["HISTORY", "Event", "GroupPicture", "NodePicture", "Sample", "Seen"]

#: Looks that the charts show.
HISTORY = 120
#: Events that are kept.
EVENTS = 100
#: Seconds for which a node that has gone is shown, and how many of them.
GONE_SECONDS, MAX_GONE = 600.0, 20
#: Looks in a row without an answer after which a node counts as not answering.
MISSES = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """A node as one look finds it.

    Args:
        live: its answer, None when there was none.
        offset: seconds that its clock is ahead, wrong by ``accuracy``.
        silence: seconds since its last heartbeat, None when that is not known.
    """

    member: Member
    is_local: bool
    live: LiveNode | None = None
    offset: float = 0.0
    accuracy: float = 0.0
    silence: float | None = None


class Sample(NamedTuple):
    """The numbers of a node in one look; rates are per second."""

    requests: float
    sent: float
    backlog: int
    sessions: int


class Event(NamedTuple):
    """Something that has happened; ``at`` is in seconds since the epoch."""

    number: int
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class NodePicture:
    """A node as the page shows it.

    Args:
        sample: its numbers; None until it was seen twice.
        place: its own among the nodes that are shown, as long as it is: the colour of its lines.
        misses: looks in a row without an answer.
        gone_at: when it was gone, in seconds since the epoch; None: it is a member.
    """

    seen: Seen
    sample: Sample | None = None
    place: int = 0
    misses: int = 0
    gone_at: float | None = None

    @property
    def key(self) -> str:
        """The id of its process, in hex."""
        return self.seen.member.unique_id.hex()

    @property
    def label(self) -> str:
        """Its route, or the address at which it receives."""
        live = self.seen.live
        return live.route if live is not None and live.route else self.seen.member.name

    @property
    def is_java(self) -> bool:
        """True for a node that cannot be asked."""
        return not self.seen.is_local and not keeps_order(self.seen.member)

    @property
    def state(self) -> str:
        """The state in a word or two."""
        live = self.seen.live
        if self.gone_at is not None:
            return "gone"
        if self.is_java:
            return "here"
        if live is None or self.misses >= MISSES:
            return "no answer"
        return "draining" if live.draining else "here"


class GroupPicture:
    """The knowledge about one group. One thread updates it; others read ``nodes``, ``events`` and ``history``, which
    are replaced as a whole.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: tuple[NodePicture, ...] = ()
        self.events: tuple[Event, ...] = ()  # the newest first
        self.history: tuple[dict[str, Sample], ...] = ()
        self.looked_at = 0.0
        self._kept: deque[Event] = deque(maxlen=EVENTS)
        self._ticks: deque[dict[str, Sample]] = deque(maxlen=HISTORY)
        self._number = 0

    def update(self, seen: Sequence[Seen], now: float) -> None:
        """Take over a look, made ``now``: seconds since the epoch."""
        is_first = not self.nodes
        before = {node.key: node for node in self.nodes}
        nodes = list(_next_nodes(before, seen))
        present = {node.key for node in nodes}
        for old in self.nodes:
            if old.key not in present:
                old = replace(old, gone_at=now, sample=None) if old.gone_at is None else old
                if old.gone_at is not None and now - old.gone_at <= GONE_SECONDS:
                    nodes.append(old)
        if not is_first:
            for node in nodes:
                for text in _changes(before.get(node.key), node):
                    self.note(text, now)
        gone = sorted((node for node in nodes if node.gone_at is not None), key=lambda node: -(node.gone_at or 0))
        there = sorted((node for node in nodes if node.gone_at is None), key=lambda node: (node.label, node.key))
        self.nodes = (*there, *gone[:MAX_GONE])
        self._ticks.append({node.key: node.sample for node in there if node.sample is not None})
        self.history = tuple(self._ticks)
        self.looked_at = now

    def note(self, text: str, now: float) -> None:
        """Note an event."""
        self._number += 1
        self._kept.appendleft(Event(self._number, now, text))
        self.events = tuple(self._kept)


def _next_nodes(before: dict[str, NodePicture], seen: Sequence[Seen]) -> Iterator[NodePicture]:
    taken = {node.place for node in before.values()}
    for each in seen:
        old = before.get(each.member.unique_id.hex())
        if old is None:
            place = next(number for number in range(len(taken) + 1) if number not in taken)
            taken.add(place)
            old = NodePicture(each, place=place)
        yield _next(old, each)


def _next(before: NodePicture, seen: Seen) -> NodePicture:
    old = before.seen.live
    if seen.live is None:
        return NodePicture(replace(seen, live=old), None, before.place, before.misses + 1)
    if old is None or seen.live.now <= old.now:
        return NodePicture(seen, None, before.place)
    seconds = seen.live.now - old.now
    sample = Sample(
        max(0, seen.live.requests - old.requests) / seconds,
        max(0, seen.live.given - old.given) / seconds,
        seen.live.backlog,
        seen.live.sessions,
    )
    return NodePicture(seen, sample, before.place)


# ---- what has changed


def _changes(before: NodePicture | None, node: NodePicture) -> Iterator[str]:
    name = node.label
    if before is None:
        yield f"{name} has joined ({node.seen.member.name})"
        return
    if node.state != before.state:
        yield {
            "gone": f"{name} is gone",
            "no answer": f"{name} does not answer",
            "draining": f"{name} is being drained",
        }.get(node.state, f"{name} serves{' again' if before.state != 'gone' else ''}")
    old, new = before.seen.live, node.seen.live
    if old is None or new is None:
        return
    if old.turnover and new.turnover != old.turnover:
        yield f"turnover of sessions on {name} is {new.turnover}"
    for member in sorted(set(new.silent) - set(old.silent)):
        yield f"{member} does not acknowledge messages of {name}"
    for member in sorted(set(old.silent) - set(new.silent)):
        yield f"{member} acknowledges messages of {name} again, or is gone"
    yield from _application_changes(name, old, new)
    yield from _farm_changes(name, old, new)


def _application_changes(name: str, old: LiveNode, new: LiveNode) -> Iterator[str]:
    were = {each.name: each for each in old.applications}
    for each in new.applications:
        was = were.pop(each.name, None)
        if was is None or was.runs != each.runs:
            if each.runs:
                yield f"{each.name} runs on {name}"
            elif was is not None or each.failure:
                yield f"{each.name} does not run on {name}" + (f": {each.failure}" if each.failure else "")
        if was is not None and was.received >= 0 > each.received:
            yield f"{each.name} on {name} has the sessions of the group"
        if was is not None and was.owed == 0 < each.owed:
            yield f"{name} owes members changes of sessions of {each.name}"
        elif was is not None and was.owed > 0 == each.owed:
            yield f"{name} owes no changes of {each.name} any more"
    for gone in were:
        yield f"{gone} was removed from {name}"


def _farm_changes(name: str, old: LiveNode, new: LiveNode) -> Iterator[str]:
    moving, moved = ({each.name for each in live.transfers} for live in (new, old))
    for archive in sorted(moving - moved):
        yield f"{name} sends {archive} to the farm"
    for archive in sorted(moved - moving):
        yield f"{name} has sent {archive} to the farm"
    for archive in sorted(set(new.archives) - set(old.archives)):
        yield f"{archive} is in the farm of {name}"
    for archive in sorted(set(old.archives) - set(new.archives)):
        yield f"{archive} is no longer in the farm of {name}"

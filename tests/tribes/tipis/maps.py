"""Nodes with one map each on a fake network, and values that say what changed in them."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from catalina.errors import ProtocolError
from catalina.tribes.io.java import dumps, loads
from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.lazy_replicated_map import LazyReplicatedMap
from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.map_message import MapMessage
from tests.tribes.tipis.network import FakeChannel, Network

Map = TypeVar("Map", bound=AbstractReplicatedMap)


class Box:
    """A dict that tells its changes, as a session does."""

    def __init__(self, **content: Any) -> None:
        self.content = content
        self.changed: dict[str, Any] = {}
        self.accesses = 0
        self.is_access_due = False

    def set(self, name: str, value: Any) -> None:
        self.content[name] = value
        self.changed[name] = value

    def take_diff(self) -> bytes | None:
        changed, self.changed = self.changed, {}
        return json.dumps(changed).encode() if changed else None

    def apply_diff(self, diff: bytes) -> None:
        self.content.update(json.loads(diff))

    def access_due(self) -> bool:
        return self.is_access_due

    def accessed_elsewhere(self) -> None:
        self.accesses += 1


class BoxCodec:
    def encode(self, value: Box, suid: int) -> bytes:
        return dumps(value.content)

    def decode(self, data: bytes) -> Box:
        content = loads(data)
        if not isinstance(content, dict):
            raise ProtocolError("no box")
        return Box(**content)


class Owner:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def value_received(self, key: Any, value: Any) -> None:
        self.told.append(("received", key))

    def made_primary(self, key: Any, value: Any) -> None:
        self.told.append(("primary", key))

    def made_backup(self, key: Any, value: Any) -> None:
        self.told.append(("backup", key))

    def value_removed(self, key: Any, value: Any) -> None:
        self.told.append(("removed", key))


class Group:
    """Several nodes with the same map."""

    def __init__(self, size: int, kind: type[AbstractReplicatedMap] = LazyReplicatedMap, start: bool = True) -> None:
        self.kind = kind
        self.network = Network()
        #: How far the clocks of the nodes are from each other, in seconds.
        self.skews: tuple[float, ...] = (0.0,)
        self.generation = 0
        self.lives = 0
        self.channels: list[FakeChannel] = []
        self.maps: list[Any] = []
        self.owners: list[Owner] = []
        for _ in range(size):
            self.join(start=start)

    def join(self, start: bool = True, as_number: int | None = None) -> AbstractReplicatedMap:
        """One more node; ``as_number``: in the place of one that is gone, under its address."""
        number = len(self.channels) if as_number is None else as_number
        self.generation += as_number is not None
        channel = self.network.add(number + 1, self.generation if as_number is not None else 0)
        owner = Owner()
        made = self.make(channel, owner)
        if as_number is None:
            self.channels.append(channel)
            self.maps.append(made)
            self.owners.append(owner)
        else:
            self.channels[number], self.maps[number], self.owners[number] = channel, made, owner
        if start:
            made.start()
            self.network.settle()
        return made

    def make(self, channel: FakeChannel, owner: Owner) -> AbstractReplicatedMap:
        """The map of a node, not started."""
        clock, skew = self.network.clock, self.skews[channel.local_member.host[3] % len(self.skews)]
        self.lives += 1
        began = 1000 + self.lives * 1e-5  # it takes time to start a map anew
        return self.kind(channel, "app-map", owner, BoxCodec(), clock=clock, now=lambda: began + clock() + skew)

    def kill(self, number: int) -> None:
        self.network.kill(self.channels[number])
        self.network.settle()

    def settle(self) -> None:
        self.network.settle()

    def roles(self, key: Any) -> list[Role | None]:
        """The role of each live node for an entry; None when the node does not know it."""
        found = []
        for channel, each in zip(self.channels, self.maps, strict=True):
            if channel.alive:
                entry = each.entry(key)
                found.append(entry.role if entry else None)
        return found

    def contents(self, key: Any) -> list[Any]:
        """The value at each live node, None where it is not."""
        values = [each.peek(key) for channel, each in zip(self.channels, self.maps, strict=True) if channel.alive]
        return [None if value is None else value.content for value in values]

    def messages(self) -> list[tuple[int, int, int]]:
        """Map messages since the last call: sender, receiver, type."""
        numbers = {channel.local_member: number for number, channel in enumerate(self.channels)}
        found = [
            (numbers[sender], numbers[to], MapMessage.decode(data).type)
            for sender, to, data in self.network.sent
            if MapMessage.matches(data)
        ]
        self.network.sent.clear()
        return found

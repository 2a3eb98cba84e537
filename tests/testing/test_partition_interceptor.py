"""The layer that cuts a node off, between two layers that note what comes."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from catalina.errors import ChannelError
from catalina.testing.partition_interceptor import PartitionInterceptor
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase


class Below(ChannelInterceptorBase):
    def __init__(self) -> None:
        super().__init__()
        self.known: list[Any] = []
        self.sent: list[Any] = []

    @property
    def members(self) -> Sequence[Any]:
        return self.known

    def get_member(self, member: Any) -> Any:
        return member

    def start(self, level: int) -> None: ...

    def send_message(self, to: Sequence[Any], message: Any, delivery: Any) -> None:
        self.sent.append((list(to), message))


class Above(ChannelInterceptorBase):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def member_added(self, member: Any) -> None:
        self.seen.append(("added", member.port))

    def member_disappeared(self, member: Any) -> None:
        self.seen.append(("gone", member.port))

    def message_received(self, message: Any) -> None:
        self.seen.append(("message", message.address.port))


class Stack:
    """The layer in its place, with a reactor that runs what is due when told to."""

    def __init__(self, file: Any) -> None:
        self.due: list[Any] = []
        self.layer, self.below, self.above = PartitionInterceptor(file=str(file)), Below(), Above()
        self.layer.next, self.layer.previous = self.below, self.above
        self.below.previous = self.layer
        reactor = SimpleNamespace(call_soon=self.due.append, call_later=lambda _, call: self.due.append(call))
        self.layer.channel = SimpleNamespace(running_reactor=reactor)  # type: ignore[assignment]
        self.a, self.b = (SimpleNamespace(port=port) for port in (4001, 4002))
        self.below.known = [self.a, self.b]
        self.layer.start(1)

    def look(self) -> None:
        due, self.due[:] = list(self.due), []
        for each in due:
            each()


def message(sender: Any) -> Any:
    return SimpleNamespace(address=sender)


def test_who_is_cut_off_goes_and_comes_back(tmp_path: Any) -> None:
    file = tmp_path / "partition"
    stack = Stack(file)
    stack.look()
    assert list(stack.layer.members) == [stack.a, stack.b]
    file.write_text("4002\n4009")
    stack.look()
    assert list(stack.layer.members) == [stack.a]
    assert stack.layer.get_member(stack.b) is None
    assert stack.layer.get_member(stack.a) is stack.a
    stack.layer.member_added(stack.b)
    stack.layer.member_disappeared(stack.b)
    file.unlink()
    stack.look()
    assert list(stack.layer.members) == [stack.a, stack.b]
    assert stack.above.seen == [("gone", 4002), ("added", 4002)]


def test_nothing_passes_the_cut_and_senders_hear_of_it(tmp_path: Any) -> None:
    file = tmp_path / "partition"
    file.write_text("4002")
    stack = Stack(file)
    stack.look()
    failed: list[Any] = []
    delivery: Any = SimpleNamespace(failed=lambda member, why: failed.append((member, str(why))))
    stack.layer.send_message([stack.a, stack.b], "m1", delivery)  # type: ignore[arg-type]
    stack.layer.send_message([stack.b], "m2", delivery)  # type: ignore[arg-type]
    assert stack.below.sent == [([stack.a], "m1")]
    stack.look()
    assert [member for member, _ in failed] == [stack.b, stack.b]
    assert "cut off" in failed[0][1]
    stack.layer.message_received(message(stack.a))
    with pytest.raises(ChannelError, match="cut off"):
        stack.layer.message_received(message(stack.b))
    assert stack.above.seen[-1] == ("message", 4001)


def test_it_stops_looking(tmp_path: Any) -> None:
    stack = Stack(tmp_path / "partition")
    stack.layer._looks = False
    stack.look()
    assert stack.due == []

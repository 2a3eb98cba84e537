"""The layer that cuts a node off: who is seen, what passes, and who hears of a failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from catalina.errors import ChannelError
from catalina.testing.partition_interceptor import LOOK_SECONDS, PartitionInterceptor
from tests.tribes.fakes import LOCAL, Stack, a_member

A, B = (replace(a_member(number), port=4000 + number) for number in (1, 2))


class Cut(Stack):
    """The layer in its place; its file, and whoever is due to look at it."""

    def __init__(self, file: Path) -> None:
        self.layer = PartitionInterceptor(file=str(file))
        super().__init__(self.layer, local=LOCAL, members=(A, B))

    def look(self) -> None:
        self.reactor.advance(2 * LOOK_SECONDS)


def test_who_is_cut_off_goes_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "partition"
    stack = Cut(file)
    stack.look()
    assert list(stack.layer.members) == [A, B]
    file.write_text("4002\n4009")
    stack.look()
    assert list(stack.layer.members) == [A]
    assert stack.layer.get_member(B) is None
    assert stack.layer.get_member(A) is A
    stack.layer.member_added(B)
    stack.layer.member_disappeared(B)
    file.unlink()
    stack.look()
    assert list(stack.layer.members) == [A, B]
    assert stack.top.events == [("gone", B), ("added", B)]


def test_nothing_passes_the_cut_and_senders_hear_of_it(tmp_path: Path) -> None:
    file = tmp_path / "partition"
    file.write_text("4002")
    stack = Cut(file)
    stack.look()
    both, one = stack.send(b"m1", to=(A, B)), stack.send(b"m2", to=(B,))
    assert [(to, message.data) for to, message in stack.bottom.sent] == [((A,), b"m1")]
    stack.look()
    assert [list(delivery.faulty) for delivery in (both, one)] == [[B], [B]]
    assert "cut off" in str(both.faulty[B])
    stack.receive(stack.message(b"in", sender=A))
    with pytest.raises(ChannelError, match="cut off"):
        stack.receive(stack.message(b"in", sender=B))
    assert stack.delivered == [b"in"]


def test_it_stops_looking(tmp_path: Path) -> None:
    file = tmp_path / "partition"
    stack = Cut(file)
    stack.layer.stop(15)
    file.write_text("4002")
    stack.look()
    assert list(stack.layer.members) == [A, B]

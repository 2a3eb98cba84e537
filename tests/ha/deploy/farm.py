"""A farm of one process: a channel that keeps what is posted, and members."""

from __future__ import annotations

from collections.abc import Sequence

from catalina.ha.deploy.file_message_factory import FarmFile
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.member import Member


def member(port: int, alive_ms: int = 0) -> Member:
    return Member(host=bytes((127, 0, 0, 1)), port=port, unique_id=port.to_bytes(16, "big"), alive_ms=alive_ms)


def farm_file(
    name: str = "a.war", stamp: int = 1, digest: bytes = b"\1" * 32, context: str = "/a", size: int = 10
) -> FarmFile:
    return FarmFile(name, context, size, digest, stamp)


class FakeChannel:
    """Every message is acknowledged at once, except by members in ``dead``."""

    def __init__(self) -> None:
        self.posted: list[tuple[tuple[Member, ...], bytes]] = []
        self.dead: set[Member] = set()

    def post(self, to: Sequence[Member], message: object, options: int) -> Delivery:
        self.posted.append((tuple(to), bytes(message)))  # type: ignore[call-overload]  # bytes of some kind
        delivery = Delivery(len(to))
        for each in to:
            if each in self.dead:
                delivery.failed(each, ConnectionError("cut"))
            else:
                delivery.succeeded()
        return delivery

    def send(self, to: Sequence[Member], message: object, options: int) -> bytes:
        self.post(to, message, options)
        return b""


class FakeCluster:
    """The part of a cluster that the farm uses."""

    def __init__(self) -> None:
        self.channel = FakeChannel()
        self.sent: list[tuple[object, Member]] = []

    def send(self, message: object, to: Member, options: int) -> bool:
        self.sent.append((message, to))
        return True


def channel_message(data: bytes, sender: Member, options: int = 1) -> ChannelMessage:
    return ChannelMessage(data, options, 0, b"", sender)

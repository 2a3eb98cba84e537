"""Messages become frames, once for all members."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from catalina.attributes import Element
from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.transport.nio.parallel_nio_sender import ParallelNioSender
from catalina.tribes.transport.replication_transmitter import ReplicationTransmitter
from tests.support.narrowing import of_type
from tests.tribes.fakes import LOCAL, PEER, a_member


class Transport(ParallelNioSender):
    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.queued: list[tuple[str, object, list[tuple[bytes, object]], bool]] = []

    def open(self, reactor: Any, on_failure: Any) -> None:
        """There is no loop here."""

    def enqueue(self, to: Any, frames: Any, wants_ack: Any, delivery: Any) -> None:
        self.queued.append(("tcp", to, frames, wants_ack))

    def enqueue_secure(self, to: Any, frames: Any, wants_ack: Any, delivery: Any) -> None:
        self.queued.append(("tls", to, frames, wants_ack))

    def enqueue_datagrams(self, to: Any, frames: Any, wants_ack: Any, delivery: Any) -> None:
        self.queued.append(("udp", to, frames, wants_ack))


@pytest.mark.parametrize(
    ("options", "udp_based", "way", "wants_ack"),
    [
        (0, False, "tcp", False),
        (2, False, "tcp", True),
        (4, False, "tcp", False),
        (0x22, False, "udp", True),
        (6, True, "udp", True),
        (0x12, False, "tls", True),
    ],
)
def test_options_say_which_way_and_whether_an_answer_is_expected(options, udp_based, way, wants_ack):
    transmitter = ReplicationTransmitter()
    transmitter.set_transport(Transport(udp_based=udp_based))
    transmitter.channel = transmitter.listener = Mock(secure=False)
    transmitter.start()
    messages = [ChannelMessage(data, options, 1, bytes(16), LOCAL, data) for data in (b"x", b"y")]
    members = [PEER, a_member(3)]
    transmitter.send_messages(members, messages, Delivery(2))
    frames = [(PackageEncoder().frame(message), message.data) for message in messages]
    assert of_type(Transport, transmitter.transport).queued == [(way, members, frames, wants_ack)]


def test_the_transport_is_a_child_element():
    declaration = ReplicationTransmitter.child_elements()["Transport"]
    assert isinstance(declaration, Element)
    transmitter, transport = ReplicationTransmitter(), Transport()
    declaration.add(transmitter, transport)
    assert transmitter.transport is transport
    assert declaration.default == "org.apache.catalina.tribes.transport.nio.PooledParallelSender"


def test_a_stopped_transmitter_refuses():
    with pytest.raises(ChannelError, match="not connected"):
        ReplicationTransmitter().send_messages([PEER], [ChannelMessage(b"", 0, 0, bytes(16), LOCAL)], Delivery(1))


@pytest.mark.parametrize(("options", "secure"), [(0x30, False), (0x20, True)])
def test_what_must_be_encrypted_does_not_leave_as_a_datagram(options, secure):
    transmitter = ReplicationTransmitter()
    transmitter.set_transport(Transport())
    transmitter.channel = transmitter.listener = Mock(secure=secure)
    transmitter.start()
    with pytest.raises(ChannelError, match="cannot be sent as a datagram"):
        transmitter.send_messages([PEER], [ChannelMessage(b"x", options, 1, bytes(16), LOCAL)], Delivery(1))
    assert of_type(Transport, transmitter.transport).queued == []

"""Errors carry data and say who, what, the limit and where."""

from __future__ import annotations

from catalina.errors import ChannelError, ConfigurationError, LimitError, NotReplicableError, ProtocolError
from catalina.place import Place


def test_a_configuration_error_starts_with_the_place() -> None:
    assert str(ConfigurationError("no such class", Place("server.xml", 41))) == "server.xml:41: no such class"


def test_a_protocol_error_names_peer_and_offset() -> None:
    error = LimitError("payload of 9 bytes, limit 8", offset=19).at_peer("10.0.0.7:4000")
    assert str(error) == "10.0.0.7:4000: payload of 9 bytes, limit 8, at byte 19 of the stream"
    assert isinstance(error, ProtocolError)


def test_a_channel_error_names_each_member_and_its_reason() -> None:
    error = ChannelError("message not sent", {"tcp://10.0.0.7:4000": TimeoutError("no ack in 3000 ms")})
    assert str(error) == "message not sent: tcp://10.0.0.7:4000: no ack in 3000 ms"
    assert list(error.faulty) == ["tcp://10.0.0.7:4000"]


def test_a_value_that_cannot_travel_is_named_by_its_path() -> None:
    error = NotReplicableError("cart['file']", object())
    assert str(error).startswith("cart['file']: a builtins.object cannot be replicated")
    assert isinstance(error, TypeError)

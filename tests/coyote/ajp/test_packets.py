from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.ajp.packets import AjpReader, PacketDecoder, packet
from catalina.errors import LimitError, ProtocolError
from tests.coyote.ajp import web_server
from tests.support.work import assert_linear


def decode_all(decoder: PacketDecoder, portions: list[bytes]) -> list[bytes]:
    found = []
    for portion in portions:
        decoder.receive(portion)
        while (payload := decoder.next_packet()) is not None:
            found.append(payload)
    return found


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 20))
def test_any_chunking_gives_the_same_packets(payloads, size):
    wire = b"".join(web_server.packet(payload) for payload in payloads)
    portions = [wire[i : i + size] for i in range(0, len(wire), size)]
    assert decode_all(PacketDecoder(), portions) == payloads


@pytest.mark.parametrize("data", [b"AB\0\1x", b"GET / HTTP/1.1\r\n", b"\x12\x35", b"\x16\x03\x01"])
def test_other_protocols_are_refused_at_their_first_bytes(data):
    decoder = PacketDecoder()
    decoder.receive(data)
    with pytest.raises(ProtocolError):
        decoder.next_packet()


def test_a_packet_over_the_limit_is_refused_before_it_has_arrived():
    decoder = PacketDecoder(packet_size=8192)
    decoder.receive(b"\x12\x34\x1f\xfd")
    with pytest.raises(LimitError):
        decoder.next_packet()


def test_a_packet_of_exactly_the_limit_is_accepted():
    decoder = PacketDecoder(packet_size=8192)
    decoder.receive(web_server.packet(b"x" * 8188))
    assert decoder.next_packet() == b"x" * 8188
    assert decoder.is_empty


def test_fields_are_read_in_order():
    reader = AjpReader(b"\x01\x00\x12\x34" + web_server.text("abc") + web_server.text(None) + b"rest")
    assert reader.boolean() is True
    assert reader.boolean() is False
    assert reader.peek_short() == reader.short() == 0x1234
    assert (reader.text(), reader.text(), reader.rest(4)) == (b"abc", None, b"rest")


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\5abc\0", b"\0\3abcX", b"\0\3abc"])
def test_a_field_never_reaches_past_the_packet(data):
    with pytest.raises(ProtocolError):
        AjpReader(data).text()


def test_null_where_a_text_is_needed_is_refused():
    with pytest.raises(ProtocolError, match="request URI"):
        AjpReader(b"\xff\xff").required_text("request URI")


def test_packets_of_the_container_have_their_own_signature():
    assert packet(b"xyz") == b"AB\0\3xyz"


@pytest.mark.parametrize("payload", [b"", b"\x0a", b"x" * 100])
@pytest.mark.parametrize("portion", [1, 4096])
def test_cutting_packets_is_linear(payload, portion):
    def make(size: int) -> Any:
        data = web_server.packet(payload) * size
        portions = [data[i : i + portion] for i in range(0, len(data), portion)]

        def call() -> None:
            decoder = PacketDecoder()
            for part in portions:
                decoder.receive(part)
                while decoder.next_packet() is not None:
                    pass

        return call

    assert_linear(make, 100)

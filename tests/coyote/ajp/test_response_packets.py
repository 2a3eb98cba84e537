from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.ajp.response_packets import (
    CPONG,
    FLUSH,
    body_packets,
    end_response,
    get_body_chunk,
    response_head,
)
from catalina.errors import LimitError
from tests.coyote.ajp.web_server import decode
from tests.support.narrowing import of_type


def test_a_head_has_codes_for_the_known_fields():
    head = response_head(200, "OK", [("Content-Type", "text/plain"), ("X-Own", "1"), ("set-cookie", "a=b")], 8192)
    assert head[:2] == b"AB"
    assert head[4:9] == b"\x04\x00\xc8\x00\x02"
    assert b"\xa0\x01" in head
    assert decode(head[4:]) == (
        "headers",
        200,
        [("Content-Type", "text/plain"), ("X-Own", "1"), ("Set-Cookie", "a=b")],
    )


def test_a_value_cannot_bring_its_own_line():
    assert decode(response_head(302, "Found", [("Location", "/a\r\nX: 1")], 8192)[4:])[2] == [("Location", "/a  X: 1")]


def test_a_head_beyond_the_packet_size_is_refused():
    with pytest.raises(LimitError):
        response_head(200, "OK", [("X", "y" * 8192)], 8192)


@given(st.binary(max_size=40_000), st.integers(8192, 20_000))
def test_a_body_travels_in_packets_of_at_most_the_packet_size(data, size):
    packets = list(body_packets(data, size))
    assert all(len(packet) <= size for packet in packets)
    assert b"".join(of_type(bytes, decode(packet[4:])[1]) for packet in packets) == data


def test_the_short_packets_are_those_of_the_specification():
    assert end_response(True) == b"AB\0\2\5\1"
    assert end_response(False) == b"AB\0\2\5\0"
    assert CPONG == b"AB\0\1\x09"
    assert FLUSH == b"AB\0\4\3\0\0\0"
    assert get_body_chunk(8192) == b"AB\0\3\6\x1f\xfa"  # as Tomcat: 8186 bytes of data fit into a body packet

from __future__ import annotations

import pytest

from catalina.ha.cluster_message import class_name_of, decoder_for
from catalina.ha.session.session_message import SessionMessage
from catalina.tribes.io.java import dumps


def test_a_session_message_is_known_by_its_class() -> None:
    message = SessionMessage(1, "/app", None, "S", "x", 5)
    name = class_name_of(message.encode())
    assert name == b"org.apache.catalina.ha.session.SessionMessageImpl"
    decode = decoder_for(name)
    assert decode is not None
    assert decode(message.encode()) == message


@pytest.mark.parametrize("data", [b"", b"\xac\xed", b"\xac\xed\x00\x05t\x00\x01x", b"hello", dumps("a text")])
def test_other_bytes_have_no_class(data: bytes) -> None:
    assert class_name_of(data) == b""


def test_a_class_that_is_no_cluster_message_is_not_decoded() -> None:
    assert decoder_for(class_name_of(dumps([1]))) is None

from __future__ import annotations

from catalina.ha.authenticator.cluster_single_sign_on_listener import decode_listener, encode_listener
from catalina.tribes.io.java import ObjectInputStream, encode_value
from tests.tribes.wire import cases

WIRE = next(bytes.fromhex(case["hex"]) for case in cases("sso") if case["name"] == "ClusterSingleSignOnListener")


def test_a_captured_listener_is_read_and_written_to_the_byte() -> None:
    assert decode_listener(ObjectInputStream(WIRE).read_encoded()) == "SSO1"
    assert encode_listener("SSO1").to_stream() == WIRE


def test_another_listener_names_no_sign_on() -> None:
    assert decode_listener(encode_value("x")) is None
    assert decode_listener(encode_value([1])) is None

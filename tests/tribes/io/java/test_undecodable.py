from __future__ import annotations

from catalina.tribes.io.java import OpaqueValue, decode_value, encode_value
from catalina.tribes.io.java.undecodable import UndecodableError
from tests.tribes.io.java.values import Cart


def test_it_says_why_and_which_class() -> None:
    error = UndecodableError("its class is not allowed", "shop.Cart")
    assert str(error) == "its class is not allowed"
    assert error.class_name == "shop.Cart"


def test_the_reason_reaches_the_opaque_value() -> None:
    value = decode_value(encode_value(Cart("joe")))
    assert isinstance(value, OpaqueValue)
    assert value.why == "its class is not allowed"

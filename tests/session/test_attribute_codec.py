from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from catalina.errors import NotReplicableError
from catalina.session.standard_manager import StandardManager
from catalina.tribes.io.java import EncodedValue, OpaqueValue
from tests.session.support import FakeContext, FakeLoader


@dataclass
class Item:
    name: str


def manager(own: str = r"tests\..*", **values: str) -> StandardManager:
    found = StandardManager()
    found.context = FakeContext(loader=FakeLoader(own))
    for name, text in values.items():
        assert found.set_attribute(name, text)
    return found


def test_a_value_of_the_applications_own_class_comes_back() -> None:
    found = manager()
    encoded = found.codec.encode("item", Item("apple"))
    assert found.codec.decode(found.create_session(), "item", encoded) == Item("apple")


def test_a_foreign_class_comes_back_opaque() -> None:
    found = manager(own="shop")
    encoded = found.codec.encode("item", Item("apple"))
    assert isinstance(found.codec.decode(found.create_session(), "item", encoded), OpaqueValue)


def test_the_path_of_what_cannot_travel_starts_with_the_attributes_name() -> None:
    with pytest.raises(NotReplicableError, match=r"^cart"):
        manager().codec.encode("cart", [open])


def test_broken_bytes_come_back_opaque_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    found = manager()
    value = found.codec.decode(found.create_session("S"), "item", EncodedValue(b"rubbish", 0))
    assert isinstance(value, OpaqueValue)
    assert "Cannot deserialize session attribute [item] for session [S]" in caplog.text


def test_a_class_inside_a_class_belongs_to_its_module() -> None:
    codec = manager(own=r"shop\.cart").codec
    assert codec.allows_class("shop.cart.Cart.Line")
    assert not codec.allows_class("shop.other.Cart")
    assert not codec.allows_class("os.system")


def test_two_names_are_never_stored() -> None:
    codec = manager().codec
    assert not codec.lets_name_through("javax.security.auth.subject")
    assert not codec.lets_name_through("org.apache.catalina.valves.CrawlerSessionManagerValve")


@pytest.mark.parametrize(("warn", "level"), [("true", logging.WARNING), ("false", logging.DEBUG)])
def test_what_a_filter_holds_back_is_reported_as_configured(
    warn: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    found = manager(
        sessionAttributeNameFilter="user.*",
        sessionAttributeValueClassNameFilter="java.lang.String",
        warnOnSessionAttributeFilterFailure=warn,
    )
    assert found.codec.encode_if_allowed("cart", 1) is None
    assert found.codec.encode_if_allowed("userCount", 1) is None
    assert found.codec.encode_if_allowed("userName", "joe") is not None
    texts = [record.getMessage() for record in caplog.records if record.levelno == level]
    assert texts == [
        "Skipped session attribute named [cart] because it did not match the name filter [user.*]",
        "Skipped session attribute named [userCount] because the value type [java.lang.Integer or builtins.int] did "
        "not match the filter [java.lang.String]",
    ]


def test_a_value_that_another_thread_keeps_changing_is_given_up() -> None:
    class Restless(dict[str, int]):
        pass

    tries = []
    codec = manager().codec

    def encode(name: str, value: object) -> EncodedValue:
        tries.append(name)
        raise RuntimeError("dictionary changed size during iteration")

    codec.encode = encode  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        codec.encode_if_allowed("cart", Restless())
    assert len(tries) == 3

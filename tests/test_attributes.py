"""Attributes are declared once: conversion, default, names and inheritance come from the class body."""

from __future__ import annotations

import pytest

from catalina.attributes import (
    Attribute,
    AttributeRefused,
    Component,
    Element,
    Text,
    byte_size,
    choice,
    comma_list,
    xml_name,
)


class Membership(Component):
    drop_time = Attribute(int, 3000, unit="ms")
    enabled = Attribute(bool, True)
    bind = Attribute(str, None)
    encoding = Attribute(str, "UTF-8", xml="URIEncoding")
    level = Attribute(choice("low", "High"), "low")
    names: Attribute[tuple[str, ...]] = Attribute(comma_list, ())
    port = Attribute(int, 45564, aliases=("mcastPort",))


class FastMembership(Membership):
    drop_time = Attribute(int, 500, unit="ms")
    factor = Attribute(float, 1.5)


def test_the_xml_name_follows_from_the_python_name() -> None:
    assert xml_name("max_http_header_size") == "maxHttpHeaderSize"


def test_a_default_stands_until_a_value_is_set() -> None:
    membership = Membership()
    assert membership.drop_time == 3000
    assert membership.set_attribute("dropTime", " 5000 ")
    assert membership.drop_time == 5000
    assert Membership().drop_time == 3000


def test_the_class_keeps_the_plain_default_which_is_found_without_a_call() -> None:
    assert vars(FastMembership)["drop_time"] == 500
    assert list(FastMembership.declared) == ["drop_time", "factor"]


def test_an_unknown_name_is_reported_and_changes_nothing() -> None:
    membership = Membership()
    assert not membership.set_attribute("drop_time", "1")
    assert membership.drop_time == 3000


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("dropTime", "5s", "a whole number of ms"),
        ("dropTime", "9" * 20, "a whole number of ms"),
        ("enabled", "maybe", "true or false"),
        ("level", "middle", "one of low, High"),
    ],
)
def test_a_value_that_does_not_convert_says_what_was_expected(name: str, text: str, expected: str) -> None:
    membership = Membership()
    with pytest.raises(AttributeRefused) as refused:
        membership.set_attribute(name, text)
    assert refused.value.expected == expected
    assert (membership.drop_time, membership.enabled, membership.level) == (3000, True, "low")


@pytest.mark.parametrize(
    ("text", "value"), [("TRUE", True), ("yes", True), ("off", False), ("False", False), ("0", False)]
)
def test_booleans_are_read_as_tomcat_writes_them(text: str, value: bool) -> None:
    membership = Membership()
    membership.set_attribute("enabled", text)
    assert membership.enabled is value


def test_a_name_that_breaks_the_rule_and_an_old_name_are_found() -> None:
    membership = Membership()
    assert membership.set_attribute("URIEncoding", "latin-1")
    assert membership.set_attribute("mcastPort", "4000")
    assert (membership.encoding, membership.port) == ("latin-1", 4000)


def test_choices_keep_the_declared_spelling_and_lists_lose_blanks() -> None:
    membership = Membership()
    membership.set_attribute("level", "HIGH")
    membership.set_attribute("names", "a, b,,c ")
    assert (membership.level, membership.names) == ("High", ("a", "b", "c"))


def test_a_subclass_inherits_declarations_and_may_change_them() -> None:
    assert FastMembership().drop_time == 500
    assert set(Membership.attributes()) < set(FastMembership.attributes())
    assert FastMembership.attributes()["dropTime"].default == 500
    assert Membership.attributes()["dropTime"].default == 3000


def test_values_can_be_given_to_the_constructor_by_python_name() -> None:
    assert Membership(drop_time=7).drop_time == 7
    with pytest.raises(TypeError, match="no attribute dropTime"):
        Membership(dropTime=7)


def test_given_tells_what_was_configured_from_what_stands_by_default() -> None:
    membership = Membership(bind="127.0.0.1")
    membership.set_attribute("dropTime", "3000")
    membership.enabled = False
    membership.settle_attributes()
    assert membership.given == {"bind", "drop_time"}


def test_a_value_that_is_refused_was_not_given() -> None:
    membership = Membership()
    with pytest.raises(AttributeRefused):
        membership.set_attribute("dropTime", "soon")
    assert membership.given == set()


def test_a_component_that_keeps_unknown_attributes_stores_their_text() -> None:
    class Resource(Component):
        keeps_unknown_attributes = True

    resource = Resource()
    assert resource.set_attribute("driverClassName", "x.Y")
    assert resource.properties == {"driverClassName": "x.Y"}


def test_child_elements_of_all_bases_count() -> None:
    class Base(Component):
        elements = {"Valve": Element(add=lambda parent, child: None)}

    class Host(Base):
        elements = {"Alias": Text(add=lambda parent, text: None)}

    assert set(Host.child_elements()) == {"Valve", "Alias"}


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("99", 99), (" 512M ", 2**29), ("1 g", 2**30), ("64kb", 65536)])
def test_sizes_are_in_bytes_or_have_a_unit(text: str, size: int) -> None:
    assert byte_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "5T", "much", "9" * 16])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(AttributeRefused, match="expected a whole number, or one with K, M or G behind it"):
        byte_size(text)

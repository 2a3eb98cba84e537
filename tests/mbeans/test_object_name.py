from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.mbeans.object_name import MalformedObjectName, ObjectName, quote


@pytest.mark.parametrize(
    "text",
    [
        "Catalina:type=Server",
        "Catalina:type=Manager,host=localhost,context=/shop",
        'Catalina:type=Connector,port=8080,address="127.0.0.1"',
        "Catalina:j2eeType=WebModule,name=//localhost/shop,J2EEApplication=none,J2EEServer=none",
        'Catalina:type=Cluster,component=Member,name="tcp://{127, 0, 0, 1}:4000"',
        "*:*",
        "Catalina:type=Valve,*",
    ],
)
def test_a_name_reads_back_as_it_was_written(text: str) -> None:
    assert str(ObjectName.parse(text)) == text


def test_the_order_of_properties_does_not_matter_for_equality() -> None:
    first, second = ObjectName.parse("d:a=1,b=2"), ObjectName.parse("d:b=2,a=1")
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize("text", ["bad", "d:", "d:a", "d:a=", "d:a=1,,b=2", "d:a=1,a=2", "d:a=b=c", 'd:a="x'])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(MalformedObjectName):
        ObjectName.parse(text)


def test_a_text_without_properties_is_refused_with_the_words_of_jmx() -> None:
    with pytest.raises(MalformedObjectName, match="Key properties cannot be empty"):
        ObjectName.parse("bad")


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*:*", True),
        ("Catalina:*", True),
        ("Cat*:type=Manager,*", True),
        ("Catalina:type=Manager,host=local*,context=/shop", True),
        ("Catalina:type=Manager,context=/shop", False),
        ("Catalina:type=Manager,host=?,*", False),
        ("Other:*", False),
        ("Catalina:type=Manager,nope=1,*", False),
        ("Catalina:type=[Mm]anager,*", False),
    ],
)
def test_a_pattern_matches_by_domain_and_properties(pattern: str, matches: bool) -> None:
    name = ObjectName.parse("Catalina:type=Manager,host=localhost,context=/shop")
    assert ObjectName.parse(pattern).matches(name) is matches


def test_a_name_knows_whether_it_is_a_pattern() -> None:
    assert ObjectName.parse("d:a=*").is_pattern
    assert not ObjectName.parse('d:a="\\*"').is_pattern


@given(st.text(max_size=20))
def test_any_text_can_be_a_quoted_value(text: str) -> None:
    name = ObjectName("d", {"name": quote(text)})
    assert ObjectName.parse(str(name)) == name


@given(st.text(alphabet='ab:=,*"\\ ', max_size=20))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    with contextlib.suppress(MalformedObjectName):
        assert ObjectName.parse(text).domain in text

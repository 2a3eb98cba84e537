from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.mbeans.object_name import DEFAULT_DOMAIN, MalformedObjectName, ObjectName, quote, unquote
from tests.support.work import assert_linear


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


@pytest.mark.parametrize("text", ["bad", "d:", "d:a", "d:a=1,,b=2", "d:a=1,a=2", "d:a=b=c", 'd:a="x'])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(MalformedObjectName):
        ObjectName.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # As the JDK 17 says it.
        ("bad", "Key properties cannot be empty"),
        ("d:", "Key properties cannot be empty"),
        ("a=b", "Domain part must be specified"),
        ("a:b", "Unterminated key property part"),
        ("a:b=c,", "Invalid ending comma"),
        ("a:b=c,b=d", "key `b' already defined"),
        ("a:b=c:d", "Invalid character ':' in value part of property"),
        ("a:=c", "Invalid key (empty)"),
        ("a:b?=c", "Invalid character '?' in key part of property"),
        ("a:*,*", "Cannot have several '*' characters in pattern property list"),
        ("a:*x", "Invalid character found after '*': end of name or ',' expected"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_jmx(text: str, message: str) -> None:
    with pytest.raises(MalformedObjectName) as caught:
        ObjectName.parse(text)
    assert str(caught.value) == message


def test_what_is_left_out_has_a_default() -> None:
    assert str(ObjectName.parse("")) == "*:*"
    assert ObjectName.parse(":a=b").domain == "DefaultDomain"
    assert ObjectName.parse("d:a=").keys == {"a": ""}
    assert str(ObjectName.parse("d:*,a=b")) == "d:a=b,*"


def test_a_canonical_name_has_its_keys_sorted() -> None:
    assert ObjectName.parse("d:type=b,host=a").canonical == "d:host=a,type=b"


def test_the_work_is_linear() -> None:
    def of_size(size: int) -> Callable[[], object]:
        text = 'd:a="' + "\\\\" * size

        def read() -> None:
            with pytest.raises(MalformedObjectName):
                ObjectName.parse(text)

        return read

    assert_linear(of_size, 1000)


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
        ("Catalina:*,type=Manager", True),
    ],
)
def test_a_pattern_matches_by_domain_and_properties(pattern: str, matches: bool) -> None:
    name = ObjectName.parse("Catalina:type=Manager,host=localhost,context=/shop")
    assert ObjectName.parse(pattern).matches(name) is matches


def test_a_wildcard_in_quotes_counts_unless_a_backslash_stands_before_it() -> None:
    star, literal = ObjectName.parse('d:a="x*"'), ObjectName.parse(r'd:a="x\*"')
    assert star.is_pattern
    assert star.matches(ObjectName.parse('d:a="xyz"'))
    assert literal.matches(literal)
    assert not literal.matches(ObjectName.parse('d:a="xyz"'))


def test_a_name_knows_whether_it_is_a_pattern() -> None:
    assert ObjectName.parse("d:a=*").is_pattern
    assert not ObjectName.parse('d:a="\\*"').is_pattern


@given(st.text(max_size=20))
def test_any_text_can_be_a_quoted_value(text: str) -> None:
    name = ObjectName("d", {"name": quote(text)})
    assert ObjectName.parse(str(name)) == name
    assert unquote(name.keys["name"]) == text


@given(st.text(alphabet='ab:=,*"\\ ', max_size=20))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    with contextlib.suppress(MalformedObjectName):
        name = ObjectName.parse(text)
        assert not text or name.domain in (*[text.partition(":")[0]], DEFAULT_DOMAIN)

"""Names of character properties, as Java spells them."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from catalina.java_properties import POSIX, unicode_property


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("javaWhitespace", "\t", "\u00a0"), ("javaLetterOrDigit", "\u0661", "_"), ("Lu", "\u00c4", "a"),
        ("LC", "a", "1"),
        ("IsLu", "A", "a"), ("IsLatin", "\u00e4", "\u03b1"), ("InGreek", "\u03b1", "a"), ("IsPunctuation", "!", "$"),
        ("gc=Lu", "A", "a"), ("SCRIPT=Greek", "\u03b1", "a"), ("block=BasicLatin", "a", "\u00e4"), ("all", "\n", None),
    ],
)  # fmt: skip
def test_a_name_is_the_inside_of_a_class(name, inside, outside):
    compiled = regex.compile(f"[{unicode_property(name)}]", regex.V1)
    assert compiled.fullmatch(inside)
    assert outside is None or not compiled.fullmatch(outside)


@pytest.mark.parametrize("name", ["", "Nope", "Greek", "IsNope", "InNope", "x=Greek", "gc=Nope", "Is", "In", "Lower_"])
def test_other_names_are_none(name):
    assert unicode_property(name) is None


@pytest.mark.parametrize("name", POSIX)
def test_posix_names_are_ascii(name):
    compiled = regex.compile(f"[{POSIX[name]}]", regex.V1)
    found = [char for char in map(chr, range(256)) if compiled.fullmatch(char)]
    assert found
    assert name == "L1" or max(found) < "\x80"


@given(st.text(max_size=20))
def test_no_name_breaks_out(name):
    known = unicode_property(name)
    assert known is None or regex.compile(f"[{known}]", regex.V1) is not None

"""Java's regular expressions, matched as Java matches them (checked once against java.util.regex)."""

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from catalina.attributes import AttributeRefused
from catalina.java_pattern import POSIX, compile_pattern, pattern, unicode_property


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        (r"127\.\d+\.\d+\.\d+|::1", "127.0.0.1", "128.0.0.1"),
        (r"f[cd]\p{XDigit}{2}+:.*", "fd12:abc", "fdzz:abc"),
        (r"(?<year>\d{4})-\k<year>", "2020-2020", "2020-2021"),
        (r"\Qa.b*\E.*", "a.b*c", "aXb*c"),
        (r"[\p{Lower}\d]+", "ab1", "AB1"),
        (r"\P{Digit}+", "abc", "a1"),
        (r"(?i)googlebot", "GoogleBot", "bing"),
        (r"\x{41}B", "AB", "aB"),
        (r"(?<=a)b|ab(?<!c)", "ab", "cb"),
        (r"\d+", "12", "\u0661\u0662"),
    ],
)
def test_a_java_pattern_matches_what_java_matches(text, matching, other):
    compiled = compile_pattern(text)
    assert compiled.fullmatch(matching)
    assert not compiled.fullmatch(other)


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        (r"[a-z&&[^b]]+", "ac", "ab"),
        (r"[a-d[m-p]]+", "an", "az"),
        (r"[a-z&&[^m-p]]", "a", "n"),
        (r"[^\D]", "1", "a"),
        (r"\H+", "ab", "a b"),
        (r"[\h]", "\u00a0", "a"),
        (r"\cA", "\x01", "A"),
        (r"\v", "\u2028", "v"),
        (r"\0101", "A", "0101"),
        (r"(?iu)\u00e4", "\u00c4", "a"),
        (r"(?d)a", "a", "b"),
        (r"a(?i)b(?-i)c", "aBc", "aBC"),
        (r"\p{javaLowerCase}", "\u00e4", "A"),
        (r"\p{Sc}", "\u20ac", "a"),
        (r"[\P{Sc}]", "a", "$"),
        (r"\p{IsLatin}+", "a\u00e4", "\u03b1"),
        (r"\p{InGreek}", "\u03b1", "a"),
        (r"\p{script=Greek}", "\u03b1", "a"),
        (r"\p{L}", "\u00e4", "1"),
        (r"\p{Lower}", "a", "\u00e4"),
        (r"\X", "a\u0301", "ab"),
        (r"\w+d(?<=a|bc)?.*(?<!a|bc)", "xd", "xda"),
        (r"[a||b]+", "a|b", "a~"),
        (r"[a-]", "-", "b"),
        (r"[]a]+", "]a", "["),
        (r"[[:alpha:]]+", "alpha:", "z"),
        (r"(a)\11", "aa1", "aa"),
        (r"\N{DIGIT ONE}", "1", "2"),
    ],
)
def test_what_re_cannot_say_is_matched_too(text, matching, other):
    compiled = compile_pattern(text)
    assert compiled.fullmatch(matching)
    assert not compiled.fullmatch(other)


@pytest.mark.parametrize(
    "text",
    ["a\\", "(", "[a", r"\p{Nope}", r"\p{Greek}", r"\p", "a{,3}", "a{x}", "{1}", "a**", r"\y", r"\u41", r"\x{110000}",
     "(?P<n>a)", "(?#x)", "(a)(?(1)b)", "(?<1n>a)", "(?<n>a)|(?<n>b)", r"\k<n>", r"[\R]", "[z-a]", "[&&a]", r"(?U)\w",
     r"\b{g}", r"\N{NOPE}", "(" * 5000, "[" * 5000],
)  # fmt: skip
def test_what_java_refuses_or_nobody_can_express_is_refused(text):
    with pytest.raises(re.error):
        compile_pattern(text)


def test_what_re_can_do_is_compiled_by_re():
    assert type(compile_pattern(r"10\.\d{1,3}\.[^a-c\s]*|\p{XDigit}++")) is re.Pattern


def test_flags_can_be_given_beside_the_text():
    assert compile_pattern("a.b", re.DOTALL | re.IGNORECASE).fullmatch("A\nB")
    assert compile_pattern(r"\p{L}.b", re.DOTALL).fullmatch("\u00e4\nb")


@given(st.text(alphabet=r"ab1[]^-&|\\pP{}LuQE(?<n>):*+.$x,~dwsS", max_size=25) | st.text(max_size=20))
def test_any_text_is_a_pattern_or_the_documented_error(text):
    try:
        compile_pattern(text).fullmatch("ab")
    except re.error:
        pass


def test_an_attribute_value_that_is_no_pattern_is_refused_with_the_reason():
    with pytest.raises(AttributeRefused, match="regular expression"):
        pattern("10.(")


def test_an_empty_attribute_is_no_pattern():
    assert pattern("") is None


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

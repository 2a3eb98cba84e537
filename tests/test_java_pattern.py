"""Java's regular expressions, matched as Java matches them (checked once against java.util.regex)."""

import re

import pytest

from catalina.attributes import AttributeRefused
from catalina.java_pattern import compile_pattern, pattern


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


@pytest.mark.parametrize("text", ["[a-z&&[^b]]", "[a[b]]", r"\p{IsGreek}", "a\\", "(", r"[\P{Lower}]"])
def test_what_cannot_be_expressed_is_refused(text):
    with pytest.raises(re.error):
        compile_pattern(text)


def test_an_attribute_value_that_is_no_pattern_is_refused_with_the_reason():
    with pytest.raises(AttributeRefused, match="regular expression"):
        pattern("10.(")


def test_an_empty_attribute_is_no_pattern():
    assert pattern("") is None

"""rewrite.config."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ConfigurationError
from catalina.valves.rewrite.rewrite_config import parse_rewrite_config


def test_conditions_belong_to_the_next_rule_and_words_may_be_quoted() -> None:
    rules = parse_rewrite_config(
        "# a comment\n\n"
        'RewriteCond "%{HTTP_USER_AGENT}" "a b" [NC]\nRewriteRule ^/a$ "/b c" [L, R=301]\nrewriterule /x /y\n',
        "f",
    )
    first, second = rules
    assert (len(first.conditions), first.last, first.redirect) == (1, True, 301)
    assert first.substitution is not None
    assert first.substitution.text == "/b c"
    assert second.conditions == []


def test_maps_are_known_from_their_line_on() -> None:
    rules = parse_rewrite_config("RewriteMap up int:toupper\nRewriteRule ^/(.*)$ /${up:$1}", "f")
    assert len(rules) == 1
    with pytest.raises(ConfigurationError, match=r"f:1: Invalid rewrite configuration: no RewriteMap \[up\]"):
        parse_rewrite_config("RewriteRule ^/(.*)$ /${up:$1}\nRewriteMap up int:toupper", "f")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("RewriteEngine On", "expected RewriteCond, RewriteRule or RewriteMap, found 'RewriteEngine'"),
        ("RewriteRule /a", "RewriteRule needs two words"),
        ("RewriteRule /a /b L", "expected flags in brackets, found 'L'"),
        ("RewriteRule ( /b", "unterminated"),
        ("RewriteMap up", "RewriteMap needs a name and a class"),
        ("RewriteRule /a /b [WHAT]", "unknown flag 'WHAT'"),
    ],
)
def test_a_line_that_is_not_understood_says_where(line: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_rewrite_config("# first\n" + line, "rewrite.config")
    assert str(caught.value).startswith("rewrite.config:2: Invalid rewrite configuration: ")
    assert complaint in str(caught.value)


@given(st.text(max_size=60), st.sampled_from(["RewriteRule ", "RewriteCond ", "RewriteMap ", ""]))
def test_any_text_gives_rules_or_the_documented_error(text: str, word: str) -> None:
    try:
        parse_rewrite_config(word + text, "f")
    except ConfigurationError:
        return

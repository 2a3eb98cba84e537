"""Rules and flags."""

from __future__ import annotations

import pytest

from catalina.valves.rewrite.rewrite_cond import RewriteCond
from catalina.valves.rewrite.rewrite_rule import RewriteRule
from catalina.valves.rewrite.substitution import Found
from tests.valves.exchange import make_request


def rule(pattern: str, target: str, *flags: str, conditions: list[RewriteCond] | None = None) -> RewriteRule:
    return RewriteRule.parse(pattern, target, list(flags), conditions or [], {})


def found() -> Found:
    return Found(make_request("/x")[0])


@pytest.mark.parametrize(
    ("pattern", "target", "url", "result"),
    [
        ("^/a/(.*)$", "/b/$1", "/a/x", "/b/x"),
        ("/a", "/b", "/a", "/b"),
        ("/a", "/b", "/ax", None),
        ("!/a", "/b", "/ax", "/b"),
        ("!/a", "/b", "/a", None),
        ("/a", "-", "/a", "/a"),
    ],
)
def test_the_whole_url_must_match(pattern: str, target: str, url: str, result: str | None) -> None:
    assert rule(pattern, target).evaluate(url, found()) == result


def test_flags_are_understood_by_both_names() -> None:
    short = rule("/a", "/b", "R=301", "L", "QSA", "NC", "S=2", "T=text/x", "E=v:1", "CO=n:v:d:5:/p:true:true")
    long = rule(
        "/a", "/b", "redirect=permanent", "last", "qsappend", "nocase", "skip=2", "type=text/x", "env=v:1", "cookie=n:v"
    )
    for each in (short, long):
        assert (each.redirect, each.last, each.append_query, each.no_case) == (301, True, True, True)
        assert (each.skip, each.content_type, each.environment[0][0]) == (2, "text/x", "v")
    cookie = short.cookie
    assert cookie is not None
    assert (cookie.name, cookie.domain, cookie.max_age, cookie.path) == ("n", "d", 5, "/p")
    assert (cookie.secure, cookie.http_only) == (True, True)
    assert rule("/a", "-", "R").redirect == 302
    assert rule("/a", "-", "R=seeother").redirect == 303


@pytest.mark.parametrize("flag", ["XX", "R=soon", "S=many", "CO=alone"])
def test_flags_that_are_none(flag: str) -> None:
    with pytest.raises(ValueError, match=r"flag|invalid literal|cookie"):
        rule("/a", "/b", flag)


def condition(text: str, or_next: bool = False) -> RewriteCond:
    return RewriteCond.parse(text, "yes", ["OR"] if or_next else [], {})


@pytest.mark.parametrize(
    ("conditions", "applies"),
    [
        ([("yes", False), ("yes", False)], True),
        ([("yes", False), ("no", False)], False),
        ([("no", True), ("yes", False)], True),
        ([("yes", True), ("no", False)], True),
        ([("no", True), ("no", False)], False),
        ([("no", True), ("yes", True), ("no", False), ("yes", False)], True),
        ([("yes", True), ("no", False), ("no", False)], False),
        ([("yes", True)], True),
        ([("no", True)], False),
    ],
)
def test_conditions_join_by_and_or_by_or(conditions: list[tuple[str, bool]], applies: bool) -> None:
    made = [condition(text, or_next) for text, or_next in conditions]
    assert (rule("/a", "/b", conditions=made).evaluate("/a", found()) is not None) is applies

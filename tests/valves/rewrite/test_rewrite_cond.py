"""Conditions."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.valves.rewrite.rewrite_cond import RewriteCond
from catalina.valves.rewrite.substitution import Found
from catalina.webresources.resource import FileResource
from catalina.webresources.standard_root import StandardRoot
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request


def holds(test: str, pattern: str, *flags: str) -> bool:
    request, _ = make_request("/x", headers=[("User-Agent", "Robot")], query="n=7")
    return RewriteCond.parse(test, pattern, list(flags), {}).evaluate(Found(request))


@pytest.mark.parametrize(
    ("test", "pattern", "flags", "result"),
    [
        ("%{HTTP_USER_AGENT}", "Robot", [], True),
        ("%{HTTP_USER_AGENT}", "Rob", [], False),
        ("%{HTTP_USER_AGENT}", "robot", [], False),
        ("%{HTTP_USER_AGENT}", "robot", ["NC"], True),
        ("%{HTTP_USER_AGENT}", "!Robot", [], False),
        ("%{HTTP_USER_AGENT}", "!Human", [], True),
        ("b", "<c", [], True),
        ("b", ">a", [], True),
        ("b", ">c", [], False),
        ("b", "=b", [], True),
        ("B", "=b", ["nocase"], True),
        ("", '=""', [], True),
        ("x", '=""', [], False),
    ],
)
def test_patterns_and_comparisons(test: str, pattern: str, flags: list[str], result: bool) -> None:
    assert holds(test, pattern, *flags) is result


def test_the_match_is_kept_for_percent_references() -> None:
    request, _ = make_request("/x", query="n=7")
    found = Found(request)
    assert RewriteCond.parse("%{QUERY_STRING}", r"n=(\d)", [], {}).evaluate(found)
    assert found.condition is not None
    assert found.condition[1] == "7"


def test_files_of_the_application(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "empty.txt").write_text("")
    request, _ = make_request("/x")
    get_resource = lambda path: FileResource.of(path, tmp_path / path[1:])  # noqa: E731 - a stand-in for the resources
    request.context = stand_in(StandardContext, resources=stand_in(StandardRoot, get_resource=get_resource))

    def check(path: str, pattern: str) -> bool:
        return RewriteCond.parse(path, pattern, [], {}).evaluate(Found(request))

    assert (check("/a.txt", "-f"), check("/", "-f"), check("/", "-d"), check("/nope", "-f")) == (
        True,
        False,
        True,
        False,
    )
    assert (check("/a.txt", "-s"), check("/empty.txt", "-s"), check("/nope", "!-f")) == (True, False, True)


def test_an_unknown_flag_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown flag 'xx' of a RewriteCond"):
        RewriteCond.parse("a", "b", ["NC", "XX"], {})

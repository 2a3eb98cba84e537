"""The order of fragments."""

from __future__ import annotations

import itertools

import pytest

from catalina.descriptor.fragment_order import order_fragments
from catalina.descriptor.web_xml import OTHERS, WebXml
from catalina.errors import ConfigurationError


def names(application: WebXml, *fragments: WebXml) -> list[str]:
    return [fragment.name for fragment in order_fragments(application, fragments)]


A, B, C = WebXml(name="a"), WebXml(name="b"), WebXml(name="c")


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        (["c", "a"], ["c", "a"]),
        (["c", OTHERS, "a"], ["c", "b", "a"]),
        ([OTHERS], ["a", "b", "c"]),
        (["b", "nobody"], ["b"]),
        ([], []),
    ],
)
def test_the_application_may_name_them(ordering: list[str], expected: list[str]) -> None:
    assert names(WebXml(absolute_ordering=ordering), A, B, C) == expected


def test_without_any_word_the_archives_order_counts() -> None:
    assert names(WebXml(), B, WebXml(), A) == ["b", "", "a"]


def test_before_and_after_count_whatever_order_they_come_in() -> None:
    first = WebXml(name="first", before=[OTHERS])
    last = WebXml(name="last", after=[OTHERS])
    early = WebXml(name="early", before=["late"])
    late = WebXml(name="late")
    later = WebXml(name="later", after=["late"])
    for order in itertools.permutations((first, last, early, late, later)):
        assert names(WebXml(), *order) == ["first", "early", "late", "later", "last"]


def test_a_circle_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"circular reference among \[x, y\]"):
        names(WebXml(), WebXml(name="x", before=["y"]), WebXml(name="y", before=["x"]))


def test_a_name_that_is_there_twice_is_refused_unless_the_application_decides() -> None:
    with pytest.raises(ConfigurationError, match=r"More than one web fragment has the name \[a\]"):
        names(WebXml(), A, WebXml(name="a"))
    assert names(WebXml(absolute_ordering=["b"]), A, WebXml(name="a"), B) == ["b"]


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        # a is before all others and behind c: so c is before all others, too.
        ([WebXml(name="a", before=[OTHERS], after=["c"]), B, C], ["c", "a", "b"]),
        # A fragment that must come after one that is after all others goes there as well.
        ([WebXml(name="a", after=["c"]), B, WebXml(name="c", after=[OTHERS])], ["b", "c", "a"]),
        ([WebXml(name="a", before=["c"]), WebXml(name="c", before=[OTHERS]), B], ["a", "c", "b"]),
        ([WebXml(name="a", after=["nobody"]), WebXml(name="b", before=["nobody"])], ["a", "b"]),
    ],
)
def test_wishes_reach_across_the_groups(fragments: list[WebXml], expected: list[str]) -> None:
    assert names(WebXml(), *fragments) == expected


@pytest.mark.parametrize(
    "fragments",
    [
        [WebXml(name="a", before=[OTHERS], after=["b"]), WebXml(name="b", after=["a"])],
        [WebXml(name="a", before=["a"])],
        [
            WebXml(name="a", before=[OTHERS]),
            WebXml(name="b", before=["a"]),
            WebXml(name="c", before=["b"], after=["a"]),
        ],
    ],
)
def test_circles_across_the_groups_are_refused(fragments: list[WebXml]) -> None:
    with pytest.raises(ConfigurationError, match="circular"):
        names(WebXml(), *fragments)


@pytest.mark.parametrize(
    "fragments",
    [
        [WebXml(name="a", before=[OTHERS], after=[OTHERS])],
        [WebXml(name="a", before=[OTHERS]), WebXml(name="b", before=["a"], after=[OTHERS])],
        [WebXml(name="a", after=[OTHERS]), WebXml(name="b", after=["a"], before=[OTHERS])],
    ],
)
def test_nobody_is_before_all_others_and_after_them(fragments: list[WebXml]) -> None:
    with pytest.raises(ConfigurationError, match="before all others and after all others"):
        names(WebXml(), *fragments)


def test_a_wrong_name_in_the_applications_order_is_said(caplog: pytest.LogCaptureFixture) -> None:
    names(WebXml(absolute_ordering=["nobody", "a"]), A)
    assert "Used a wrong fragment name [nobody]" in caplog.text

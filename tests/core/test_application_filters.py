"""Filters and their chains."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.application_filters import matches_url
from catalina.lifecycle import LifecycleState
from tests.core.node import Node, web_xml

MODULE = """
made = []
closed = []

class Mark:
    def __init__(self, application, mark):
        made.append(mark)
        self.application, self.mark = application, mark
    def __call__(self, environ, start_response):
        environ.setdefault("marks", []).append(self.mark)
        yield from self.application(environ, start_response)   # a generator: runs late
    def close(self): closed.append(self.mark)

def forgetful(application):
    return lambda environ, start_response: application({}, start_response)

def copying(application):
    return lambda environ, start_response: application(dict(environ), start_response)

def no_callable(application): return None

def application(environ, start_response):
    start_response("200 OK", [])
    return [",".join(environ.get("marks", [])).encode()]
"""


def files(filters: str, *names: str) -> dict[str, str | bytes]:
    definitions = "".join(
        f"<filter><filter-name>{name}</filter-name><filter-class>marks:Mark</filter-class>"
        f"<init-param><param-name>mark</param-name><param-value>{name}</param-value></init-param></filter>"
        for name in names
    )
    servlet = (
        "<servlet><servlet-name>s</servlet-name><servlet-class>marks:application</servlet-class></servlet>"
        "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )
    return {"WEB-INF/web.xml": web_xml(definitions + filters + servlet), "WEB-INF/classes/marks.py": MODULE}


def mapping(name: str, inner: str) -> str:
    return f"<filter-mapping><filter-name>{name}</filter-name>{inner}</filter-mapping>"


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/*", "/", True),
        ("/*", "", True),
        ("/x", "/x", True),
        ("/x", "/x/", False),
        ("/x/*", "/x", True),
        ("/x/*", "/x/y", True),
        ("/x/*", "/xy", False),
        ("*.foo", "/a/b.foo", True),
        ("*.foo", "/a.foo/b", False),
        ("*.foo", "/foo", False),
        ("/", "/", True),
        ("/", "/x", False),
    ],
)
def test_url_patterns_of_filters(pattern: str, path: str, matches: bool) -> None:
    assert matches_url(pattern, path) is matches


def test_url_patterns_come_before_servlet_names_whatever_the_file_says(tmp_path: Path) -> None:
    node = Node(tmp_path)
    mappings = (
        mapping("byName", "<servlet-name>s</servlet-name>")
        + mapping("all", "<url-pattern>/*</url-pattern>")
        + mapping("some", "<url-pattern>/some/*</url-pattern>")
        + mapping("every", "<servlet-name>*</servlet-name>")
    )
    node.add("shop", files(mappings, "byName", "all", "some", "every"))
    with node:
        assert node.ask("/shop/some/x").body == b"all,some,byName,every"
        assert node.ask("/shop/other").body == b"all,byName,every"


def test_a_filter_is_made_once_and_closed_at_the_stop(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", files(mapping("a", "<url-pattern>/*</url-pattern>"), "a"))
    with node:
        for path in ("/shop/1", "/shop/2", "/shop/1"):
            assert node.ask(path).body == b"a"
        made, closed = context.loader.load("marks:made"), context.loader.load("marks:closed")
    assert (made, closed) == (["a"], ["a"])


def test_a_filter_that_is_mapped_twice_runs_twice(tmp_path: Path) -> None:
    node = Node(tmp_path)
    mappings = mapping("a", "<url-pattern>/*</url-pattern>") + mapping("a", "<servlet-name>s</servlet-name>")
    node.add("shop", files(mappings, "a"))
    with node:
        assert node.ask("/shop/").body == b"a,a"


def other_filter(name: str) -> str:
    return (
        f"<filter><filter-name>o</filter-name><filter-class>marks:{name}</filter-class></filter>"
        "<filter-mapping><filter-name>o</filter-name><url-pattern>/*</url-pattern></filter-mapping>"
    )


def test_a_filter_may_hand_on_a_copy_of_the_environ_but_not_one_of_its_own_making(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("copying", files(other_filter("copying")))
    node.add("forgetful", files(other_filter("forgetful")))
    with node:
        assert node.ask("/copying/").status == 200
        answer = node.ask("/forgetful/")
    assert answer.status == 500
    assert b"filter [o] called the next application with an environ of its own making" in answer.body


@pytest.mark.parametrize("name", ["no_callable", "Missing", "Mark"])
def test_an_application_whose_filter_cannot_be_made_does_not_run(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    context = node.add("shop", files(other_filter(name)))
    with node:
        assert context.state is LifecycleState.FAILED
    assert "Exception starting filter [o]" in caplog.text
    assert "One or more Filters failed to start" in caplog.text


def test_what_is_remembered_of_chains_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalina.core import application_filters

    monkeypatch.setattr(application_filters, "MAX_REMEMBERED", 5)
    node = Node(tmp_path)
    context = node.add("shop", files(mapping("a", "<url-pattern>/*</url-pattern>"), "a"))
    with node:
        for number in range(50):
            node.ask(f"/shop/{number}")
        assert len(context.filter_chains._remembered) <= 5

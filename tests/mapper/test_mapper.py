"""Hosts, applications and versions."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.mapper import mapper as mapper_module
from catalina.mapper.mapper import Mapper
from catalina.mapper.servlet_map import ServletMap
from catalina.webresources.resource import Resource
from tests.connector.bare import BareContext
from tests.connector.serving import Level
from tests.support.narrowing import there


class NoFiles:
    def get_resource(self, path: str) -> Resource:
        return Resource(path)


def make_host(name: str) -> Level:
    return Level(name)


def make_servlets(path: str, version: str = "", *patterns: str) -> ServletMap:
    context: Any = BareContext(
        path=path,
        web_app_version=version,
        version_key=version,
        paused=False,
        name=f"{path}##{version}" if version else path,
        resources=NoFiles(),
        mapper_context_root_redirect_enabled=True,
        mapper_directory_redirect_enabled=False,
    )
    return ServletMap(context, [(pattern, Level(pattern)) for pattern in patterns or ("/",)], ())


def make_mapper(*paths: str) -> Mapper:
    mapper = Mapper()
    host = make_host("localhost")
    mapper.add_host(host, ("www.example.org", "*.wild.example"))
    mapper.default_host_name = "localhost"
    for path in paths:
        mapper.add_context(host, make_servlets(path))
    return mapper


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST", "localhost"),
        ("www.example.org", "localhost"),
        ("a.wild.example", "localhost"),
        ("other.example", "other.example"),
        ("x.other.example", "localhost"),
        ("unknown", "localhost"),
        ("", "localhost"),
    ],
)
def test_the_host_is_found_by_name_alias_wildcard_or_default(host: str, found: str) -> None:
    mapper = make_mapper("")
    mapper.add_host(make_host("other.example"))
    assert mapper.map(host, "/").host.name == found  # type: ignore[union-attr]  # there is one


def test_a_name_is_matched_before_a_wildcard() -> None:
    mapper = make_mapper()
    mapper.add_host(make_host("b.wild.example"))
    assert mapper.map("b.wild.example", "/").host.name == "b.wild.example"  # type: ignore[union-attr]  # there is one
    assert mapper.map("c.wild.example", "/").host.name == "localhost"  # type: ignore[union-attr]  # there is one


def test_without_a_default_host_an_unknown_name_finds_nothing() -> None:
    mapper = make_mapper("")
    mapper.default_host_name = None
    assert mapper.map("unknown", "/").host is None


@pytest.mark.parametrize(
    ("path", "context"),
    [
        ("/", ""),
        ("/x", ""),
        ("/shop", "/shop"),
        ("/shop/", "/shop"),
        ("/shop/cart", "/shop"),
        ("/shop/admin", "/shop/admin"),
        ("/shop/admin/x", "/shop/admin"),
        ("/shop/administrator", "/shop"),
        ("/shopping", ""),
        ("/Shop", ""),
    ],
)
def test_the_longest_context_path_that_ends_at_a_slash_wins(path: str, context: str) -> None:
    found = make_mapper("", "/shop", "/shop/admin").map("localhost", path)
    assert found.context is not None
    assert found.context.path == context


def test_without_a_root_application_other_paths_find_no_context() -> None:
    found = make_mapper("/shop").map("localhost", "/x")
    assert (found.host is not None, found.context, found.wrapper) == (True, None, None)


def test_the_bare_context_path_is_redirected_to_the_slash() -> None:
    found = make_mapper("/shop").map("localhost", "/shop")
    assert (found.redirect_path, found.wrapper) == ("/shop/", None)


@pytest.mark.parametrize(("version", "found"), [(None, "9"), ("", ""), ("10", "10"), ("9", "9"), ("gone", "9")])
def test_the_newest_version_answers_unless_another_one_is_asked_for(version: str | None, found: str) -> None:
    mapper = make_mapper()
    host = mapper.map("localhost", "/").host
    assert host is not None
    for each in ("10", "", "9"):
        mapper.add_context(host, make_servlets("/shop", each))
    data = mapper.map("localhost", "/shop/x", version)
    assert data.context is not None
    assert data.context.web_app_version == found
    assert [context.web_app_version for context in data.contexts] == ["9", "10", ""]


def test_a_paused_application_is_found_without_a_servlet_and_not_remembered() -> None:
    mapper = make_mapper("/shop")
    context: Any = mapper.map("localhost", "/shop/x").context
    assert context is not None
    context.paused = True
    mapper.forget_answers()
    assert mapper.map("localhost", "/shop/x").wrapper is None
    context.paused = False
    assert mapper.map("localhost", "/shop/x").wrapper is not None


def test_an_answer_is_remembered_until_the_map_changes() -> None:
    mapper = make_mapper("/shop")
    first = mapper.map("localhost", "/shop/x")
    assert mapper.map("localhost", "/shop/x") is first
    assert first.host is not None
    mapper.add_context(first.host, make_servlets("/shop", "", "/x"))
    assert mapper.map("localhost", "/shop/x").pattern == "/x"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapper_module, "MAX_REMEMBERED", 10)
    mapper = make_mapper("")
    for number in range(100):
        mapper.map("localhost", f"/{number}")
    assert len(mapper.remembered) <= 10
    mapper.map("localhost", "/" + "x" * 1000)
    assert all(len(path) <= mapper_module.MAX_REMEMBERED_PATH for _, path in mapper.remembered)


def test_an_application_that_is_removed_is_not_found_any_more() -> None:
    mapper = make_mapper("", "/shop")
    found = mapper.map("localhost", "/shop/x")
    assert found.host is not None
    assert found.context is not None
    mapper.remove_context(found.host, found.context)
    assert mapper.map("localhost", "/shop/x").context.path == ""  # type: ignore[union-attr]  # ROOT answers


def test_aliases_and_hosts_come_and_go() -> None:
    mapper = make_mapper("")
    other = make_host("other.example")
    mapper.add_host(other)
    mapper.add_alias(other, "alias.example")
    assert mapper.map("alias.example", "/").host is other
    mapper.remove_alias("alias.example")
    assert mapper.map("alias.example", "/").host is not other
    mapper.remove_host(there(other))
    assert mapper.map("other.example", "/").host is not other

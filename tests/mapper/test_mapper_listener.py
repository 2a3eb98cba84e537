"""The map follows the containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.standard_host import StandardHost
from tests.core.node import Node


def test_an_application_is_mapped_from_its_start_to_its_stop(tmp_path: Path) -> None:
    node = Node(tmp_path)
    with node:
        assert node.service.mapper.map("localhost", "/shop/").context is None
        context = node.add("shop", {"a.txt": "a"})
        assert node.service.mapper.map("localhost", "/shop/").context is context
        context.stop()
        assert node.service.mapper.map("localhost", "/shop/").context is None


def test_an_application_that_reloads_stays_mapped_and_is_paused(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"a.txt": "a"})
    seen: list[tuple[bool, bool]] = []
    with node:
        context.add_lifecycle_listener(
            lambda event: (
                seen.append((node.service.mapper.map("localhost", "/shop/a.txt").context is context, context.paused))
                if event.type == "before_start"
                else None
            )
        )
        context.reload()
        assert node.ask("/shop/a.txt").body == b"a"
    assert seen == [(True, True)]


def test_an_application_that_does_not_come_back_from_a_reload_is_not_mapped(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": "<web-app/>"})
    with node:
        (tmp_path / "webapps" / "shop" / "WEB-INF" / "web.xml").write_text("<web-app>")
        context.reload()
        assert node.service.mapper.map("localhost", "/shop/").context is None


def test_a_host_and_an_alias_that_are_added_later_are_mapped(tmp_path: Path) -> None:
    node = Node(tmp_path)
    with node:
        other = StandardHost(name="other.example")
        node.engine.add_child(other)
        other.add_alias("alias.example")
        assert node.service.mapper.map("alias.example", "/").host is other
        other.remove_alias("alias.example")
        assert node.service.mapper.map("alias.example", "/").host is node.host
        node.engine.remove_child(other)
        assert node.service.mapper.map("other.example", "/").host is node.host


def test_an_unknown_default_host_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    node = Node(tmp_path)
    node.engine.default_host = "nowhere"
    with node:
        pass
    assert "Unknown default host [nowhere] for service [StandardService[Catalina]]" in caplog.text


def test_a_mapping_that_is_added_to_a_running_application_counts_at_once(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"a.txt": "a"})
    with node:
        assert node.service.mapper.map("localhost", "/shop/other").pattern == "/"
        context.add_servlet_mapping("/other", "default")
        assert node.service.mapper.map("localhost", "/shop/other").pattern == "/other"

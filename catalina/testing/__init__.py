"""A pytest plugin that runs an application on real nodes of one group, which a test can kill, restart and cut off.

``conftest.py``::

    pytest_plugins = ["catalina.testing"]

A test::

    def test_the_cart_survives(catalina_nodes):
        nodes = catalina_nodes("shop.web:application", count=2)
        browser = nodes.browser()
        browser.post("/cart/tea")
        nodes.kill(browser.node)
        assert browser.get("/cart").json == {"tea": 1}

``catalina_nodes`` takes the arguments of :class:`~catalina.testing.group.Group` except the directory (``workers=2``
gives each node two processes that serve), and returns a group that serves. The nodes end with the test, even when
pytest is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.testing.browser import Answer, Browser
from catalina.testing.group import Group

__all__ = ["Answer", "Browser", "Group", "catalina_nodes"]


@pytest.fixture
def catalina_nodes(tmp_path: Path) -> Iterator[Callable[..., Group]]:
    """``catalina_nodes(application, count=2, ...)``: a started group."""
    groups: list[Group] = []

    def make(*arguments: Any, **values: Any) -> Group:
        directory = tmp_path / f"catalina-{len(groups) + 1}"
        directory.mkdir()
        group = Group(directory, *arguments, **values)
        groups.append(group)
        return group.start()

    yield make
    for group in groups:
        group.close()

"""The root under its other name."""

from __future__ import annotations

from pathlib import Path

from catalina.webresources.extracting_root import ExtractingRoot
from tests.core.node import Node


def test_an_application_runs_with_it(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"a.txt": "a"})
    context.resources = ExtractingRoot()
    with node:
        assert node.ask("/shop/a.txt").body == b"a"

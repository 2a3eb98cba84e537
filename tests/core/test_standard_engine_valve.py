"""A request without a host."""

from __future__ import annotations

from pathlib import Path

from tests.core.node import Node


def test_a_name_that_no_host_answers_to_gets_404(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.engine.default_host = None
    node.add("ROOT", {"a.txt": "a"})
    with node:
        assert node.ask("/a.txt", host="unknown.example").status == 404
        assert node.ask("/a.txt", host="localhost").status == 200

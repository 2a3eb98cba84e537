"""Nodes for cluster tests; whatever a test leaves running is ended behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.support.ports import free_udp_port


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """``make_node(name, **values)``: a node that is not started yet."""
    nodes: list[Node] = []

    def make(name: str, **values: Any) -> Node:
        node = Node(name, tmp_path / name, **values)
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def make_pair(make_node: Callable[..., Node]) -> Callable[..., tuple[Node, Node]]:
    """Two started nodes of one group, the HOW-TO's configuration under the Host."""

    def make(
        names: tuple[str, str] = ("tomcatA", "tomcatB"),
        before_start: Callable[[Node], object] = lambda node: None,
        workers: int | None = None,
        **values: Any,
    ) -> tuple[Node, Node]:
        port = free_udp_port()
        first, second = (make_node(name, cluster=full(port, **values), workers=workers) for name in names)
        before_start(first)
        before_start(second)
        first.start(wait=False)
        second.start(wait=False)
        first.wait_started()
        second.wait_started()
        return first, second

    return make

"""The objects that a request carries have the members of the protocols, and so have the tests' replacements."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.connector import carried
from tests.connector.bare import bare_connector
from tests.core.node import Node

MODULE = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'served']\n"


def members(protocol: type) -> set[str]:
    return {name for name in dir(protocol) if not name.startswith("_")}


def test_the_containers_of_a_node_are_what_a_request_carries(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"app.py": MODULE})
    with node:
        parts = {
            carried.Context: context,
            carried.Host: context.host,
            carried.Wrapper: next(iter(context.wrappers.values())),
            carried.FoundMapping: node.service.mapper.map("localhost", "/shop/"),
            carried.Service: node.service,
        }
        assert {kind.__name__: members(kind) - set(dir(part)) for kind, part in parts.items()} == {
            kind.__name__: set() for kind in parts
        }


@pytest.mark.parametrize("protocol", [carried.RequestConnector, carried.RequestLimits])
def test_a_connector_is_what_a_request_carries(protocol: type) -> None:
    assert members(protocol) - set(dir(bare_connector())) == set()

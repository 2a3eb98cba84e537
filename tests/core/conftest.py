"""The node of this folder's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.node import Node


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """A container that is not started yet: add applications, then ``with node: node.ask("/")``."""
    return Node(tmp_path)

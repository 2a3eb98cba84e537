"""Nodes for the tests of this directory."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catalina.workers.lasting_memory import LastingMemory
from tests.workers.small_node import SmallNode


@pytest.fixture
def memory() -> Iterator[LastingMemory]:
    """Memory that outlives a keeper."""
    made = LastingMemory()
    yield made
    made.close()


@pytest.fixture
def make_node() -> Iterator[Callable[..., SmallNode]]:
    made: list[SmallNode] = []

    def make(**values: Any) -> SmallNode:
        made.append(SmallNode(**values))
        return made[-1]

    yield make
    for node in made:
        node.close()

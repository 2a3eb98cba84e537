"""State that the processes of a node share, as components ask for it."""

from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.errors import LifecycleError
from catalina.node_state import NodeState, node_secret, node_state, place_of, refuse_workers
from tests.support.stand_in import stand_in


class Counter(NodeState):
    """A state."""


class Role:
    """Says what it was asked."""

    def state(self, kind: type[Any], name: str) -> Any:
        return kind, name


def context(role: Role | None) -> Any:
    server = stand_in(StandardServer, role=role)
    engine = stand_in(StandardEngine, name="Catalina", parent=None, server=server)
    host = stand_in(StandardHost, name="localhost", parent=engine, server=server)
    return stand_in(StandardContext, name="/shop", parent=host, server=server)


def test_a_node_of_one_process_has_no_shared_state() -> None:
    assert node_state(Counter, context(None), "x") is None
    assert node_state(Counter, None, "x") is None


def test_a_state_is_asked_for_by_its_place() -> None:
    asked: Any = node_state(Counter, context(Role()), "valve0")
    assert asked == (Counter, "Catalina/localhost//shop#valve0")


def test_a_place_has_the_names_of_all_containers() -> None:
    assert place_of(context(None)) == "Catalina/localhost//shop"
    assert place_of(None) == ""


def test_a_secret_depends_on_its_name_alone() -> None:
    assert node_secret("a") == node_secret("a")
    assert node_secret("a") != node_secret("b")
    assert len(node_secret("a")) == 32


def test_what_is_not_node_wide_does_not_start_in_a_node_of_several_processes() -> None:
    refuse_workers("A part", context(None))
    with pytest.raises(LifecycleError, match=r"A part cannot be used in a node of several processes; expected"):
        refuse_workers("A part", context(Role()))

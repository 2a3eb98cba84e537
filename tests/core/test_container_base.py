"""Names, children, parts, ticks."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest

from catalina.core.container_base import ContainerBase, ContainerEvent, thread_count
from catalina.errors import LifecycleError, NamingError
from catalina.lifecycle import Lifecycle, LifecycleState
from tests.core.node import Node


class Part(Lifecycle):
    """Stands for a realm or a cluster."""

    container: ContainerBase | None = None

    def background_process(self) -> None:
        self.ticked = True


def pair() -> tuple[ContainerBase, ContainerBase]:
    parent, child = ContainerBase(name="parent"), ContainerBase(name="child")
    from tests.core.test_standard_pipeline import Marking

    for container in (parent, child):
        container.pipeline.basic = Marking("basic", last=True)
    parent.add_child(child)
    return parent, child


def test_a_container_says_its_place_and_its_logger_as_tomcat_does() -> None:
    parent, child = pair()
    assert str(child) == "ContainerBase[parent].ContainerBase[child]"
    assert child.logger.name == "org.apache.catalina.core.ContainerBase.[parent].[child]"
    assert parent.find_child("child") is child


def test_children_start_and_stop_with_their_parent_and_late_ones_at_once() -> None:
    parent, child = pair()
    parent.start()
    assert child.state is LifecycleState.STARTED
    late = ContainerBase(name="late")
    late.pipeline.basic = child.pipeline.basic  # type: ignore[assignment]  # there is one
    parent.add_child(late)
    assert late.state is LifecycleState.STARTED
    parent.stop()
    assert {each.state for each in parent.children} == {LifecycleState.STOPPED}


def test_two_children_cannot_have_one_name() -> None:
    parent, _ = pair()
    with pytest.raises(LifecycleError, match=r"the name \[child\] is not unique"):
        parent.add_child(ContainerBase(name="child"))


def test_a_child_that_fails_fails_its_parent_but_not_its_siblings() -> None:
    class Broken(ContainerBase):
        def _start(self) -> None:
            raise OSError("no")

    parent, child = pair()
    parent.add_child(Broken(name="broken"))
    with pytest.raises(LifecycleError, match="A child container failed during start"):
        parent.start()
    assert child.state is LifecycleState.STARTED


def test_a_child_that_does_not_stop_does_not_keep_the_others() -> None:
    class Stubborn(ContainerBase):
        def _stop(self) -> None:
            raise OSError("no")

    parent, child = pair()
    stubborn = Stubborn(name="a-stubborn")
    stubborn.pipeline.basic = child.pipeline.basic  # type: ignore[assignment]  # there is one
    parent.add_child(stubborn)
    parent.start()
    parent.stop()
    assert child.state is LifecycleState.STOPPED


def test_a_removed_child_is_stopped_and_destroyed() -> None:
    parent, child = pair()
    events: list[ContainerEvent] = []
    parent.add_container_listener(events.append)
    parent.start()
    parent.remove_child(child)
    assert (child.state, child.parent, parent.children) == (LifecycleState.DESTROYED, None, ())
    assert [event.type for event in events] == ["removeChild"]


def test_realm_and_cluster_are_those_of_the_nearest_container_that_has_one() -> None:
    parent, child = pair()
    outer, inner = Part(), Part()
    parent.realm = outer  # type: ignore[assignment]  # any component does here
    parent.cluster = outer  # type: ignore[assignment]  # any component does here
    assert (child.realm, child.cluster) == (outer, outer)
    child.realm = inner  # type: ignore[assignment]  # any component does here
    assert (child.realm, parent.realm, inner.container) == (inner, outer, child)


def test_a_realm_is_exchanged_while_the_container_runs() -> None:
    parent, _ = pair()
    first, second = Part(), Part()
    parent.realm = first  # type: ignore[assignment]  # any component does here
    parent.start()
    assert first.state.available
    parent.realm = second  # type: ignore[assignment]  # any component does here
    assert (first.state.available, second.state.available, first.container) == (False, True, None)
    parent.stop()


@pytest.mark.parametrize(("configured", "threads"), [(1, 1), (4, 4), (0, os.cpu_count()), (-1000, 1)])
def test_start_stop_threads_count_as_in_tomcat(configured: int, threads: int) -> None:
    assert thread_count(configured) == threads


def test_children_start_side_by_side_when_there_are_threads_for_it() -> None:
    together = threading.Barrier(2, timeout=5)

    class Waiting(ContainerBase):
        def _start(self) -> None:
            together.wait()  # breaks unless both are here

    parent = ContainerBase(name="parent", start_stop_threads=2)
    parent.pipeline.basic = pair()[0].pipeline.basic  # type: ignore[assignment]  # there is one
    for name in ("a", "b"):
        parent.add_child(Waiting(name=name))
    parent.start()
    assert parent.state is LifecycleState.STARTED


def test_a_tick_reaches_the_parts_and_the_children_without_ticks_of_their_own(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(Part):
        def background_process(self) -> None:
            raise OSError("no")

    parent, child = pair()
    own = ContainerBase(name="own", background_processor_delay=5)
    own.pipeline.basic = child.pipeline.basic  # type: ignore[assignment]  # there is one
    parent.add_child(own)
    parent.cluster = Faulty()  # type: ignore[assignment]  # any component does here
    ticks: list[str] = []
    for container in (parent, child, own):
        container.add_lifecycle_listener(
            lambda event: ticks.append(str(event.source)) if event.type == "periodic" else None
        )
    parent.start()
    with caplog.at_level(logging.ERROR):
        parent.tick()
    assert ticks == ["ContainerBase[parent]", "ContainerBase[parent].ContainerBase[child]"]
    assert "Exception processing cluster" in caplog.text


def test_ticks_come_from_the_servers_utility_threads(tmp_path: Path) -> None:
    node = Node(tmp_path)
    ticked = threading.Event()
    names: list[str] = []

    def hear(event: object) -> None:
        if getattr(event, "type", "") == "periodic":
            names.append(threading.current_thread().name)
            ticked.set()

    node.engine.add_lifecycle_listener(hear)
    with node:
        node.engine._stop_ticks()
        node.engine._tick = node.server.utility.schedule(node.engine.tick, 0.001, 0.001)
        assert ticked.wait(5)
    assert names[0].startswith("Catalina-utility-")


class FailingPart(Part):
    """Starts never."""

    def _start(self) -> None:
        raise LifecycleError("no directory there")


def test_what_failed_half_way_is_stopped_with_its_parent() -> None:
    """A Host whose valve does not start has applications that run already."""
    parent, child = pair()
    grandchild = ContainerBase(name="grandchild")
    grandchild.pipeline.basic = child.pipeline.basic  # type: ignore[assignment]  # there is one
    child.add_child(grandchild)
    sibling = ContainerBase(name="sibling")
    sibling.pipeline.basic = child.pipeline.basic  # type: ignore[assignment]  # there is one
    sibling.realm = FailingPart()  # type: ignore[assignment]  # only its lifecycle counts
    child.add_child(sibling)
    with pytest.raises(LifecycleError, match="no directory there"):
        parent.start()
    assert grandchild.state is LifecycleState.STARTED
    parent.stop()
    assert grandchild.state is LifecycleState.STOPPED


def test_only_an_application_has_names_of_its_own() -> None:
    with pytest.raises(NamingError, match=r"ContainerBase\[parent\]: only an application has names"):
        ContainerBase(name="parent").lookup("jdbc/users")

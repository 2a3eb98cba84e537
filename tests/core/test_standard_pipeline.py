"""Valves in order, added and removed while requests run."""

from __future__ import annotations

from typing import Any

from catalina.core.container_base import ContainerBase
from catalina.lifecycle import LifecycleState
from catalina.valves.valve_base import ValveBase


class Marking(ValveBase):
    """Writes its name into the list that stands for the request."""

    def __init__(self, name: str, last: bool = False) -> None:
        super().__init__()
        self.name = name
        self.last = last

    def invoke(self, request: Any, response: Any) -> None:
        request.append(self.name)
        if not self.last:
            self.next.invoke(request, response)


def run(container: ContainerBase) -> list[str]:
    passed: list[str] = []
    container.pipeline.first.invoke(passed, None)  # type: ignore[arg-type]  # the valves above only mark it
    return passed


def make() -> ContainerBase:
    container = ContainerBase(name="box")
    container.pipeline.basic = Marking("basic", last=True)
    return container


def test_valves_run_in_the_order_they_were_added_and_the_basic_one_last() -> None:
    container = make()
    container.add_valve(Marking("a"))
    container.add_valve(Marking("b"))
    assert run(container) == ["a", "b", "basic"]


def test_a_valve_that_is_removed_is_skipped_and_stopped() -> None:
    container = make()
    valve = Marking("a")
    container.pipeline.start()
    container.add_valve(valve)
    container.remove_valve(valve)
    assert run(container) == ["basic"]
    assert valve.state is LifecycleState.DESTROYED
    assert valve.container is None


def test_a_valve_added_to_a_running_pipeline_is_started_before_it_gets_a_request() -> None:
    container = make()
    container.pipeline.start()
    valve = Marking("late")
    container.add_valve(valve)
    assert valve.state.available
    assert run(container) == ["late", "basic"]


def test_replacing_the_basic_valve_keeps_the_others() -> None:
    container = make()
    container.add_valve(Marking("a"))
    container.pipeline.basic = Marking("other", last=True)
    assert run(container) == ["a", "other"]


def test_a_valve_that_does_not_stop_does_not_keep_the_others_running() -> None:
    class Stubborn(Marking):
        def _stop(self) -> None:
            raise OSError("no")

    container = make()
    container.add_valve(Stubborn("a"))
    good = Marking("b")
    container.add_valve(good)
    container.pipeline.start()
    container.pipeline.stop()
    assert good.state is LifecycleState.STOPPED


def test_removing_a_valve_that_is_not_there_changes_nothing() -> None:
    container = make()
    container.remove_valve(Marking("stranger"))
    assert run(container) == ["basic"]


def test_a_valve_can_stand_before_those_that_are_there() -> None:
    container = make()
    container.add_valve(Marking("a"))
    container.pipeline.add_first(Marking("first"))
    assert run(container) == ["first", "a", "basic"]

"""The lifecycle's states, walks and events are Tomcat's."""

from __future__ import annotations

import itertools

import pytest

from catalina.errors import LifecycleError
from catalina.lifecycle import DESTROY, INIT, START, STOP, Lifecycle, LifecycleEvent, LifecycleState

S = LifecycleState


class Recorder(Lifecycle):
    """Writes down its events and its own work, in order."""

    def __init__(self, fail_in: str = "") -> None:
        super().__init__()
        self.seen: list[str] = []
        self.fail_in = fail_in
        self.add_lifecycle_listener(self._note)

    def _note(self, event: LifecycleEvent) -> None:
        self.seen.append(event.type)

    def _work(self, name: str) -> None:
        self.seen.append(name)
        if name == self.fail_in:
            raise OSError("port 8080 is taken")

    def _init(self) -> None:
        self._work("_init")

    def _start(self) -> None:
        self._work("_start")

    def _stop(self) -> None:
        self._work("_stop")

    def _destroy(self) -> None:
        self._work("_destroy")


def test_a_new_component_is_initialised_by_its_start() -> None:
    component = Recorder()
    component.start()
    assert component.state is S.STARTED
    assert component.seen == [
        "before_init", "_init", "after_init", "before_start", "_start", "start", "after_start",
    ]  # fmt: skip


def test_stop_and_destroy_run_their_hooks_after_the_events() -> None:
    component = Recorder()
    component.start()
    component.seen.clear()
    component.stop()
    component.destroy()
    assert component.state is S.DESTROYED
    assert component.seen == [
        "before_stop", "stop", "_stop", "after_stop", "before_destroy", "_destroy", "after_destroy",
    ]  # fmt: skip


def test_a_stopped_component_starts_again_without_a_second_init() -> None:
    component = Recorder()
    component.start()
    component.stop()
    component.seen.clear()
    component.start()
    assert component.seen == ["before_start", "_start", "start", "after_start"]


def test_a_failing_hook_leaves_the_component_failed_and_names_it() -> None:
    component = Recorder(fail_in="_start")
    with pytest.raises(LifecycleError, match=r"Failed to start component \[Recorder\]: port 8080 is taken"):
        component.start()
    assert component.state is S.FAILED
    component.stop()
    assert component.state is S.STOPPED


def test_a_second_start_does_nothing() -> None:
    component = Recorder()
    component.start()
    component.seen.clear()
    component.start()
    assert component.seen == []


def test_stopping_what_never_started_does_not_run_its_hook() -> None:
    component = Recorder()
    component.stop()
    assert component.state is S.STOPPED
    assert "_stop" not in component.seen


def test_a_destroyed_component_refuses_to_start() -> None:
    component = Recorder()
    component.destroy()
    with pytest.raises(LifecycleError, match=r"Recorder: start\(\) is not possible in state DESTROYED"):
        component.start()


@pytest.mark.parametrize("table", [INIT, START, STOP, DESTROY])
def test_every_walk_ends_where_its_verb_says(table: dict[S, tuple[S, ...]]) -> None:
    ends = {id(INIT): S.INITIALIZED, id(START): S.STARTED, id(STOP): S.STOPPED, id(DESTROY): S.DESTROYED}
    for walk in table.values():
        assert not walk or walk[-1] is ends[id(table)]


def test_states_with_equal_events_are_still_different_states() -> None:
    assert all(one is not other for one, other in itertools.combinations(S, 2))
    assert S.NEW is not S.FAILED


def test_a_removed_listener_hears_nothing() -> None:
    component = Recorder()
    component.remove_lifecycle_listener(component._note)
    component.start()
    assert component.seen == ["_init", "_start"]

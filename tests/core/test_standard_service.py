"""Connectors and their engine."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_service import StandardService
from catalina.core.standard_thread_executor import StandardThreadExecutor
from catalina.errors import LifecycleError
from catalina.lifecycle import Lifecycle, LifecycleState
from catalina.mbeans.managed_bean import ManagedBean

#: Calls that a connector gets before its applications stop.
STOP = ("http refuse", "http pause", "http answer")


class FakeConnector(Lifecycle):
    """Writes down what is asked of it."""

    service: Any = None
    throw_on_failure = False

    def __init__(self, name: str, told: list[str], broken: bool = False) -> None:
        super().__init__()
        self.name, self.told, self.broken = name, told, broken

    def _init(self) -> None:
        self.told.append(f"{self.name} init")
        if self.broken:
            raise LifecycleError("the port is taken")

    def _start(self) -> None:
        self.told.append(f"{self.name} start")

    def stop_listening(self) -> None:
        self.told.append(f"{self.name} refuse")

    def await_accepted(self) -> None:
        self.told.append(f"{self.name} answer")

    def pause(self) -> None:
        self.told.append(f"{self.name} pause")

    def await_drained(self, seconds: float) -> bool:
        self.told.append(f"{self.name} drain {seconds}")
        return True

    def _stop(self) -> None:
        self.told.append(f"{self.name} stop")


class OneOfSeveral:
    """The role of a process in a node of several."""

    index = 0
    serves = True
    others_serve = True


class ServerOfSeveral:
    """As much of a server as a service asks for."""

    role = OneOfSeveral()


def make(told: list[str], *connectors: FakeConnector, **values: Any) -> StandardService:
    service = StandardService(name="Catalina", **values)
    engine = StandardEngine(name="Catalina", default_host="localhost")
    engine.add_lifecycle_listener(
        lambda event: told.append(f"engine {event.type}") if event.type in ("after_start", "before_stop") else None
    )
    service.set_engine(engine)
    for connector in connectors:
        service.add_connector(connector)  # type: ignore[arg-type]  # a fake one
    return service


def test_the_engine_runs_before_the_connectors_and_stops_after_they_have_paused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []
    service = make(told, FakeConnector("http", told))
    with caplog.at_level(logging.INFO):
        service.start()
        service.stop()
    assert told == ["http init", "engine after_start", "http start", *STOP, "engine before_stop", "http stop"]
    assert "Starting service [Catalina]" in caplog.text
    assert "Stopping service [Catalina]" in caplog.text


def test_a_connector_that_cannot_bind_is_left_out_and_the_others_serve(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    service = make(told, FakeConnector("bad", told, broken=True), FakeConnector("good", told))
    service.start()
    assert "good start" in told
    assert "bad start" not in told
    assert "the port is taken" in caplog.text
    assert service.state is LifecycleState.STARTED


def test_open_connections_get_time_to_drain_when_that_is_configured() -> None:
    told: list[str] = []
    service = make(told, FakeConnector("http", told), graceful_stop_await_millis=1500)
    service.start()
    service.stop()
    assert told.index("http drain 1.5") < told.index("engine before_stop")


def test_a_process_that_others_of_its_node_replace_finishes_its_requests() -> None:
    told: list[str] = []
    service = make(told, FakeConnector("http", told))
    service.start()
    service.server = ServerOfSeveral()  # type: ignore[assignment]  # a fake one
    service.stop()
    assert told.index("http drain 30.0") < told.index("engine before_stop")


def test_a_connector_added_to_a_running_service_starts_and_a_removed_one_stops() -> None:
    told: list[str] = []
    service = make(told)
    service.start()
    connector = FakeConnector("late", told)
    service.add_connector(connector)  # type: ignore[arg-type]  # a fake one
    assert connector.state is LifecycleState.STARTED
    service.remove_connector(connector)  # type: ignore[arg-type]  # a fake one
    assert connector.state is LifecycleState.STOPPED
    service.stop()


def test_executors_are_found_by_name_and_run_with_the_service() -> None:
    service = make([])
    executor = StandardThreadExecutor(name="pool")
    service.add_executor(executor)
    assert service.find_executor("pool") is executor
    assert service.find_executor("other") is None
    service.start()
    assert executor.state.available
    service.stop()
    assert not executor.state.available


@pytest.mark.parametrize("when", ["init", "start"])
def test_a_connector_with_throw_on_failure_ends_the_start(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = FakeConnector("bad", [], broken=when == "init")
    connector.throw_on_failure = True
    if when == "start":
        monkeypatch.setattr(connector, "_start", lambda: 1 / 0)
    with pytest.raises(LifecycleError):
        make([], connector).start()


def test_its_bean_lists_connectors_and_executors() -> None:
    service = StandardService(name="Catalina")
    service.add_executor(StandardThreadExecutor(name="pool"))
    bean = ManagedBean(service)

    def invoke(name: str, *arguments: str) -> object:
        return bean.invoke(bean.operation(name, len(arguments)), arguments)

    assert invoke("findConnectors") == []
    assert invoke("findExecutors") == ["pool"]
    assert invoke("getExecutor", "pool") == "org.apache.catalina.core.StandardThreadExecutor"
    assert invoke("getExecutor", "none") is None

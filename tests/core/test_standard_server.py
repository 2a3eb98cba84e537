"""The root of the tree."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.lifecycle import Lifecycle, LifecycleState


def test_services_start_and_stop_with_the_server_and_late_ones_at_once() -> None:
    server = StandardServer(port=-1)
    first, late = StandardService(name="first"), StandardService(name="late")
    server.add_service(first)
    server.start()
    server.add_service(late)
    assert (first.state, late.state) == (LifecycleState.STARTED, LifecycleState.STARTED)
    assert server.find_service("late") is late
    assert server.find_service("other") is None
    server.stop()
    assert (first.state, late.state) == (LifecycleState.STOPPED, LifecycleState.STOPPED)
    server.destroy()


def test_the_offset_counts_for_the_shutdown_port_unless_it_is_switched_off() -> None:
    assert StandardServer(port=8005, port_offset=10).shutdown_port == 8015
    assert StandardServer(port=-1, port_offset=10).shutdown_port == -1


@pytest.mark.parametrize(("configured", "size"), [(2, 2), (1, 2), (5, 5), (-1000, 2)])
def test_there_are_at_least_two_utility_threads(configured: int, size: int) -> None:
    assert StandardServer(utility_threads=configured).utility.size == size


def test_stopping_ends_the_waiting_for_the_shutdown() -> None:
    server = StandardServer(port=-1)
    server.start()
    waiting = threading.Thread(target=server.await_shutdown, daemon=True)
    waiting.start()
    server.stop()
    waiting.join(5)
    assert not waiting.is_alive()
    server.destroy()


def test_periodic_events_come_until_the_stop() -> None:
    server = StandardServer(port=-1, periodic_event_delay=1)
    heard = threading.Event()
    server.add_lifecycle_listener(lambda event: heard.set() if event.type == "periodic" else None)
    server.start()
    assert heard.wait(5)
    server.stop()
    server.destroy()
    assert not any(thread.name.startswith("Catalina-utility") for thread in threading.enumerate())


def test_global_resources_live_as_long_as_the_server(tmp_path: Path) -> None:
    from catalina.deploy.naming_resources_impl import NamingResourcesImpl
    from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment

    server = StandardServer(port=-1)
    server.catalina_base = tmp_path
    resources = NamingResourcesImpl()
    resources.add(ContextEnvironment(name="limit", type="java.lang.Integer", value="7"))
    server.child_elements()["GlobalNamingResources"].add(server, resources)  # type: ignore[arg-type]  # an Element
    server.start()
    assert resources.lookup("limit") == 7
    server.stop()
    assert not resources.state.available
    server.destroy()


def test_a_service_that_does_not_stop_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    class Stubborn(StandardService):
        def _stop(self) -> None:
            raise OSError("no")

    server = StandardServer(port=-1)
    stubborn, good = Stubborn(name="stubborn"), StandardService(name="good")
    server.add_service(stubborn)
    server.add_service(good)
    server.start()
    server.stop()
    assert good.state is LifecycleState.STOPPED
    assert "Failed to stop [StandardService[stubborn]]" in caplog.text
    server.destroy()


def test_listeners_hear_the_configuration_events() -> None:
    server = StandardServer(port=-1)
    heard: list[str] = []
    server.add_lifecycle_listener(lambda event: heard.append(event.type))
    server.start()
    server.stop()
    server.destroy()
    assert "configure_start" in heard
    assert "configure_stop" in heard
    assert isinstance(server, Lifecycle)


def test_a_server_is_ending_from_the_word_on_until_it_has_stopped():
    server = StandardServer(port=-1)
    server.start()
    assert not server.is_ending
    server.stop_await()
    assert server.is_ending
    server.stop()
    assert not server.is_ending
    server.destroy()

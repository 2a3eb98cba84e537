"""The root of the tree."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalina.core.standard_server import ShutdownPort, StandardServer
from catalina.core.standard_service import StandardService
from catalina.lifecycle import Lifecycle, LifecycleState
from tests.support.ports import free_port


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


@contextmanager
def waiting(port: ShutdownPort) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=port.wait, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        port.close()
        thread.join(5)
        assert not thread.is_alive()


def send(number: int, data: bytes, close: bool = True) -> socket.socket:
    for _ in range(200):
        try:
            connection = socket.create_connection(("127.0.0.1", number), 5)
            break
        except ConnectionRefusedError:
            threading.Event().wait(0.01)
    connection.sendall(data)
    if close:
        with connection:
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""  # nothing is ever answered
    return connection


@pytest.mark.parametrize("ending", [b"", b"\n", b"\x7f", b"\x00"])
def test_the_word_ends_the_waiting_however_it_ends(ending: bytes) -> None:
    number = free_port()
    port = ShutdownPort("127.0.0.1", number, 0, "SHUTDOWN")
    with waiting(port) as thread:
        send(number, b"SHUTDOWN" + ending)
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.parametrize("word", [b"WRONG", b"", b"shutdown", b"SHUTDOWN2", b"A" * 3000])
def test_any_other_word_is_logged_and_the_port_goes_on(word: bytes, caplog: pytest.LogCaptureFixture) -> None:
    number = free_port()
    port = ShutdownPort("127.0.0.1", number, 0, "SHUTDOWN")
    with caplog.at_level(logging.WARNING), waiting(port) as thread:
        # Bytes beyond the limit are not read, so the connection may be reset.
        with send(number, word, close=False) as connection, contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        assert thread.is_alive()
        send(number, b"SHUTDOWN")
        thread.join(5)
        assert not thread.is_alive()
    assert "Invalid shutdown command" in caplog.text


def test_the_offset_is_added() -> None:
    number = free_port()
    port = ShutdownPort("127.0.0.1", number - 7, 7, "GO")
    with waiting(port) as thread:
        send(number, b"GO")
        thread.join(5)
        assert not thread.is_alive()


def test_without_a_port_only_close_ends_the_waiting() -> None:
    with waiting(ShutdownPort("127.0.0.1", -1, 0, "SHUTDOWN")) as thread:
        thread.join(0.05)
        assert thread.is_alive()


def test_close_before_wait_counts() -> None:
    port = ShutdownPort("127.0.0.1", -1, 0, "SHUTDOWN")
    port.close()
    port.wait()  # returns at once


def test_a_port_that_is_taken_is_logged_with_its_numbers(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        ShutdownPort("127.0.0.1", number, 0, "SHUTDOWN").wait()
    assert f"port [{number}] (base port [{number}] and offset [0])" in caplog.text


def test_a_process_with_thousands_of_descriptors_can_still_be_stopped() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    held = [os.dup(0) for _ in range(1100)]
    try:
        number = free_port()
        with waiting(ShutdownPort("127.0.0.1", number, 0, "SHUTDOWN")) as thread:
            send(number, b"SHUTDOWN")
            thread.join(5)
            assert not thread.is_alive()
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_port_that_nobody_waits_for_has_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    port = ShutdownPort("localhost", -1, 0, "SHUTDOWN")
    port.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_port_that_was_waited_for_gives_its_descriptor_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    port = ShutdownPort("localhost", -1, 0, "SHUTDOWN")
    with waiting(port):
        pass
    del port
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


SIGNALLED = """
import signal, threading
from catalina.core.standard_server import ShutdownPort

port = ShutdownPort("127.0.0.1", -1, 0, "SHUTDOWN")
signal.signal(signal.SIGTERM, lambda *_: port.close())

def signal_this_thread():
    while port._wake < 0:
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

signal.signal(signal.SIGUSR1, lambda *_: print("another one", flush=True))
threading.Thread(target=signal_this_thread).start()
port.wait()
print("ended")
"""


def test_a_signal_that_another_thread_gets_ends_the_waiting_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", SIGNALLED], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "another one\nended\n", done.stderr

"""The word that stops the server, and everything else that may arrive on its port."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from catalina.core.shutdown_port import ShutdownPort


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


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

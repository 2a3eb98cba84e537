"""The common part of receivers."""

from __future__ import annotations

import socket

import pytest

from catalina.tribes.transport import receiver_base as module
from catalina.tribes.transport.receiver_base import ReceiverBase, local_address, source_address
from tests.support.ports import free_port
from tests.tribes.groups import LOOPBACK


def test_the_defaults_are_tomcats():
    receiver = ReceiverBase()
    assert (receiver.address, receiver.port, receiver.auto_bind, receiver.secure_port, receiver.udp_port) == (
        "auto",
        4000,
        100,
        -1,
        -1,
    )
    assert (receiver.rx_buf_size, receiver.tx_buf_size, receiver.so_linger_on) == (65536, 25188, True)


def test_a_name_is_looked_up():
    receiver = ReceiverBase(address="localhost")
    assert receiver._resolve_host(None) in ("127.0.0.1", "::1")
    assert receiver.host in (bytes([127, 0, 0, 1]), bytes(15) + b"\1")


def test_auto_takes_the_address_of_the_route(monkeypatch):
    monkeypatch.setattr("catalina.tribes.transport.receiver_base.local_address", lambda hint: f"10.9.8.{hint[1]}")
    receiver = ReceiverBase()
    assert receiver._resolve_host(("228.0.0.4", 7)) == "10.9.8.7"
    assert receiver.host == bytes([10, 9, 8, 7])


def bound(address, port):
    sock = socket.socket()
    try:
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def test_the_next_free_port_of_the_range_is_taken():
    with socket.create_server((LOOPBACK, 0)) as taken:
        first = taken.getsockname()[1]
        with ReceiverBase(auto_bind=20)._first_free(first, lambda port: bound(LOOPBACK, port)) as sock:
            assert first < sock.getsockname()[1] < first + 20


@pytest.mark.parametrize("auto_bind", [0, 1])
def test_without_a_range_a_taken_port_is_an_error(auto_bind):
    with socket.create_server((LOOPBACK, 0)) as taken, pytest.raises(OSError, match="in use"):
        ReceiverBase(auto_bind=auto_bind)._first_free(taken.getsockname()[1], lambda port: bound(LOOPBACK, port))


def test_an_address_of_another_machine_is_an_error_at_the_first_port():
    with pytest.raises(OSError, match="assign"):
        ReceiverBase()._first_free(free_port(), lambda port: bound("203.0.113.7", port))


def test_the_base_itself_takes_nothing():
    with pytest.raises(NotImplementedError):
        ReceiverBase().start(None)
    with pytest.raises(NotImplementedError):
        ReceiverBase().stop()


@pytest.fixture
def routes(monkeypatch):
    """The addresses from which the kernel would send, by target."""
    known: dict[str, str] = {}
    monkeypatch.setattr(module, "source_address", lambda target: known.get(target[0]))
    return known


def test_the_route_to_the_group_comes_first(routes):
    routes |= {"228.0.0.4": "10.1.1.1", "192.0.2.1": "10.2.2.2"}
    assert local_address(("228.0.0.4", 45564)) == "10.1.1.1"


def test_without_a_group_the_default_route_counts(routes):
    routes["192.0.2.1"] = "10.2.2.2"
    assert local_address(None) == "10.2.2.2"


def test_loopback_is_not_taken_while_there_is_another_address(routes):
    routes |= {"228.0.0.4": "127.0.0.1", "2001:db8::1": "2001:db8::5"}
    assert local_address(("228.0.0.4", 45564)) == "2001:db8::5"


def test_when_only_loopback_is_left_a_warning_says_so(routes, caplog):
    assert local_address(("228.0.0.4", 45564)) == "127.0.0.1"
    assert "Only the loopback address is left" in caplog.text


def test_the_kernel_is_asked_for_real():
    assert source_address(("127.0.0.1", 9)) == "127.0.0.1"
    assert source_address(("0.0.0.0.0", 9)) is None

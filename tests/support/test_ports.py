from __future__ import annotations

import socket
from pathlib import Path

from tests.support.ports import _EACH, free_port, free_ports, free_udp_port


def test_a_port_is_given_once() -> None:
    assert len({free_port() for _ in range(20)}) == 20


def test_a_port_that_somebody_has_is_left_out() -> None:
    following = free_port()
    with socket.create_server(("127.0.0.1", following)):
        assert following not in [free_port() for _ in range(_EACH)]


def test_ports_in_a_row_are_all_free() -> None:
    first = free_ports(3)
    for port in range(first, first + 3):
        socket.create_server(("127.0.0.1", port)).close()


def test_clients_of_this_machine_get_none_of_them() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(free_port(), free_udp_port()) < lowest

from __future__ import annotations

import socket
from typing import Any

import pytest

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.connector import Connector
from tests.support.stand_in import stand_in


def connector(**values: Any) -> Any:
    return stand_in(Connector, **{"is_tls": False, "scheme": "http", "secure": False, **values})


def test_both_ends_of_a_connection_are_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        facts = ConnectionFacts.of(connector(), server, ("192.0.2.1", 50123))
        assert (facts.local_addr, facts.local_name, facts.local_port) == (
            "127.0.0.1",
            "127.0.0.1",
            server.getsockname()[1],
        )
    assert (facts.remote_addr, facts.remote_port) == ("192.0.2.1", 50123)


def test_this_end_of_a_unix_socket_has_no_address() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        facts = ConnectionFacts.of(connector(), ours, ("", 0))
    assert (facts.local_addr, facts.local_port) == ("", -1)


@pytest.mark.parametrize(
    ("values", "scheme", "secure"),
    [({}, "http", False), ({"is_tls": True}, "https", True), ({"scheme": "https", "secure": True}, "https", True)],
)
def test_the_connector_says_how_it_is_reached(values: dict[str, Any], scheme: str, secure: bool) -> None:
    with socket.socket() as sock:
        facts = ConnectionFacts.of(connector(**values), sock, ("", 0))
    assert (facts.scheme, facts.secure) == (scheme, secure)

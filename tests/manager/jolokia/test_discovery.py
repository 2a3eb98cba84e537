"""Agents find one another, over the real network stack of this machine."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.manager.jolokia.discovery import MAX_ANSWERS, Discovery, Responder, decode_message, encode_message
from catalina.manager.jolokia.serializer import JsonText
from catalina.reactor import Reactor
from tests.support.ports import free_udp_port

GROUP = "239.192.48.85"
DETAILS = {"agent_id": "other", "url": "http://10.0.0.7:8080/jolokia", "secured": True, "agent_description": None}


class Agent:
    """A responder in a group of the test's own."""

    def __init__(self, allowed: bool = True) -> None:
        self.port = free_udp_port()
        self.asked: list[str] = []
        self.reactor = Reactor("discovery")
        self.reactor.start()
        self.responder = Responder(self.reactor, self._details, lambda _: allowed, GROUP, self.port)
        self.responder.open()

    def _details(self, address: str) -> dict[str, Any]:
        self.asked.append(address)
        return DETAILS

    def close(self) -> None:
        self.responder.close()
        self.reactor.stop()


@pytest.fixture
def agent() -> Iterator[Agent]:
    made = Agent()
    yield made
    made.close()


def found(text: str) -> Any:
    assert isinstance(text, JsonText)
    return text.value


def test_an_agent_that_answers_is_found(agent: Agent) -> None:
    looking = Discovery("me", GROUP, agent.port)
    expected = [{"url": "http://10.0.0.7:8080/jolokia", "secured": True, "agent_id": "other"}]
    assert found(looking.lookup_with_timeout(500)) == expected
    assert found(looking.lookup_agents()) == expected
    assert found(Discovery("me").lookup_in_group(500, GROUP, agent.port)) == expected
    assert agent.asked


def test_who_may_not_read_beans_gets_no_answer() -> None:
    agent = Agent(allowed=False)
    try:
        assert found(Discovery("me", GROUP, agent.port).lookup_with_timeout(300)) == []
        assert agent.asked == []
    finally:
        agent.close()


@pytest.mark.parametrize(("group", "port"), [("127.0.0.1", 1000), ("10.0.0.7", 1000), ("ff08::48:84", 1000),
                                             ("localhost", 1000), (GROUP, 0), (GROUP, 65536)])  # fmt: skip
def test_nothing_is_sent_to_what_is_no_group(group: str, port: int) -> None:
    with pytest.raises(ValueError, match=r"is no|does not appear"):
        Discovery("me").lookup_in_group(1, group, port)


def test_strange_datagrams_are_passed_over_and_answers_in_a_second_are_few(agent: Agent) -> None:
    query = encode_message("query", {})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        for data in (b"", b"{", b"[]", b'{"type": "response"}', b'{"type": 7}', query):
            sock.sendto(data, (GROUP, agent.port))
        kind, details = decode_message(sock.recv(65536))
        assert (kind, details["agent_id"]) == ("response", "other")
        for _ in range(3 * MAX_ANSWERS):
            sock.sendto(query, (GROUP, agent.port))
        sock.sendto(query, (GROUP, agent.port))
    assert len(agent.asked) <= 1 + 2 * MAX_ANSWERS  # one second may end in between


def test_a_message_has_what_is_known_only() -> None:
    text = encode_message("response", {"agent_id": "a", "url": None})
    assert json.loads(text) == {"type": "response", "agent_id": "a"}
    assert decode_message(b'{"type": "response", "agent_id": "a", "x": 1, "url": 3}') == ("response", {"agent_id": "a"})


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text() | st.booleans(), lambda inner: st.dictionaries(
    st.sampled_from(["type", "agent_id", "url"]), inner)).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_bytes_are_a_message_or_the_documented_error(data: bytes) -> None:
    try:
        kind, _ = decode_message(data)
    except ProtocolError:
        return
    assert kind in ("query", "response")
